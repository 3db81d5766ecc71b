#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "flags/options.hpp"
#include "session/command.hpp"
#include "world/host_list.hpp"
#include "world/transport.hpp"

/// Decides which ranks go to which host.
namespace mlps::cli {

/// Returns the shares that --hosts asks for, before anything is started. Ranks are spread evenly: in closed and open
/// mode a measured command must have the same number on every host (rule 3.3.6), elsewhere the remainder goes to hosts
/// in order. E102 for what is impossible, with the nearest legal numbers.
Result<std::vector<world::HostShare>> planned_shares(const BenchmarkOptions& options, const RankDemand& ranks);

/// Returns the same for the processes that were started, in their order. An entry of --hosts counts for the process on
/// that host; where names don't tell (addresses, aliases), entries and processes are taken in their order. E102 also if
/// there are not as many processes as hosts.
Result<std::vector<world::HostShare>> place_ranks(const BenchmarkOptions& options, const RankDemand& ranks,
                                                  const std::vector<world::Member>& members);

}  // namespace mlps::cli
