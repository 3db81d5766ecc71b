#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/kvcache/workload.hpp"
#include "session/command.hpp"

namespace mlps::cli {

enum class KvCacheCommand { kDatasize, kRun, kConfigview };

struct KvCacheOptions : BenchmarkOptions {
  KvCacheCommand which = KvCacheCommand::kDatasize;
  bool searches = false;  ///< --num-users max; the options then have one user
  kvcache::Settings settings;
  uint32_t num_processes = 1;                         ///< ranks of all hosts
  std::string cache_dir;                              ///< set for run; configview: may be empty
  bool fills = true;                                  ///< false: --payload none
  std::map<std::string, std::string> config_changes;  ///< what --config changes, by key
  std::string io_trace, emit_fio;                     ///< files to write; empty: none
};

/// What Command asks of these options.
RankDemand ranks_of(const KvCacheOptions& options);
std::vector<std::pair<std::string, std::string>> rows_of(const KvCacheOptions& options);
Result<Location> folder_of(const KvCacheOptions& options, const Environment& environment);
int execute_command(const KvCacheOptions& options, const CommandContext& context);

}  // namespace mlps::cli
