#pragma once

#include <string>
#include <string_view>

namespace mlps::object {

/// Returns what a body that isn't in a protocol's own form says, for people: the text of a web page without its tags,
/// the message in a JSON object, or plain text; on one line, at most 120 bytes of it. Empty for an empty body, and for
/// bytes that are no text.
std::string words_of_body(std::string_view body);

/// Returns whether a body is a web page, by its Content-Type or its beginning.
bool is_web_page(std::string_view content_type, std::string_view body);

}  // namespace mlps::object
