// The sizes that DLIO writes for the four models, byte for byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/units.hpp"
#include "planned.hpp"

namespace mlps::checkpointing {
namespace {

using ::testing::ElementsAre;

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
