#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "benchmarks/checkpointing/lost_uploads.hpp"
#include "benchmarks/checkpointing/record.hpp"
#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/record.hpp"
#include "session/cluster.hpp"
#include "session/execution.hpp"
#include "session/host_watch.hpp"
#include "session/job.hpp"

namespace mlps::cli {

/// What a record says was moved to and from the folder that is measured. Checkpoints of a training run go elsewhere.
inline world::MovedBytes moved_bytes(const checkpointing::RunRecord& record) {
  return {record.read.bytes, record.write.bytes};
}
inline world::MovedBytes moved_bytes(const training::RunRecord& record) {
  return {record.stats.bytes, 0};
}
inline world::MovedBytes moved_bytes(const training::GenerateRecord& record) {
  return {0, record.stats.bytes};
}

/// The first cause, where process 0 found it itself, doesn't name the host, as one that comes from others does: puts
/// `whose` before it. What was found by comparing the whole record with the plan is of no host.
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

/// Before the end: the record of the run should know of it.
inline void report(const checkpointing::LostUploads& uploads) {
  if (const auto text = uploads.warning()) log::warning("{}", *text);
}

/// What the end of a run is about.
struct RunEnd {
  const results::RunFolder& folder;  ///< process 0's
  const results::RunContext& about;  ///< process 0's
  const storage::Store& store;
  HostWatch& watch;
  Job& job;
};

/// Collective, after the run of every process: `gather` makes process 0's record that of all, then everything else that
/// the hosts know is brought together. The outcome, in process 0, which alone records; elsewhere nothing.
template <class Record, class Gather>
std::optional<results::RunOutcome> end_run(Record& record, const Gather& gather, const RunEnd& end) {
  const world::MovedBytes moved = moved_bytes(record);  // by this process alone
  gather();
  const bool passed = record.verdict == run::Verdict::kPassed;
  world::Transport& transport = end.job.transport();
  if (!end.job.leads()) {
    end.watch.send(passed, end.store, moved, transport);
    end.job.share_warnings(false);
    (void)facts_at_end(end.job);
    return std::nullopt;
  }
  log::progress("");
  name_host(record, end.job.whose());
  results::HostFindings findings = end.watch.finish(end.folder, end.about, passed, end.store, moved, transport);
  end.job.share_warnings(false);
  return outcome_of(record.error, std::move(findings), facts_at_end(end.job));
}

/// The process status of a record.
template <class Record>
int status_of(const Record& record) {
  return record.error ? exit_code(record.error->code) : kExitSuccess;
}

}  // namespace mlps::cli
