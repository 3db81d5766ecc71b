// The sizes that DLIO writes for the four models, byte for byte.
#include "benchmarks/checkpointing/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/units.hpp"

namespace mlps::checkpointing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using workloads::CheckpointWorkload;
using workloads::ValueSource;

using Params = std::vector<std::pair<std::string, std::string>>;

CheckpointWorkload load(std::string_view model, const Params& params = {}) {
  std::vector<workloads::Override> overrides;
  for (const auto& [key, value] : params) overrides.push_back({key, value, ValueSource::kUserParams});
  auto workload = workloads::load_checkpoint_workload(model, overrides);
  if (!workload) {
    ADD_FAILURE() << render(workload.error());
    return {};
  }
  return *workload;
}

CheckpointPlan plan(std::string_view model, uint32_t processes, const Params& params = {}, double scale = 1.0) {
  auto made = make_plan(load(model, params), {processes, scale});
  if (!made) {
    ADD_FAILURE() << render(made.error());
    return {};
  }
  return *made;
}

Error refusal(std::string_view model, uint32_t processes, const Params& params = {}, double scale = 1.0) {
  const auto made = make_plan(load(model, params), {processes, scale});
  if (made) {
    ADD_FAILURE() << model << " was planned on " << processes << " processes";
    return {};
  }
  EXPECT_EQ(made.error().code, ErrorCode::kConfigInvalid);
  EXPECT_FALSE(made.error().suggestion.empty());
  return made.error();
}

std::vector<std::string> names(const RankPlan& rank) {
  std::vector<std::string> result;
  for (const PlannedObject& object : rank.objects) result.push_back(object.name);
  return result;
}

// --- Section 1.4: totals ---------------------------------------------------------------------------------------------

struct Totals {
  const char* model;
  uint32_t processes;
  uint32_t data_parallel;
  uint64_t parameters, model_bytes, optimizer_bytes, checkpoint_bytes;
  double gib;
  uint64_t objects, ten_checkpoints;
};

class PublishedTotals : public ::testing::TestWithParam<Totals> {};

TEST_P(PublishedTotals, AreExact) {
  const Totals& expected = GetParam();
  const CheckpointPlan made = plan(expected.model, expected.processes);
  EXPECT_EQ(made.model, expected.model);
  EXPECT_EQ(made.grid, GridMode::kDefault);
  EXPECT_EQ(made.processes, expected.processes);
  EXPECT_EQ(made.data_parallel, expected.data_parallel);
  EXPECT_EQ(made.parameters, expected.parameters);
  EXPECT_EQ(made.model_bytes, expected.model_bytes);
  EXPECT_EQ(made.optimizer_bytes, expected.optimizer_bytes);
  EXPECT_EQ(made.checkpoint_bytes(), expected.checkpoint_bytes);
  EXPECT_NEAR(to_gib(made.checkpoint_bytes()), expected.gib, 0.00005);
  EXPECT_EQ(made.objects_per_checkpoint, expected.objects);
  EXPECT_EQ(made.bytes_to_write(), expected.ten_checkpoints);
  EXPECT_EQ(made.bytes_to_read(), expected.ten_checkpoints);
  EXPECT_EQ(made.pause_seconds, 5.0);
  EXPECT_FALSE(made.rank_sync);
}

TEST_P(PublishedTotals, AreTheSumOfTheRanksAndOfTheObjects) {
  const CheckpointPlan made = plan(GetParam().model, GetParam().processes);
  ASSERT_EQ(made.ranks.size(), made.processes);
  uint64_t model = 0, optimizer = 0, objects = 0;
  std::set<std::string> distinct;
  for (uint32_t index = 0; index < made.processes; ++index) {
    const RankPlan& rank = made.ranks[index];
    EXPECT_EQ(rank.rank, index);
    uint64_t bytes = 0;
    for (const PlannedObject& object : rank.objects) {
      bytes += object.size_bytes;
      distinct.insert(object.name);
    }
    EXPECT_EQ(bytes, rank.total_bytes()) << "rank " << index;
    ASSERT_FALSE(rank.objects.empty());
    EXPECT_EQ(rank.objects.back().size_bytes, rank.optimizer_bytes) << "rank " << index;
    EXPECT_THAT(rank.objects.back().name, ::testing::EndsWith("_optim_states.pt"));
    model += rank.model_bytes;
    optimizer += rank.optimizer_bytes;
    objects += rank.objects.size();
  }
  EXPECT_EQ(model, made.model_bytes);
  EXPECT_EQ(optimizer, made.optimizer_bytes);
  EXPECT_EQ(objects, made.objects_per_checkpoint);
  EXPECT_EQ(distinct.size(), made.objects_per_checkpoint) << "two ranks write one object";
}

