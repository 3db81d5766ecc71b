#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace mlps {
namespace {

// The bytes that may follow a first byte of UTF-8: the range of the second one, and how many there are in all.
struct Sequence {
  unsigned char least, most;
  size_t following;
};

Sequence sequence_of(unsigned char first) {
  if (first >= 0xC2 && first <= 0xDF) return {0x80, 0xBF, 1};
  if (first == 0xE0) return {0xA0, 0xBF, 2};
  if (first == 0xED) return {0x80, 0x9F, 2};
  if (first >= 0xE1 && first <= 0xEF) return {0x80, 0xBF, 2};
  if (first == 0xF0) return {0x90, 0xBF, 3};
  if (first >= 0xF1 && first <= 0xF3) return {0x80, 0xBF, 3};
  if (first == 0xF4) return {0x80, 0x8F, 3};
  return {0, 0, 0};
}

// Appends the character of several bytes that begins at `at`, or U+FFFD if it is damaged; returns where the next one
// is.
size_t append_wide(std::string_view value, size_t at, std::string& text) {
  Sequence rest = sequence_of(static_cast<unsigned char>(value[at]));
  size_t end = at + 1;
  bool whole = rest.following > 0;
  for (size_t i = 0; whole && i < rest.following; ++i, ++end) {
    const auto byte = static_cast<unsigned char>(end < value.size() ? value[end] : 0);
    whole = byte >= rest.least && byte <= rest.most;
    if (!whole) break;
    rest.least = 0x80;
    rest.most = 0xBF;
  }
  text += whole ? value.substr(at, end - at) : "\xEF\xBF\xBD";
  return end;
}

void append_escaped(char c, std::string& text) {
  constexpr std::string_view kLetters = "\"\"\\\\\bb\ff\nn\rr\tt";  // the character and what stands for it
  for (size_t i = 0; i < kLetters.size(); i += 2) {
    if (kLetters[i] == c) {
      text += {'\\', kLetters[i + 1]};
      return;
    }
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  text += "\\u00";
  text += {kDigits[static_cast<size_t>(c) >> 4], kDigits[static_cast<size_t>(c) & 15]};
}

// The shortest digits that read back as `value`, with a point or an exponent, so that it stays a real number: plain
// from 1e-4 to below 1e15.
void append_real(double value, std::string& text) {
  if (!std::isfinite(value)) {
    text += "null";
    return;
  }
  if (std::signbit(value)) text += '-';
  std::array<char, 32> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(value), std::chars_format::scientific);
  const std::string_view scientific(buffer.data(), static_cast<size_t>(end.ptr - buffer.data()));
  const size_t e = scientific.find('e');
  std::string digits(1, scientific.front());
  if (e > 2) digits += scientific.substr(2, e - 2);
  const auto length = static_cast<int>(digits.size());
  const int point = std::atoi(scientific.data() + e + 1) + 1;  // how many digits stand before it
  if (length <= point && point <= 15) {
    text += digits.append(static_cast<size_t>(point - length), '0') + ".0";
  } else if (0 < point && point <= 15) {
    text += digits.insert(static_cast<size_t>(point), 1, '.');
  } else if (-4 < point && point <= 0) {
    text += "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  } else {
    if (length > 1) digits.insert(1, 1, '.');
    text += digits;
    text += scientific.substr(e);
  }
}

void append_line(std::string& text, int indent, int depth) {
  if (indent < 0) return;
  text += '\n';
  text.append(static_cast<size_t>(indent) * static_cast<size_t>(depth), ' ');
}

}  // namespace

Json::Json(std::initializer_list<Json> items) {
  const bool is_object = std::all_of(items.begin(), items.end(), [](const Json& item) {
    return item.is_array() && item.items().size() == 2 && item.items().front().text() != nullptr;
  });
  if (!is_object) {
    value_ = Array(items);
    return;
  }
  value_ = Object();
  for (const Json& item : items) append(*item.items()[0].text(), item.items()[1]);
}

bool Json::empty() const {
  return is_object() ? members().empty() : is_array() && items().empty();
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Object();
  for (Member& member : members()) {
    if (member.key == key) return member.value;
  }
  return members().emplace_back(Member{std::string(key), {}}).value;
}

const Json* Json::find(std::string_view key) const {
  for (const Member& member : members()) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

void Json::erase(std::string_view key) {
  std::erase_if(members(), [&](const Member& member) { return member.key == key; });
}

void Json::update(const Json& object) {
  for (const auto& [key, value] : object.members()) (*this)[key] = value;
}

void Json::append(std::string key, Json value) {
  if (is_null()) value_ = Object();
  members().push_back({std::move(key), std::move(value)});
}

Json& Json::push_back(Json value) {
  if (is_null()) value_ = Array();
  return items().emplace_back(std::move(value));
}

std::string Json::dump(int indent) const {
  std::string text;
  append_to(text, indent);
  return text;
}

void Json::append_quoted(std::string_view value, std::string& text) {
  text += '"';
  for (size_t at = 0; at < value.size();) {
    const char c = value[at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      at = append_wide(value, at, text);
      continue;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') {
      append_escaped(c, text);
    } else {
      text += c;
    }
    ++at;
  }
  text += '"';
}

void Json::append_to(std::string& text, int indent, int depth) const {
  if (is_null()) text += "null";
  if (const auto* flag = std::get_if<bool>(&value_)) text += *flag ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value_)) text += std::to_string(*number);
  if (const auto* number = std::get_if<uint64_t>(&value_)) text += std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value_)) append_real(*number, text);
  if (const auto* value = std::get_if<std::string>(&value_)) append_quoted(*value, text);
  if (!is_structured()) return;
  text += is_object() ? '{' : '[';
  auto begin_item = [&, first = true]() mutable {
    if (!std::exchange(first, false)) text += ',';
    append_line(text, indent, depth + 1);
  };
  if (is_object()) {
    for (const auto& [key, value] : members()) {
      begin_item();
      append_quoted(key, text);
      text += indent < 0 ? ":" : ": ";
      value.append_to(text, indent, depth + 1);
    }
  } else {
    for (const Json& item : items()) {
      begin_item();
      item.append_to(text, indent, depth + 1);
    }
  }
  if (!empty()) append_line(text, indent, depth);
  text += is_object() ? '}' : ']';
}

bool operator==(const Json& one, const Json& other) {
  return one.value_ == other.value_;
}

}  // namespace mlps
