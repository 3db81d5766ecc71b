#include "results/json_stream.hpp"

#include <fmt/format.h>

#include <iterator>

namespace mlps::results {
namespace {

constexpr size_t kStreamIndent = 4;
constexpr Nanos kSecondNs = 1'000'000'000;

std::string key_text(std::string_view name) {
  std::string text;
  Json::append_quoted(name, text);
  return text + ": ";
}

}  // namespace

void JsonStream::put(std::string_view text) {
  if (status_) status_ = sink_(text);
}

void JsonStream::next_line() {
  put(first_ ? "\n" : ",\n");
  scratch_.assign(depth_ * kStreamIndent, ' ');
  put(scratch_);
  first_ = false;
}

void JsonStream::member(std::string_view name, const Json& value) {
  next_line();
  put(key_text(name));
  std::string text;
  value.append_to(text, static_cast<int>(kStreamIndent), static_cast<int>(depth_));
  put(text);
}

void JsonStream::begin_object(std::string_view name) {
  next_line();
  put(key_text(name) + '{');
  ++depth_;
  first_ = true;
}

void JsonStream::end_object() {
  --depth_;
  put('\n' + std::string(depth_ * kStreamIndent, ' ') + '}');
  first_ = false;
}

void JsonStream::begin_list(std::string_view name) {
  next_line();
  put(key_text(name) + '[');
  ++depth_;
  first_ = true;
}

void JsonStream::seconds(Nanos ns) {
  next_line();
  scratch_.clear();
  fmt::format_to(std::back_inserter(scratch_), "{}.{:09}", ns / kSecondNs, ns % kSecondNs);
  put(scratch_);
}

void JsonStream::end_list() {
  --depth_;
  put('\n' + std::string(depth_ * kStreamIndent, ' ') + ']');
  first_ = false;
}

Status JsonStream::finish() {
  put("\n}\n");
  return status_;
}

}  // namespace mlps::results
