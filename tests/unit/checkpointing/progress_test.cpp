#include "benchmarks/checkpointing/progress.hpp"

#include <gtest/gtest.h>

namespace mlps::checkpointing {
namespace {

/// Ten checkpoints of 100 bytes to write, ten to read, each after a pause of 5 s.
CheckpointPlan ten_of_each() {
  CheckpointPlan plan;
  plan.model_bytes = 100;
  plan.checkpoints_to_write = plan.checkpoints_to_read = 10;
  plan.pause_seconds = 5;
  return plan;
}

TEST(TimeLeft, HasThePausesAndTheReads) {
  Position position{.phase = Phase::kWrite, .begun = 4, .bytes = 350, .write_bytes_per_s = 10};
  EXPECT_EQ(pauses_left(ten_of_each(), position), 16U);
  // 650 bytes to write, 1,000 to read as fast as writes, 6 pauses here and 10 there.
  EXPECT_DOUBLE_EQ(time_left(ten_of_each(), position).value(), 65 + 100 + 16 * 5);
}

TEST(TimeLeft, CountsThePauseUnderWayByItsRest) {
  const Position position{
      .phase = Phase::kWrite, .begun = 4, .bytes = 400, .pause_left_s = 2, .pausing = true, .write_bytes_per_s = 10};
  EXPECT_EQ(pauses_left(ten_of_each(), position), 16U);
  EXPECT_DOUBLE_EQ(time_left(ten_of_each(), position).value(), 60 + 100 + 15 * 5 + 2);
}

TEST(TimeLeft, OfReadsIsAtTheirOwnRate) {
  const Position position{
      .phase = Phase::kRead, .begun = 1, .bytes = 50, .write_bytes_per_s = 10, .read_bytes_per_s = 50};
  EXPECT_EQ(pauses_left(ten_of_each(), position), 9U);
  EXPECT_DOUBLE_EQ(time_left(ten_of_each(), position).value(), 19 + 9 * 5);
}

TEST(TimeLeft, IsNotKnownBeforeAnythingMoved) {
  EXPECT_FALSE(time_left(ten_of_each(), {}).has_value());
  CheckpointPlan plan = ten_of_each();
  plan.checkpoints_to_write = 0;
  EXPECT_FALSE(time_left(plan, {.phase = Phase::kRead}).has_value());
  plan.pause_seconds = 0;
  EXPECT_EQ(pauses_left(plan, {.phase = Phase::kRead}), 0U);
  EXPECT_DOUBLE_EQ(time_left(plan, {.phase = Phase::kRead, .begun = 10, .bytes = 1000, .read_bytes_per_s = 1}).value(),
                   0);
}

}  // namespace
}  // namespace mlps::checkpointing
