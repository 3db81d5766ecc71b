#include "replay/player.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "storage/open.hpp"

namespace mlps::replay {
namespace {

using storage::LogOp;
using ::testing::HasSubstr;

class PlayerTest : public ::testing::TestWithParam<const char*> {
 protected:
  PlayerTest() : folder(std::filesystem::temp_directory_path() / fmt::format("player_test_{}", getpid())) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    options.at_recorded_times = false;
    options.at_once = 6;
  }
  ~PlayerTest() override { std::filesystem::remove_all(folder); }

  std::unique_ptr<storage::Store> store(std::string fault = "") {
    storage::StoreOptions how;
    how.fault = std::move(fault);
    auto opened = storage::open_store(*parse_location(GetParam() + folder.string()), how, Environment());
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }

  void add(LogOp op, const std::string& file, uint64_t bytes, uint64_t offset = 0) {
    LogLine line;
    line.op = op;
    line.file = file;
    line.bytes = bytes;
    line.offset = offset;
    line.start_ns = ++time * 1'000'000;
    line.duration_ns = 1000;
    ASSERT_TRUE(planner.add(line));
  }

  Result<PlayResult> play_all(storage::Store& where) {
    return play(*(plan = *planner.plan()), where, options, failure);
  }
  const KindResult& kind(const Result<PlayResult>& result, LogOp op) const {
    return result->kinds.at(static_cast<size_t>(op));
  }

  std::filesystem::path folder;
  PlayOptions options;
  Planner planner{""};
  std::optional<Plan> plan;
  world::Failure failure;
  int64_t time = 0;
};

TEST_P(PlayerTest, KeepsTheOrderOfWhatIsDoneToOneObject) {
  constexpr uint64_t kPart = 100'000;
  for (int round = 0; round < 20; ++round) {
    for (int name = 0; name < 8; ++name) {
      const std::string file = fmt::format("d{}/o", name);
      for (uint64_t part = 0; part < 3; ++part) add(LogOp::kPut, file, part == 2 ? 5 : kPart, part * kPart);
      add(LogOp::kGet, file, 2 * kPart + 5);
      add(LogOp::kGet, file, 1000, 4096 * 3);
      add(LogOp::kDelete, file, 0);
    }
  }
  add(LogOp::kPut, "last", 5);
  const auto where = store();
  const auto result = play_all(*where);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_FALSE(result->error) << result->error->message;
  EXPECT_EQ(kind(result, LogOp::kPut).operations, 20U * 8 * 3 + 1);
  EXPECT_EQ(kind(result, LogOp::kGet).operations, 20U * 8 * 2);
  EXPECT_EQ(kind(result, LogOp::kGet).bytes, 20U * 8 * (2 * kPart + 1005));
  EXPECT_EQ(kind(result, LogOp::kDelete).operations, 20U * 8);
  EXPECT_EQ(kind(result, LogOp::kPut).recorded_ns.max(), 1000U);
  EXPECT_EQ(result->late_ns.count(), 0U) << "without recorded times nothing is late";
  EXPECT_FALSE(std::filesystem::exists(folder / "d0/o"));
  EXPECT_EQ(std::filesystem::file_size(folder / "last"), 5U);
}

TEST_P(PlayerTest, CountsWhatFailsAndGoesOn) {
  for (int i = 0; i < 10; ++i) add(LogOp::kPut, fmt::format("o{}", i), 10);
  add(LogOp::kGet, "o3", 10);
  add(LogOp::kGet, "o4", 10);
  add(LogOp::kGet, "o4", 10, 5);
  const auto where = store("denied:write_part:o3");
  const auto result = play_all(*where);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(kind(result, LogOp::kPut).operations, 9U);
  EXPECT_EQ(kind(result, LogOp::kPut).failed, 1U);
  EXPECT_EQ(kind(result, LogOp::kGet).operations, 1U);
  EXPECT_EQ(kind(result, LogOp::kGet).failed, 2U) << "o3 is not there, and o4 has no 15 bytes";
  EXPECT_TRUE(result->error);
  EXPECT_FALSE(std::filesystem::exists(folder / "o3")) << "what couldn't be written whole was given up";
}

TEST_P(PlayerTest, PlaysAtTheRecordedTimes) {
  add(LogOp::kPut, "a", 10);
  time += 99;
  add(LogOp::kPut, "b", 10);
  options.at_recorded_times = true;
  options.speed = 2;
  const auto where = store();
  const auto result = play_all(*where);
  ASSERT_TRUE(result);
  EXPECT_GE(result->duration_ns, 50'000'000);
  EXPECT_EQ(result->late_ns.count(), 2U);
}

TEST_P(PlayerTest, AFailureEndsItAndLeavesNothingHalf) {
  for (int i = 0; i < 50; ++i) {
    add(LogOp::kPut, fmt::format("o{}", i), 10, 0);
    add(LogOp::kPut, fmt::format("o{}", i), 10, 10);
  }
  for (int i = 50; i < 100; ++i) add(LogOp::kDelete, fmt::format("o{}", i), 0);
  failure.raise({ErrorCode::kInterrupted, "SIGINT"});
  const auto where = store();
  const auto result = play_all(*where);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->not_played, 150U);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_P(PlayerTest, WritesWhatMustBeThere) {
  add(LogOp::kGet, "in/a", 10, 20'000'000);
  add(LogOp::kGet, "in/b", 1);
  Plan reads = *planner.plan();
  const auto where = store();
  const auto written = play(plan_of_writing(reads, {0, 1}, 8'000'000), *where, options, failure);
  ASSERT_TRUE(written);
  EXPECT_FALSE(written->error) << written->error->message;
  EXPECT_EQ(std::filesystem::file_size(folder / "in/a"), 20'000'010U);
  EXPECT_EQ(std::filesystem::file_size(folder / "in/b"), 1U);
}

INSTANTIATE_TEST_SUITE_P(Stores, PlayerTest, ::testing::Values("", "file://"));

}  // namespace
}  // namespace mlps::replay
