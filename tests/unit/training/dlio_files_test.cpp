#include "benchmarks/training/results/dlio_files.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "worked_record.hpp"

namespace mlps::results {
namespace {

using namespace worked;
using nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ordered_json rank_output(const RunContext& context, const training::RunRecord& record, uint32_t rank) {
  std::string text;
  EXPECT_TRUE(write_rank_output(context, record, rank, [&](std::string_view piece) -> Status {
    text += piece;
    return {};
  }));
  return ordered_json::parse(text);
}

TEST(RankOutput, HasTheFactsOfTheRanksHost) {
  const TemporaryFolder root;
  const training::RunRecord record = record_in(root);
  RunContext context = context_in(root);
  sample::use_three_processes(context, 1, 1);
  for (const auto& [rank, host, memory] : {std::tuple{0U, "b", 64.0}, std::tuple{1U, "a", 80.0}}) {
    const ordered_json json = rank_output(context, record, rank);
    EXPECT_EQ(json["hostname"], host);
    EXPECT_EQ(json["host_memory_GB"], memory);
  }
}

TEST(RankOutput, HoldsEveryStepOfTheRank) {
  const TemporaryFolder root;
  const ordered_json json = rank_output(context_in(root), record_in(root), 1);
  const ordered_json& first = json["1"];
  EXPECT_EQ(first["load"]["block1"], ordered_json::array({0.001001, 0.002001}));
  EXPECT_EQ(first["load"]["block2"], ordered_json::array({0.003001, 0.004001, 0.005001}));
  EXPECT_EQ(first["proc"]["block2"], ordered_json::array({0.013001, 0.014001, 0.015001}));
  EXPECT_EQ(first["compute"]["block1"], ordered_json::array({0.01, 0.01}));
  EXPECT_EQ(first["au"]["block1"], 74.0);
  EXPECT_EQ(first["throughput"]["block2"], 11.0);
  EXPECT_EQ(first["end"], "2026-07-04T05:00:41.357456");
  EXPECT_EQ(json["2"]["load"]["block1"].size(), 5U);
  EXPECT_EQ(json["2"]["load"]["block1"][4], 0.010001);
  EXPECT_EQ(json["hostname"], "node1");
  EXPECT_EQ(json["host_memory_GB"], 64.0);
}

TEST(RankOutput, LooksAsDlioWritesIt) {
  const TemporaryFolder root;
  training::RunRecord record = record_in(root);
  record.epochs.erase(record.epochs.begin());
  record.epochs[0].blocks[0].ranks[0].steps = 1;
  std::string text;
  ASSERT_TRUE(write_rank_output(context_in(root), record, 0, [&](std::string_view piece) -> Status {
    text += piece;
    return {};
  }));
  EXPECT_TRUE(text.starts_with("{\n    \"host_memory_GB\": 64.0,\n")) << text;
  EXPECT_THAT(text, HasSubstr("    \"2\": {\n        \"load\": {\n            \"block1\": [\n                "
                              "0.006000000\n            ]\n        },\n        \"proc\": {"));
  EXPECT_TRUE(text.ends_with("    },\n    \"hostname\": \"node1\"\n}\n")) << text;
}

// The file of one rank of many must not cost the reading of all.
TEST(RankOutput, OfManyRanksHasTheStepsOfItsOwn) {
  const TemporaryFolder root;
  constexpr uint32_t kRanks = 100;
  const auto log = training::StepLog::create(root.path(), kRanks);
  ASSERT_TRUE(log);
  for (Nanos step = 0; step < 3; ++step) {
    std::vector<training::StepTimes> ranks(kRanks);
    for (uint32_t rank = 0; rank < kRanks; ++rank) ranks[rank].load_ns = 1000 * step + rank;
    ASSERT_TRUE((*log)->append(ranks));
  }
  ASSERT_TRUE((*log)->flush());
  std::vector<Nanos> loads;
  ASSERT_TRUE((*log)->read(99, 1, 2, [&](const training::StepTimes& step) { loads.push_back(step.load_ns); }));
  EXPECT_THAT(loads, ElementsAre(1099, 2099));
  EXPECT_FALSE((*log)->read(0, 2, 2, [](const training::StepTimes&) {})) << "there is no fourth step";
}

TEST(RankOutput, AFullDiskIsReported) {
  const TemporaryFolder root;
  const Status status = write_rank_output(context_in(root), record_in(root), 0, [](std::string_view) -> Status {
    return fail(ErrorCode::kDiskFull, "full");
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kDiskFull);
}

TEST(RankOutput, AStepLogThatCantBeReadIsReported) {
  const TemporaryFolder root;
  training::RunRecord record = record_in(root);
  record.epochs[1].blocks[0].first_step = 1'000;
  EXPECT_FALSE(write_rank_output(context_in(root), record, 0, [](std::string_view) -> Status { return {}; }));
}

TEST(RankStats, DurationsAreTextAndThoseOfCheckpointsNumbers) {
  const TemporaryFolder root;
  const ordered_json json = ordered_json::parse(rank_stats_text(record_in(root), 0));
  const ordered_json& epoch = json["1"];
  std::vector<std::string> keys;
  for (const auto& item : epoch.items()) keys.push_back(item.key());
  EXPECT_THAT(keys, ElementsAre("start", "block1", "block2", "save_ckpt1", "end", "duration"));
  EXPECT_EQ(epoch["duration"], "1.23");
  EXPECT_EQ(epoch["block1"]["duration"], "0.10");
  EXPECT_EQ(epoch["save_ckpt1"]["duration"], 0.5);
  EXPECT_EQ(epoch["save_ckpt1"]["throughput"], 2.0);
  EXPECT_EQ(epoch["save_ckpt1"]["end"], "2026-07-04T05:00:40.723456");
}

TEST(DlioLog, BlocksAndTheMetricBlock) {
  const TemporaryFolder root;
  const std::string text = dlio_log_text(context_in(root), record_in(root));
  EXPECT_THAT(text, HasSubstr("Starting epoch 1: 5 steps expected\n"));
  EXPECT_THAT(text, HasSubstr("Ending block 2 - 3 steps completed in 0.10 s\n"));
  // Rank 0's value times the ranks.
  EXPECT_THAT(text, HasSubstr("Epoch 1 - Block 1 [Training] Throughput (samples/second): 18.0000\n"));
  EXPECT_THAT(text, HasSubstr("Epoch 1 - Block 2 [Training] Computation time per step (second): 0.0100+/-0.0000 (set "
                              "value: 0.162)\n"));
  EXPECT_THAT(text, HasSubstr("Starting saving checkpoint 1 after total step 2 for epoch 1\n"));
  EXPECT_THAT(text, HasSubstr("Finished saving checkpoint 1 for epoch 1 in 0.5000 s; Throughput: 2.0000 GiB/s\n"));
  EXPECT_THAT(text, HasSubstr("Ending epoch 1 - 5 steps completed in 1.23 s\n"));
  EXPECT_THAT(text, HasSubstr("[METRIC] Number of Simulated Accelerators: 2\n"
                              "[METRIC] Training Accelerator Utilization [AU] (%): 85.0000 (5.0000)\n"
                              "[METRIC] Training Throughput (samples/second): 30.0000 (10.0000)\n"
                              "[METRIC] Training I/O Throughput (MiB/second): 60.0000 (20.0000)\n"
                              "[METRIC] train_au_meet_expectation: success\n"));
}

TEST(DlioLog, AnEvaluationHasTheLinesOfTheOriginal) {
  const TemporaryFolder root;
  const std::string text = dlio_log_text(context_in(root), full_record_in(root));
  EXPECT_THAT(text, HasSubstr("Starting eval - 4 steps expected\n"));
  EXPECT_THAT(text, HasSubstr("Ending eval - 4 steps completed in 0.10 s\n"));
  EXPECT_THAT(text, HasSubstr("Epoch 2 [Eval] Accelerator Utilization [AU] (%): 95.0000\n"));
  EXPECT_THAT(text, HasSubstr("Epoch 2 [Eval] Throughput (samples/second): 80.0000\n"));
  EXPECT_THAT(text, HasSubstr("[METRIC] Eval Throughput (samples/second): 80.0000 (0.0000)\n"
                              "[METRIC] Eval Throughput (MiB/second): 160.0000 (0.0000)\n"
                              "[METRIC] eval_au_meet_expectation: success\n"));
  // Its duration is that of training.
  EXPECT_THAT(text, HasSubstr("Ending epoch 2 - 5 steps completed in 0.50 s\n"));
  EXPECT_EQ(ordered_json::parse(rank_stats_text(full_record_in(root), 0))["2"]["duration"], "0.50");
}

// A checkpoint is saved between two blocks, and its line stands there.
TEST(DlioLog, LinesStandByTime) {
  const TemporaryFolder root;
  const std::string text = dlio_log_text(context_in(root), record_in(root));
  std::vector<std::string> stamps;
  std::istringstream lines(text.substr(0, text.find("[METRIC]")));
  for (std::string line; std::getline(lines, line);) stamps.push_back(line.substr(0, line.find(' ', 10)));
  EXPECT_TRUE(std::is_sorted(stamps.begin(), stamps.end())) << text;
  EXPECT_THAT(text, HasSubstr("Finished saving checkpoint 1 for epoch 1"));
}

}  // namespace
}  // namespace mlps::results
