#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "results/run_context.hpp"

/// The hosts of a run, as every view counts them: processes with the same host name are one host.
namespace mlps::results {

/// Describes a host of a run.
struct RunHost {
  std::string name;
  std::vector<size_t> members;  ///< of RunContext::members, at least one
  uint32_t ranks = 0;           ///< of all its members
};

/// Return every host once, in the order in which members have them.
std::vector<RunHost> hosts_of(const RunContext& context);
std::vector<std::string> host_names(const RunContext& context);

/// Returns the member that has this rank.
const RunMember& member_of_rank(const RunContext& context, uint32_t rank);

/// Returns whether the record of these facts has this rank: that of a failed job may have the ranks of process 0 alone.
bool holds_rank(const RunFacts& facts, uint32_t rank);

/// Refers to the facts of a host in a context or an outcome, which must outlive it.
struct HostView {
  std::string name;
  const world::HostFacts* facts;
};
/// Returns every host before the run, by its first member.
std::vector<HostView> hosts_at_start(const RunContext& context);
/// Returns the hosts after the run that have facts: possibly none.
std::vector<HostView> hosts_at_end(const RunContext& context, const RunOutcome& outcome);

/// Returns the word of mlpstorage 3.0 for how the facts of so many processes were collected: "mpi", or "local" for one.
const char* collection_method(size_t processes);

/// Fails with E901 unless the members are as RunContext wants them.
Status check_members(const RunContext& context);

}  // namespace mlps::results
