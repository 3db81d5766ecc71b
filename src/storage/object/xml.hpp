#pragma once

#include <pugixml.hpp>
#include <string_view>

#include "base/error.hpp"

/// XML in answers of servers. Namespaces are ignored: names are those without the prefix.
namespace mlps::object {

/// Parses an answer's body into `document`. E605 for text that is no XML, holds a zero byte, a document type, an
/// unknown entity or a reference to an impossible character; its details show how the body begins.
Status parse_xml(std::string_view body, pugi::xml_document& document);

/// Returns E605, naming both, unless the element's name is `wanted`.
Status check_root(const pugi::xml_node& root, std::string_view wanted);

std::string_view local_name(const pugi::xml_node& node);
/// Returns the first child element of that name; an empty node if there is none.
pugi::xml_node child(const pugi::xml_node& parent, std::string_view name);
/// Returns the text of that child, as long as `parent`'s document lives; empty if there is none.
std::string_view text_of(const pugi::xml_node& parent, std::string_view name);

}  // namespace mlps::object
