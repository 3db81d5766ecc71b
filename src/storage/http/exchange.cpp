#include "storage/http/exchange.hpp"

#include <strings.h>

#include <array>

#include "base/text.hpp"

namespace mlps::http {

std::string_view method_name(Method method) {
  static constexpr std::array<std::string_view, 5> kNames = {"GET", "HEAD", "PUT", "POST", "DELETE"};
  return kNames.at(static_cast<size_t>(method));
}

std::optional<std::string_view> Exchange::header(std::string_view name) const {
  std::string_view rest = answer_headers;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    return trimmed(line.substr(name.size() + 1));
  }
  return std::nullopt;
}

void Exchange::reset_answer() {
  failure = Failure::kNone;
  failure_text.clear();
  status = 0;
  answer_headers.clear();
  text.clear();
  received = 0;
  sent = 0;
  first_byte_ns = 0;
  progress_ns = 0;
  reused = false;
}

}  // namespace mlps::http
