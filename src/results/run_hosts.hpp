#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "results/run_context.hpp"

/// The hosts of a run, as every view counts them: processes with the same host name are one host.
namespace mlps::results {

/// A host of a run.
struct RunHost {
  std::string name;
  std::vector<size_t> members;  ///< of RunContext::members, at least one
  uint32_t ranks = 0;           ///< of all of them
};

/// Every host once, in the order in which members have them.
std::vector<RunHost> hosts_of(const RunContext& context);
std::vector<std::string> host_names(const RunContext& context);

/// The member whose process has this rank.
const RunMember& member_of_rank(const RunContext& context, uint32_t rank);

/// Whether the record that `facts` are of has this rank: of a job that failed it may have process 0's alone.
bool holds_rank(const RunFacts& facts, uint32_t rank);

/// What a host said of itself; refers to the context or the outcome.
struct HostView {
  std::string name;
  const world::HostFacts* facts;
};
/// Every host before the run, by its first member ...
std::vector<HostView> hosts_at_start(const RunContext& context);
/// ... and those after the run of which somebody knows: possibly none.
std::vector<HostView> hosts_at_end(const RunContext& context, const RunOutcome& outcome);

/// The original's word for how facts of so many processes were brought together: "mpi", or "local" for one.
const char* collection_method(size_t processes);

/// E901 unless the members are as RunContext wants them.
Status check_members(const RunContext& context);

}  // namespace mlps::results
