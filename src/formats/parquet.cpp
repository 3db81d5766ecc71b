#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/text.hpp"
#include "formats/kinds.hpp"
#include "formats/parquet_file.hpp"

namespace mlps::formats {
namespace {

constexpr uint64_t kLeastPieceBytes = uint64_t{1} << 20;
// A footer has about 50 bytes per column chunk and is read as a whole; some readers take no more than 100 MB.
constexpr uint64_t kMostChunks = uint64_t{1} << 20;
constexpr size_t kMostNameBytes = 255;
// Below this limit sizes can be computed without overflow; no storage holds such a file.
constexpr double kMostParquetBytes = static_cast<double>(uint64_t{1} << 60);

/// A span is read in pieces of about equal size. Their number is computed from the nominal file, so that it is the same
/// for all files, although their sizes differ.
struct Pieces {
  std::vector<uint64_t> ends;  ///< per span: how many pieces there are up to its end

  uint64_t count() const { return ends.empty() ? 0 : ends.back(); }
};

Pieces pieces_of(const ParquetGroup& group, uint64_t piece_bytes) {
  Pieces pieces;
  for (const Extent& span : group.spans) {
    pieces.ends.push_back(pieces.count() + (span.bytes - 1) / piece_bytes + 1);
  }
  return pieces;
}

Extent piece(const ParquetGroup& group, const Pieces& pieces, uint64_t index) {
  const auto end = std::upper_bound(pieces.ends.begin(), pieces.ends.end(), index);
  const uint64_t first = end == pieces.ends.begin() ? 0 : *(end - 1);
  const Extent& span = group.spans[static_cast<size_t>(end - pieces.ends.begin())];
  const uint64_t count = *end - first;
  const uint64_t each = span.bytes / count;
  const uint64_t longer = span.bytes % count;  // this many pieces have one byte more
  const auto begin = [&](uint64_t number) { return number * each + std::min(number, longer); };
  return {span.offset + begin(index - first), begin(index - first + 1) - begin(index - first)};
}

class Parquet final : public Format {
 public:
  Parquet(ParquetSettings settings, bool sized_by_shape, uint64_t piece_bytes)
      : settings_(std::move(settings)),
        sized_by_shape_(sized_by_shape),
        nominal_(settings_),
        full_pieces_(pieces_of(nominal_.full(), piece_bytes)),
        last_pieces_(pieces_of(nominal_.last(), piece_bytes)) {}

  uint64_t file_bytes(const FileShape& shape) const override {
    return on_file(shape, [](const ParquetFile& file) { return file.bytes(); });
  }

  uint32_t extent_count() const override { return static_cast<uint32_t>(extents()); }
  uint64_t extents() const { return 1 + nominal_.full_groups() * full_pieces_.count() + last_pieces_.count(); }

  uint64_t extent_samples(uint32_t index) const override {
    if (index == 0) return 0;
    const Place place = place_of(index);
    return place.piece + 1 == place.pieces->count() ? (place.full ? nominal_.full() : nominal_.last()).rows : 0;
  }

  Extent extent(const FileShape& shape, uint32_t index) const override {
    return on_file(shape, [&](const ParquetFile& file) -> Extent {
      if (index == 0) return {file.footer_at(), file.footer_bytes()};
      const Place place = place_of(index);
      Extent found = piece(place.full ? file.full() : file.last(), *place.pieces, place.piece);
      found.offset += file.group_at(place.group);
      return found;
    });
  }

  void fill(const FileShape& shape, const payload::Source& source, uint64_t offset,
            std::span<std::byte> out) const override {
    source.fill(offset, out);
    on_file(shape, [&](const ParquetFile& file) { file.overlay_structure({offset, out}); });
  }

 private:
  struct Place {
    uint64_t group = 0;
    bool full = true;
    const Pieces* pieces = nullptr;
    uint64_t piece = 0;
  };
  Place place_of(uint32_t index) const {
    const uint64_t number = index - 1;
    const uint64_t in_full = nominal_.full_groups() * full_pieces_.count();
    if (number >= in_full) return {nominal_.full_groups(), false, &last_pieces_, number - in_full};
    return {number / full_pieces_.count(), true, &full_pieces_, number % full_pieces_.count()};
  }

  /// Files of data sets without columns, whose sizes are drawn, all differ: they are laid out per call.
  template <class Use>
  std::invoke_result_t<Use, const ParquetFile&> on_file(const FileShape& shape, Use use) const {
    const uint64_t elements = shape.height * shape.width;
    if (!sized_by_shape_ || elements == settings_.columns.front().elements) return use(nominal_);
    ParquetSettings settings = settings_;
    settings.columns.front().elements = elements;
    return use(ParquetFile(settings));
  }

