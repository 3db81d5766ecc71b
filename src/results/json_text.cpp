#include "results/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.hpp"

namespace mlps::results {
namespace {

constexpr int kRowIndent = 2;

std::string dumped(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

bool is_row(const Json& value) {
  return std::none_of(value.begin(), value.end(), [](const Json& child) { return child.is_structured(); });
}

void append_rows(const Json& value, int depth, std::string& text) {
  if (!value.is_structured() || is_row(value)) {
    text += dumped(value, -1);
    return;
  }
  const std::string inner(static_cast<size_t>((depth + 1) * kRowIndent), ' ');
  text += value.is_object() ? "{\n" : "[\n";
  for (auto child = value.begin(); child != value.end(); ++child) {
    if (child != value.begin()) text += ",\n";
    text += inner;
    if (value.is_object()) text += dumped(Json(child.key()), -1) + ": ";
    append_rows(*child, depth + 1, text);
  }
  text += '\n';
  text.append(static_cast<size_t>(depth * kRowIndent), ' ');
  text += value.is_object() ? '}' : ']';
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_plain(const std::string& text) {
  // Quoting too much is harmless; this only keeps ordinary words, paths and key=value readable.
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+=-";
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || c == '+';
  };
  if (text.empty() || !is_letter(text.front()) || text.find_first_not_of(kPlain) != std::string::npos) return false;
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const std::string_view word : {"yes", "no", "on", "off", "y", "n"}) {
    if (lower == word) return false;
  }
  return yaml_scalar(text).is_string();
}

std::string yaml_word(const Json& value) {
  if (value.is_string() && is_plain(value.get<std::string>())) return value.get<std::string>();
  return dumped(value, -1);  // JSON's scalars, empty containers and double-quoted strings are YAML's
}

void append_yaml(const Json& value, int depth, std::string& text) {
  const std::string margin(static_cast<size_t>(depth * kRowIndent), ' ');
  for (auto child = value.begin(); child != value.end(); ++child) {
    text += margin + (value.is_object() ? yaml_word(Json(child.key())) + ":" : "-");
    if (!child->is_structured() || child->empty()) {
      text += ' ' + yaml_word(*child) + '\n';
    } else {
      text += '\n';
      append_yaml(*child, depth + 1, text);
    }
  }
}

}  // namespace

std::string indented(const Json& value, int indent) {
  return dumped(value, indent) + '\n';
}

std::string compact_rows(const Json& value) {
  std::string text;
  append_rows(value, 0, text);
  return text + '\n';
}

std::string yaml(const Json& value) {
  std::string text;
  append_yaml(value, 0, text);
  return text;
}

Json yaml_scalar(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.empty() || text == "null" || text == "Null" || text == "NULL" || text == "~") return nullptr;
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  if (quoted) return std::string(text.substr(1, text.size() - 2));
  if (const auto number = whole_number<int64_t>(text)) return *number;
  if (const auto number = whole_number<double>(text); number && std::isfinite(*number)) return *number;
  return std::string(text);
}

std::string iso_utc_us(int64_t wall_us) {
  constexpr int64_t kSecondUs = 1'000'000;
  std::string text = iso_utc(wall_us);
  text.pop_back();  // the Z
  return text + fmt::format(".{:06d}+00:00", wall_us % kSecondUs);
}

}  // namespace mlps::results
