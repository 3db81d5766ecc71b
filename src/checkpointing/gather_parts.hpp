#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "checkpointing/host_part.hpp"
#include "checkpointing/record.hpp"
#include "world/archive.hpp"
#include "world/transport.hpp"

/// What gathering has in common for the records of all benchmarks.
namespace mlps::checkpointing {

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

}  // namespace mlps::checkpointing
