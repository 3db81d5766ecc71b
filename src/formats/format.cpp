#include "formats/format.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace mlps::formats {

Layout layout_of(const workloads::TrainingWorkload& workload, uint64_t extent_bytes) {
  const workloads::DatasetSettings& dataset = workload.dataset;
  Layout layout;
  layout.format = dataset.format;
  layout.samples_per_file = dataset.num_samples_per_file;
  layout.element_type = dataset.element_type;
  layout.columns = dataset.columns;
  layout.row_group_rows = dataset.parquet_row_group_rows;
  layout.read_columns = workload.reader.columns;
  layout.extent_bytes = extent_bytes;
  layout.record_bytes = dataset.record_bytes;
  return layout;
}

std::optional<uint64_t> Format::first_mismatch(const FileShape& shape, const payload::Source& source, uint64_t offset,
                                               std::span<const std::byte> data) const {
  alignas(64) std::array<std::byte, payload::kTileBytes> tile;
  while (!data.empty()) {
    // Tiles end at multiples of the tile size, where fill() is fastest.
    const size_t length = std::min<size_t>(data.size(), tile.size() - offset % tile.size());
    const std::span<std::byte> expected = std::span(tile).first(length);
    fill(shape, source, offset, expected);
    if (std::memcmp(expected.data(), data.data(), length) != 0) {
      const auto wrong = std::mismatch(expected.begin(), expected.end(), data.begin()).first;
      return offset + static_cast<uint64_t>(wrong - expected.begin());
    }
    offset += length;
    data = data.subspan(length);
  }
  return std::nullopt;
}

}  // namespace mlps::formats
