#pragma once

#include <string>
#include <string_view>

namespace mlps::results {

/// Return the digest of a text in hexadecimal digits. MD5 serves as a name here, not as a protection.
std::string sha256_hex(std::string_view text);
std::string md5_hex(std::string_view text);

}  // namespace mlps::results
