#pragma once

#include <string>
#include <string_view>

namespace mlps::storage {

/// Begins the names of all files that this program puts beside the data for a while. A killed run may leave some.
inline constexpr std::string_view kOwnFiles = ".mlpstorage-";

/// The beginnings of the names of probe files, by gate.
inline constexpr std::string_view kObjectProbe = ".mlpstorage-probe-";
inline constexpr std::string_view kSharedProbe = ".mlpstorage-shared-fs-probe-";
/// The folder, or prefix, of the claims of runs that write.
inline constexpr std::string_view kClaims = ".mlpstorage-claims";

inline constexpr size_t kSuffixDigits = 32;
/// Returns 32 random hexadecimal digits, which make the name of a probe file unique. Any thread may call it.
std::string random_suffix();

}  // namespace mlps::storage
