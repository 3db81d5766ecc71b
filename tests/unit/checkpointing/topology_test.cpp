// Which numbers of processes fit a model, and what runs of fewer processes or smaller tensors write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/units.hpp"
#include "planned.hpp"

namespace mlps::checkpointing {
namespace {

using ::testing::HasSubstr;

// --- Section 1.5: subset ---------------------------------------------------------------------------------------------

TEST(Subset, EightProcesses) {
  struct Row {
    const char* model;
    uint32_t data_parallel;
    uint64_t model_bytes, optimizer_bytes, total;
    double gib;
  };
  const std::vector<Row> rows = {
      {"llama3-70b", 8, 17472962560, 104827858944, 122300821504, 113.90},
      {"llama3-405b", 2, 29706158080, 76105374720, 105811532800, 98.54},
      {"llama3-1t", 2, 43400383488, 110921959392, 154322342880, 143.72},
  };
  for (const Row& row : rows) {
    const CheckpointPlan made = plan(row.model, 8);
    EXPECT_EQ(made.grid, GridMode::kSubset) << row.model;
    EXPECT_EQ(made.data_parallel, row.data_parallel) << row.model;
    EXPECT_EQ(made.model_bytes, row.model_bytes) << row.model;
    EXPECT_EQ(made.optimizer_bytes, row.optimizer_bytes) << row.model;
    EXPECT_EQ(made.checkpoint_bytes(), row.total) << row.model;
    EXPECT_NEAR(to_gib(made.checkpoint_bytes()), row.gib, 0.005) << row.model;
  }
}

TEST(Subset, FiguresOfARealRunOfTheOriginal) {
  // Issue 187 of the original: 69882617856 parameters; 16.272964 + 97.628551 = 113.901516 GiB.
  const CheckpointPlan made = plan("llama3-70b", 8);
  EXPECT_EQ(made.parameters, 69882617856U);
  EXPECT_NEAR(to_gib(made.model_bytes), 16.272964, 0.0000005);
  EXPECT_NEAR(to_gib(made.optimizer_bytes), 97.628551, 0.0000005);
  EXPECT_NEAR(to_gib(made.checkpoint_bytes()), 113.901516, 0.000001);
}

TEST(Subset, RanksAreThoseOfTheFullRun) {
  const CheckpointPlan full = plan("llama3-405b", 512);
  const CheckpointPlan subset = plan("llama3-405b", 20);
  ASSERT_EQ(subset.ranks.size(), 20U);
  for (size_t index = 0; index < subset.ranks.size(); ++index) {
    EXPECT_EQ(names(subset.ranks[index]), names(full.ranks[index]));
    EXPECT_EQ(subset.ranks[index].total_bytes(), full.ranks[index].total_bytes());
  }
}

TEST(Subset, TheEightBillionModelIsFullWithEight) {
  EXPECT_EQ(plan("llama3-8b", 8).grid, GridMode::kDefault);
  EXPECT_EQ(plan("llama3-8b", 8).checkpoint_bytes(), 112425623552U);
}

TEST(Subset, ASingleProcessHoldsTheWholeEightBillion) {
  const CheckpointPlan made = plan("llama3-8b", 1);
  EXPECT_EQ(made.grid, GridMode::kSubset);
  EXPECT_EQ(made.data_parallel, 1U);
  EXPECT_EQ(made.model_bytes, 2 * made.parameters);
}

TEST(Subset, CanBeGivenByParameters) {
  const Params params = {{"checkpoint.mode", "subset"}, {"model.parallelism.data", "16"}};
  const CheckpointPlan made = plan("llama3-8b", 8, params);
  EXPECT_EQ(made.grid, GridMode::kSubset);
  EXPECT_EQ(made.data_parallel, 16U);
  EXPECT_EQ(plan("llama3-70b", 8, {{"checkpoint.mode", "subset"}}).data_parallel, 8U);
  // What the tool sends for a subset gives the same plan as sending nothing.
  EXPECT_EQ(plan("llama3-405b", 8, {{"checkpoint.mode", "subset"}, {"model.parallelism.data", "2"}}).checkpoint_bytes(),
            plan("llama3-405b", 8).checkpoint_bytes());
  EXPECT_EQ(plan("llama3-8b", 4, {{"checkpoint.mode", "default"}}).data_parallel, 4U);
}

// --- Section 1.5: topology errors ------------------------------------------------------------------------------------

TEST(Topology, FewerLayersThanStages) {
  const Error error = refusal("llama3-405b", 512, {{"model.num_layers", "31"}});
  EXPECT_THAT(error.message, HasSubstr("model.num_layers=31"));
  EXPECT_THAT(error.message, HasSubstr("pipeline=32"));
  EXPECT_EQ(plan("llama3-405b", 512, {{"model.num_layers", "32"}}).objects_per_checkpoint, 8U * 35U + 512U);
}
TEST(Topology, PipelineWithZeroThree) {
  EXPECT_THAT(refusal("llama3-405b", 512, {{"model.parallelism.zero_stage", "3"}}).message, HasSubstr("zero_stage=3"));
}
TEST(Topology, DataInDefaultMode) {
  EXPECT_THAT(refusal("llama3-8b", 8, {{"model.parallelism.data", "8"}}).message,
              HasSubstr("model.parallelism.data goes with checkpoint.mode=subset"));
  refusal("llama3-8b", 4, {{"model.parallelism.data", "8"}, {"checkpoint.mode", "default"}});
}
TEST(Topology, SubsetWithoutData) {
  EXPECT_THAT(refusal("llama3-8b", 8, {{"checkpoint.mode", "subset"}}).message,
              HasSubstr("needs model.parallelism.data"));
}
TEST(Topology, SubsetGridSmallerThanTheRun) {
  const Error error = refusal("llama3-8b", 4);
  EXPECT_THAT(error.message, HasSubstr("4 processes"));
  EXPECT_THAT(error.message, HasSubstr("only 1 place "));
  EXPECT_THAT(error.suggestion, HasSubstr("1 and 8"));
}
TEST(Topology, NotAMultiple) {
  const Error error = refusal("llama3-70b", 70);
  EXPECT_THAT(error.message, HasSubstr("not a multiple of 8"));
  EXPECT_THAT(error.suggestion, HasSubstr("64 and 72"));
  EXPECT_THAT(refusal("llama3-1t", 1025).suggestion, HasSubstr("1024 and 1536"));
}
TEST(Topology, ReadMoreThanWritten) {
  const Params more = {{"checkpoint.num_checkpoints_write", "2"}, {"checkpoint.num_checkpoints_read", "3"}};
  EXPECT_THAT(refusal("llama3-8b", 8, more).message, HasSubstr("3 checkpoints to read, but only 2 to write"));
  const Params read_only = {{"checkpoint.num_checkpoints_write", "0"}, {"checkpoint.num_checkpoints_read", "3"}};
  EXPECT_EQ(plan("llama3-8b", 8, read_only).bytes_to_write(), 0U);
  EXPECT_EQ(plan("llama3-8b", 8, read_only).bytes_to_read(), 3U * 112425623552U);
}
TEST(Topology, AbsurdProcessCounts) {
  EXPECT_THAT(refusal("llama3-8b", 0).suggestion, HasSubstr("1"));
  EXPECT_THAT(refusal("llama3-8b", std::numeric_limits<uint32_t>::max()).suggestion, HasSubstr("65536"));
}
TEST(Topology, MoreBytesThanCanBeCounted) {
  const Params params = {{"model.transformer.hidden_size", "262144"},
                         {"model.transformer.ffn_hidden_size", "1048576"},
                         {"model.num_layers", "4096"},
                         {"checkpoint.num_checkpoints_write", "1000000"}};
  EXPECT_THAT(refusal("llama3-8b", 8, params).message, HasSubstr("more than can be counted"));
}

// --- --size-scale ----------------------------------------------------------------------------------------------------

TEST(SizeScale, ScalesEveryTensor) {
  const CheckpointPlan made = plan("llama3-8b", 8, {}, 0.001);
  EXPECT_EQ(made.size_scale, 0.001);
  EXPECT_EQ(made.parameters, 8030261248U);
  EXPECT_EQ(made.objects_per_checkpoint, 16U);
  // By hand, per rank: embedding and head h*V/8 = 65667072 -> 65667; norms h/8 = 512 -> 1 (never 0); per layer
  // h(h+2kv)/8 = 3145728 -> 3145, h*h/8 = 2097152 -> 2097, 2hf/8 = 14680064 -> 14680, hf/8 = 7340032 -> 7340.
  const uint64_t layer = 1 + 3145 + 2097 + 1 + 14680 + 7340;
  EXPECT_EQ(made.ranks[0].model_bytes, 2 * (2 * 65667 + 1 + 32 * layer));
  // P/8 = 1003782656 -> 1003782; 5h = 20480 -> 20.
  EXPECT_EQ(made.ranks[0].optimizer_bytes, 12U * (1003782 + 20));
}
TEST(SizeScale, OneIsExact) {
  EXPECT_EQ(plan("llama3-1t", 1024, {}, 1.0).checkpoint_bytes(), 16564174094592U);
}
TEST(SizeScale, TheSmallestStillHasEveryObject) {
  const CheckpointPlan made = plan("llama3-405b", 512, {}, 1e-15);
  EXPECT_EQ(made.objects_per_checkpoint, 1544U);
  EXPECT_EQ(made.ranks[0].objects[0].size_bytes, 2U);
  EXPECT_EQ(made.ranks[0].objects[1].size_bytes, 12U);
  EXPECT_EQ(made.ranks[0].optimizer_bytes, 24U);
}
TEST(SizeScale, OutOfRange) {
  for (const double scale :
       {0.0, -1.0, 1.0000001, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(refusal("llama3-8b", 8, {}, scale).message, HasSubstr("--size-scale")) << scale;
  }
}

}  // namespace
}  // namespace mlps::checkpointing
