#include "storage/object/xml.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::object {
namespace {

// One of the five named references such as "&lt;", or a reference to a character that XML 1.0 or 1.1 can hold.
bool good_reference(std::string_view inside) {
  if (inside == "lt" || inside == "gt" || inside == "amp" || inside == "quot" || inside == "apos") return true;
  if (inside.size() < 2 || inside.front() != '#') return false;
  const int base = inside[1] == 'x' ? 16 : 10;
  const std::string_view digits = inside.substr(base == 16 ? 2 : 1);
  uint32_t value = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (fault != std::errc{} || end != digits.data() + digits.size()) return false;
  return value != 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

// pugixml leaves unknown references as they are, which would make a key out of a broken one.
std::optional<std::string> first_fault(std::string_view body) {
  if (body.find('\0') != std::string_view::npos) return "a zero byte";
  if (body.find("<!DOCTYPE") != std::string_view::npos) return "a document type";
  for (auto at = body.find('&'); at != std::string_view::npos; at = body.find('&', at + 1)) {
    const auto end = body.substr(at, 12).find(';');
    if (end == std::string_view::npos || !good_reference(body.substr(at + 1, end - 1))) {
      return fmt::format("the unknown reference \"{}\"", printable(body.substr(at, 12)));
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const auto colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(const pugi::xml_node& parent, std::string_view name) {
  return parent.find_child([name](const pugi::xml_node& node) { return local_name(node) == name; });
}

std::string_view text_of(const pugi::xml_node& parent, std::string_view name) {
  return child(parent, name).text().get();
}

Status parse_xml(std::string_view body, pugi::xml_document& document) {
  const std::string_view text = trimmed(body);  // blanks may be sent ahead to keep the connection alive
  if (text.empty()) return fail(ErrorCode::kStorageProtocol, "the answer has no body");
  if (const auto fault = first_fault(text)) {
    return fail(ErrorCode::kStorageProtocol, fmt::format("the answer's XML holds {}", *fault));
  }
  const auto result = document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (result && document.document_element()) return {};
  return fail(ErrorCode::kStorageProtocol,
              fmt::format("the answer is not XML: {}", result ? "no root element" : result.description()),
              fmt::format("it begins with \"{}\"", printable(text, 120)));
}

Status check_root(const pugi::xml_node& root, std::string_view wanted) {
  if (local_name(root) == wanted) return {};
  return fail(ErrorCode::kStorageProtocol,
              fmt::format("the answer is <{}> instead of <{}>", printable(local_name(root), 60), wanted));
}

}  // namespace mlps::object
