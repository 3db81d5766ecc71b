#include "run/run_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mlps::run {

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kIncomplete:
      return "incomplete";
    case Verdict::kPassed:
      return "passed";
    case Verdict::kFailed:
      return "failed";
    case Verdict::kInterrupted:
      return "interrupted";
  }
  return "unknown";
}

std::string as_reason(const Error& error) {
  return fmt::format("[{}] {}", code_name(error.code), message_with_host(error));
}

void add_cause(const std::optional<Error>& error, std::vector<std::string>& reasons) {
  if (error) reasons.insert(reasons.begin(), as_reason(*error));
}

Verdict judge(const std::vector<std::string>& reasons, std::optional<Error>& error) {
  if (reasons.empty()) return Verdict::kPassed;
  if (error && error->code == ErrorCode::kInterrupted) return Verdict::kInterrupted;
  if (!error) {
    error = Error{ErrorCode::kDataMismatch, "the run did not do what was planned: " + reasons.front()};
    error->host.emplace();  // of the record of all hosts
  }
  return Verdict::kFailed;
}

std::string misplaced(const std::vector<HostPart>& hosts, uint32_t process, uint64_t first_rank) {
  if (hosts.size() != 1) return fmt::format("it is of {} processes, not of one", hosts.size());
  const HostPart& host = hosts.front();
  if (host.process == process && host.first_rank == first_rank) return {};
  return fmt::format("it is of process {} with ranks from {}, not of process {} with ranks from {}", host.process,
                     host.first_rank, process, first_rank);
}

void begin_whole(RunFacts& whole) {
  whole.hosts.clear();
  whole.peak_rss_bytes = 0;
  whole.first_byte_s = 0;
  whole.reasons.clear();
  whole.error.reset();
}

void add_host(RunFacts& whole, const RunFacts& part, const world::Member& member, const std::string& whose) {
  HostPart host = part.hosts.front();
  place(host, member, whole.invocation_start, part.invocation_start);
  whole.peak_rss_bytes = std::max(whole.peak_rss_bytes, host.peak_rss_bytes);
  const double first = host.first_byte_s;
  if (first != 0 && (whole.first_byte_s == 0 || first < whole.first_byte_s)) whole.first_byte_s = first;
  for (const std::string& reason : part.reasons) whole.reasons.push_back(whose + ": " + reason);
  whole.hosts.push_back(std::move(host));
}

void stay_a_share(RunFacts& share, const Error& cause, const world::Transport& transport) {
  if (!share.error) {
    share.error = cause;
    add_cause(share.error, share.reasons);
  }
  note_missing_parts(share.reasons, transport);
  share.verdict = judge(share.reasons, share.error);
}

}  // namespace mlps::run
