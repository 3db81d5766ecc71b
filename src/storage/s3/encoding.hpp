#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mlps::s3 {

/// Appends `text` with every byte outside A-Z a-z 0-9 - . _ ~ as %XX, as Signature Version 4 demands. In paths
/// '/' stays; in query names and values it doesn't.
void append_encoded_path(std::string& out, std::string_view text);
void append_encoded_query(std::string& out, std::string_view text);

/// Undoes percent encoding, '+' meaning a blank, as list answers with encoding-type=url have it. Nothing when a '%' is
/// not followed by two hex digits.
std::optional<std::string> percent_decoded(std::string_view text);

/// Lower-case hex.
std::string hex(std::span<const std::byte> bytes);
/// The bytes of hex text of even length; nothing for other text.
std::optional<std::string> from_hex(std::string_view text);

std::string base64(std::span<const std::byte> bytes);

/// Seconds since the epoch of an HTTP date ("Fri, 24 May 2013 00:00:00 GMT"); nothing for other text.
std::optional<int64_t> parse_http_date(std::string_view text);

/// Server text made fit for one line of an error: control bytes become blanks, at most `limit` bytes.
std::string printable(std::string_view text, size_t limit = 300);

}  // namespace mlps::s3
