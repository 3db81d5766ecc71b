#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "run/run_facts.hpp"
#include "world/archive.hpp"
#include "world/transport.hpp"

/// Gathers the records of the processes of a job into one. The record of a benchmark derives from RunFacts and lists
/// the fields that differ from process to process (base/fields.hpp); the rest of process 0's record is true of the
/// whole.
namespace mlps::run {

/// Packs the share of one process: of the common facts what is listed, and the fields of the benchmark.
template <class Record>
world::Bytes pack_record(const std::string& kind, const Record& record) {
  return world::pack(kind, std::pair<const RunFacts&, const Record&>(record, record));
}

/// Unpacks the shares of all processes, in their order; together they must be of `ranks` ranks, one after the other.
/// `mismatch` returns why a share does not fit to that of process 0, or nothing. Fails with E503, which names the host.
template <class Record, class Mismatch>
Result<std::vector<Record>> unpack_parts(const std::string& kind, const std::vector<world::Bytes>& sent,
                                         const std::vector<world::Member>& members, uint64_t ranks,
                                         const Mismatch& mismatch) {
  std::vector<Record> parts;
  uint64_t next_rank = 0;
  for (uint32_t process = 0; process < sent.size(); ++process) {
    const std::string whose = process_name(members, process);
    auto unpacked = world::unpack<std::pair<RunFacts, Record>>(kind, whose, sent[process]);
    if (!unpacked) return fail(std::move(unpacked.error()));
    Record& part = parts.emplace_back(std::move(unpacked->second));
    static_cast<RunFacts&>(part) = std::move(unpacked->first);
    std::string problem = misplaced(part.hosts, process, next_rank);
    if (problem.empty()) problem = mismatch(part);
    if (!problem.empty()) return world::unusable(kind, whose, std::move(problem));
    next_rank += part.hosts.front().ranks;
  }
  if (next_rank != ranks) {
    return fail(ErrorCode::kMpiCommunication,
                fmt::format("the parts of all hosts together have {} ranks, not {}", next_rank, ranks));
  }
  return parts;
}

template <class T>
void shift_stamps(std::vector<T>& values, const world::ClockOffset& clock);
template <class T>
void shift_stamps(std::optional<T>& value, const world::ClockOffset& clock);

/// Moves every moment in `value`, which another process has measured, onto the clocks of process 0.
template <class T>
void shift_stamps(T& value, const world::ClockOffset& clock) {
  if constexpr (std::is_same_v<T, Stamp>) {
    value = shifted(value, clock);
  } else if constexpr (Listed<T>) {
    for_each_field<T>([&](const auto& field) { shift_stamps(value.*field.member, clock); });
  }
}
template <class T>
void shift_stamps(std::vector<T>& values, const world::ClockOffset& clock) {
  for (T& value : values) shift_stamps(value, clock);
}
template <class T>
void shift_stamps(std::optional<T>& value, const world::ClockOffset& clock) {
  if (value) shift_stamps(*value, clock);
}

/// Makes `whole`, the record of process 0, that of all processes: every listed field is merged by its rule. Costs of
/// the whole, reasons and hosts are those of the parts; there is no verdict yet.
template <class Record>
void merge_records(Record& whole, std::vector<Record> parts, const std::vector<world::Member>& members) {
  begin_whole(whole);
  for (uint32_t process = 0; process < parts.size(); ++process) {
    Record& part = parts[process];
    add_host(whole, part, members[process], process_name(members, process));
    shift_stamps(part, members[process].clock);
    if (process != 0) {
      merge(whole, part);
    } else {
      for_each_field<Record>([&](const auto& field) { whole.*field.member = part.*field.member; });
    }
  }
}

/// Collective, after a run, in a job that went well or badly: process 0 gets what pack_part() makes of the record of
/// every process, and merge_parts() makes its own record that of all; those of the others stay as they are. On one host
/// there is nothing to do.
///
/// When the job has failed, or a part can't be used (E503, raised for all), the record stays this host's share, with a
/// reason that names the missing parts, and the error is returned.
template <class Record>
Status gather_record(Record& record, world::Transport& transport) {
  if (transport.size() == 1) return {};
  Status gathered;
  if (const auto sent = transport.gather(pack_part(record)); !sent) {
    gathered = fail(sent.error());
  } else if (transport.index() == 0) {
    gathered = merge_parts(record, *sent, transport.members());
    if (!gathered) transport.failure().raise(gathered.error());
  }
  if (!gathered) stay_a_share(record, gathered.error(), transport);
  return gathered;
}

}  // namespace mlps::run
