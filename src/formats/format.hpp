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

/// Files of a data set as extents to write and to read. A format maps offsets to bytes and does no I/O; the storage
/// moves ranges and knows no formats.
namespace mlps::formats {

/// The sides of a sample, which are drawn per file, so that files of one data set differ in size.
struct FileShape {
  uint64_t height = 1;
  uint64_t width = 1;
};

/// A range of a file that is read as one unit.
struct Extent {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// The parameters that all files of a data set share.
struct Layout {
  workloads::DataFormat format = workloads::DataFormat::kNpz;
  uint64_t samples_per_file = 1;
  workloads::ElementType element_type = workloads::ElementType::kUint8;
  std::vector<workloads::Column> columns;  ///< Parquet; empty: one column named data
  uint64_t row_group_rows = 1024;          ///< Parquet
  std::vector<std::string> read_columns;   ///< Parquet projection; empty: all
  /// Target size of an extent where the format leaves a choice (tfrecord): about one I/O part.
  uint64_t extent_bytes = uint64_t{16} << 20;
  double record_bytes = 0;  ///< nominal; only for the number of records in an extent
  /// Mean size of the files of a data set that another program made; 0: files are this program's.
  double found_bytes = 0;
};
Layout layout_of(const workloads::TrainingWorkload& workload, uint64_t extent_bytes);

/// One format with one layout. Immutable and thread-safe. All files of a data set have the same number of extents with
/// the same numbers of samples, whatever their shapes, so that the n-th read of an epoch can be computed.
class Format {
 public:
  virtual ~Format() = default;

  virtual uint64_t file_bytes(const FileShape& shape) const = 0;

  virtual uint32_t extent_count() const = 0;  ///< at least 1; a file read as a whole has one
  /// Returns how many samples extent `index` completes once all before it are read. A Parquet footer completes none.
  virtual uint64_t extent_samples(uint32_t index) const = 0;
  virtual Extent extent(const FileShape& shape, uint32_t index) const = 0;

  /// Fills `out` with the file's bytes from `offset` on: the format's structure where it has any, elsewhere bytes of
  /// `source`. A pure function: threads may fill parts in any order. `out` needs no alignment.
  virtual void fill(const FileShape& shape, const payload::Source& source, uint64_t offset,
                    std::span<std::byte> out) const = 0;

  /// Returns the first file offset at which `data`, read from `offset` on, differs from fill(). The default regenerates
  /// the bytes, tile by tile.
  virtual std::optional<uint64_t> first_mismatch(const FileShape& shape, const payload::Source& source, uint64_t offset,
                                                 std::span<const std::byte> data) const;

  /// Returns the text of the index file that accompanies a data file (tfrecord); nothing for other formats.
  virtual std::optional<std::string> index_text(const FileShape& /*shape*/) const { return std::nullopt; }
};

/// Creates the format. Fails with E902 if it is not implemented, E102 for a layout that it can't have (a column size of
/// 0, a projection of an unknown column, more samples than the format can hold).
Result<std::unique_ptr<Format>> make_format(const Layout& layout);

/// The bytes of one file, in the form that a store takes. Keeps a reference; the format must outlive it.
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
