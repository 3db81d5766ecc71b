#include "session/run_end.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "session/cluster.hpp"
#include "session/execution.hpp"

namespace mlps::cli {

void name_host(run::RunFacts& facts, const std::string& host) {
  if (!facts.error || facts.error->host || facts.error->code == ErrorCode::kInterrupted) return;
  const auto reason = std::find(facts.reasons.begin(), facts.reasons.end(), run::as_reason(*facts.error));
  facts.error->host = host;
  if (reason != facts.reasons.end()) *reason = run::as_reason(*facts.error);
}

void warn(const std::optional<std::string>& warning) {
  if (warning) log::warning("{}", *warning);
}

std::optional<results::RunOutcome> end_run(run::RunFacts& facts, const std::function<void()>& gather,
                                           const RunEnd& end) {
  gather();
  const bool passed = facts.verdict == run::Verdict::kPassed;
  world::Transport& transport = end.group.transport();
  if (!end.group.is_process0()) {
    end.watch.send(passed, end.store, end.moved, transport);
    end.group.share_warnings(false);
    (void)facts_at_end(end.group);
    return std::nullopt;
  }
  log::progress("");
  name_host(facts, end.group.host());
  results::HostFindings findings = end.watch.finish(end.folder, end.about, passed, end.store, end.moved, transport);
  end.group.share_warnings(false);
  results::RunOutcome outcome = outcome_of(facts.error, std::move(findings), facts_at_end(end.group));
  // After a run that failed, what is raised already is no reason to stop writing what it was.
  if (!facts.error) outcome.interrupted = [&transport] { return transport.failure().first(); };
  return outcome;
}

int status_of(const run::RunFacts& facts) {
  return facts.error ? exit_code(facts.error->code) : kExitSuccess;
}

}  // namespace mlps::cli
