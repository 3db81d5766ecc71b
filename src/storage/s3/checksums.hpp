#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/object/crc32c.hpp"

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

/// Returns how a checksum is computed; null for kNone.
object::ChecksumFunction function_of(Checksum checksum);
/// Returns the checksum of A followed by B from those of both and the length of B. Not of kNone.
uint64_t joined_checksum(Checksum checksum, uint64_t first, uint64_t second, uint64_t second_length);

/// Returns a checksum as headers have it: base64 of its bytes, the most significant one first.
std::string checksum_text(Checksum checksum, uint64_t value);

}  // namespace mlps::s3
