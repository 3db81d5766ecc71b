#include "gates/findings.hpp"

#include <algorithm>
#include <utility>

#include "gates/job_facts.hpp"
#include "gates/memory.hpp"
#include "storage/probe_name.hpp"
#include "world/message_merger.hpp"

namespace mlps::gates {
namespace {

/// Returns `text` without the random suffixes of probe names, so that the same failure of several hosts compares equal.
std::string without_random_names(std::string_view text) {
  std::string result;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_not_of("0123456789abcdef", begin), text.size());
    if (end - begin < storage::kSuffixDigits) result += text.substr(begin, end - begin);
    if (end < text.size()) result += text[end];
    begin = end + 1;
  }
  return result;
}

HostMemory memory_of(const std::string& host, const std::vector<world::Member>& members,
                     const std::vector<Findings>& findings) {
  HostMemory memory;
  memory.processes = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i].host != host) continue;
    ++memory.processes;
    memory.buffer_bytes += findings[i].buffer_bytes;
    const auto& available = findings[i].available_bytes;
    if (!available || *available > memory.available_bytes.value_or(UINT64_MAX)) continue;
    memory.available_bytes = available;
    memory.available_by = findings[i].available_by;
  }
  return memory;
}

}  // namespace

Report merge(const std::vector<world::Member>& members, std::vector<Findings> findings) {
  world::MessageMerger failures(without_random_names), warnings(without_random_names);
  std::vector<std::string> hosts_left = distinct_hosts(members);
  for (size_t i = 0; i < members.size(); ++i) {
    const std::string& host = members[i].host;
    for (const Error& failure : findings[i].failures) failures.add(host, failure);
    for (const std::string& warning : findings[i].warnings) warnings.add(host, {.message = warning});
    // Once per host, at its first process.
    if (std::erase(hosts_left, host) == 0) continue;
    if (const auto error = memory_error(memory_of(host, members, findings))) failures.add(host, *error);
  }
  Report report;
  const bool name_hosts = members.size() > 1;
  report.failures = name_hosts ? failures.errors() : failures.nameless();
  for (const Error& warning : name_hosts ? warnings.errors() : warnings.nameless()) {
    report.warnings.push_back(warning.message);
  }
  if (!report.failures.empty()) report.first_failure = report.failures.front();
  return report;
}

}  // namespace mlps::gates
