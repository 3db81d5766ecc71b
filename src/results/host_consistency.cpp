#include "results/host_consistency.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

#include "base/units.hpp"

namespace mlps::results {
namespace {

constexpr uint64_t kMemoryTimes = 10;  // a tenth of the least memory is the same
constexpr size_t kNamesShown = 3;
constexpr const char* kUnknown = "unknown";

using TextOf = std::function<std::string(const world::HostFacts&)>;

std::string cores_of(const world::HostFacts& facts) {
  return fmt::format("{} cores ({} logical)", facts.cpu.physical_cores, facts.cpu.logical_cores);
}

std::string system_of(const world::HostFacts& facts) {
  std::string id, version;
  for (const auto& [name, value] : facts.os_release) {
    if (name == "ID") id = value;
    if (name == "VERSION_ID") version = value;
  }
  if (id.empty() && version.empty()) return kUnknown;
  return id.empty() || version.empty() ? id + version : id + ' ' + version;
}

// "6.1.0-13-amd64" of "Linux version 6.1.0-13-amd64 (...) ...".
std::string kernel_of(const world::HostFacts& facts) {
  constexpr std::string_view kBefore = "version ";
  const std::string_view text = facts.kernel_version;
  const size_t at = text.find(kBefore);
  if (at == std::string_view::npos) return kUnknown;
  const std::string_view release = text.substr(at + kBefore.size());
  return std::string(release.substr(0, release.find(' ')));
}

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kNamesShown) text += fmt::format(" and {} more", names.size() - kNamesShown);
  return text;
}

// "kernel differs: 6.1 on a, b; 6.5 on c", or nothing.
std::string difference(const char* what, const std::vector<HostView>& hosts, const TextOf& text_of) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const HostView& host : hosts) {
    const std::string text = text_of(*host.facts);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& known) { return known.first == text; });
    if (group == groups.end()) group = groups.insert(groups.end(), {text, {}});
    group->second.push_back(host.name);
  }
  if (groups.size() < 2) return {};
  std::string sentence = fmt::format("{} differs: ", what);
  for (size_t i = 0; i < groups.size(); ++i) {
    sentence += fmt::format("{}{} on {}", i == 0 ? "" : "; ", groups[i].first, names_text(groups[i].second));
  }
  return sentence;
}

std::string memory_difference(const std::vector<HostView>& hosts) {
  const auto has_less = [](const HostView& a, const HostView& b) {
    return a.facts->memory.total < b.facts->memory.total;
  };
  const auto [least, most] = std::minmax_element(hosts.begin(), hosts.end(), has_less);
  const uint64_t low = least->facts->memory.total;
  const uint64_t high = most->facts->memory.total;
  if ((high - low) <= low / kMemoryTimes) return {};
  return fmt::format("memory differs by more than 10 %: {} on {}, {} on {}", human_bytes(low), least->name,
                     human_bytes(high), most->name);
}

}  // namespace

std::vector<std::string> consistency_issues(const std::vector<HostView>& hosts) {
  if (hosts.size() < 2) return {};
  std::vector<std::string> issues = {memory_difference(hosts), difference("number of cores", hosts, cores_of),
                                     difference("operating system", hosts, system_of),
                                     difference("kernel", hosts, kernel_of)};
  std::erase(issues, "");
  return issues;
}

}  // namespace mlps::results
