#include "formats/parquet_column.hpp"

#include <algorithm>
#include <array>

namespace mlps::formats {
namespace {

using workloads::ElementType;

// The numbers of Parquet's Thrift definition.
enum Physical : int8_t { kInt32 = 1, kInt64 = 2, kFloat = 4, kDouble = 5, kFixedBytes = 7 };
enum Repetition : int8_t { kRequired = 0, kRepeated = 2 };
enum Converted : int8_t { kNone = -1, kListType = 3, kUnsigned8 = 11, kSigned8 = 15 };  // 16, 32, 64 bits follow
enum Encoding : int8_t { kPlain = 0, kRle = 3, kRleDictionary = 8 };
enum PageType : int8_t { kDataPage = 0, kDictionaryPage = 2 };
enum LogicalType : int8_t { kLogicalList = 3, kLogicalInteger = 10, kLogicalFloat16 = 15 };

struct TypeFacts {
  Physical physical;
  int8_t converted;
  uint8_t index_bits;  ///< of dictionary indices; 0: PLAIN
  uint8_t integer_bits;
  bool is_signed;
};

// In the order of ElementType.
constexpr std::array<TypeFacts, 12> kTypes = {{{kInt32, kUnsigned8, 8, 8, false},
                                               {kInt32, kUnsigned8 + 1, 16, 16, false},
                                               {kInt32, kUnsigned8 + 2, 0, 32, false},
                                               {kInt64, kUnsigned8 + 3, 0, 64, false},
                                               {kInt32, kSigned8, 8, 8, true},
                                               {kInt32, kSigned8 + 1, 16, 16, true},
                                               {kInt32, kSigned8 + 2, 0, 32, true},
                                               {kInt64, kSigned8 + 3, 0, 64, true},
                                               {kFixedBytes, kNone, 0, 0, false},
                                               {kFloat, kNone, 0, 0, false},
                                               {kDouble, kNone, 0, 0, false},
                                               {kInt32, kUnsigned8, 8, 8, false}}};

const TypeFacts& facts(ElementType type) {
  return kTypes[static_cast<size_t>(type)];
}

// Half of what the 32-bit sizes of a page header allow.
constexpr uint64_t kPageBytes = uint64_t{1} << 30;

// Encodes `count` levels of `value` in the RLE / bit-packing hybrid with a bit width of 1.
std::string level_run(uint64_t count, char value) {
  std::string run;
  append_varint(run, count << 1);
  return run += value;
}

std::string row_levels(const ParquetColumn& column) {
  if (!column.list) return {};
  return level_run(1, '\0') + (column.elements > 1 ? level_run(column.elements - 1, '\1') : "");
}

// A data page's header says also how its levels are encoded.
std::string page_header(PageType type, uint64_t body_bytes, uint64_t values, Encoding encoding) {
  ThriftWriter out;
  out.open_element();
  out.i32(1, type);
  out.i32(2, static_cast<int64_t>(body_bytes));
  out.i32(3, static_cast<int64_t>(body_bytes));
  out.open_struct(type == kDataPage ? 5 : 7);
  out.i32(1, static_cast<int64_t>(values));
  out.i32(2, encoding);
  if (type == kDataPage) {
    out.i32(3, kRle);
    out.i32(4, kRle);
  }
  out.close();
  out.close();
  return out.text();
}

ParquetPage make_page(const ParquetColumn& column, uint64_t rows) {
  const TypeFacts& type = facts(column.type);
  const uint64_t values = rows * column.elements;
  // Bit-packed indices come in groups of eight; the surplus ones are payload like the others.
  const uint64_t stored = column.has_dictionary() ? (values + 7) / 8 * 8 : values;
  ParquetPage page;
  page.rows = rows;
  page.value_bytes = stored * workloads::element_bytes(column.type);
  std::string before_levels;
  if (column.list) {
    page.pattern = row_levels(column);
    page.repeats = rows;
    append_little_endian(before_levels, static_cast<uint32_t>(page.pattern.size() * rows));
    const std::string defined = level_run(values, '\1');
    append_little_endian(page.tail, static_cast<uint32_t>(defined.size()));
    page.tail += defined;
  }
  if (column.has_dictionary()) {
    page.tail += static_cast<char>(type.index_bits);
    append_varint(page.tail, (stored / 8) << 1 | 1);
  }
  const uint64_t body = before_levels.size() + page.bytes();
  page.head = page_header(kDataPage, body, values, column.has_dictionary() ? kRleDictionary : kPlain) + before_levels;
  return page;
}

// A dictionary of all values in the order of their bit patterns, so that an index equals the bytes of its value.
int32_t dictionary_value(ElementType type, uint32_t index) {
  if (type == ElementType::kInt8) return static_cast<int8_t>(index);
  if (type == ElementType::kInt16) return static_cast<int16_t>(index);
  return static_cast<int32_t>(type == ElementType::kBool ? index & 1 : index);
}

std::string dictionary_page(ElementType type) {
  const uint32_t values = uint32_t{1} << facts(type).index_bits;
  std::string page = page_header(kDictionaryPage, uint64_t{values} * 4, values, kPlain);
  for (uint32_t index = 0; index < values; ++index) {
    append_little_endian(page, static_cast<uint32_t>(dictionary_value(type, index)));
  }
  return page;
}

// One dictionary per type, shared by all columns and files.
std::shared_ptr<const std::string> shared_dictionary(const ParquetColumn& column) {
  static const auto pages = [] {
    std::array<std::shared_ptr<const std::string>, kTypes.size()> made;
    for (size_t type = 0; type < made.size(); ++type) {
      made[type] = std::make_shared<const std::string>(
          kTypes[type].index_bits == 0 ? std::string() : dictionary_page(static_cast<ElementType>(type)));
    }
    return made;
  }();
  return pages[static_cast<size_t>(column.type)];
}

void write_logical_type(ThriftWriter& out, const TypeFacts& type) {
  if (type.integer_bits == 0 && type.physical != kFixedBytes) return;
  out.open_struct(10);
  out.open_struct(type.integer_bits != 0 ? kLogicalInteger : kLogicalFloat16);
  if (type.integer_bits != 0) {
    out.byte(1, type.integer_bits);
    out.boolean(2, type.is_signed);
  }
  out.close();
  out.close();
}

void write_value(ThriftWriter& out, ElementType element, std::string_view name) {
  const TypeFacts& type = facts(element);
  out.open_element();
  out.i32(1, type.physical);
  if (type.physical == kFixedBytes) out.i32(2, workloads::element_bytes(element));
  out.i32(3, kRequired);
  out.binary(4, name);
  if (type.converted != kNone) out.i32(6, type.converted);
  write_logical_type(out, type);
  out.close();
}

void overlay_page(const Window& window, uint64_t at, const ParquetPage& page) {
  overlay(window, at, page.head);
  const uint64_t levels = at + page.head.size();
  const uint64_t tail = levels + page.pattern.size() * page.repeats;
  for (Window rest = window.clipped(levels, tail); !rest.out.empty();) {
    const uint64_t row = (rest.offset - levels) / page.pattern.size();
    const uint64_t row_at = levels + row * page.pattern.size();
    overlay(rest, row_at, page.pattern);
    rest = rest.clipped(row_at + page.pattern.size(), tail);
  }
  overlay(window, tail, page.tail);
}

}  // namespace

bool ParquetColumn::has_dictionary() const {
  return facts(type).index_bits != 0;
}

int32_t physical_type(const ParquetColumn& column) {
  return facts(column.type).physical;
}

void write_schema(ThriftWriter& out, const ParquetColumn& column) {
  if (!column.list) return write_value(out, column.type, column.name);
  out.open_element();
  out.i32(3, kRequired);
  out.binary(4, column.name);
  out.i32(5, 1);
  out.i32(6, kListType);
  out.open_struct(10);
  out.open_struct(kLogicalList);
  out.close();
  out.close();
  out.close();
  out.open_element();
  out.i32(3, kRepeated);
  out.binary(4, "list");
  out.i32(5, 1);
  out.close();
  write_value(out, column.type, "element");
}

uint64_t row_bytes(const ParquetColumn& column) {
  return column.elements * workloads::element_bytes(column.type) + row_levels(column).size();
}

ParquetChunk make_chunk(const ParquetColumn& column, uint64_t rows, uint64_t begin) {
  const uint64_t rows_per_page = std::clamp<uint64_t>(kPageBytes / row_bytes(column), 1, rows);
  ParquetChunk chunk;
  chunk.begin = begin;
  chunk.dictionary = shared_dictionary(column);
  chunk.full = make_page(column, rows_per_page);
  chunk.full_pages = rows / rows_per_page;
  if (rows % rows_per_page != 0) chunk.last = make_page(column, rows % rows_per_page);
  return chunk;
}

void overlay_chunk(const Window& window, uint64_t group, const ParquetChunk& chunk) {
  const uint64_t at = group + chunk.begin;
  overlay(window, at, *chunk.dictionary);
  const uint64_t pages = at + chunk.dictionary->size();
  const uint64_t bytes = chunk.full.bytes();
  uint64_t page = window.offset > pages ? (window.offset - pages) / bytes : 0;
  for (; page < chunk.full_pages && pages + page * bytes < window.end(); ++page) {
    overlay_page(window, pages + page * bytes, chunk.full);
  }
  if (chunk.last.rows > 0) overlay_page(window, pages + chunk.full_pages * bytes, chunk.last);
}

}  // namespace mlps::formats
