#include "formats/npy.hpp"

#include <fmt/format.h>

#include <array>

#include "base/text.hpp"
#include "formats/kinds.hpp"
#include "formats/structure.hpp"
#include "formats/whole_file.hpp"

namespace mlps::formats {
namespace {

std::string_view descr(workloads::ElementType type) {
  // In the order of ElementType.
  constexpr std::array<std::string_view, 12> kDescr = {"|u1", "<u2", "<u4", "<u8", "|i1", "<i2",
                                                       "<i4", "<i8", "<f2", "<f4", "<f8", "|b1"};
  return kDescr[static_cast<size_t>(type)];
}

class Npy final : public WholeFile {
 public:
  using WholeFile::WholeFile;

  uint64_t file_bytes(const FileShape& shape) const override { return header(shape).size() + array_bytes(shape); }

  void fill(const FileShape& shape, const payload::Source& source, uint64_t offset,
            std::span<std::byte> out) const override {
    source.fill(offset, out);
    overlay({offset, out}, 0, header(shape));
  }

  std::optional<uint64_t> first_mismatch(const FileShape& shape, const payload::Source& source, uint64_t offset,
                                         std::span<const std::byte> data) const override {
    const uint64_t begin = header(shape).size();
    const size_t front = offset < begin ? std::min<uint64_t>(begin - offset, data.size()) : 0;
    if (const auto wrong = Format::first_mismatch(shape, source, offset, data.first(front))) return wrong;
    return source.first_mismatch(offset + front, data.subspan(front));
  }

 private:
  std::string header(const FileShape& shape) const {
    return npy_header(element_type(), std::array{shape.height, shape.width, samples()});
  }
};

}  // namespace

std::string npy_header(workloads::ElementType type, std::span<const uint64_t> dims) {
  // Python writes a tuple of one with a comma.
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr(type),
                                 join(dims, ", "), dims.size() == 1 ? "," : "");
  constexpr size_t kFixed = 10;  // magic, version and length
  const size_t total = (kFixed + text.size() + 1 + 63) / 64 * 64;
  text.append(total - kFixed - text.size() - 1, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  append_little_endian(header, static_cast<uint16_t>(text.size()));
  return header + text;
}

Result<std::unique_ptr<Format>> make_npy(const Layout& layout) {
  return std::make_unique<Npy>(layout);
}

}  // namespace mlps::formats
