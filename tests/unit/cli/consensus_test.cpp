#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "benchmarks/checkpointing/plan.hpp"
#include "benchmarks/training/plan.hpp"
#include "session/process_group.hpp"
#include "world/archive.hpp"

namespace mlps::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<world::Member> kMembers = {{"a", 1, {}}, {"b", 2, {}}, {"c", 3, {}}};
const std::vector<std::string> kNames = {"the objects", "the folder"};

uint64_t hash(const checkpointing::CheckpointPlan& plan) {
  return world::hash_of(world::pack("plan", plan));
}

TEST(Consensus, WhatDiffersIsNamed) {
  EXPECT_THAT(objections({{{1, 2}, {}}, {{1, 2}, {}}, {{1, 2}, {}}}, kNames, kMembers), IsEmpty());
  const auto found = objections({{{1, 2}, {}}, {{1, 2}, {}}, {{1, 3}, {}}}, kNames, kMembers);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].message, "host c comes to another plan than host a");
  EXPECT_THAT(found[0].details, HasSubstr("in the plan: the folder"));
}

TEST(Consensus, ErrorsComeBeforeDifferences) {
  const Error full{ErrorCode::kDiskFull, "full"};
  const auto found = objections({{{1, 2}, {}}, {{9, 9}, {full}}, {{1, 2}, {}}}, kNames, kMembers);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].code, ErrorCode::kDiskFull);
  EXPECT_THAT(render(found[0]), HasSubstr("host b: full"));
}

// Every value counts, and nothing that a view adds: the hash is of the plan itself.
TEST(Consensus, EveryValueOfAPlanCounts) {
  checkpointing::CheckpointPlan plan;
  plan.ranks.push_back({0, 0, 0, 0, 10, 5, {{"model", 10}, {"optimizer", 5}}});
  const uint64_t before = hash(plan);
  EXPECT_EQ(hash(checkpointing::CheckpointPlan(plan)), before);
  const auto changed = [&](auto&& change) {
    checkpointing::CheckpointPlan other = plan;
    change(other);
    return hash(other);
  };
  EXPECT_NE(changed([](auto& other) { other.ranks[0].objects[1].size_bytes = 6; }), before);
  EXPECT_NE(changed([](auto& other) { other.ranks[0].objects[0].name = "x"; }), before);
  EXPECT_NE(changed([](auto& other) { other.pause_seconds = 0.5; }), before);
  training::RunPlan run;
  const uint64_t first = world::hash_of(world::pack("plan", run));
  run.eval_epochs = {3};
  EXPECT_NE(world::hash_of(world::pack("plan", run)), first);
}

}  // namespace
}  // namespace mlps::cli
