#include "flags/text.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace mlps::cli {

std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  // One edit in three letters at most; two from four letters on, since two swapped letters count as two.
  size_t best_distance = std::clamp<size_t>(word.size() / 3, word.size() < 4 ? 1 : 2, 6) + 1;
  for (const std::string_view candidate : candidates) {
    const size_t distance = edit_distance(lower(word), lower(candidate));
    if (distance < best_distance && distance < candidate.size()) {
      best_distance = distance;
      best = candidate;
    }
  }
  return std::string(best);
}

std::string with_home(std::string_view path, std::string_view home) {
  const bool tilde = path == "~" || path.substr(0, 2) == "~/";
  if (!tilde || home.empty()) return std::string(path);
  return std::string(home) + std::string(path.substr(1));
}

bool is_plain_name(std::string_view name) {
  constexpr std::string_view kLegal = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  constexpr size_t kMost = 255;  // bytes of a name on every file system of Linux
  return !name.empty() && name.size() <= kMost && name != "." && name != ".." &&
         name.find_first_not_of(kLegal) == std::string_view::npos;
}

}  // namespace mlps::cli
