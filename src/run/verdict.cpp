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

void add_cause(const std::optional<Error>& error, std::vector<std::string>& reasons) {
  if (error) reasons.insert(reasons.begin(), fmt::format("[{}] {}", code_name(error->code), error->message));
}

Verdict judge(const std::vector<std::string>& reasons, std::optional<Error>& error) {
  if (reasons.empty()) return Verdict::kPassed;
  if (error && error->code == ErrorCode::kInterrupted) return Verdict::kInterrupted;
  if (!error) error = Error{ErrorCode::kDataMismatch, "the run did not do what was planned: " + reasons.front()};
  return Verdict::kFailed;
}

}  // namespace mlps::run
