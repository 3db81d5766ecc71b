#include "base/control_group.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/text.hpp"

namespace mlps {
namespace {

std::vector<std::string> split_line(const std::string& line) {
  std::istringstream text(line);
  return {std::istream_iterator<std::string>(text), {}};
}

bool has_word(const std::string& list, std::string_view word) {
  const auto words = mlps::split(list, ",");
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Returns the path of this process in the hierarchy that has the controller, or in the unified one (version 2).
std::optional<std::string> group_path(std::string_view controller, bool unified, const std::string& root) {
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // "4:memory:/a/b", "0::/a/b"
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (unified ? line.starts_with("0::") : has_word(controllers, controller)) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// Appends the folder of the group `path` below its mount, and those of the groups around it.
void add_folders(const std::string& mount, std::string path, std::vector<std::string>& folders) {
  for (;;) {
    while (path.ends_with('/')) path.pop_back();
    folders.push_back(mount + path);
    if (path.empty()) return;
    path.erase(path.rfind('/'));
  }
}

std::vector<std::string> words_in(const std::string& path) {
  std::ifstream file(path);
  return {std::istream_iterator<std::string>(file), {}};
}

std::optional<uint64_t> number_in(const std::string& path) {
  const auto words = words_in(path);
  return words.empty() ? std::nullopt : parse_number<uint64_t>(words.front());  // "max" is none
}

/// Returns the bytes of files in the page cache, out of a memory.stat of either version.
uint64_t file_bytes(const std::string& folder, bool unified) {
  const auto words = words_in(folder + "/memory.stat");
  uint64_t bytes = 0;
  for (const char* name : {"active_file", "inactive_file"}) {
    const auto found = std::find(words.begin(), words.end(), (unified ? "" : "total_") + std::string(name));
    if (words.end() - found > 1) bytes += parse_number<uint64_t>(*(found + 1)).value_or(0);
  }
  return bytes;
}

std::optional<MemoryLimit> memory_limit_of(const std::string& folder, const std::string& root) {
  constexpr uint64_t kUnlimited = uint64_t{1} << 60;  // version 1 writes its largest number
  auto limit = number_in(root + folder + "/memory.max");
  const bool unified = limit.has_value();
  if (!unified) limit = number_in(root + folder + "/memory.limit_in_bytes");
  if (!limit || *limit >= kUnlimited) return std::nullopt;
  const uint64_t used = number_in(root + folder + (unified ? "/memory.current" : "/memory.usage_in_bytes")).value_or(0);
  return MemoryLimit{*limit, used - std::min(used, file_bytes(root + folder, unified)), folder};
}

}  // namespace

std::vector<std::string> control_group_folders(std::string_view controller, const std::string& root) {
  std::vector<std::string> folders;
  std::ifstream mounts(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    // "30 24 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
    const auto words = split_line(line);
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    const bool unified = dash[1] == "cgroup2";
    if (!unified && (dash[1] != "cgroup" || !has_word(dash[3], controller))) continue;
    auto path = group_path(controller, unified, root);
    if (!path) continue;
    // A container may see only its own part of the hierarchy, mounted as if it were all of it.
    if (words[3] != "/" && path->starts_with(words[3])) path->erase(0, words[3].size());
    add_folders(words[4], *path, folders);
  }
  return folders;
}

std::optional<MemoryLimit> memory_limit(const std::string& root) {
  std::optional<MemoryLimit> tightest;
  for (const std::string& folder : control_group_folders("memory", root)) {
    auto limit = memory_limit_of(folder, root);
    if (limit && (!tightest || limit->room_bytes() < tightest->room_bytes())) tightest = std::move(limit);
  }
  return tightest;
}

std::optional<double> processor_limit(const std::string& root) {
  std::optional<double> least;
  for (const std::string& folder : control_group_folders("cpu", root)) {
    auto words = words_in(root + folder + "/cpu.max");  // "150000 100000", "max 100000"
    for (const char* name : {"/cpu.cfs_quota_us", "/cpu.cfs_period_us"}) {
      const auto more = words_in(root + folder + name);  // "-1" is none
      words.insert(words.end(), more.begin(), more.end());
    }
    if (words.size() < 2) continue;
    const auto quota = parse_number<uint64_t>(words[0]), period = parse_number<uint64_t>(words[1]);
    if (!quota || !period || *period == 0) continue;
    const double processors = static_cast<double>(*quota) / static_cast<double>(*period);
    least = std::min(least.value_or(processors), processors);
  }
  return least;
}

}  // namespace mlps
