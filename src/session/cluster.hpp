#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "results/run_context.hpp"
#include "session/job.hpp"
#include "world/host_facts.hpp"
#include "world/host_list.hpp"

namespace mlps::cli {

/// What the hosts of a job say of themselves: process 0 knows of all, the others of their own.
class Cluster {
 public:
  /// Collective. The status to end with if the job has failed.
  std::optional<int> meet(Job& job);

  /// Of all hosts, each counted once; known everywhere.
  uint64_t memory_bytes() const { return memory_bytes_; }

  /// The processes as the result files have them, in process 0.
  std::vector<results::RunMember> members(Job& job, const std::vector<world::HostShare>& shares) const;

 private:
  std::vector<world::HostFacts> facts_;  // by process
  uint64_t memory_bytes_ = 0;
};

/// Collective, unless the job has failed: what the hosts say at the end of a run, by process, in process 0; of a job
/// that failed only what this host says.
std::vector<std::optional<world::HostFacts>> facts_at_end(Job& job);

}  // namespace mlps::cli
