#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/checkpointing/record.hpp"
#include "flags/command_line.hpp"
#include "run/early_end.hpp"
#include "session/command.hpp"

namespace mlps::cli {

enum class CheckpointingCommand { kDatasize, kRun, kConfigview };

struct CheckpointingOptions : BenchmarkOptions {
  CheckpointingCommand which = CheckpointingCommand::kDatasize;
  uint32_t num_processes = 0;  ///< at least 1
  uint32_t num_checkpoints_write = 10;
  uint32_t num_checkpoints_read = 10;
  std::string checkpoint_folder;  ///< set for run; configview: may be empty
  bool checkpoint_subset = false;

  // Ours.
  bool cleanup = false;
  run::EarlyEnd early_end;
  double size_scale = 1.0;  ///< (0, 1]; other than 1 in whatif only
  checkpointing::PayloadMode payload = checkpointing::PayloadMode::kUnique;
};

using ParsedCheckpointing = Parsed<CheckpointingOptions>;

/// Reads the values of a command line. Adds what is wrong with them to what `line` knows already.
ParsedCheckpointing parse_checkpointing(CommandLine line);

/// What Command asks of these options.
RankDemand ranks_of(const CheckpointingOptions& options);
std::vector<std::pair<std::string, std::string>> rows_of(const CheckpointingOptions& options);
Result<Location> folder_of(const CheckpointingOptions& options, const Environment& environment);
int execute_command(const CheckpointingOptions& options, const CommandContext& context);

}  // namespace mlps::cli
