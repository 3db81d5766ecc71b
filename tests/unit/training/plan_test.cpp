#include "benchmarks/training/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace mlps::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using workloads::Override;
using workloads::Shuffle;
using workloads::TrainingWorkload;
using workloads::ValueSource;

TrainingWorkload load_for_plan(const char* model, const char* accelerator,
                               std::initializer_list<std::pair<const char*, const char*>> params = {}) {
  std::vector<Override> overrides;
  for (const auto& [key, value] : params) overrides.push_back({key, value, ValueSource::kUserParams});
  auto workload = workloads::load_training_workload(model, accelerator, overrides);
  if (!workload) ADD_FAILURE() << render(workload.error());
  return workload ? *workload : TrainingWorkload{};
}

RunPlan plan_of(const TrainingWorkload& workload, uint32_t accelerators) {
  auto plan = make_run_plan(workload, accelerators);
  if (!plan) ADD_FAILURE() << render(plan.error());
  return plan ? *plan : RunPlan{};
}

Error refusal_of(const TrainingWorkload& workload, uint32_t accelerators) {
  const auto plan = make_run_plan(workload, accelerators);
  if (plan) ADD_FAILURE() << "was accepted";
  return plan ? Error{} : plan.error();
}

// Worked examples of the rules' formula; 64 accelerators on 8 hosts of 256 GiB.
TEST(Datasize, WorkedExamples) {
  struct Row {
    const char *model, *accelerator;
    uint64_t by_memory_8, by_steps_8, files_8, files_64;
    bool memory_rules;
  };
  const std::vector<Row> rows = {
      {"unet3d", "b200", 9376, 28000, 28000, 224000, false},
      {"retinanet", "b200", 4255643, 96000, 4255643, 34045140, true},
      {"retinanet", "mi355", 4255643, 144000, 4255643, 34045140, true},
      {"flux", "b200", 2205, 667, 2205, 17636, true},
      {"dlrm", "b200", 1176, 32, 1176, 9407, true},
      {"resnet50", "h100", 9582, 1279, 9582, 76654, true},
      {"cosmoflow", "h100", 485910, 4000, 485910, 3887280, true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.model) + "_" + row.accelerator);
    const TrainingWorkload workload = load_for_plan(row.model, row.accelerator);
    const Datasize small = datasize(workload, {8, 1, 256, 0});
    EXPECT_EQ(small.files_by_memory, row.by_memory_8);
    EXPECT_EQ(small.files_by_steps, row.by_steps_8);
    EXPECT_EQ(small.files, row.files_8);
    EXPECT_EQ(small.memory_ruled(), row.memory_rules);
    const Datasize large = datasize(workload, {64, 8, 256, 0});
    EXPECT_EQ(large.files, row.files_64);
    EXPECT_EQ(large.memory_bytes, uint64_t{2048} << 30);
  }
  // The eighth: matches a user's report of 4,687 with floor.
  const Datasize one = datasize(load_for_plan("unet3d", "b200"), {1, 1, 128, 0});
  EXPECT_EQ(one.files, 4688U);
  EXPECT_TRUE(one.memory_ruled());
}

TEST(Datasize, BytesOfTheWorkedExamples) {
  const auto gib = [](const Datasize& size) { return static_cast<double>(size.total_bytes) / 0x1p30; };
  EXPECT_NEAR(gib(datasize(load_for_plan("unet3d", "b200"), {8, 1, 256, 0})), 3822.91, 0.005);
  EXPECT_NEAR(gib(datasize(load_for_plan("unet3d", "b200"), {64, 8, 256, 0})), 30583.27, 0.005);
  EXPECT_NEAR(gib(datasize(load_for_plan("retinanet", "b200"), {8, 1, 256, 0})), 1280.00, 0.005);
  EXPECT_NEAR(gib(datasize(load_for_plan("flux", "b200"), {8, 1, 256, 0})), 1280.34, 0.005);
  EXPECT_EQ(datasize(load_for_plan("unet3d", "b200"), {64, 8, 256, 0}).files_by_memory, 75001U);
}

