#include "storage/s3/checksums.hpp"

#include <endian.h>

#include <array>

#include "base/crc.hpp"
#include "base/encoding.hpp"
#include "storage/object/crc32c.hpp"

namespace mlps::s3 {

const ChecksumNames& names_of(Checksum checksum) {
  static constexpr std::array<ChecksumNames, 3> kNames = {
      {{"none", "", "", ""},
       {"crc32c", "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C"},
       {"crc64nvme", "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME"}}};
  return kNames.at(static_cast<size_t>(checksum));
}

object::ChecksumFunction function_of(Checksum checksum) {
  if (checksum == Checksum::kNone) return nullptr;
  return checksum == Checksum::kCrc64nvme ? &crc64nvme : &object::crc32c_sum;
}

uint64_t joined_checksum(Checksum checksum, uint64_t first, uint64_t second, uint64_t second_length) {
  if (checksum == Checksum::kCrc64nvme) return crc64nvme_joined(first, second, second_length);
  return crc32c_joined(static_cast<uint32_t>(first), static_cast<uint32_t>(second), second_length);
}

std::string checksum_text(Checksum checksum, uint64_t value) {
  if (checksum == Checksum::kCrc32c) return object::crc32c_text(static_cast<uint32_t>(value));
  const uint64_t big_endian = htobe64(value);
  return base64(std::as_bytes(std::span(&big_endian, 1)));
}

}  // namespace mlps::s3
