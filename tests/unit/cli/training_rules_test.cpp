#include <gtest/gtest.h>

#include "benchmarks/training/command/rules.hpp"

namespace mlps::cli {
namespace {

using workloads::ParamVerdict;

struct Case {
  TrainingOptions options;
  TrainingRulesInput input;
};

// A run the rules have nothing against.
Case clean(Mode mode) {
  Case one;
  one.options.common.mode = mode;
  one.options.processes = 8;
  one.input.files = one.input.minimum_files = 28'000;
  return one;
}

Case with(Case one, ParamVerdict verdict) {
  one.input.params.push_back({"framework", verdict, "why"});
  return one;
}

TrainingRulesOutcome judge(const Case& one) {
  return judge_training(one.options, one.input);
}

int exit_of(const TrainingRulesOutcome& outcome) {
  return outcome.errors.empty() ? 0 : exit_code(outcome.errors.front().code);
}

TEST(TrainingRules, AllowedParametersAreClosed) {
  const auto outcome = judge(with(with(clean(Mode::kClosed), ParamVerdict::kClosed), ParamVerdict::kIgnored));
  EXPECT_EQ(outcome.division, "CLOSED");
  EXPECT_TRUE(outcome.errors.empty());
  EXPECT_TRUE(outcome.warnings.empty());
}

TEST(TrainingRules, AnOpenParameterStopsClosedOnly) {
  const auto closed = judge(with(clean(Mode::kClosed), ParamVerdict::kOpen));
  EXPECT_EQ(closed.division, "OPEN");
  ASSERT_EQ(closed.errors.size(), 1u);
  EXPECT_EQ(closed.errors[0].code, ErrorCode::kValidationOpenOnly);
  EXPECT_EQ(closed.errors[0].message, "--params framework: why");
  EXPECT_EQ(exit_of(closed), 1);
  for (const Mode mode : {Mode::kOpen, Mode::kWhatif}) {
    const auto outcome = judge(with(clean(mode), ParamVerdict::kOpen));
    EXPECT_EQ(outcome.division, "OPEN");
    EXPECT_TRUE(outcome.errors.empty());
  }
}

TEST(TrainingRules, AnInvalidParameterStopsOpenUnlessItIsAllowed) {
  Case one = with(clean(Mode::kOpen), ParamVerdict::kInvalid);
  EXPECT_EQ(exit_of(judge(one)), 1);
  one.options.common.allow_invalid_params = true;
  const auto allowed = judge(one);
  EXPECT_TRUE(allowed.errors.empty());
  EXPECT_EQ(allowed.division, "INVALID");
  EXPECT_EQ(allowed.warnings.size(), 1u);
  one.options.common.mode = Mode::kClosed;
  EXPECT_EQ(exit_of(judge(one)), 1);
  one.options.common.mode = Mode::kWhatif;
  EXPECT_EQ(exit_of(judge(one)), 0);
}

TEST(TrainingRules, TheWorstFindingDecides) {
  for (const bool invalid_first : {true, false}) {
    Case one = clean(Mode::kWhatif);
    one = with(one, invalid_first ? ParamVerdict::kInvalid : ParamVerdict::kOpen);
    one = with(one, invalid_first ? ParamVerdict::kOpen : ParamVerdict::kInvalid);
    EXPECT_EQ(judge(one).division, "INVALID");
  }
}

TEST(TrainingRules, OneFileBelowTheMinimumIsGrantedTwoAreInvalid) {
  Case one = clean(Mode::kClosed);
  one.input.files = 27'999;
  const auto granted = judge(one);
  EXPECT_EQ(granted.division, "CLOSED");
  EXPECT_TRUE(granted.errors.empty());
  ASSERT_EQ(granted.warnings.size(), 1u);
  EXPECT_NE(granted.warnings[0].find("27999 is one file below the rules' minimum of 28000"), std::string::npos);
  one.input.files = 27'998;
  const auto outcome = judge(one);
  EXPECT_EQ(outcome.division, "INVALID");
  ASSERT_EQ(outcome.errors.size(), 1u);
  EXPECT_EQ(outcome.errors[0].code, ErrorCode::kValidationInvalid);
  EXPECT_NE(outcome.errors[0].message.find("27998 is below the rules' minimum of 28000"), std::string::npos);
}

TEST(TrainingRules, AnOwnWorkloadIsNoSubmission) {
  Case one = clean(Mode::kOpen);
  one.options.workload_file = "own.yaml";
  EXPECT_EQ(exit_of(judge(one)), 1);
  one.options.common.mode = Mode::kWhatif;
  EXPECT_EQ(judge(one).division, "INVALID");
}

TEST(TrainingRules, WhatTheCheckerRemarksOnIsAWarning) {
  Case one = clean(Mode::kClosed);
  one.options.processes = 3;
  EXPECT_EQ(judge(one).warnings.size(), 1u);
  one.options.processes = 4;
  EXPECT_TRUE(judge(one).warnings.empty());
  one.options.hosts.hosts = {"a", "b", "c"};
  EXPECT_EQ(judge(one).warnings.size(), 1u);
  EXPECT_EQ(judge(one).division, "CLOSED");
}

}  // namespace
}  // namespace mlps::cli
