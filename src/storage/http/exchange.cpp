#include "storage/http/exchange.hpp"

#include <strings.h>

namespace mlps::http {

std::string_view method_name(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPut:
      return "PUT";
    case Method::kPost:
      return "POST";
    case Method::kDelete:
      return "DELETE";
  }
  return "GET";
}

void HeaderList::add(std::string_view name, std::string_view value) {
  text_.append(name).append(": ").append(value).append("\r\n");
}

std::optional<std::string_view> Exchange::header(std::string_view name) const {
  std::string_view rest = answer_headers;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    const std::string_view value = line.substr(name.size() + 1);
    const auto first = value.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return std::string_view{};
    return value.substr(first, value.find_last_not_of(" \t\r") - first + 1);
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
  reused = false;
}

}  // namespace mlps::http
