#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/format.hpp"
#include "formats/parquet_column.hpp"

namespace mlps::formats {

/// The parameters of a Parquet file; see Layout.
struct ParquetSettings {
  std::vector<ParquetColumn> columns;
  std::vector<size_t> read_columns;  ///< indices, ascending, at least one
  uint64_t rows = 0;
  uint64_t row_group_rows = 0;
};

struct ParquetGroup {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  std::vector<ParquetChunk> chunks;
  std::vector<Extent> spans;  ///< of the projected columns, from the begin of the row group
};

/// Offsets and structure of a file: "PAR1", row groups, of which all but the last are equal, and the footer. Immutable.
class ParquetFile {
 public:
  explicit ParquetFile(const ParquetSettings& settings);

  uint64_t bytes() const { return footer_at_ + footer_.size(); }
  uint64_t footer_at() const { return footer_at_; }
  uint64_t footer_bytes() const { return footer_.size(); }

  uint64_t full_groups() const { return full_groups_; }
  const ParquetGroup& full() const { return full_; }
  const ParquetGroup& last() const { return last_; }  ///< has no rows if the full groups hold all
  /// Returns the file offset of row group `index`; the last, shorter one has index full_groups().
  uint64_t group_at(uint64_t index) const;

  void overlay_structure(const Window& window) const;

 private:
  void overlay_group(const Window& window, uint64_t at, const ParquetGroup& group) const;

  ParquetGroup full_;
  uint64_t full_groups_ = 0;
  ParquetGroup last_;
  uint64_t footer_at_ = 0;
  std::string footer_;
};

}  // namespace mlps::formats