  ParquetSettings settings_;
  bool sized_by_shape_;
  ParquetFile nominal_;
  Pieces full_pieces_;
  Pieces last_pieces_;
};

Error invalid(std::string message, std::string suggestion) {
  return {ErrorCode::kConfigInvalid, std::move(message), {}, std::move(suggestion)};
}

Status check_column(const std::vector<workloads::Column>& columns, size_t index) {
  const workloads::Column& column = columns[index];
  const std::string where = fmt::format("dataset.parquet.columns[{}] \"{}\"", index, column.name);
  if (column.name.empty() || column.name.size() > kMostNameBytes) {
    return fail(invalid(fmt::format("{}: a name of {} characters is not legal", where, column.name.size()),
                        fmt::format("give 1 to {}", kMostNameBytes)));
  }
  if (column.elements == 0)
    return fail(invalid(where + ": size=0 is not legal", "give 1 for a scalar, more for a list"));
  if (column.elements > kMostRowBytes / 16) {
    return fail(invalid(fmt::format("{}: size={} is more than a Parquet page can hold", where, column.elements),
                        fmt::format("give at most {}", kMostRowBytes / 16)));
  }
  return {};
}

Result<std::vector<ParquetColumn>> columns_of(const Layout& layout) {
  std::vector<ParquetColumn> columns;
  if (layout.columns.empty()) {
    const auto side = static_cast<uint64_t>(std::sqrt(std::max(layout.record_bytes, 1.0)));
    columns.push_back({"data", workloads::ElementType::kUint8, side * side, true});
  }
  std::vector<std::string_view> names;
  for (size_t index = 0; index < layout.columns.size(); ++index) {
    if (Status good = check_column(layout.columns, index); !good) return fail(good.error());
    const workloads::Column& column = layout.columns[index];
    columns.push_back({column.name, column.type, column.elements, column.elements > 1});
    names.push_back(column.name);
  }
  std::sort(names.begin(), names.end());
  const auto twin = std::adjacent_find(names.begin(), names.end());
  if (twin != names.end()) {
    return fail(
        invalid(fmt::format("dataset.parquet.columns names \"{}\" twice", *twin), "give each a name of its own"));
  }
  for (const ParquetColumn& column : columns) {
    if (row_bytes(column) <= kMostRowBytes) continue;
    return fail(invalid(fmt::format("a row of the column \"{}\" has {} bytes, more than a Parquet page can hold",
                                    column.name, row_bytes(column)),
                        fmt::format("give at most {}", kMostRowBytes)));
  }
  return columns;
}

Result<std::vector<size_t>> projection_of(const Layout& layout, const std::vector<ParquetColumn>& columns) {
  std::vector<bool> wanted(columns.size(), layout.read_columns.empty());
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const ParquetColumn& column : columns) names.push_back(column.name);
  for (const std::string& name : layout.read_columns) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      return fail(invalid(
          fmt::format("storage.storage_options.columns: no column is named \"{}\"", name),
          fmt::format("the file has {} columns, from \"{}\" to \"{}\"", names.size(), names.front(), names.back())));
    }
    wanted[static_cast<size_t>(found - names.begin())] = true;
  }
  std::vector<size_t> indices;
  for (size_t index = 0; index < wanted.size(); ++index) {
    if (wanted[index]) indices.push_back(index);
  }
  return indices;
}

Status check_size(const ParquetSettings& settings) {
  if (settings.row_group_rows == 0) {
    return fail(invalid("dataset.parquet.row_group_size=0 is not legal", "give at least 1"));
  }
  double bytes = 64;
  for (const ParquetColumn& column : settings.columns) bytes += static_cast<double>(row_bytes(column));
  if (!(bytes * static_cast<double>(settings.rows) < kMostParquetBytes)) {
    return fail(invalid(fmt::format("dataset.num_samples_per_file={} rows of {} bytes are more than a file can hold",
                                    settings.rows, bytes - 64),
                        "a file has less than 1 EiB"));
  }
  const uint64_t groups = (settings.rows - 1) / settings.row_group_rows + 1;
  if (groups > kMostChunks / settings.columns.size()) {
    return fail(
        invalid(fmt::format("dataset.num_samples_per_file={} with dataset.parquet.row_group_size={} gives {} row "
                            "groups of {} columns, more than a footer can hold",
                            settings.rows, settings.row_group_rows, groups, settings.columns.size()),
                fmt::format("row groups times columns may be at most {}", kMostChunks)));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Format>> make_parquet(const Layout& layout) {
  auto columns = columns_of(layout);
  if (!columns) return fail(columns.error());
  auto projection = projection_of(layout, *columns);
  if (!projection) return fail(projection.error());
  ParquetSettings settings{std::move(*columns), std::move(*projection), layout.samples_per_file, layout.row_group_rows};
  if (Status good = check_size(settings); !good) return fail(good.error());
  auto made = std::make_unique<Parquet>(std::move(settings), layout.columns.empty(),
                                        std::max(layout.extent_bytes, kLeastPieceBytes));
  if (made->extents() > std::numeric_limits<uint32_t>::max()) {
    return fail(invalid(fmt::format("dataset.num_samples_per_file={} makes files of {} bytes, read in {} pieces",
                                    layout.samples_per_file, made->file_bytes({}), made->extents()),
                        "put fewer rows into a file"));
  }
  return made;
}

}  // namespace mlps::formats
