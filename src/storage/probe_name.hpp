#pragma once

#include <string>
#include <string_view>

namespace mlps::storage {

/// How the names of probes begin, in the folder that is probed. A killed run may leave one.
inline constexpr std::string_view kObjectProbe = ".mlpstorage-probe-";
inline constexpr std::string_view kSeparationProbe = ".mlpstorage-fs-sep-probe-";
inline constexpr std::string_view kSharedProbe = ".mlpstorage-shared-fs-probe-";

inline constexpr size_t kSuffixDigits = 32;
/// 32 random hexadecimal digits: what makes a probe's name one that nobody else has. Any thread.
std::string random_suffix();

}  // namespace mlps::storage
