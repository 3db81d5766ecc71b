#include "replay/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlps::replay {
namespace {

using storage::LogOp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr int64_t kSecond = 1'000'000'000;

LogLine line(LogOp op, std::string file, uint64_t bytes, int64_t start, uint64_t offset = 0) {
  LogLine made;
  made.op = op;
  made.word = storage::log_op_name(op);
  made.file = std::move(file);
  made.bytes = bytes;
  made.offset = offset;
  made.start_ns = start * kSecond;
  made.duration_ns = kSecond;
  return made;
}

Result<Plan> plan_of(const std::vector<LogLine>& lines, std::string strip = "") {
  Planner planner(std::move(strip));
  for (const LogLine& one : lines) {
    if (Status added = planner.add(one); !added) return fail(added.error());
  }
  return planner.plan();
}

TEST(PlanTest, PartsMakeOneObjectInWhateverOrderTheyCome) {
  const auto plan =
      plan_of({line(LogOp::kPut, "a", 5, 12, 10), line(LogOp::kPut, "a", 10, 11), line(LogOp::kGet, "a", 15, 20),
               line(LogOp::kPut, "a", 10, 30), line(LogOp::kPut, "b", 0, 31)});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->states.size(), 3U);
  EXPECT_EQ(plan->states[0].size_bytes, 15U);
  EXPECT_EQ(plan->states[0].part_bytes, 10U);
  EXPECT_EQ(plan->states[0].makers, 2U);
  EXPECT_EQ(plan->states[0].readers, 1U);
  EXPECT_EQ(plan->states[1].size_bytes, 10U);
  EXPECT_EQ(plan->states[1].before, 0U) << "the second write comes after the first, and after its reader";
  EXPECT_EQ(plan->states[2].size_bytes, 0U);
  EXPECT_EQ(plan->operations.front().due_ns, 0);
  EXPECT_EQ(plan->operations.back().due_ns, 20 * kSecond);
  EXPECT_EQ(plan->span_ns, 21 * kSecond);
  EXPECT_EQ(plan->at_once, 1U);
}

TEST(PlanTest, WhatIsReadBeforeItIsWrittenMustBeThere) {
  const auto plan = plan_of({line(LogOp::kGet, "a", 10, 1, 90), line(LogOp::kGet, "a", 10, 1),
                             line(LogOp::kDelete, "a", 0, 2), line(LogOp::kPut, "a", 1, 3)});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->states.size(), 3U);
  EXPECT_EQ(plan->states[0].kind, ObjectState::Kind::kThere);
  EXPECT_EQ(plan->states[0].size_bytes, 100U);
  EXPECT_EQ(plan->states[0].readers, 2U);
  EXPECT_EQ(plan->states[1].kind, ObjectState::Kind::kRemoval);
  EXPECT_EQ(plan->states[1].before, 0U);
  EXPECT_EQ(plan->states[2].before, 1U);
  EXPECT_EQ(plan->at_once, 2U);
}

TEST(PlanTest, TellsWhatItLeavesOut) {
  LogLine failed = line(LogOp::kGet, "a", 1, 1);
  failed.failed = true;
  LogLine begins = line(LogOp::kPut, "a", 0, 1);
  begins.moves_data = false;
  LogLine foreign = line(LogOp::kGet, "a", 1, 1);
  foreign.op.reset();
  foreign.word = "PUTPART";
  const auto plan =
      plan_of({failed, begins, foreign, line(LogOp::kList, "a", 0, 1), line(LogOp::kPut, "a", 7, 1),
               line(LogOp::kPut, "a", 7, 1, 21), line(LogOp::kPut, "b", 7, 1, 7), line(LogOp::kGet, "b", 7, 2)});
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->left_out,
              ElementsAre(Pair("LIST", 1), Pair("PUTPART", 1), Pair("beginnings and ends of uploads", 1),
                          Pair("failed ones", 1), Pair("parts without those before them", 2)));
  EXPECT_EQ(plan->operations.size(), 2U);
  EXPECT_EQ(plan->lines, 8U);
}

TEST(PlanTest, AnUploadThatWasGivenUpLeavesNothing) {
  LogLine abort = line(LogOp::kDelete, "a", 0, 2);
  abort.moves_data = false;
  const auto plan = plan_of({line(LogOp::kPut, "a", 7, 1), abort});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->states.size(), 2U);
  EXPECT_EQ(plan->states[1].kind, ObjectState::Kind::kRemoval);
  EXPECT_EQ(plan->states[1].before, 0U);
  // Google's pieces are removed after the object has been made of them.
  LogLine compose = line(LogOp::kPut, "a", 0, 2);
  compose.moves_data = false;
  abort.start_ns += kSecond;
  const auto made = plan_of({line(LogOp::kPut, "a", 7, 1), compose, abort, line(LogOp::kGet, "a", 7, 4)});
  ASSERT_TRUE(made);
  ASSERT_EQ(made->states.size(), 1U);
  EXPECT_EQ(made->states[0].readers, 1U);
}

TEST(PlanTest, NamesStayBelowTheLocation) {
  for (const char* name : {"../a", "a/../../b", "a//b", "", "a/", ".", "a/./b"}) {
    const auto plan = plan_of({line(LogOp::kPut, name, 1, 1)});
    ASSERT_FALSE(plan) << name;
    EXPECT_EQ(plan.error().code, ErrorCode::kInvalidStructure) << name;
  }
  const auto plan = plan_of({line(LogOp::kPut, "bkt/run/a", 1, 1)}, "bkt/run");
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->names, ElementsAre("a"));
  const auto other = plan_of({line(LogOp::kPut, "bkt2/a", 1, 1)}, "bkt/");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("--strip bkt/: bkt2/a doesn't begin with it"));
}

TEST(PlanTest, NothingToPlayIsAnError) {
  const auto plan = plan_of({line(LogOp::kStat, "a", 1, 1)});
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("of 1 line none can be played"));
}

}  // namespace
}  // namespace mlps::replay
