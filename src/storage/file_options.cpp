#include "storage/file_options.hpp"

#include <array>

namespace mlps::storage {
namespace {

constexpr std::array<std::string_view, 3> kFadviseNames = {"none", "sequential", "dontneed"};  // by value

}  // namespace

std::string_view fadvise_name(FadviseMode mode) {
  return kFadviseNames.at(static_cast<size_t>(mode));
}

std::optional<FadviseMode> fadvise_mode(std::string_view name) {
  for (size_t i = 0; i < kFadviseNames.size(); ++i) {
    if (kFadviseNames[i] == name) return static_cast<FadviseMode>(i);
  }
  return std::nullopt;
}

}  // namespace mlps::storage
