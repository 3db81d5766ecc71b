#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mlps::s3 {

/// The checksum that goes with bodies, and that servers keep.
enum class Checksum : uint8_t { kNone, kCrc32c, kCrc64nvme };

/// What a checksum is called, in settings, in headers, and in XML.
struct ChecksumNames {
  std::string_view setting;    ///< "crc32c"
  std::string_view algorithm;  ///< "CRC32C", the value of x-amz-checksum-algorithm
  std::string_view header;     ///< "x-amz-checksum-crc32c"
  std::string_view element;    ///< "ChecksumCRC32C"
};
const ChecksumNames& names_of(Checksum checksum);

/// Return the checksum of bytes, and of A followed by B from those of both and the length of B. Not of kNone.
uint64_t checksum_of(Checksum checksum, std::span<const std::byte> bytes);
uint64_t joined_checksum(Checksum checksum, uint64_t first, uint64_t second, uint64_t second_length);

/// Returns a checksum as headers have it: base64 of its bytes, the most significant one first.
std::string checksum_text(Checksum checksum, uint64_t value);

}  // namespace mlps::s3
