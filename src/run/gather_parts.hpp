#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "run/host_part.hpp"
#include "run/verdict.hpp"
#include "world/archive.hpp"
#include "world/transport.hpp"

/// What gathering has in common for the records of all benchmarks.
namespace mlps::run {

/// The parts of all processes from what they sent, in their order. A part has a member `host`, its HostPart; together
/// they must be of `ranks` ranks, one after the other. What does not fit is E503 and names the host.
template <class Part>
Result<std::vector<Part>> unpack_parts(const std::string& kind, const std::vector<world::Bytes>& sent,
                                       const std::vector<world::Member>& members, uint64_t ranks) {
  std::vector<Part> parts;
  parts.reserve(sent.size());
  uint64_t next_rank = 0;
  for (uint32_t process = 0; process < sent.size(); ++process) {
    const std::string whose = process_name(members, process);
    auto part = world::unpack<Part>(kind, whose, sent[process]);
    if (!part) return fail(std::move(part.error()));
    const HostPart& host = part->host;
    if (host.process != process || host.first_rank != next_rank) {
      return world::unusable(kind, whose,
                             fmt::format("it is of process {} with ranks from {}, not of process {} with ranks from {}",
                                         host.process, host.first_rank, process, next_rank));
    }
    next_rank += host.ranks;
    parts.push_back(std::move(*part));
  }
  if (next_rank != ranks) {
    return fail(ErrorCode::kMpiCommunication,
                fmt::format("the parts of all hosts together have {} ranks, not {}", next_rank, ranks));
  }
  return parts;
}

/// Makes a record that could not be gathered because of `cause` say so: it stays the share of this process.
template <class Record>
void stay_a_share(Record& record, const Error& cause, const world::Transport& transport) {
  if (!record.error) {
    record.error = cause;
    add_cause(record.error, record.reasons);
  }
  note_missing_parts(record.reasons, transport);
  record.verdict = judge(record.reasons, record.error);
}

/// The reasons of a part, for the record of the whole.
inline void add_reasons(const std::vector<std::string>& reasons, const std::string& whose,
                        std::vector<std::string>& all) {
  for (const std::string& reason : reasons) all.push_back(whose + ": " + reason);
}

/// Empties a record of what add_host() puts into it.
template <class Record>
void forget_hosts(Record& record) {
  record.hosts.clear();
  record.peak_rss_bytes = 0;
  record.first_byte_s = 0;
  record.reasons.clear();
  record.error.reset();
}

/// Adds what the records of all benchmarks have of every host. A part has members `host`, `invocation_start` and
/// `reasons`; `whose` stands before its reasons.
template <class Record, class Part>
void add_host(Record& whole, const Part& part, const world::Member& member, const std::string& whose) {
  HostPart host = part.host;
  place(host, member, whole.invocation_start, part.invocation_start);
  whole.peak_rss_bytes = std::max(whole.peak_rss_bytes, host.peak_rss_bytes);
  const double first = host.first_byte_s;
  if (first != 0 && (whole.first_byte_s == 0 || first < whole.first_byte_s)) whole.first_byte_s = first;
  add_reasons(part.reasons, whose, whole.reasons);
  whole.hosts.push_back(std::move(host));
}

/// Collective: process 0 gets what pack_part() makes of every process's record, and merge_parts() makes its own whole
/// with it. A part that can't be used fails the job.
template <class Record>
Status gather_parts(Record& record, world::Transport& transport) {
  const Result<std::vector<world::Bytes>> sent = transport.gather(pack_part(record));
  if (!sent) return fail(sent.error());
  if (transport.index() != 0) return {};
  Status merged = merge_parts(record, *sent, transport.members());
  if (!merged) transport.failure().raise(merged.error());
  return merged;
}

}  // namespace mlps::run
