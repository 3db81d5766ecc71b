#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "payload/content.hpp"
#include "payload/payload.hpp"
#include "workloads/training_workload.hpp"

/// Files of a data set as extents to write and to read. A format knows bytes and offsets and nothing of transport;
/// transport knows ranges and nothing of formats.
namespace mlps::formats {

/// The sides of a sample, which are drawn per file, so that files of one data set differ in size.
struct FileShape {
  uint64_t height = 1;
  uint64_t width = 1;
};

/// A range of a file that is read in one go.
struct Extent {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// What is the same for every file of a data set.
struct Layout {
  workloads::DataFormat format = workloads::DataFormat::kNpz;
  uint64_t samples_per_file = 1;
  workloads::ElementType element_type = workloads::ElementType::kUint8;
  std::vector<workloads::Column> columns;  ///< parquet; empty: the one column `data`
  uint64_t row_group_rows = 1024;          ///< parquet
  std::vector<std::string> read_columns;   ///< parquet projection; empty: all
  /// Wanted size of an extent where the format leaves a choice (tfrecord): about one I/O part.
  uint64_t extent_bytes = uint64_t{16} << 20;
  double record_bytes = 0;  ///< nominal; only to choose how many records make an extent
};
Layout layout_of(const workloads::TrainingWorkload& workload, uint64_t extent_bytes);

/// One format with one layout. Immutable; any thread may call anything. Every file of a data set has the same number
/// of extents with the same number of samples each, whatever its shape, so that the n-th read of an epoch is found by
/// arithmetic.
class Format {
 public:
  virtual ~Format() = default;

  virtual uint64_t file_bytes(const FileShape& shape) const = 0;

  virtual uint32_t extent_count() const = 0;  ///< at least 1; a file read as a whole has one
  /// Samples that are complete once extents 0..`index` are there, less those of 0..`index`-1. A parquet footer has 0.
  virtual uint64_t extent_samples(uint32_t index) const = 0;
  virtual Extent extent(const FileShape& shape, uint32_t index) const = 0;

  /// The file's bytes [offset, offset + out.size()): structure where the format has structure, elsewhere `source`'s
  /// bytes. A pure function: parts may be made in any order by any thread. `out` needs no alignment.
  virtual void fill(const FileShape& shape, const payload::Source& source, uint64_t offset,
                    std::span<std::byte> out) const = 0;

  /// First file offset at which `data` differs from fill(); the default makes the bytes again, tile by tile.
  virtual std::optional<uint64_t> first_mismatch(const FileShape& shape, const payload::Source& source, uint64_t offset,
                                                 std::span<const std::byte> data) const;

  /// Text of the index file that stands beside a data file (tfrecord); nothing for other formats.
  virtual std::optional<std::string> index_text(const FileShape& /*shape*/) const { return std::nullopt; }
};

/// E902 for a format without implementation, E102 for a layout the format can't have (a column size of 0, a projection
/// that names no column, more samples than the format can hold).
Result<std::unique_ptr<Format>> make_format(const Layout& layout);

/// One file's bytes as the storage seam takes them. Keeps references: the format must live longer.
class FileContent final : public payload::Content {
 public:
  FileContent() = default;
  FileContent(const Format& format, const FileShape& shape, const payload::Source& source)
      : format_(&format), shape_(shape), source_(source) {}

  void fill(uint64_t offset, std::span<std::byte> out) const override { format_->fill(shape_, source_, offset, out); }
  std::optional<uint64_t> first_mismatch(uint64_t offset, std::span<const std::byte> data) const override {
    return format_->first_mismatch(shape_, source_, offset, data);
  }

 private:
  const Format* format_ = nullptr;
  FileShape shape_;
  payload::Source source_;
};

}  // namespace mlps::formats
