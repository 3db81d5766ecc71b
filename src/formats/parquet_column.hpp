#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "formats/structure.hpp"
#include "formats/thrift.hpp"
#include "workloads/training_workload.hpp"

/// One column of a Parquet file: its type and its column chunks.
///
/// A value takes element_bytes() bytes of payload, whatever its type. Below 32 bits Parquet has only bits and byte
/// strings as physical types, so small integers are stored as indices of 8 or 16 bits into a dictionary of all values
/// of the type; each column chunk has its own dictionary, of 1 KiB or 256 KiB. bool is stored the same way, as an
/// unsigned 8-bit integer that is 0 or 1. float16 is a byte string of length 2 with the logical type Float16. All other
/// types are PLAIN.
namespace mlps::formats {

/// A workloads::Column in a file. `list` is separate, since the column named data is a list even with one element.
struct ParquetColumn {
  std::string name;
  workloads::ElementType type = workloads::ElementType::kUint8;
  uint64_t elements = 1;
  bool list = false;

  bool has_dictionary() const;
};

/// Appends the column's SchemaElements.
void write_schema(ThriftWriter& out, const ParquetColumn& column);
int32_t physical_type(const ParquetColumn& column);

/// A data page of `rows` rows: head, `repeats` times `pattern`, tail, values. All but the values is structure.
struct ParquetPage {
  uint64_t rows = 0;
  std::string head;     ///< page header; for a list also the length of the repetition levels
  std::string pattern;  ///< repetition levels of one row
  uint64_t repeats = 0;
  std::string tail;  ///< definition levels; header of the run of indices
  uint64_t value_bytes = 0;

  uint64_t structure_bytes() const { return head.size() + pattern.size() * repeats + tail.size(); }
  uint64_t bytes() const { return structure_bytes() + value_bytes; }
};

/// All pages of one column in one row group: equal full pages, and one with the remaining rows.
struct ParquetChunk {
  uint64_t begin = 0;                             ///< offset in its row group
  std::shared_ptr<const std::string> dictionary;  ///< the page with its header; empty if the column has none
  ParquetPage full;
  uint64_t full_pages = 0;
  ParquetPage last;  ///< has no rows if the full pages hold all

  uint64_t bytes() const { return dictionary->size() + full_pages * full.bytes() + (last.rows > 0 ? last.bytes() : 0); }
  uint64_t end() const { return begin + bytes(); }
};

ParquetChunk make_chunk(const ParquetColumn& column, uint64_t rows, uint64_t begin);

/// Returns the bytes of a row with its repetition levels, which decide how many rows a page has.
uint64_t row_bytes(const ParquetColumn& column);
/// The largest row that fits a page, whose size is a 32-bit number.
inline constexpr uint64_t kMostRowBytes = (uint64_t{1} << 31) - (uint64_t{1} << 20);

/// Writes the part of a chunk's structure that lies in the window; the row group begins at file offset `group`.
void overlay_chunk(const Window& window, uint64_t group, const ParquetChunk& chunk);

}  // namespace mlps::formats
