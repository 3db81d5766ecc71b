#pragma once

#include <string>
#include <string_view>

namespace mlps::storage {

/// The beginnings of the names of probe files, by gate. A killed run may leave such a file.
inline constexpr std::string_view kObjectProbe = ".mlpstorage-probe-";
inline constexpr std::string_view kSeparationProbe = ".mlpstorage-fs-sep-probe-";
inline constexpr std::string_view kSharedProbe = ".mlpstorage-shared-fs-probe-";

inline constexpr size_t kSuffixDigits = 32;
/// Returns 32 random hexadecimal digits, which make the name of a probe file unique. Any thread may call it.
std::string random_suffix();

}  // namespace mlps::storage
