// Parquet files. tests/formats/test_readers.py reads them with an independent reader.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks.hpp"

namespace mlps::formats {
namespace {

using namespace checks;
using ::testing::HasSubstr;
using workloads::Column;
using workloads::DataFormat;
using workloads::ElementType;

Layout table(std::vector<Column> columns, uint64_t rows, uint64_t row_group_rows) {
  Layout made = layout(DataFormat::kParquet, rows);
  made.columns = std::move(columns);
  made.row_group_rows = row_group_rows;
  return made;
}

std::vector<Column> every_type() {
  std::vector<Column> columns;
  for (int type = 0; type <= static_cast<int>(ElementType::kBool); ++type) {
    const auto element = static_cast<ElementType>(type);
    const std::string name(workloads::element_name(element));
    if (workloads::element_bytes(element) == 2 && element != ElementType::kFloat16) continue;  // large dictionaries
    columns.push_back({name, element});
    columns.push_back({name + "_list", element, 5});
  }
  return columns;
}

std::vector<Column> flux() {
  return {{"t5_encodings", ElementType::kFloat32, 524328},
          {"clip_encodings", ElementType::kFloat32, 409},
          {"mean", ElementType::kFloat32, 8232},
          {"logvar", ElementType::kFloat32, 8232},
          {"timestamp", ElementType::kFloat32, 7}};
}

// The counts of section 1.4, names as there, types one after the other.
std::vector<Column> dlrm() {
  std::vector<Column> columns;
  const auto add = [&](ElementType type, int count) {
    for (; count > 0; --count) {
      const std::string number = std::to_string(columns.size());
      columns.push_back({"feature_" + std::string(3 - number.size(), '0') + number, type});
    }
  };
  add(ElementType::kFloat32, 56);
  add(ElementType::kFloat16, 50);
  add(ElementType::kFloat64, 49);
  add(ElementType::kInt8, 45);
  return columns;
}

struct ParquetCase {
  const char* name;
  Layout layout;
  FileShape shape = {};
};
void PrintTo(const ParquetCase& c, std::ostream* out) {
  *out << c.name;
}

class ParquetFiles : public ::testing::TestWithParam<ParquetCase> {};

TEST_P(ParquetFiles, PartsAgree) {
  parts_agree(*make(GetParam().layout), GetParam().shape);
}
TEST_P(ParquetFiles, MismatchesAreFound) {
  mismatches_are_found(*make(GetParam().layout), GetParam().shape);
}
TEST_P(ParquetFiles, ExtentsAddUp) {
  const auto format = make(GetParam().layout);
  extents_add_up(*format, GetParam().shape, GetParam().layout.samples_per_file);
  EXPECT_EQ(format->extent_samples(0), 0U);
  const Extent footer = format->extent(GetParam().shape, 0);
  EXPECT_EQ(footer.offset + footer.bytes, format->file_bytes(GetParam().shape));
  const Bytes end = range(*format, GetParam().shape, footer.offset + footer.bytes - 8, 8);
  EXPECT_EQ(text(end).substr(4), "PAR1");
  EXPECT_EQ(little_endian(std::span(end).first(4)), footer.bytes - 8);
  // Without a projection all row groups are read, each byte once, in order.
  uint64_t at = 4;
  for (uint32_t index = 1; index < format->extent_count(); ++index) {
    EXPECT_EQ(format->extent(GetParam().shape, index).offset, at);
    at += format->extent(GetParam().shape, index).bytes;
  }
  EXPECT_EQ(at, footer.offset);
}

INSTANTIATE_TEST_SUITE_P(
    Layouts, ParquetFiles,
    ::testing::Values(
        ParquetCase{"every type", table(every_type(), 70, 32)}, ParquetCase{"one group", table(every_type(), 9, 1024)},
        ParquetCase{"one row each", table({{"a", ElementType::kInt8}}, 5, 1)},
        ParquetCase{"16 bits", table({{"a", ElementType::kUint16}, {"b", ElementType::kInt16, 3}}, 40, 40)},
        ParquetCase{"lists", table({{"a", ElementType::kFloat32, 700}, {"b", ElementType::kUint8, 3}}, 300, 100)},
        ParquetCase{"no columns", table({}, 6, 4), {256, 256}},
        ParquetCase{"no columns, other shape", table({}, 6, 4), {100, 33}},
        ParquetCase{"no columns, one element", table({}, 3, 4), {1, 1}}));

// --- sizes -----------------------------------------------------------------------------------------------------------

TEST(Parquet, DlrmIsWhatItsRowsTakeAndLittleMore) {
  const auto format = make(table(dlrm(), 1'536'000, 6144));
  const uint64_t footer = format->extent({}, 0).bytes;
  const uint64_t dictionaries = 250 * 45 * (1024 + 16);  // each with its page header
  const uint64_t rest = format->file_bytes({}) - uint64_t{1'536'000} * 761 - dictionaries - footer;
  EXPECT_GT(rest, 250U * 200 * 20) << "page headers";
  EXPECT_LT(rest, 250U * 200 * 30);
  EXPECT_EQ(format->file_bytes({}), 1'183'966'824U) << "docs/formats.md";
  EXPECT_LT(footer, 3'000'000U);
  EXPECT_EQ(format->extent_count(), 251U);
  EXPECT_EQ(format->extent_samples(250), 6144U);
}

TEST(Parquet, FluxIsOneRowGroupInPieces) {
  Layout wanted = table(flux(), 288, 1024);
  const auto format = make(wanted);
  const uint64_t data = uint64_t{288} * 2'164'832;
  EXPECT_EQ(format->file_bytes({}), data + 8553) << "docs/formats.md";
  // 594.6 MiB in pieces of at most 16 MiB.
  EXPECT_EQ(format->extent_count(), 1U + 38);
  for (uint32_t index = 1; index < 39; ++index) {
    EXPECT_LE(format->extent({}, index).bytes, wanted.extent_bytes);
    EXPECT_EQ(format->extent_samples(index), index == 38 ? 288U : 0U);
  }
}

// A column chunk of 2.25 GiB has two full pages of 1 GiB and one with the rest.
TEST(Parquet, ChunksAboveOneGibHaveSeveralPages) {
  const uint64_t rows = (uint64_t{9} << 30) / 4 / 8;
  const auto format = make(table({{"a", ElementType::kFloat64}}, rows, rows));
  // A header of 29 bytes for each full page and one of 28 for the other.
  EXPECT_EQ(format->extent({}, 0).offset, 4 + rows * 8 + 29 + 29 + 28);
  for (uint64_t page = 0; page < 3; ++page) {
    // PageHeader: i32 field 1 is 0 (data page); i32 field 2, a size, follows.
    const Bytes head = range(*format, {}, 4 + page * ((uint64_t{1} << 30) + 29), 3);
    EXPECT_EQ(text(head), std::string_view("\x15\0\x15", 3)) << page;
  }
}

// --- projection ------------------------------------------------------------------------------------------------------

TEST(Parquet, ProjectionReadsSpansOfTheColumnsAlone) {
  // Columns of 1.6 MB per row group; what is between the first two and the last is far more than 64 KiB.
  std::vector<Column> columns;
  for (const char* name : {"a", "b", "c", "d"}) columns.push_back({name, ElementType::kFloat64});
  Layout wanted = table(columns, 500'000, 200'000);
  wanted.read_columns = {"d", "a"};
  const auto format = make(wanted);
  EXPECT_EQ(format->extent_count(), 1U + 3 * 2);
  const Extent a = format->extent({}, 3);
  const Extent d = format->extent({}, 4);
  EXPECT_LT(a.bytes, 200'000U * 8 + 40);
  EXPECT_EQ(d.bytes, a.bytes);
  EXPECT_EQ(d.offset, a.offset + 3 * a.bytes);
  EXPECT_EQ(a.offset, 4 + 4 * a.bytes);
  EXPECT_EQ(format->extent_samples(3), 0U);
  EXPECT_EQ(format->extent_samples(4), 200'000U);
  EXPECT_EQ(format->extent_samples(6), 100'000U);
}

TEST(Parquet, SmallHolesAreReadAlong) {
  std::vector<Column> columns;
  for (const char* name : {"a", "b", "c"}) columns.push_back({name, ElementType::kFloat64});
  Layout wanted = table(columns, 17'500, 8'184);
  wanted.read_columns = {"a", "c"};
  // b has 65,472 bytes and a header of less than 40: within 64 KiB. The rows left over are 1132.
  const auto merged = make(wanted);
  EXPECT_EQ(merged->extent_count(), 1U + 3);
  wanted.row_group_rows = 8'193;
  const auto apart = make(wanted);
  EXPECT_EQ(apart->extent_count(), 1U + 2 * 2 + 1);
  EXPECT_EQ(apart->extent_samples(1), 0U);
  EXPECT_EQ(apart->extent_samples(2), 8'193U);
  EXPECT_EQ(apart->extent_samples(5), 17'500U - 2 * 8'193);
  const Extent first = apart->extent({}, 1);
  const Extent second = apart->extent({}, 2);
  EXPECT_EQ(first.offset, 4U);
  EXPECT_EQ(second.offset, first.offset + 2 * first.bytes);
  EXPECT_EQ(second.bytes, first.bytes);
}

TEST(Parquet, ExtentsDoNotDependOnTheShape) {
  Layout wanted = table({}, 40, 16);
  wanted.record_bytes = 400'000;
  wanted.extent_bytes = uint64_t{2} << 20;
  const auto format = make(wanted);
  for (const FileShape shape : {FileShape{632, 632}, FileShape{500, 700}, FileShape{900, 900}}) {
    SCOPED_TRACE(shape.width);
    extents_add_up(*format, shape, 40);
    const Extent last = format->extent(shape, format->extent_count() - 1);
    EXPECT_EQ(last.offset + last.bytes, format->extent(shape, 0).offset);
  }
  // 16 rows of 399,424 bytes and their levels are 6.1 MiB, 8 rows 3.05 MiB: pieces of at most 2 MiB.
  EXPECT_EQ(format->extent_count(), 1U + 4 + 4 + 2);
}

// --- layouts that can't be -------------------------------------------------------------------------------------------

TEST(Parquet, RefusesWhatCannotBe) {
  const auto message = [](const Layout& wanted) {
    const Error error = refusal(wanted);
    EXPECT_EQ(error.code, ErrorCode::kConfigInvalid);
    EXPECT_FALSE(error.suggestion.empty());
    return error.message;
  };
  EXPECT_THAT(message(table({{"a", ElementType::kInt8, 0}}, 1, 1)), HasSubstr("columns[0] \"a\": size=0"));
  EXPECT_THAT(message(table({{"", ElementType::kInt8}}, 1, 1)), HasSubstr("columns[0]"));
  EXPECT_THAT(message(table({{"a"}, {"b"}, {"a"}}, 1, 1)), HasSubstr("\"a\" twice"));
  EXPECT_THAT(message(table({{"a"}}, 1, 0)), HasSubstr("row_group_size=0"));
  EXPECT_THAT(message(table({{"a", ElementType::kFloat64, uint64_t{1} << 40}}, 1, 1)), HasSubstr("size=1099511627776"));
  EXPECT_THAT(message(table({{"a"}}, uint64_t{1} << 40, 1)), HasSubstr("more than a footer can hold"));
  EXPECT_THAT(message(table({{"a", ElementType::kFloat64, 1 << 24}}, uint64_t{1} << 40, uint64_t{1} << 39)),
              HasSubstr("more than a file can hold"));
  Layout projected = table({{"feature_010"}, {"feature_200"}}, 1, 1);
  projected.read_columns = {"feature_011"};
  EXPECT_THAT(message(projected), HasSubstr("no column is named \"feature_011\""));
  EXPECT_THAT(refusal(projected).suggestion, HasSubstr("feature_010"));
}

}  // namespace
}  // namespace mlps::formats
