#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace mlps {
namespace {

// Appends the shortest digits that read back as `value`, with a point or an exponent, so that it stays a real number:
// plain from 1e-4 to below 1e15.
void append_real(double value, std::string& text) {
  if (!std::isfinite(value)) {
    text += "null";
    return;
  }
  const double size = std::fabs(value);
  const bool is_plain = size == 0 || (size >= 1e-4 && size < 1e15);
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 is_plain ? std::chars_format::fixed : std::chars_format::scientific);
  const std::string_view digits(buffer.data(), end.ptr);
  text += digits;
  if (is_plain && digits.find('.') == std::string_view::npos) text += ".0";
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
  const bool is_plain =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c < '\x7f' && c != '"' && c != '\\'; });
  if (is_plain) {
    text.append(1, '"').append(value).append(1, '"');
  } else {
    using nlohmann::json;
    text += json(value).dump(-1, ' ', false, json::error_handler_t::replace);
  }
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
