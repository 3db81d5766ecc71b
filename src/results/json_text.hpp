#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace mlps::results {

/// Returns indented text ending in '\n'.
std::string indented(const Json& value, int indent);

/// Returns text as indented() with two spaces, but a container without containers in it stands on one line: thousands
/// of rank intervals stay readable.
std::string compact_rows(const Json& value);

/// Returns block-style YAML, ending in '\n'. Strings that could be read as something else are double-quoted.
std::string yaml(const Json& value);

/// Returns the value a YAML reader sees in a plain scalar: bool, integer, float, null, or else a string without its
/// quotes.
Json yaml_scalar(std::string_view text);

/// Returns the value that a JSON text spells, its keys in their order; nothing if it is no JSON.
std::optional<Json> parse_json(std::string_view text);

/// Returns UTC with microseconds and "+00:00": understood by every ISO 8601 reader, and comparable across zones.
std::string iso_utc_us(int64_t wall_us);

}  // namespace mlps::results
