#include "workloads/value_text.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace mlps::workloads {
namespace {

bool is_item(std::string_view text) {
  if (text.empty() || text.find_first_of("[]{}\"'#:") != std::string_view::npos) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') return false;
  }
  return true;
}

}  // namespace

std::optional<std::vector<std::string>> list_of(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && text.front() == '[') {
    if (text.size() < 2 || text.back() != ']') return std::nullopt;
    text = trimmed(text.substr(1, text.size() - 2));
    if (text.empty()) return std::vector<std::string>{};
  }
  std::vector<std::string> items;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view item = trimmed(text.substr(begin, end - begin));
    if (!is_item(item)) return std::nullopt;
    items.emplace_back(item);
    begin = end + 1;
  }
  return items;
}

std::string list_text(const std::vector<std::string>& items) {
  return "[" + join(items, ", ") + "]";
}

}  // namespace mlps::workloads
