#include "formats/parquet_file.hpp"

#include <algorithm>

namespace mlps::formats {
namespace {

constexpr std::string_view kMagic = "PAR1";

// Chunks with a smaller gap between them are read as one: a request costs client and server about as much processor
// time as this many bytes (some ten microseconds). Larger gaps would make a projection read mostly unwanted bytes
// (DLRM's 40 of 200 columns: 1.26 MB of each row group instead of 0.99; with 256 KiB it would be 3.62).
constexpr uint64_t kMostHoleBytes = 64 * 1024;

ParquetGroup make_group(const ParquetSettings& settings, uint64_t rows) {
  ParquetGroup group;
  group.rows = rows;
  if (rows == 0) return group;
  group.chunks.reserve(settings.columns.size());
  for (const ParquetColumn& column : settings.columns) {
    group.chunks.push_back(make_chunk(column, rows, group.bytes));
    group.bytes = group.chunks.back().end();
  }
  for (const size_t index : settings.read_columns) {
    const ParquetChunk& chunk = group.chunks[index];
    if (!group.spans.empty()) {
      Extent& before = group.spans.back();
      if (chunk.begin - (before.offset + before.bytes) <= kMostHoleBytes) {
        before.bytes = chunk.end() - before.offset;
        continue;
      }
    }
    group.spans.push_back({chunk.begin, chunk.bytes()});
  }
  return group;
}

void write_path(ThriftWriter& out, int id, const ParquetColumn& column) {
  out.list(id, ThriftWriter::Type::kBinary, column.list ? 3 : 1);
  out.element(column.name);
  if (!column.list) return;
  out.element("list");
  out.element("element");
}

void write_chunk(ThriftWriter& out, const ParquetColumn& column, const ParquetChunk& chunk, uint64_t group_at,
                 uint64_t rows) {
  const uint64_t at = group_at + chunk.begin;
  out.open_element();
  out.i64(2, 0);  // offset of metadata outside the footer: none
  out.open_struct(3);
  out.i32(1, physical_type(column));
  // PLAIN (values or dictionary), RLE (levels), RLE_DICTIONARY
  out.list(2, ThriftWriter::Type::kI32, column.has_dictionary() ? 3 : 2);
  out.element(0);
  out.element(3);
  if (column.has_dictionary()) out.element(8);
  write_path(out, 3, column);
  out.i32(4, 0);  // uncompressed
  out.i64(5, rows * column.elements);
  out.i64(6, chunk.bytes());
  out.i64(7, chunk.bytes());
  out.i64(9, at + chunk.dictionary->size());
  if (column.has_dictionary()) out.i64(11, at);
  out.close();
  out.close();
}

void write_group(ThriftWriter& out, const ParquetSettings& settings, const ParquetGroup& group, uint64_t at) {
  out.open_element();
  out.list(1, ThriftWriter::Type::kStruct, settings.columns.size());
  for (size_t column = 0; column < settings.columns.size(); ++column) {
    write_chunk(out, settings.columns[column], group.chunks[column], at, group.rows);
  }
  out.i64(2, group.bytes);
  out.i64(3, group.rows);
  out.i64(5, at);
  out.i64(6, group.bytes);
  out.close();
}

std::string make_footer(const ParquetSettings& settings, const ParquetFile& file) {
  ThriftWriter out;
  out.open_element();
  out.i32(1, 2);
  size_t elements = 1;
  for (const ParquetColumn& column : settings.columns) elements += column.list ? 3 : 1;
  out.list(2, ThriftWriter::Type::kStruct, elements);
  out.open_element();
  out.binary(4, "schema");
  out.i32(5, static_cast<int64_t>(settings.columns.size()));
  out.close();
  for (const ParquetColumn& column : settings.columns) write_schema(out, column);
  out.i64(3, settings.rows);
  const uint64_t groups = file.full_groups() + (file.last().rows > 0 ? 1 : 0);
  out.list(4, ThriftWriter::Type::kStruct, groups);
  for (uint64_t index = 0; index < groups; ++index) {
    write_group(out, settings, index < file.full_groups() ? file.full() : file.last(), file.group_at(index));
  }
  out.binary(6, "mlpstorage");
  out.close();
  std::string footer = out.text();
  append_little_endian(footer, static_cast<uint32_t>(footer.size()));
  return footer += kMagic;
}

}  // namespace

ParquetFile::ParquetFile(const ParquetSettings& settings)
    : full_(make_group(settings, settings.rows < settings.row_group_rows ? 0 : settings.row_group_rows)),
      full_groups_(settings.rows / settings.row_group_rows),
      last_(make_group(settings, settings.rows % settings.row_group_rows)),
      footer_at_(group_at(full_groups_) + last_.bytes) {
  footer_ = make_footer(settings, *this);
}

uint64_t ParquetFile::group_at(uint64_t index) const {
  return kMagic.size() + index * full_.bytes;
}

void ParquetFile::overlay_structure(const Window& window) const {
  overlay(window, 0, kMagic);
  if (full_groups_ > 0) {
    const uint64_t first = group_at(0);
    uint64_t group = window.offset > first ? (window.offset - first) / full_.bytes : 0;
    for (; group < full_groups_ && group_at(group) < window.end(); ++group) {
      overlay_group(window, group_at(group), full_);
    }
  }
  overlay_group(window, group_at(full_groups_), last_);
  overlay(window, footer_at_, footer_);
}

void ParquetFile::overlay_group(const Window& window, uint64_t at, const ParquetGroup& group) const {
  const auto ends_before = [&](const ParquetChunk& chunk, uint64_t offset) { return at + chunk.end() <= offset; };
  auto chunk = std::lower_bound(group.chunks.begin(), group.chunks.end(), window.offset, ends_before);
  for (; chunk != group.chunks.end() && at + chunk->begin < window.end(); ++chunk) overlay_chunk(window, at, *chunk);
}

}  // namespace mlps::formats
