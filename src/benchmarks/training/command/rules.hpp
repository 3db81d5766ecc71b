#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/training/command/options.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::cli {

/// Holds what the rules look at before a run, besides its options.
struct TrainingRulesInput {
  std::vector<workloads::ParamFinding> params;  ///< of the user's overrides
  uint64_t files = 0;
  uint64_t minimum_files = 0;  ///< the datasize answer
};

struct TrainingRulesOutcome {
  std::string division;  ///< "CLOSED", "OPEN" or "INVALID": the worst of all findings
  std::vector<Error> errors;
  std::vector<std::string> warnings;
};

/// Judges the parameters of a run before it starts, by the rules of MLPerf Storage 3.0. closed stops at anything but
/// CLOSED, open at INVALID unless it is allowed, whatif at nothing: E301 and E302, exit 1. Pure.
TrainingRulesOutcome judge_training(const TrainingOptions& options, const TrainingRulesInput& input);

}  // namespace mlps::cli
