#include "base/mount_table.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <vector>

#include "base/text.hpp"

namespace mlps {
namespace {

/// Returns the first mount that `is_wanted`.
template <class Wanted>
std::optional<Mount> find_mount(std::string_view mountinfo, const Wanted& is_wanted) {
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    // "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": type and source follow the lone dash.
    std::istringstream text(line);
    const std::vector<std::string> words{std::istream_iterator<std::string>(text), {}};
    if (words.size() < 3) continue;
    const auto dash = std::find(words.begin() + 3, words.end(), "-");
    if (words.end() - dash < 2) continue;
    Mount mount{parse_number<uint64_t>(words[0]).value_or(0), words[2], *(dash + 1),
                words.end() - dash > 2 ? *(dash + 2) : std::string()};
    if (is_wanted(mount)) return mount;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Mount> mount_of(std::string_view mountinfo, uint64_t id) {
  return find_mount(mountinfo, [id](const Mount& mount) { return mount.id == id; });
}

std::string file_system_of(std::string_view mountinfo, unsigned major, unsigned minor) {
  const std::string device = std::to_string(major) + ":" + std::to_string(minor);
  const auto mount = find_mount(mountinfo, [&](const Mount& candidate) { return candidate.device == device; });
  return mount ? mount->type : std::string();
}

}  // namespace mlps
