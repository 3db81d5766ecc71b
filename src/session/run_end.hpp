#pragma once

#include <functional>
#include <optional>
#include <string>

#include "run/run_facts.hpp"
#include "session/host_watch.hpp"
#include "session/process_group.hpp"

namespace mlps::cli {

/// Names the host of a first error that process 0 raised itself, in the error and in the reasons. Errors that came from
/// other hosts have one, and errors of the whole record need none: both stay as they are, as do interruptions.
void name_host(run::RunFacts& facts, const std::string& host);

/// Logs what aborting the uploads of lost processes came to, if it came to anything. To be called before end_run(),
/// which collects the warnings of the run.
void warn(const std::optional<std::string>& warning);

/// Holds what end_run() works with. Everything that it refers to outlives the call.
struct RunEnd {
  const results::RunFolder& folder;  ///< used in process 0 only
  const results::RunContext& about;  ///< used in process 0 only
  const storage::Store& store;
  world::MovedBytes moved;  ///< by this process alone, to and from `store`
  HostWatch& watch;
  ProcessGroup& group;
};

/// Ends a run, after the run of every process: `gather` makes process 0's record, of which `facts` are a part, that of
/// all; then everything else that the hosts know is brought together. Returns the outcome in process 0, which alone
/// records, and nothing elsewhere. Collective.
std::optional<results::RunOutcome> end_run(run::RunFacts& facts, const std::function<void()>& gather,
                                           const RunEnd& end);

/// Returns the process status that a record stands for.
int status_of(const run::RunFacts& facts);

}  // namespace mlps::cli
