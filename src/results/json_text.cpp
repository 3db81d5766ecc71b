#include "results/json_text.hpp"

#include <fmt/format.h>
#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace mlps::results {
namespace {

constexpr int kRowIndent = 2;

bool is_row(const std::vector<Json>& items) {
  return std::none_of(items.begin(), items.end(), [](const Json& item) { return item.is_structured(); });
}

bool is_row(const Json& value) {
  if (value.is_array()) return is_row(value.items());
  return !value.is_object() || std::none_of(value.members().begin(), value.members().end(),
                                            [](const Json::Member& member) { return member.value.is_structured(); });
}

void append_rows(const Json& value, int depth, std::string& text) {
  if (is_row(value)) return value.append_to(text, -1);
  const std::string inner(static_cast<size_t>((depth + 1) * kRowIndent), ' ');
  text += value.is_object() ? "{\n" : "[\n";
  bool first = true;
  const auto begin_line = [&] {
    if (!std::exchange(first, false)) text += ",\n";
    text += inner;
  };
  if (value.is_object()) {
    for (const auto& [key, member] : value.members()) {
      begin_line();
      Json::append_quoted(key, text);
      text += ": ";
      append_rows(member, depth + 1, text);
    }
  } else {
    for (const Json& item : value.items()) {
      begin_line();
      append_rows(item, depth + 1, text);
    }
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
  return yaml_scalar(text).text() != nullptr;
}

// A string in quotes is one of JSON's, which YAML reads alike.
void emit(YAML::Emitter& out, const std::string& text) {
  if (is_plain(text)) {
    out << text;
  } else {
    out << YAML::DoubleQuoted << text;
  }
}

void emit(YAML::Emitter& out, const Json& value) {
  if (value.is_object()) {
    out << (value.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
    for (const auto& [key, member] : value.members()) {
      out << YAML::Key;
      emit(out, key);
      out << YAML::Value;
      emit(out, member);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    out << (value.empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
    for (const Json& item : value.items()) emit(out, item);
    out << YAML::EndSeq;
  } else if (value.text() != nullptr) {
    emit(out, *value.text());
  } else {
    out << value.dump();  // JSON's other scalars are YAML's
  }
}

}  // namespace

std::string indented(const Json& value, int indent) {
  return value.dump(indent) + '\n';
}

std::string compact_rows(const Json& value) {
  std::string text;
  append_rows(value, 0, text);
  return text + '\n';
}

std::string yaml(const Json& value) {
  YAML::Emitter out;
  emit(out, value);
  return out.c_str() + std::string("\n");
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
