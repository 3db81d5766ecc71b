#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flags/command_line.hpp"
#include "run/early_end.hpp"
#include "session/command.hpp"

namespace mlps::cli {

enum class TrainingCommand { kDatasize, kDatagen, kRun, kConfigview };

struct TrainingOptions : BenchmarkOptions {
  TrainingCommand which = TrainingCommand::kDatasize;
  bool searches = false;          ///< --num-accelerators max; `processes` is then the least of the search
  uint32_t processes = 0;         ///< --max-accelerators, --num-processes or --num-accelerators; at least 1
  uint32_t num_client_hosts = 1;  ///< --num-client-hosts, else the number of --hosts
  std::string data_dir;           ///< set for datagen and run, else may be empty
  uint32_t drop_caches_timeout_s = 30;

  // Ours.
  bool cleanup = false;  ///< of the checkpoints that a run saves
  run::EarlyEnd early_end;
  std::optional<uint64_t> read_ahead_bytes;  ///< per accelerator; absent: no limit
  std::string workload_file;                 ///< open and whatif; empty: the built-in definition
  std::string workload_text;                 ///< its content
};

using ParsedTraining = Parsed<TrainingOptions>;

/// Reads the values of a command line. Adds what is wrong with them to what `line` knows already.
ParsedTraining parse_training(CommandLine line);

/// What Command asks of these options. Generators of a data set may be unevenly spread over the hosts: datagen is not
/// measured.
RankDemand ranks_of(const TrainingOptions& options);
std::vector<std::pair<std::string, std::string>> rows_of(const TrainingOptions& options);
Result<Location> folder_of(const TrainingOptions& options, const Environment& environment);
int execute_command(const TrainingOptions& options, const CommandContext& context);

}  // namespace mlps::cli