INSTANTIATE_TEST_SUITE_P(Models, PublishedTotals,
                         ::testing::Values(Totals{"llama3-8b", 8, 8, 8030261248, 16060522496, 96365101056, 112425623552,
                                                  104.7045, 16, 1124256235520},
                                           Totals{"llama3-70b", 64, 8, 69882617856, 139783700480, 838622871552,
                                                  978406572032, 911.2121, 128, 9784065720320},
                                           Totals{"llama3-405b", 512, 2, 405853388800, 811764809728, 4870743982080,
                                                  5682508791808, 5292.2487, 1544, 56825087918080},
                                           Totals{"llama3-1t", 1024, 2, 1183035102480, 2366163292416, 14198010802176,
                                                  16564174094592, 15426.5893, 2072, 165641740945920}));

// --- Section 1.4: per rank -------------------------------------------------------------------------------------------

struct RankRow {
  const char* model;
  uint32_t processes, first_rank, last_rank;
  uint64_t model_bytes, optimizer_bytes, sum;
  size_t objects;
};

class PerRank : public ::testing::TestWithParam<RankRow> {};

TEST_P(PerRank, BytesAndObjects) {
  const RankRow& row = GetParam();
  const CheckpointPlan made = plan(row.model, row.processes);
  for (uint32_t index = row.first_rank; index <= row.last_rank; ++index) {
    const RankPlan& rank = made.ranks.at(index);
    EXPECT_EQ(rank.model_bytes, row.model_bytes) << "rank " << index;
    EXPECT_EQ(rank.optimizer_bytes, row.optimizer_bytes) << "rank " << index;
    EXPECT_EQ(rank.total_bytes(), row.sum) << "rank " << index;
    EXPECT_EQ(rank.objects.size(), row.objects) << "rank " << index;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, PerRank,
    ::testing::Values(RankRow{"llama3-8b", 8, 0, 7, 2007565312, 12045637632, 14053202944, 2},
                      RankRow{"llama3-70b", 64, 0, 63, 2184120320, 13103482368, 15287602688, 2},
                      RankRow{"llama3-405b", 512, 0, 7, 3713269760, 9513171840, 13226441600, 6},
                      RankRow{"llama3-405b", 512, 8, 239, 3187933184, 9513171840, 12701105024, 5},
                      RankRow{"llama3-405b", 512, 240, 247, 2390949888, 9513171840, 11904121728, 4},
                      RankRow{"llama3-405b", 512, 248, 255, 2916319232, 9513171840, 12429491072, 6},
                      RankRow{"llama3-405b", 512, 256, 511, 0, 9513171840, 9513171840, 1},
                      RankRow{"llama3-1t", 1024, 0, 7, 5425047936, 13865244924, 19290292860, 4},
                      RankRow{"llama3-1t", 1024, 8, 503, 4595488128, 13865244924, 18460733052, 3},
                      RankRow{"llama3-1t", 1024, 504, 511, 5425099680, 13865244924, 19290344604, 5},
                      RankRow{"llama3-1t", 1024, 512, 1023, 0, 13865244924, 13865244924, 1}));

TEST(Ranks, CoordinatesInTheGrid) {
  const CheckpointPlan made = plan("llama3-405b", 512);
  for (const RankPlan& rank : made.ranks) {
    EXPECT_EQ(rank.tensor_rank, rank.rank % 8);
    EXPECT_EQ(rank.pipeline_rank, rank.rank / 8 % 32);
    EXPECT_EQ(rank.data_rank, rank.rank / 256);
  }
}

// --- Section 1.4 and 1.7: names and layer sizes ----------------------------------------------------------------------

TEST(Objects, ZeroThreeNames) {
  EXPECT_THAT(names(plan("llama3-8b", 8).ranks[3]),
              ElementsAre("zero_pp_rank_3_mp_rank_0_model_states.pt", "zero_pp_rank_3_mp_rank_0_optim_states.pt"));
  EXPECT_THAT(names(plan("llama3-70b", 64).ranks[21]),
              ElementsAre("zero_pp_rank_2_mp_rank_5_model_states.pt", "zero_pp_rank_2_mp_rank_5_optim_states.pt"));
}

TEST(Objects, LayersOfThe405B) {
  const CheckpointPlan made = plan("llama3-405b", 512);
  EXPECT_THAT(names(made.ranks[0]),
              ElementsAre("layer_0-model_0_model_states.pt", "layer_1-model_0_model_states.pt",
                          "layer_2-model_0_model_states.pt", "layer_3-model_0_model_states.pt",
                          "layer_4-model_0_model_states.pt", "zero_pp_rank_0_mp_rank_0_optim_states.pt"));
  EXPECT_EQ(made.ranks[0].objects[0].size_bytes, 525336576U);
  EXPECT_EQ(made.ranks[0].objects[1].size_bytes, 796983296U);
  EXPECT_THAT(names(made.ranks[9]), ElementsAre("layer_5-model_9_model_states.pt", "layer_6-model_9_model_states.pt",
                                                "layer_7-model_9_model_states.pt", "layer_8-model_9_model_states.pt",
                                                "zero_pp_rank_0_mp_rank_9_optim_states.pt"));
  EXPECT_THAT(names(made.ranks[240]),
              ElementsAre("layer_121-model_240_model_states.pt", "layer_122-model_240_model_states.pt",
                          "layer_123-model_240_model_states.pt", "zero_pp_rank_0_mp_rank_240_optim_states.pt"));
  const RankPlan& last_stage = made.ranks[255];
  EXPECT_THAT(names(last_stage),
              ElementsAre("layer_124-model_255_model_states.pt", "layer_125-model_255_model_states.pt",
                          "layer_126-model_255_model_states.pt", "layer_127-model_255_model_states.pt",
                          "layer_128-model_255_model_states.pt", "zero_pp_rank_0_mp_rank_255_optim_states.pt"));
  EXPECT_EQ(last_stage.objects[3].size_bytes, 525336576U);
  EXPECT_EQ(last_stage.objects[4].size_bytes, 32768U);
  EXPECT_THAT(names(made.ranks[256]), ElementsAre("zero_pp_rank_1_mp_rank_0_optim_states.pt"));
}

TEST(Objects, LayersOfThe1T) {
  const CheckpointPlan made = plan("llama3-1t", 1024);
  EXPECT_EQ(made.ranks[0].objects[0].size_bytes, 829559808U);
  EXPECT_EQ(made.ranks[0].objects[1].size_bytes, 2297744064U);
  EXPECT_THAT(names(made.ranks[511]),
              ElementsAre("layer_127-model_511_model_states.pt", "layer_128-model_511_model_states.pt",
                          "layer_129-model_511_model_states.pt", "layer_130-model_511_model_states.pt",
                          "zero_pp_rank_0_mp_rank_511_optim_states.pt"));
  EXPECT_EQ(made.ranks[511].objects[2].size_bytes, 829559808U);
  EXPECT_EQ(made.ranks[511].objects[3].size_bytes, 51744U);
}

TEST(Objects, EveryLayerHasOneFilePerTensorRank) {
  for (const char* model : {"llama3-405b", "llama3-1t"}) {
    const CheckpointWorkload workload = load(model);
    const CheckpointPlan made = plan(model, workload.closed_processes);
    std::map<std::string, int> files;
    for (const RankPlan& rank : made.ranks) {
      for (const PlannedObject& object : rank.objects) {
        if (object.name.substr(0, 6) == "layer_") ++files[object.name.substr(0, object.name.find('-'))];
      }
    }
    EXPECT_EQ(files.size(), workload.model.num_layers + 3) << model;
    for (const auto& [layer, count] : files) EXPECT_EQ(count, 8) << model << " " << layer;
  }
}

TEST(Objects, NameBelowTheModelsFolder) {
  const CheckpointPlan made = plan("llama3-8b", 8);
  EXPECT_EQ(step_folder(1), "global_epoch1_step1");
  EXPECT_EQ(object_name(10, made.ranks[0].objects[1]), "global_epoch1_step10/zero_pp_rank_0_mp_rank_0_optim_states.pt");
  EXPECT_EQ(payload_name(made, 10, made.ranks[0].objects[1]),
            "llama3-8b/global_epoch1_step10/zero_pp_rank_0_mp_rank_0_optim_states.pt");
}

TEST(Objects, ZeroOneWithoutPipelineIsOneModelFile) {
  const CheckpointPlan made = plan("llama3-70b", 64, {{"model.parallelism.zero_stage", "1"}});
  EXPECT_THAT(names(made.ranks[5]), ElementsAre("model_5_model_states.pt", "zero_pp_rank_0_mp_rank_5_optim_states.pt"));
  EXPECT_THAT(names(made.ranks[8]), ElementsAre("zero_pp_rank_1_mp_rank_0_optim_states.pt"));
  EXPECT_EQ(made.ranks[8].optimizer_bytes, 13103482368U);
}

TEST(Objects, ZeroZeroWritesTheFirstInstanceOnly) {
  const CheckpointPlan made = plan("llama3-70b", 64, {{"model.parallelism.zero_stage", "0"}});
  EXPECT_THAT(names(made.ranks[7]),
              ElementsAre("zero_pp_rank_0_mp_rank_7_model_states.pt", "zero_pp_rank_0_mp_rank_7_optim_states.pt"));
  EXPECT_TRUE(made.ranks[8].objects.empty());
  EXPECT_EQ(made.ranks[8].total_bytes(), 0U);
  // P / (TP * PP) elements and 5 h, three times, fp32.
  EXPECT_EQ(made.ranks[7].optimizer_bytes, 12 * (69882617856 / 8 + 5 * 8192));
  EXPECT_EQ(made.objects_per_checkpoint, 16U);
}

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
  EXPECT_THAT(error.message, HasSubstr("only 1 places"));
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

// --- Properties ------------------------------------------------------------------------------------------------------

/// The bytes and objects of a plan are those of the objects of its ranks, and of the shares of any division of them.
void expect_sums(const CheckpointPlan& plan) {
  uint64_t bytes = 0, objects = 0, shared_bytes = 0, shared_objects = 0;
  std::set<std::string> names_of_all;
  for (const RankPlan& rank : plan.ranks) {
    uint64_t of_rank = 0;
    for (const PlannedObject& object : rank.objects) {
      of_rank += object.size_bytes;
      EXPECT_TRUE(names_of_all.insert(object.name).second) << object.name;
    }
    EXPECT_EQ(of_rank, rank.total_bytes());
    bytes += of_rank;
    objects += rank.objects.size();
  }
  EXPECT_EQ(bytes, plan.checkpoint_bytes());
  EXPECT_EQ(objects, plan.objects_per_checkpoint);
  for (uint32_t first = 0, count = 1; first < plan.processes; first += count, count = count * 2 + 1) {
    const CheckpointPlan share = share_of(plan, first, std::min(count, plan.processes - first));
    shared_bytes += share.checkpoint_bytes();
    shared_objects += share.objects_per_checkpoint;
  }
  EXPECT_EQ(shared_bytes, bytes);
  EXPECT_EQ(shared_objects, objects);
}

TEST(PlanProperty, TotalsAreTheSumsOfTheObjectsForEveryGrid) {
  size_t planned = 0;
  for (const uint32_t tensor : {1U, 2U, 4U, 8U}) {
    for (const uint32_t pipeline : {1U, 2U, 3U, 8U}) {
      for (const uint32_t zero : {0U, 1U, 2U, 3U}) {
        for (uint32_t data = 1; data <= 3; ++data) {
          const CheckpointWorkload workload =
              load("llama3-8b", {{"model.parallelism.tensor", std::to_string(tensor)},
                                 {"model.parallelism.pipeline", std::to_string(pipeline)},
                                 {"model.parallelism.zero_stage", std::to_string(zero)}});
          const auto made = make_plan(workload, {tensor * pipeline * data, 0.001});
          if (!made) continue;  // not every grid is legal
          SCOPED_TRACE(::testing::Message()
                       << "tensor " << tensor << " pipeline " << pipeline << " ZeRO " << zero << " data " << data);
          expect_sums(*made);
          ++planned;
        }
      }
    }
  }
  EXPECT_GE(planned, 48U);
}

}  // namespace
}  // namespace mlps::checkpointing
