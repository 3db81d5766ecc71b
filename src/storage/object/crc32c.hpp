#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace mlps::object {

/// Returns the value of x-amz-checksum-crc32c: base64 of the four bytes, most significant first.
std::string crc32c_text(uint32_t crc);

/// Returns the composite checksum of a multipart upload: the CRC over the parts' raw CRCs, "-" and their number.
std::string crc32c_composite(std::span<const uint32_t> part_crcs);

}  // namespace mlps::object