TEST(Datasize, TheLargerMemoryCounts) {
  const TrainingWorkload workload = load_for_plan("retinanet", "b200");
  EXPECT_EQ(datasize(workload, {8, 1, 16, uint64_t{256} << 30}).files, 4255643U);
  EXPECT_EQ(datasize(workload, {8, 1, 256, uint64_t{16} << 30}).files, 4255643U);
  EXPECT_EQ(datasize(workload, {8, 1, 0, 0}).files, 96000U) << "without memory the steps rule";
}

TEST(Datasize, SubfoldersAreAdvisedAboveTenThousandFiles) {
  EXPECT_EQ(datasize(load_for_plan("unet3d", "b200"), {8, 1, 256, 0}).advised_subfolders, 2U);
  EXPECT_EQ(datasize(load_for_plan("retinanet", "b200"), {8, 1, 256, 0}).advised_subfolders, 425U);
  EXPECT_EQ(datasize(load_for_plan("flux", "b200"), {8, 1, 256, 0}).advised_subfolders, 0U);
}

TEST(Datasize, AbsurdMemoryDoesNotOverflow) {
  const Datasize size = datasize(load_for_plan("unet3d", "b200"), {8, 1000, 1e30, 0});
  EXPECT_GT(size.files, 1'000'000'000U);
  EXPECT_GT(datasize(load_for_plan("unet3d", "b200"), {8, 1, -5, 0}).files, 0U);
}

// --- Order ----------------------------------------------------------------------------------------------------------

TEST(EpochOrder, EveryFileStandsAtOneRankAndPosition) {
  for (const auto shuffle : {Shuffle::kOff, Shuffle::kSeed, Shuffle::kRandom}) {
    for (const uint64_t files : {0U, 1U, 5U, 168U, 1000U}) {
      for (const uint32_t ranks : {1U, 3U, 8U}) {
        const EpochOrder order(files, ranks, shuffle, 99);
        std::set<uint64_t> seen;
        uint64_t total = 0;
        for (uint32_t rank = 0; rank < ranks; ++rank) {
          total += order.files_of(rank);
          EXPECT_LE(order.files_of(0) - order.files_of(rank), 1U);
          for (uint64_t i = 0; i < order.files_of(rank); ++i) seen.insert(order.file(rank, i));
        }
        EXPECT_EQ(total, files);
        EXPECT_EQ(seen.size(), files);
        if (files > 0) {
          EXPECT_EQ(*seen.rbegin(), files - 1);
        }
      }
    }
  }
}

TEST(EpochOrder, WithoutShuffleRanksTakeTurns) {
  const EpochOrder order(10, 4, Shuffle::kOff, 1);
  EXPECT_EQ(order.file(2, 0), 2U);
  EXPECT_EQ(order.file(2, 1), 6U);
  EXPECT_EQ(order.files_of(1), 3U);
  EXPECT_EQ(order.files_of(2), 2U);
}

TEST(EpochOrder, KeysFollowSeedEpochAndRun) {
  TrainingWorkload workload = load_for_plan("unet3d", "b200");
  const uint64_t key = epoch_key(workload, FileSet::kTrain, 1, 0);
  EXPECT_EQ(key, epoch_key(workload, FileSet::kTrain, 1, 77)) << "`seed` doesn't depend on the run";
  EXPECT_NE(key, epoch_key(workload, FileSet::kTrain, 2, 0));
  EXPECT_NE(key, epoch_key(workload, FileSet::kEval, 1, 0));
  workload.training.seed = 124;
  EXPECT_NE(key, epoch_key(workload, FileSet::kTrain, 1, 0));
  workload.training.seed_change_epoch = false;
  EXPECT_EQ(epoch_key(workload, FileSet::kTrain, 1, 0), epoch_key(workload, FileSet::kTrain, 2, 0));
  workload.reader.file_shuffle = Shuffle::kRandom;
  EXPECT_NE(epoch_key(workload, FileSet::kTrain, 1, 0), epoch_key(workload, FileSet::kTrain, 1, 77));
}

// --- Run plan -------------------------------------------------------------------------------------------------------

// Section 5.4: unet3d with 1800 files per rank makes 257 steps of 7.
TEST(RunPlan, StepsOfUnet3d) {
  const RunPlan plan = plan_of(load_for_plan("unet3d", "b200"), 4);
  EXPECT_EQ(plan.accelerators, 4U);
  EXPECT_EQ(plan.epochs, 5U);
  EXPECT_EQ(plan.files, 7200U);
  EXPECT_EQ(plan.batch_size, 7U);
  EXPECT_EQ(plan.steps_per_epoch, 257U);
  EXPECT_EQ(plan.samples_unread, 7200U - 4 * 257 * 7);
  EXPECT_EQ(plan.nominal_bytes_per_epoch, 4.0 * 257 * 7 * 146600628);
  EXPECT_THAT(plan.eval_epochs, IsEmpty());
  EXPECT_THAT(plan.checkpoints, IsEmpty());
}

TEST(RunPlan, TheRankWithTheFewestSamplesDecides) {
  // 15 files over 2 ranks: 8 and 7; a batch of 8 fits the first only.
  const TrainingWorkload workload =
      load_for_plan("unet3d", "b200", {{"dataset.num_files_train", "15"}, {"reader.batch_size", "8"}});
  const Error error = refusal_of(workload, 2);
  EXPECT_EQ(error.code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(error.message, HasSubstr("dataset.num_files_train=15"));
  EXPECT_THAT(error.suggestion, HasSubstr("32 files would do for 2 steps each"));
  const TrainingWorkload more =
      load_for_plan("unet3d", "b200", {{"dataset.num_files_train", "23"}, {"reader.batch_size", "8"}});
  EXPECT_EQ(plan_of(more, 1).steps_per_epoch, 2U);
  EXPECT_EQ(plan_of(more, 1).samples_unread, 7U);
  // 400 of 1251 samples: 3 steps a file, 51 samples over.
  EXPECT_EQ(plan_of(load_for_plan("resnet50", "h100", {{"dataset.num_files_train", "2"}}), 2).steps_per_epoch, 3U);
  EXPECT_EQ(plan_of(load_for_plan("resnet50", "h100", {{"dataset.num_files_train", "2"}}), 2).samples_unread, 102U);
  EXPECT_THAT(refusal_of(load_for_plan("dlrm", "h100", {{"dataset.num_files_train", "100"}}), 2).suggestion,
              HasSubstr("32768 files would do for 2 steps"));
}

TEST(RunPlan, SomeStepMustCount) {
  const auto plan = [](std::initializer_list<std::pair<const char*, const char*>> params) {
    return refusal_of(load_for_plan("unet3d", "b200", params), 1);
  };
  const Error few = plan({{"dataset.num_files_train", "13"}});
  EXPECT_EQ(
      few.message,
      "every step is left out of the measurement: 1 steps at a time, of which the first 1 and the last 0 don't count");
  EXPECT_EQ(few.suggestion, "14 files would do for 2 steps per epoch");
  EXPECT_EQ(plan({{"train.total_training_steps", "1"}}).suggestion, "ask for 2 steps per epoch or more");
  // Blocks of one step; and the rest of the epoch, which is one step too.
  EXPECT_EQ(plan({{"dataset.num_files_train", "21"},
                  {"workflow.checkpoint", "True"},
                  {"checkpoint.steps_between_checkpoints", "1"}})
                .suggestion,
            "save less often: checkpoint.steps_between_checkpoints=2 or more");
  // A single block that is long enough makes a measurement.
  const TrainingWorkload rest = load_for_plan("unet3d", "b200",
                                              {{"dataset.num_files_train", "21"},
                                               {"workflow.checkpoint", "True"},
                                               {"checkpoint.steps_between_checkpoints", "2"}});
  EXPECT_EQ(plan_of(rest, 1).steps_per_epoch, 3U);
}

TEST(RunPlan, TotalTrainingStepsShortenTheEpoch) {
  EXPECT_EQ(plan_of(load_for_plan("unet3d", "b200", {{"train.total_training_steps", "100"}}), 4).steps_per_epoch, 100U);
  EXPECT_EQ(plan_of(load_for_plan("unet3d", "b200", {{"train.total_training_steps", "257"}}), 4).steps_per_epoch, 257U);
  const Error error = refusal_of(load_for_plan("unet3d", "b200", {{"train.total_training_steps", "258"}}), 4);
  EXPECT_THAT(error.message, HasSubstr("train.total_training_steps=258"));
  EXPECT_THAT(error.message, HasSubstr("only 257 steps"));
}

TEST(RunPlan, AcceleratorsAreChecked) {
  EXPECT_THAT(refusal_of(load_for_plan("unet3d", "b200"), 0).message, HasSubstr("--num-accelerators 0"));
  EXPECT_THAT(refusal_of(load_for_plan("unet3d", "b200"), 4'000'000'000U).message,
              HasSubstr("--num-accelerators 4000000000"));
}

// Section 5.8.
TEST(RunPlan, EvaluationsFollowTheirEpochs) {
  const TrainingWorkload workload = load_for_plan("unet3d", "b200",
                                                  {{"workflow.evaluation", "True"},
                                                   {"dataset.num_files_eval", "50"},
                                                   {"reader.batch_size_eval", "3"},
                                                   {"evaluation.eval_after_epoch", "2"},
                                                   {"evaluation.epochs_between_evals", "2"}});
  const RunPlan plan = plan_of(workload, 4);
  EXPECT_THAT(plan.eval_epochs, ElementsAre(2, 4));
  EXPECT_EQ(plan.eval_files, 50U);
  EXPECT_EQ(plan.eval_batch_size, 3U);
  EXPECT_EQ(plan.eval_steps, 4U);
  EXPECT_THAT(refusal_of(load_for_plan("unet3d", "b200", {{"workflow.evaluation", "True"}}), 4).message,
              HasSubstr("dataset.num_files_eval=0"));
}

// Section 5.9.
TEST(RunPlan, CheckpointsAfterEpochs) {
  const auto at = [](const RunPlan& plan) {
    std::vector<std::pair<uint32_t, uint64_t>> moments;
    for (const RunPlan::Checkpoint& checkpoint : plan.checkpoints)
      moments.emplace_back(checkpoint.epoch, checkpoint.step);
    return moments;
  };
  EXPECT_THAT(at(plan_of(load_for_plan("unet3d", "b200", {{"workflow.checkpoint", "True"}}), 4)),
              ElementsAre(std::pair(5, 257)));
  EXPECT_THAT(at(plan_of(load_for_plan("unet3d", "b200",
                                       {{"workflow.checkpoint", "True"}, {"checkpoint.checkpoint_after_epoch", "1"}}),
                         4)),
              ElementsAre(std::pair(1, 257), std::pair(3, 257), std::pair(5, 257)));
  EXPECT_THAT(at(plan_of(load_for_plan("unet3d", "b200",
                                       {{"workflow.checkpoint", "True"},
                                        {"train.epochs", "2"},
                                        {"checkpoint.steps_between_checkpoints", "100"}}),
                         4)),
              ElementsAre(std::pair(1, 100), std::pair(1, 200), std::pair(2, 100), std::pair(2, 200)));
}

TEST(RunPlan, MillionsOfCheckpointsAreRefused) {
  const TrainingWorkload workload = load_for_plan("cosmoflow", "h100",
                                                  {{"workflow.checkpoint", "True"},
                                                   {"dataset.num_files_train", "1000000000"},
                                                   {"checkpoint.steps_between_checkpoints", "1"}});
  EXPECT_THAT(refusal_of(workload, 1).message, HasSubstr("checkpoint.steps_between_checkpoints=1"));
}

}  // namespace
}  // namespace mlps::training
