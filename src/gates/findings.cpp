#include "gates/findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "gates/job_facts.hpp"
#include "gates/memory.hpp"
#include "gates/probe_name.hpp"
#include "world/packet.hpp"

namespace mlps::gates {
namespace {

/// What several hosts have in common: the text without what is random in the names of probes.
std::string without_random_names(std::string_view text) {
  std::string result;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_not_of("0123456789abcdef", begin), text.size());
    if (end - begin < kSuffixDigits) result += text.substr(begin, end - begin);
    if (end < text.size()) result += text[end];
    begin = end + 1;
  }
  return result;
}

bool are_alike(const Error& a, const Error& b) {
  return a.code == b.code && a.suggestion == b.suggestion &&
         without_random_names(a.message) == without_random_names(b.message);
}

/// Gathers what hosts say, each thing once.
class Chorus {
 public:
  void add(const std::string& host, const Error& error) {
    const auto found =
        std::find_if(lines_.begin(), lines_.end(), [&](const Line& l) { return are_alike(l.error, error); });
    if (found == lines_.end()) {
      lines_.push_back({error, {host}});
      return;
    }
    if (found->error.details != error.details) found->details_differ = true;
    if (std::find(found->hosts.begin(), found->hosts.end(), host) == found->hosts.end()) found->hosts.push_back(host);
  }

  std::vector<Error> errors(bool name_hosts) const {
    std::vector<Error> result;
    for (const Line& line : lines_) {
      result.push_back(line.error);
      if (!name_hosts) continue;
      Error& error = result.back();
      error.message = fmt::format("{} {}: {}", line.hosts.size() == 1 ? "host" : "hosts", fmt::join(line.hosts, ", "),
                                  error.message);
      // Numbers of requests and the like: one host's are enough to look into it.
      if (line.details_differ) error.details = fmt::format("host {}: {}", line.hosts.front(), error.details);
    }
    return result;
  }

 private:
  struct Line {
    Error error;
    std::vector<std::string> hosts;
    bool details_differ = false;
  };
  std::vector<Line> lines_;
};

HostMemory memory_of(const std::string& host, const std::vector<world::Member>& members,
                     const std::vector<Findings>& findings) {
  HostMemory memory;
  memory.processes = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i].host != host) continue;
    ++memory.processes;
    memory.buffer_bytes += findings[i].buffer_bytes;
    const auto& available = findings[i].available_bytes;
    if (available) memory.available_bytes = std::min(memory.available_bytes.value_or(*available), *available);
  }
  return memory;
}

}  // namespace

world::Bytes pack(const Findings& findings) {
  world::Packer packer;
  packer.number(findings.failures.size());
  for (const Error& failure : findings.failures) packer.error(failure);
  packer.number(findings.warnings.size());
  for (const std::string& warning : findings.warnings) packer.text(warning);
  packer.number(findings.buffer_bytes);
  packer.number(findings.available_bytes ? 1 : 0).number(findings.available_bytes.value_or(0));
  return packer.take();
}

Result<Findings> unpack_findings(std::string_view bytes) {
  world::Unpacker in(bytes);
  Findings findings;
  for (uint64_t left = in.number(); left > 0 && in.good(); --left) findings.failures.push_back(in.error());
  for (uint64_t left = in.number(); left > 0 && in.good(); --left) findings.warnings.emplace_back(in.text());
  findings.buffer_bytes = in.number();
  const bool is_known = in.number() != 0;
  const uint64_t available = in.number();
  if (is_known) findings.available_bytes = available;
  if (in.good() && in.empty()) return findings;
  return fail(ErrorCode::kMpiCommunication, "what another process says about its gates can't be understood");
}

Report merge(const std::vector<world::Member>& members, std::vector<Findings> findings) {
  Chorus failures, warnings;
  std::vector<std::string> hosts_left = distinct_hosts(members);
  for (size_t i = 0; i < members.size(); ++i) {
    const std::string& host = members[i].host;
    for (const Error& failure : findings[i].failures) failures.add(host, failure);
    for (const std::string& warning : findings[i].warnings) warnings.add(host, {.message = warning});
    // Once for a host, with its first process.
    if (std::erase(hosts_left, host) == 0) continue;
    if (const auto error = memory_error(memory_of(host, members, findings))) failures.add(host, *error);
  }
  Report report;
  const bool name_hosts = members.size() > 1;
  report.failures = failures.errors(name_hosts);
  for (const Error& warning : warnings.errors(name_hosts)) report.warnings.push_back(warning.message);
  if (!report.failures.empty()) report.first_failure = report.failures.front();
  return report;
}

}  // namespace mlps::gates
