#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mlps::formats {

/// A stored (uncompressed) member of a zip file.
struct ZipMember {
  std::string_view name;
  uint32_t crc = 0;  ///< CRC-32 of its bytes
  uint64_t bytes = 0;
  uint64_t offset = 0;  ///< of its local header
};

/// `zip64`: with version 45 and a ZIP64 field for both sizes, as numpy.savez writes; else version 20 and 32-bit sizes.
std::string zip_local_header(const ZipMember& member, bool zip64);

/// The central directory and what ends the file, for a directory that begins at `at`. Values that need more than 32
/// bits go into ZIP64 fields.
std::string zip_directory(std::span<const ZipMember> members, uint64_t at);

}  // namespace mlps::formats
