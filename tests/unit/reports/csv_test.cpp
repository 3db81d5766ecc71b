#include "reports/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

namespace mlps::reports {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::ordered_json;

Json small_record(const std::string& name) {
  std::ifstream file(std::string(MLPS_SMALL_RECORDS) + "/" + name);
  return Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

/// Reads one line as RFC 4180 has it.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i + 1 < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && line[i + 1] == '"')
        cells.back() += line[i++];
      else
        quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  return cells;
}

std::map<std::string, std::string> row_of(const Json& record) {
  const std::string row = csv_row(rules::Document(record));
  EXPECT_EQ(row.back(), '\n');
  const std::vector<std::string> names = csv_columns(), cells = cells_of(row);
  EXPECT_EQ(cells.size(), names.size());
  std::map<std::string, std::string> found;
  for (size_t i = 0; i < std::min(cells.size(), names.size()); ++i) found[names[i]] = cells[i];
  return found;
}

TEST(Csv, ARowOfTraining) {
  Json record = small_record("training");
  record["invocation"]["label"] = "new \"firmware\", 2nd";
  const auto row = row_of(record);
  EXPECT_EQ(row.at("schema"), "mlpstorage.csv/1");
  EXPECT_EQ(row.at("label"), "new \"firmware\", 2nd");
  EXPECT_EQ(row.at("benchmark"), "training");
  EXPECT_EQ(row.at("au_percent"), "91.25");
  EXPECT_EQ(row.at("au_needed_percent"), "90");
  EXPECT_EQ(row.at("read_bytes_per_s"), "1000000000");
  EXPECT_EQ(row.at("wanted_bytes_per_s"), "1200000000");
  EXPECT_EQ(row.at("read_p50_ms"), "2");
  EXPECT_EQ(row.at("write_bytes_per_s"), "") << "a run that only reads";
  EXPECT_EQ(row.at("queries_per_s"), "");
}

TEST(Csv, ARowOfEachOtherBenchmark) {
  auto row = row_of(small_record("checkpointing"));
  EXPECT_EQ(row.at("write_bytes_per_s"), "1342177280") << "1.25 GiB/s";
  EXPECT_EQ(row.at("commit_p99_ms"), "4");
  EXPECT_EQ(row.at("mlperf_write_gib_per_s"), "1.5");
  Json cache = small_record("kvcache");
  cache["results"].push_back(cache["results"][0]);
  cache["results"][1]["requests_per_s"] = nullptr;
  row = row_of(cache);
  EXPECT_EQ(row.at("good_requests_per_s"), "4;4") << "two options";
  EXPECT_EQ(row.at("requests_per_s"), "5;") << "of the second it is not known";
  row = row_of(small_record("vectordb"));
  EXPECT_THAT(row.at("recall"), StartsWith("0.81"));
  EXPECT_THAT(row.at("queries_per_s"), StartsWith("1000"));
  EXPECT_EQ(row_of({{"bytes_written", 3000}, {"seconds", 2}}).at("write_bytes_per_s"), "1500");
}

TEST(Csv, WhatIsUnknownIsEmptyAndNeverZero) {
  for (const auto& [name, value] : row_of(Json::object())) {
    if (name == "schema" || name == "is_result" || name == "processes" || name == "warnings") continue;
    EXPECT_EQ(value, "") << name;
  }
}

TEST(Csv, OnlyWhatPassedIsAResult) {
  Json record = {{"verdict", "passed"}, {"no_result_because", Json::array()}};
  EXPECT_EQ(row_of(record).at("is_result"), "yes");
  record["no_result_because"].push_back("null://");
  EXPECT_EQ(row_of(record).at("is_result"), "no");
  EXPECT_EQ(row_of({{"verdict", "failed"}, {"no_result_because", Json::array()}}).at("is_result"), "no");
}

class CsvFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "mlps_csv_" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/mlpstorage_record.json") << small_record("training").dump();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file() const { return folder_ + "/runs.csv"; }
  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    std::ifstream stream(file());
    for (std::string line; std::getline(stream, line);) found.push_back(line);
    return found;
  }
  std::string folder_;
};

TEST_F(CsvFileTest, ProcessesThatAppendAtOnceWriteWholeLinesAndOneHeader) {
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([this] {
      for (int row = 0; row < 25; ++row) EXPECT_TRUE(append_csv(file(), folder_));
    });
  }
  for (std::thread& writer : writers) writer.join();
  const auto found = lines();
  ASSERT_EQ(found.size(), 101U);
  EXPECT_THAT(found[0], StartsWith("schema,run_start_utc,label,benchmark,"));
  for (size_t i = 1; i < found.size(); ++i) {
    EXPECT_THAT(found[i], StartsWith("mlpstorage.csv/1,"));
    EXPECT_EQ(cells_of(found[i] + "\n").size(), csv_columns().size());
  }
}

TEST_F(CsvFileTest, AFileWithOtherColumnsIsRefusedAndStaysAsItIs) {
  for (const std::string text : {"a,b\n1,2\n", "schema,run_start_utc\n", "x"}) {
    std::ofstream(file(), std::ios::trunc) << text;
    for (const Status& status : {check_csv(file()), append_csv(file(), folder_)}) {
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().code, ErrorCode::kConfigInvalid);
      EXPECT_THAT(status.error().message, HasSubstr(file()));
    }
    std::ifstream stream(file());
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), text);
  }
  EXPECT_FALSE(check_csv(folder_ + "/missing/runs.csv"));
  EXPECT_FALSE(check_csv(folder_));
}

TEST_F(CsvFileTest, ALineThatAnEditorLeftWithoutItsEndStaysALine) {
  ASSERT_TRUE(check_csv(file()));
  ASSERT_TRUE(append_csv(file(), folder_));
  std::filesystem::resize_file(file(), std::filesystem::file_size(file()) - 1);
  ASSERT_TRUE(check_csv(file()));
  ASSERT_TRUE(append_csv(file(), folder_));
  EXPECT_EQ(lines().size(), 3U);
}

TEST_F(CsvFileTest, ARunWithoutARecordHasNoRow) {
  EXPECT_FALSE(append_csv(file(), folder_ + "/missing"));
  EXPECT_FALSE(std::filesystem::exists(file()));
}

}  // namespace
}  // namespace mlps::reports
