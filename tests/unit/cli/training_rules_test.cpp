#include <gtest/gtest.h>

#include "benchmarks/training/command/rules.hpp"

namespace mlps::cli {
namespace {

using workloads::ParamVerdict;

// A run the rules have nothing against.
TrainingRulesInput clean(Mode mode) {
  TrainingRulesInput input;
  input.mode = mode;
  input.files = 28'000;
  input.minimum_files = 28'000;
  input.accelerators = 8;
  return input;
}

TrainingRulesInput with(TrainingRulesInput input, ParamVerdict verdict) {
  input.params.push_back({"framework", verdict, "why"});
  return input;
}

int exit_of(const TrainingRulesOutcome& outcome) {
  return outcome.errors.empty() ? 0 : exit_code(outcome.errors.front().code);
}

TEST(TrainingRules, AllowedParametersAreClosed) {
  const auto outcome = judge_training(with(with(clean(Mode::kClosed), ParamVerdict::kClosed), ParamVerdict::kIgnored));
  EXPECT_EQ(outcome.division, "CLOSED");
  EXPECT_TRUE(outcome.errors.empty());
  EXPECT_TRUE(outcome.warnings.empty());
}

TEST(TrainingRules, AnOpenParameterStopsClosedOnly) {
  const auto closed = judge_training(with(clean(Mode::kClosed), ParamVerdict::kOpen));
  EXPECT_EQ(closed.division, "OPEN");
  ASSERT_EQ(closed.errors.size(), 1u);
  EXPECT_EQ(closed.errors[0].code, ErrorCode::kValidationOpenOnly);
  EXPECT_EQ(closed.errors[0].message, "--params framework: why");
  EXPECT_EQ(exit_of(closed), 1);
  for (const Mode mode : {Mode::kOpen, Mode::kWhatif}) {
    const auto outcome = judge_training(with(clean(mode), ParamVerdict::kOpen));
    EXPECT_EQ(outcome.division, "OPEN");
    EXPECT_TRUE(outcome.errors.empty());
  }
}

TEST(TrainingRules, AnInvalidParameterStopsOpenUnlessItIsAllowed) {
  TrainingRulesInput input = with(clean(Mode::kOpen), ParamVerdict::kInvalid);
  EXPECT_EQ(exit_of(judge_training(input)), 1);
  input.allow_invalid_params = true;
  const auto allowed = judge_training(input);
  EXPECT_TRUE(allowed.errors.empty());
  EXPECT_EQ(allowed.division, "INVALID");
  EXPECT_EQ(allowed.warnings.size(), 1u);
  input.mode = Mode::kClosed;
  EXPECT_EQ(exit_of(judge_training(input)), 1);
  input.mode = Mode::kWhatif;
  EXPECT_EQ(exit_of(judge_training(input)), 0);
}

TEST(TrainingRules, TheWorstFindingDecides) {
  for (const bool invalid_first : {true, false}) {
    TrainingRulesInput input = clean(Mode::kWhatif);
    input = with(input, invalid_first ? ParamVerdict::kInvalid : ParamVerdict::kOpen);
    input = with(input, invalid_first ? ParamVerdict::kOpen : ParamVerdict::kInvalid);
    EXPECT_EQ(judge_training(input).division, "INVALID");
  }
}

TEST(TrainingRules, OneFileBelowTheMinimumIsInvalid) {
  TrainingRulesInput input = clean(Mode::kClosed);
  input.files = 27'999;
  const auto outcome = judge_training(input);
  EXPECT_EQ(outcome.division, "INVALID");
  ASSERT_EQ(outcome.errors.size(), 1u);
  EXPECT_EQ(outcome.errors[0].code, ErrorCode::kValidationInvalid);
  EXPECT_NE(outcome.errors[0].message.find("27999 is below the rules' minimum of 28000"), std::string::npos);
}

TEST(TrainingRules, AnOwnWorkloadIsNoSubmission) {
  TrainingRulesInput input = clean(Mode::kOpen);
  input.own_workload = true;
  EXPECT_EQ(exit_of(judge_training(input)), 1);
  input.mode = Mode::kWhatif;
  EXPECT_EQ(judge_training(input).division, "INVALID");
}

TEST(TrainingRules, WhatTheCheckerRemarksOnIsAWarning) {
  TrainingRulesInput input = clean(Mode::kClosed);
  input.accelerators = 3;
  EXPECT_EQ(judge_training(input).warnings.size(), 1u);
  input.accelerators = 4;
  EXPECT_TRUE(judge_training(input).warnings.empty());
  input.hosts = 3;
  EXPECT_EQ(judge_training(input).warnings.size(), 1u);
  EXPECT_EQ(judge_training(input).division, "CLOSED");
}

}  // namespace
}  // namespace mlps::cli
