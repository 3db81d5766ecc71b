#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "formats/structure.hpp"
#include "formats/thrift.hpp"
#include "workloads/training_workload.hpp"

/// One column of a Parquet file: its type and its column chunks.
///
/// A value takes element_bytes() bytes of payload, whatever its type. Parquet has no physical type below 32 bits but
/// bits and byte strings, so small integers are dictionary indices of 8 or 16 bits into a dictionary of all values
/// that type has; each column chunk has its own, of 1 KiB or 256 KiB. bool goes the same way, as an unsigned 8-bit
/// integer that is 0 or 1. float16 is a byte string of two with the logical type Float16. Everything else is PLAIN.
namespace mlps::formats {

/// As workloads::Column; `list` is on its own since the column `data` is a list even of one element.
struct ParquetColumn {
  std::string name;
  workloads::ElementType type = workloads::ElementType::kUint8;
  uint64_t elements = 1;
  bool list = false;

  bool has_dictionary() const;
};

/// The column's SchemaElements, and how many there are.
void write_schema(ThriftWriter& out, const ParquetColumn& column);
int32_t physical_type(const ParquetColumn& column);

/// A data page of `rows` rows: head, `repeats` times `pattern`, tail, values. Everything but the values is structure.
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

/// All pages of one column in one row group; `rows` of them in as many equal pages as needed and one with the rest.
struct ParquetChunk {
  uint64_t begin = 0;                             ///< in its row group
  std::shared_ptr<const std::string> dictionary;  ///< the page with its header; empty where there is none
  ParquetPage full;
  uint64_t full_pages = 0;
  ParquetPage last;  ///< of 0 bytes where the full ones are all

  uint64_t bytes() const { return dictionary->size() + full_pages * full.bytes() + (last.rows > 0 ? last.bytes() : 0); }
  uint64_t end() const { return begin + bytes(); }
};

ParquetChunk make_chunk(const ParquetColumn& column, uint64_t rows, uint64_t begin);

/// Bytes of a row with its repetition levels: what decides how many rows a page has.
uint64_t row_bytes(const ParquetColumn& column);
/// A page's size is a 32-bit number; a row of more than this fits none.
inline constexpr uint64_t kMostRowBytes = (uint64_t{1} << 31) - (uint64_t{1} << 20);

/// Puts a chunk's structure, for a row group that begins at `group`, over what lies in the window.
void overlay_chunk(const Window& window, uint64_t group, const ParquetChunk& chunk);

}  // namespace mlps::formats
