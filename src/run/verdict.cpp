#include "run/verdict.hpp"

#include <fmt/format.h>

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

}  // namespace mlps::run
