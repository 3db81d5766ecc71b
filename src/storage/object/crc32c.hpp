#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mlps::object {

/// Returns the checksum of bytes that come after others, whose checksum is `before` (0: there are none).
using ChecksumFunction = uint64_t (*)(std::span<const std::byte> bytes, uint64_t before);

/// Is crc32c() as a ChecksumFunction.
uint64_t crc32c_sum(std::span<const std::byte> bytes, uint64_t before);

/// Returns the value of x-amz-checksum-crc32c: base64 of the four bytes, most significant first.
std::string crc32c_text(uint32_t crc);

/// Returns the CRC32C that such a text stands for; nothing for other text.
std::optional<uint32_t> crc32c_of(std::string_view text);

/// Returns the CRC32C that the header lines of an answer of Google's announce in x-goog-hash, which may stand there
/// more than once and hold other hashes beside it; nothing when there is none.
std::optional<uint32_t> announced_crc32c(std::string_view header_lines);

/// Returns the composite checksum of a multipart upload: the CRC over the parts' raw CRCs, "-" and their number.
std::string crc32c_composite(std::span<const uint32_t> part_crcs);

}  // namespace mlps::object
