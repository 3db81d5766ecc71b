#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>
#include <vector>

#include "workloads/training_workload.hpp"

/// Overrides as a user types them, and the built-in definitions with them.
namespace mlps::workloads {

inline std::vector<Override> user(std::initializer_list<std::pair<const char*, const char*>> pairs) {
  std::vector<Override> overrides;
  for (const auto& [key, value] : pairs) overrides.push_back({key, value, ValueSource::kUserParams});
  return overrides;
}

inline TrainingWorkload with(std::initializer_list<std::pair<const char*, const char*>> pairs) {
  auto workload = load_training_workload("unet3d", "b200", user(pairs));
  if (!workload) {
    ADD_FAILURE() << render(workload.error());
    return {};
  }
  return *workload;
}

inline Error training_refusal_of(std::initializer_list<std::pair<const char*, const char*>> pairs,
                                 const char* model = "unet3d") {
  const auto workload = load_training_workload(model, "b200", user(pairs));
  if (workload) {
    ADD_FAILURE() << pairs.begin()->first << "=" << pairs.begin()->second << " was accepted";
    return {};
  }
  return workload.error();
}

}  // namespace mlps::workloads
