#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "formats/kinds.hpp"

namespace mlps::formats {
namespace {

class Found final : public Format {
 public:
  Found(uint64_t samples, uint32_t pieces) : samples_(samples), pieces_(pieces) {}

  uint64_t file_bytes(const FileShape& shape) const override { return shape.height; }

  uint32_t extent_count() const override { return pieces_; }
  uint64_t extent_samples(uint32_t index) const override { return share(samples_, index + 1) - share(samples_, index); }
  Extent extent(const FileShape& shape, uint32_t index) const override {
    const uint64_t begin = share(shape.height, index);
    return {begin, share(shape.height, index + 1) - begin};
  }

  void fill(const FileShape& /*shape*/, const payload::Source& source, uint64_t offset,
            std::span<std::byte> out) const override {
    source.fill(offset, out);
  }

 private:
  /// Returns how much of `all` the first `pieces` pieces have, of equal size but for one; their product may exceed 64
  /// bits.
  uint64_t share(uint64_t all, uint64_t pieces) const {
    return all / pieces_ * pieces + all % pieces_ * pieces / pieces_;
  }

  const uint64_t samples_;
  const uint32_t pieces_;
};

}  // namespace

Result<std::unique_ptr<Format>> make_found(const Layout& layout) {
  if (!layout.read_columns.empty()) {
    return fail(ErrorCode::kNotImplemented,
                "storage.storage_options.columns: single columns are read of files that this program wrote only", {},
                "leave it out to read whole files, or generate the data set with this program");
  }
  const bool in_pieces =
      layout.format == workloads::DataFormat::kTfrecord || layout.format == workloads::DataFormat::kParquet;
  const double pieces = in_pieces ? std::ceil(layout.found_bytes / static_cast<double>(layout.extent_bytes)) : 1;
  const double most = std::min(static_cast<double>(layout.samples_per_file), 1e6);
  return std::make_unique<Found>(layout.samples_per_file, static_cast<uint32_t>(std::clamp(pieces, 1.0, most)));
}

}  // namespace mlps::formats
