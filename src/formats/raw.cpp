#include <fmt/format.h>

#include "formats/kinds.hpp"
#include "formats/whole_file.hpp"

namespace mlps::formats {
namespace {

/// jpeg and png: payload only.
class Raw final : public WholeFile {
 public:
  using WholeFile::WholeFile;

  uint64_t file_bytes(const FileShape& shape) const override { return shape.height * shape.width; }
  void fill(const FileShape& /*shape*/, const payload::Source& source, uint64_t offset,
            std::span<std::byte> out) const override {
    source.fill(offset, out);
  }
  std::optional<uint64_t> first_mismatch(const FileShape& /*shape*/, const payload::Source& source, uint64_t offset,
                                         std::span<const std::byte> data) const override {
    return source.first_mismatch(offset, data);
  }
};

/// DLIO writes the index of the file as text, which a format doesn't know: 20 decimal digits, the most an index can
/// have, each derived from one byte of payload.
class Synthetic final : public WholeFile {
 public:
  using WholeFile::WholeFile;

  uint64_t file_bytes(const FileShape& /*shape*/) const override { return 20; }
  void fill(const FileShape& /*shape*/, const payload::Source& source, uint64_t offset,
            std::span<std::byte> out) const override {
    source.fill(offset, out);
    for (std::byte& byte : out) byte = std::byte('0' + static_cast<unsigned>(byte) % 10);
  }
};

}  // namespace

Result<std::unique_ptr<Format>> make_raw(const Layout& layout) {
  if (layout.samples_per_file != 1) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("dataset.num_samples_per_file={} with dataset.format={}: a picture is one sample",
                            layout.samples_per_file, workloads::format_name(layout.format)),
                {}, "set dataset.num_samples_per_file to 1, or take npz, npy, tfrecord or parquet");
  }
  return std::make_unique<Raw>(layout);
}

Result<std::unique_ptr<Format>> make_synthetic(const Layout& layout) {
  return std::make_unique<Synthetic>(layout);
}

}  // namespace mlps::formats
