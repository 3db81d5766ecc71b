#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace mlps::s3 {

/// CRC-32C (Castagnoli, reflected 0x82F63B78, all ones in and out): crc32c("123456789") == 0xe3069283.
uint32_t crc32c(std::span<const std::byte> bytes);

/// The CRC of A followed by B, from the CRCs of both and the length of B.
uint32_t crc32c_joined(uint32_t first, uint32_t second, uint64_t second_length);

/// As x-amz-checksum-crc32c has it: base64 of the four bytes, most significant first.
std::string crc32c_text(uint32_t crc);

/// The composite checksum of a multipart upload: the CRC over the parts' raw CRCs, "-" and their number.
std::string crc32c_composite(std::span<const uint32_t> part_crcs);

}  // namespace mlps::s3
