#include "base/mount_table.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <vector>

namespace mlps {

std::string file_system_of(std::string_view mountinfo, unsigned major, unsigned minor) {
  const std::string device = std::to_string(major) + ":" + std::to_string(minor);
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    // "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": the type follows the lone dash.
    std::istringstream text(line);
    const std::vector<std::string> words{std::istream_iterator<std::string>(text), {}};
    if (words.size() < 3 || words[2] != device) continue;
    const auto dash = std::find(words.begin() + 3, words.end(), "-");
    if (dash != words.end() && dash + 1 != words.end()) return *(dash + 1);
  }
  return {};
}

}  // namespace mlps
