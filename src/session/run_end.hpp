#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "run/verdict.hpp"
#include "session/cluster.hpp"
#include "session/execution.hpp"
#include "session/host_watch.hpp"
#include "session/process_group.hpp"

namespace mlps::cli {

/// Prefixes `whose` to a first error that process 0 raised locally. Errors that came from other hosts name theirs, and
/// errors from checking the merged record have none: both stay as they are.
template <class Record>
void name_host(Record& record, const std::string& whose) {
  if (!record.error || record.error->code == ErrorCode::kInterrupted) return;
  if (record.error->message.starts_with("host ")) return;
  const auto as_reason = [&] { return fmt::format("[{}] {}", code_name(record.error->code), record.error->message); };
  const auto reason = std::find(record.reasons.begin(), record.reasons.end(), as_reason());
  if (reason == record.reasons.end()) return;
  record.error->message.insert(0, whose);
  *reason = as_reason();
}

/// Logs what aborting the uploads of lost processes came to, if it came to anything. To be called before end_run(),
/// which collects the warnings of the run.
inline void warn(const std::optional<std::string>& warning) {
  if (warning) log::warning("{}", *warning);
}

/// What end_run() works with. Holds references; all of them outlive the call.
struct RunEnd {
  const results::RunFolder& folder;  ///< used in process 0 only
  const results::RunContext& about;  ///< used in process 0 only
  const storage::Store& store;
  world::MovedBytes moved;  ///< by this process alone, to and from `store`
  HostWatch& watch;
  ProcessGroup& group;
};

/// Ends a run. Collective, after the run of every process: `gather` makes process 0's record that of all, then
/// everything else that the hosts know is brought together. Returns the outcome in process 0, which alone records, and
/// nothing elsewhere. A record has members `error`, `reasons` and `verdict`.
template <class Record, class Gather>
std::optional<results::RunOutcome> end_run(Record& record, const Gather& gather, const RunEnd& end) {
  gather();
  const bool passed = record.verdict == run::Verdict::kPassed;
  world::Transport& transport = end.group.transport();
  if (!end.group.is_process0()) {
    end.watch.send(passed, end.store, end.moved, transport);
    end.group.share_warnings(false);
    (void)facts_at_end(end.group);
    return std::nullopt;
  }
  log::progress("");
  name_host(record, end.group.host_prefix());
  results::HostFindings findings = end.watch.finish(end.folder, end.about, passed, end.store, end.moved, transport);
  end.group.share_warnings(false);
  return outcome_of(record.error, std::move(findings), facts_at_end(end.group));
}

/// Returns the process status that a record stands for.
template <class Record>
int status_of(const Record& record) {
  return record.error ? exit_code(record.error->code) : kExitSuccess;
}

}  // namespace mlps::cli
