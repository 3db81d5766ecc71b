#include "benchmarks/training/progress.hpp"

#include <gtest/gtest.h>

namespace mlps::training {
namespace {

RunPlan three_epochs() {
  RunPlan plan;
  plan.epochs = 3;
  plan.steps_per_epoch = 100;
  return plan;
}

TEST(TimeLeft, IsThatOfTheStepsAtTheirPace) {
  const Pace pace{.steps_s = 30, .steps = 150, .epochs = 2};
  EXPECT_DOUBLE_EQ(time_left(three_epochs(), {2, 50}, pace, 0).value(), 150 * 0.2);
  EXPECT_DOUBLE_EQ(time_left(three_epochs(), {3, 100}, pace, 0).value(), 0);
  EXPECT_FALSE(time_left(three_epochs(), {1, 0}, {}, 0).has_value()) << "no step has ended";
}

TEST(TimeLeft, HasWhatGoesBeforeEveryEpoch) {
  const Pace pace{.steps_s = 30, .others_s = 8, .steps = 150, .epochs = 2};
  EXPECT_DOUBLE_EQ(time_left(three_epochs(), {2, 50}, pace, 0).value(), 150 * 0.2 + 4);
}

TEST(TimeLeft, HasEvaluationsByPlanUntilOneWasSeen) {
  RunPlan plan = three_epochs();
  plan.eval_epochs = {1, 2, 3};
  EXPECT_DOUBLE_EQ(time_left(plan, {1, 100}, {.steps_s = 20, .steps = 100, .epochs = 1}, 5).value(), 40 + 3 * 5);
  const Pace seen{.steps_s = 20, .evaluations_s = 7, .steps = 100, .evaluations = 1, .epochs = 1};
  EXPECT_DOUBLE_EQ(time_left(plan, {2, 0}, seen, 5).value(), 40 + 2 * 7);
}

TEST(TimeLeft, HasTheCheckpointsThatAreStillToCome) {
  RunPlan plan = three_epochs();
  plan.checkpoints = {{1, 100, 100}, {2, 50, 50}, {2, 100, 100}, {3, 100, 100}};
  const Pace pace{.steps_s = 30, .saves_s = 6, .steps = 150, .saves = 2, .epochs = 2};
  EXPECT_DOUBLE_EQ(time_left(plan, {2, 50}, pace, 0).value(), 150 * 0.2 + 2 * 3);
}

}  // namespace
}  // namespace mlps::training
