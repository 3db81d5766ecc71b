#pragma once

#include <string>
#include <utility>
#include <vector>

#include "benchmarks/vectordb/settings.hpp"
#include "session/command.hpp"
#include "workloads/values.hpp"

namespace mlps::cli {

enum class VectorDbCommand { kDatasize, kDatagen, kRun, kConfigview };

struct VectorDbOptions : BenchmarkOptions {
  VectorDbCommand which = VectorDbCommand::kDatasize;
  vectordb::Settings settings;
  workloads::Values values;             ///< the configuration with its sources
  uint32_t ranks_per_host = 1;          ///< --npernode
  std::optional<double> slo_ms;         ///< --slo-p99-ms of --qps max; nothing: no search for an edge
  std::optional<double> needed_recall;  ///< of that search: the one value of --recall-targets, if typed
  std::string truth_folder;             ///< --gt-cache-dir; empty: exact answers are not kept
};

/// What Command asks of these options.
RankDemand ranks_of(const VectorDbOptions& options);
std::vector<std::pair<std::string, std::string>> rows_of(const VectorDbOptions& options);
Result<Location> folder_of(const VectorDbOptions& options, const Environment& environment);
int execute_command(const VectorDbOptions& options, const CommandContext& context);

}  // namespace mlps::cli
