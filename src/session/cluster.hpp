#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "results/run_context.hpp"
#include "session/process_group.hpp"
#include "world/host_facts.hpp"
#include "world/host_list.hpp"

namespace mlps::cli {

/// Holds the facts of the hosts of a process group: those of all hosts in process 0, elsewhere only of the own one.
class Cluster {
 public:
  /// Exchanges the facts. Returns the status to end with if the group has failed. Collective.
  std::optional<int> meet(ProcessGroup& group);

  /// Returns the memory of all hosts, each counted once. Known in every process.
  uint64_t memory_bytes() const { return memory_bytes_; }

  /// Returns the processes as the result files have them. In process 0 only.
  std::vector<results::RunMember> members(ProcessGroup& group, const std::vector<world::HostShare>& shares) const;

 private:
  std::vector<world::HostFacts> facts_;  // by process
  uint64_t memory_bytes_ = 0;
};

/// Returns the facts of the hosts at the end of a run, by process, in process 0; of a group that failed only those of
/// this host. Collective, unless the group has failed.
std::vector<std::optional<world::HostFacts>> facts_at_end(ProcessGroup& group);

}  // namespace mlps::cli
