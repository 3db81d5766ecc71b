#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/environment.hpp"
#include "benchmarks/checkpointing/command/options.hpp"
#include "benchmarks/checkpointing/plan.hpp"
#include "benchmarks/checkpointing/record.hpp"
#include "benchmarks/checkpointing/results/views.hpp"
#include "storage/store.hpp"
#include "workloads/checkpoint_workload.hpp"

namespace mlps::cli {

/// Holds a checkpointing command in which everything is decided that can be without touching any storage. All three
/// commands print it, and `run` carries it out.
struct PreparedCheckpointing {
  std::vector<workloads::Override> overrides;  ///< the tool's and the user's, in the order applied
  workloads::CheckpointWorkload workload;
  checkpointing::CheckpointPlan plan;
  std::unique_ptr<storage::Store> store;    ///< run, and configview with a folder: opened, nothing sent
  std::optional<checkpointing::IoPlan> io;  ///< as store
  results::PlanDetails details;
  bool is_invalid = false;  ///< by a rule that --allow-invalid-params waved through
};

/// Applies the overrides, makes the plan, applies the argument rules, and opens the store. Returns every failure found.
tl::expected<PreparedCheckpointing, std::vector<Error>> prepare_checkpointing(const CheckpointingOptions& options,
                                                                              const Environment& environment);

}  // namespace mlps::cli
