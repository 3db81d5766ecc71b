#include "cli/launcher_output.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace mlps::cli {
namespace {

constexpr std::string_view kEnd = "mlpstorage job ended with status ";
// What stands before it is the launcher's (--tag-output); a line without an end, such as a question, isn't kept back.
constexpr size_t kLongestTag = 128;

}  // namespace

std::string LauncherOutput::end_line(int status) {
  return fmt::format("{}{}\n", kEnd, status);
}

std::string LauncherOutput::take(std::string_view bytes) {
  rest_ += bytes;
  std::string shown;
  for (size_t end; (end = rest_.find('\n')) != std::string::npos; rest_.erase(0, end + 1)) {
    const std::string_view line = std::string_view(rest_).substr(0, end + 1);
    if (!understand(line)) shown += line;
  }
  if (rest_.size() > kEnd.size() + kLongestTag) shown += std::exchange(rest_, {});
  return shown;
}

std::string LauncherOutput::finish() {
  return understand(rest_) ? std::string() : std::exchange(rest_, {});
}

bool LauncherOutput::understand(std::string_view line) {
  const size_t at = line.find(kEnd);
  if (at == std::string_view::npos) return false;
  int status = 0;
  const char* first = line.data() + at + kEnd.size();
  if (std::from_chars(first, line.data() + line.size(), status).ec != std::errc{}) return false;
  if (status_.value_or(0) == 0) status_ = status;
  return true;
}

}  // namespace mlps::cli
