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

/// Returns a member's local header: with `zip64`, version 45 and a ZIP64 field for both sizes, as numpy.savez writes;
/// else version 20 and 32-bit sizes.
std::string zip_local_header(const ZipMember& member, bool zip64);

/// Returns the central directory, which begins at file offset `at`, and the end records. Values of more than 32 bits go
/// into ZIP64 fields.
std::string zip_directory(std::span<const ZipMember> members, uint64_t at);

}  // namespace mlps::formats
