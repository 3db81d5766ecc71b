#include "storage/object/server_words.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::object {
namespace {

constexpr size_t kMostWords = 120;
constexpr size_t kMostRead = size_t{64} << 10;

/// Returns the message of a JSON value: of the member that usually has it, or of the first member below that has one.
std::string message_in(const nlohmann::json& json, unsigned depth) {
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_structured() || depth == 0) return {};
  if (json.is_object()) {
    for (const char* name :
         {"message", "Message", "error_description", "detail", "error", "errors", "title", "reason"}) {
      const auto found = json.find(name);
      if (found == json.end()) continue;
      if (std::string text = message_in(*found, depth - 1); !text.empty()) return text;
    }
    return {};
  }
  return json.empty() ? std::string() : message_in(json.front(), depth - 1);
}

/// Returns `text` without tags, comments, scripts and style sheets.
std::string without_tags(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto open = std::min(text.find('<'), text.size());
    out.append(text.substr(0, open)).push_back(' ');
    text.remove_prefix(open);
    std::string_view end = ">";
    if (text.starts_with("<!--")) end = "-->";
    const std::string beginning = lower(text.substr(0, 8));
    if (beginning.starts_with("<script")) end = "</script>";
    if (beginning.starts_with("<style")) end = "</style>";
    const auto close = text.find(end);
    text.remove_prefix(close == std::string_view::npos ? text.size() : close + end.size());
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kReferences = {
      {{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&nbsp;", " "}, {"&amp;", "&"}}};
  for (const auto& [reference, meant] : kReferences) {
    for (auto at = out.find(reference); at != std::string::npos; at = out.find(reference, at + meant.size())) {
      out.replace(at, reference.size(), meant);
    }
  }
  return out;
}

bool is_text(std::string_view body) {
  return std::none_of(body.begin(), body.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x09 || (byte > 0x0d && byte < 0x20);
  });
}

}  // namespace

std::string words_of_body(std::string_view body) {
  body = trimmed(body.substr(0, kMostRead));
  if (body.empty() || !is_text(body)) return {};
  std::string words(body);
  if (body.front() == '<') {
    words = without_tags(body);
  } else if (body.front() == '{' || body.front() == '[') {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (std::string message = message_in(json, 4); !message.empty()) words = std::move(message);
  }
  return printable(join(split(words, " \t\r\n\v\f"), " "), kMostWords);
}

bool is_web_page(std::string_view content_type, std::string_view body) {
  if (lower(content_type.substr(0, 9)) == "text/html") return true;
  const std::string begin = lower(trimmed(body.substr(0, 200)).substr(0, 14));
  return begin.starts_with("<!doctype html") || begin.starts_with("<html");
}

}  // namespace mlps::object
