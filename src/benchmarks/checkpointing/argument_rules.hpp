#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "flags/options.hpp"
#include "location/location.hpp"
#include "workloads/checkpoint_workload.hpp"

namespace mlps::checkpointing {

/// What the rules look at, as the command line gave it.
struct Arguments {
  cli::Mode mode = cli::Mode::kClosed;  ///< decides which rules hold
  int64_t processes = 0;
  int64_t checkpoints_to_write = 0;
  int64_t checkpoints_to_read = 0;
  std::optional<AccessProtocol> protocol;  ///< nothing where the command has no such word (datasize)
  bool o_direct = false;
  bool checkpoint_subset = false;     ///< --checkpoint-subset
  bool allow_invalid_params = false;  ///< open: what would be INVALID becomes a warning
  uint32_t hosts = 1;
  double client_host_memory_gib = 0;  ///< 0 skips rule 4.3.1
  std::string accelerator_type;       ///< empty: 80 GB each, as the rules' checker assumes
  uint64_t checkpoint_bytes = 0;      ///< of the plan; 0 skips rules 4.3.1 and 4.3.4
};

struct ArgumentFindings {
  std::vector<Error> errors;  ///< E102 and E105: arguments; E301 and E302: a verdict that is known before the run
  std::vector<std::string> warnings;
};

/// Checks the arguments of a run against the rules of MLPerf Storage 3.0 before it starts; reports all violations at
/// once. Pure. What is wrong with the topology as such is found by make_plan().
ArgumentFindings check_arguments(const Arguments& arguments, const workloads::CheckpointWorkload& workload);

}  // namespace mlps::checkpointing
