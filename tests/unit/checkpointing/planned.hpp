#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "benchmarks/checkpointing/plan.hpp"

/// Plans of the built-in models with parameters of a user.
namespace mlps::checkpointing {

using workloads::CheckpointWorkload;
using workloads::ValueSource;
using Params = std::vector<std::pair<std::string, std::string>>;

inline CheckpointWorkload load(std::string_view model, const Params& params = {}) {
  std::vector<workloads::Override> overrides;
  for (const auto& [key, value] : params) overrides.push_back({key, value, ValueSource::kUserParams});
  auto workload = workloads::load_checkpoint_workload(model, overrides);
  if (!workload) {
    ADD_FAILURE() << render(workload.error());
    return {};
  }
  return *workload;
}

inline CheckpointPlan plan(std::string_view model, uint32_t processes, const Params& params = {}, double scale = 1.0) {
  auto made = make_plan(load(model, params), {processes, scale});
  if (!made) {
    ADD_FAILURE() << render(made.error());
    return {};
  }
  return *made;
}

inline Error refusal(std::string_view model, uint32_t processes, const Params& params = {}, double scale = 1.0) {
  const auto made = make_plan(load(model, params), {processes, scale});
  if (made) {
    ADD_FAILURE() << model << " was planned on " << processes << " processes";
    return {};
  }
  EXPECT_EQ(made.error().code, ErrorCode::kConfigInvalid);
  EXPECT_FALSE(made.error().suggestion.empty());
  return made.error();
}

inline std::vector<std::string> names(const RankPlan& rank) {
  std::vector<std::string> result;
  for (const PlannedObject& object : rank.objects) result.push_back(object.name);
  return result;
}

}  // namespace mlps::checkpointing
