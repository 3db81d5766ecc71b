#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mlps::storage {

/// The advice about a file's pages that buffered files give the kernel (posix_fadvise): none; sequential reading; or
/// that written and read pages are not needed again.
enum class FadviseMode : uint8_t { kNone, kSequential, kDontNeed };

std::string_view fadvise_name(FadviseMode mode);  ///< "none", "sequential", "dontneed"
/// Returns the mode with this name, or nothing.
std::optional<FadviseMode> fadvise_mode(std::string_view name);

/// When a committed object survives a crash of the host: at its commit, or at the next Store::flush(), which costs one
/// call for many small files. Only file systems know the difference.
enum class Durability : uint8_t { kEachObject, kOnFlush };

}  // namespace mlps::storage
