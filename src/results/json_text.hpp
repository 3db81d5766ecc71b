#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace mlps::results {

using Json = nlohmann::ordered_json;  ///< keeps the order in which keys were added

/// Indented text ending in '\n'. Invalid UTF-8 becomes U+FFFD and a number that is not finite becomes null, so the text
/// is JSON whatever a server or a clock gave us.
std::string indented(const Json& value, int indent);

/// As indented() with two spaces, but a container without containers in it stands on one line: thousands of rank
/// intervals stay readable.
std::string compact_rows(const Json& value);

/// Block-style YAML, ending in '\n'. Strings that could be read as something else are double-quoted.
std::string yaml(const Json& value);

/// The value a YAML reader sees in a plain scalar: bool, integer, float, null, or else a string without its quotes.
Json yaml_scalar(std::string_view text);

/// UTC with microseconds and "+00:00": understood by every ISO 8601 reader, and comparable across zones.
std::string iso_utc_us(int64_t wall_us);

}  // namespace mlps::results
