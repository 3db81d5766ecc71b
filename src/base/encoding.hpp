#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mlps {

/// The encodings of texts and bytes in requests to servers.

/// Appends `text` with every byte outside A-Z a-z 0-9 - . _ ~ as %XX, as RFC 3986 and Signature Version 4 demand. In
/// paths
/// '/' stays; in query names and values it doesn't.
void append_encoded_path(std::string& out, std::string_view text);
void append_encoded_query(std::string& out, std::string_view text);

/// Undoes percent encoding, '+' meaning a blank, as list answers with encoding-type=url have it. Nothing when a '%' is
/// not followed by two hex digits.
std::optional<std::string> percent_decoded(std::string_view text);

/// Returns the bytes as lower-case hexadecimal digits.
std::string hex(std::span<const std::byte> bytes);
/// Returns the bytes that hexadecimal text of even length spells; nothing for other text.
std::optional<std::string> from_hex(std::string_view text);

std::string base64(std::span<const std::byte> bytes);
/// Returns the bytes that base64 text (with its padding, without line ends) spells; nothing for other text.
std::optional<std::string> base64_decoded(std::string_view text);

/// Returns the seconds since the epoch of an HTTP date ("Fri, 24 May 2013 00:00:00 GMT"); nothing for other text.
std::optional<int64_t> parse_http_date(std::string_view text);
/// Returns the same of "2026-11-28T20:15:00Z", with or without a fraction of the second, which is left out, and with
/// "Z",
/// "+00:00" or another offset at its end; nothing for other text.
std::optional<int64_t> parse_iso_time(std::string_view text);

/// Returns a server's text fit for one line of an error: control bytes become blanks, at most `limit` bytes.
std::string printable(std::string_view text, size_t limit = 300);

}  // namespace mlps
