#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "flags/options.hpp"
#include "workloads/checkpoint_workload.hpp"

namespace mlps::checkpointing {

/// Holds the arguments that the rules check, as the command line gave them.
struct Arguments {
  cli::Mode mode = cli::Mode::kClosed;  ///< decides which rules hold
  uint32_t processes = 1;
  uint32_t checkpoints_to_write = 0;
  uint32_t checkpoints_to_read = 0;
  bool checkpoint_subset = false;     ///< --checkpoint-subset
  bool allow_invalid_params = false;  ///< open: what would be INVALID becomes a warning
  uint32_t hosts = 1;
  double client_host_memory_gib = 0;  ///< 0 skips rule 4.3.1
  std::string accelerator_type;       ///< empty: 80 GB each, as the rules' checker assumes
  uint64_t checkpoint_bytes = 0;      ///< of the plan; 0: there is none, rules 4.3.1 and 4.3.4 are skipped
};

struct ArgumentFindings {
  std::vector<Error> errors;  ///< E102 and E105: arguments; E301 and E302: a verdict known before the run
  std::vector<std::string> warnings;
  bool is_invalid = false;  ///< a verdict of INVALID was waved through, and the results have to say so
};

/// Checks the arguments of a run against the rules of MLPerf Storage 3.0 before it starts; reports all violations at
/// once. Pure. make_plan() checks the topology itself.
ArgumentFindings check_arguments(const Arguments& arguments, const workloads::CheckpointWorkload& workload);

}  // namespace mlps::checkpointing
