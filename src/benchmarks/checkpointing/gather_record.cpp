#include "benchmarks/checkpointing/gather_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "run/gather_parts.hpp"

namespace mlps::storage {

template <class Archive, world::Is<Residency> R>
void fields(Archive& archive, R& residency) {
  archive(residency.cached_bytes, residency.total_bytes);
}

}  // namespace mlps::storage

namespace mlps::checkpointing {

/// What of a record differs from host to host.
struct RecordPart {
  run::HostPart host;
  Stamp invocation_start;
  std::vector<CheckpointEvent> events;
  PhaseStats write, read;
  std::vector<std::string> reasons;
};

template <class Archive, world::Is<RankInterval> I>
void fields(Archive& archive, I& interval) {
  archive(interval.rank, interval.start, interval.duration_ns, interval.bytes, interval.prepare_ns, interval.storage_ns,
          interval.barrier_ns);
}

template <class Archive, world::Is<CheckpointEvent> E>
void fields(Archive& archive, E& event) {
  archive(event.phase, event.checkpoint, event.start, event.slowest_ns, event.ranks, event.cached_before);
}

template <class Archive, world::Is<PhaseStats> S>
void fields(Archive& archive, S& stats) {
  archive(static_cast<std::conditional_t<std::is_const_v<S>, const io::Stats, io::Stats>&>(stats), stats.cpu_user_s,
          stats.cpu_system_s);
}

template <class Archive, world::Is<RecordPart> P>
void fields(Archive& archive, P& part) {
  archive(part.host, part.invocation_start, part.events, part.write, part.read, part.reasons);
}

namespace {

constexpr const char* kKind = "part of the checkpointing record";

/// Whether a part's events are those of process 0, each with every rank of the part; else why not.
std::string mismatch(const RecordPart& part, const std::vector<CheckpointEvent>& expected) {
  if (part.host.ranks == 0) return "it has no ranks";
  if (part.events.size() != expected.size()) {
    return fmt::format("it has {} checkpoints, host 0 has {}", part.events.size(), expected.size());
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    const CheckpointEvent& event = part.events[i];
    if (event.phase != expected[i].phase || event.checkpoint != expected[i].checkpoint) {
      return fmt::format("event {} is not the {} of checkpoint {}", i + 1, phase_name(expected[i].phase),
                         expected[i].checkpoint);
    }
    uint32_t next = part.host.first_rank;
    const bool in_order = std::all_of(event.ranks.begin(), event.ranks.end(),
                                      [&](const RankInterval& interval) { return interval.rank == next++; });
    if (!in_order || event.ranks.size() != part.host.ranks) {
      return fmt::format("event {} has not exactly its ranks in order", i + 1);
    }
  }
  return {};
}

void join(CheckpointEvent& whole, const CheckpointEvent& part, const world::ClockOffset& clock) {
  const Stamp start = run::shifted(part.start, clock);
  if (whole.ranks.empty()) {
    whole = {part.phase, part.checkpoint, start, part.slowest_ns, {}, part.cached_before};
  } else if (whole.cached_before && part.cached_before) {
    whole.cached_before->cached_bytes += part.cached_before->cached_bytes;
    whole.cached_before->total_bytes += part.cached_before->total_bytes;
  } else {
    whole.cached_before.reset();  // one host doesn't know
  }
  if (start.monotonic_ns < whole.start.monotonic_ns) whole.start = start;
  whole.slowest_ns = std::max(whole.slowest_ns, part.slowest_ns);
  for (const RankInterval& interval : part.ranks) {
    whole.ranks.push_back(interval);
    whole.ranks.back().start = run::shifted(interval.start, clock);
  }
}

void add(RunRecord& whole, const RecordPart& part, const world::ClockOffset& clock) {
  whole.events.resize(part.events.size());
  for (size_t i = 0; i < part.events.size(); ++i) join(whole.events[i], part.events[i], clock);
  merge(whole.write, part.write);
  merge(whole.read, part.read);
}

}  // namespace

world::Bytes pack_part(const RunRecord& record) {
  const run::HostPart host = record.hosts.empty() ? run::HostPart() : record.hosts.front();  // none: it did not run
  return world::pack(
      kKind, RecordPart{host, record.invocation_start, record.events, record.write, record.read, record.reasons});
}

Status merge_parts(RunRecord& record, const std::vector<world::Bytes>& sent,
                   const std::vector<world::Member>& members) {
  auto parts = run::unpack_parts<RecordPart>(kKind, sent, members, record.plan.ranks.size());
  if (!parts) return fail(std::move(parts.error()));
  for (uint32_t process = 0; process < parts->size(); ++process) {
    std::string problem = mismatch((*parts)[process], record.events);
    if (!problem.empty()) return world::unusable(kKind, run::process_name(members, process), std::move(problem));
  }
  run::forget_hosts(record);
  record.events.clear();
  record.write = record.read = {};
  for (uint32_t process = 0; process < parts->size(); ++process) {
    const RecordPart& part = (*parts)[process];
    run::add_host(record, part, members[process], run::process_name(members, process));
    add(record, part, members[process].clock);
  }
  for (const CheckpointEvent& event : record.events) {
    (event.phase == Phase::kWrite ? record.write : record.read).wall_s += to_seconds(event.slowest_ns);
  }
  judge(record, record.plan);
  return {};
}

Status gather_record(RunRecord& record, world::Transport& transport) {
  if (transport.size() == 1) return {};
  Status gathered = run::gather_parts(record, transport);
  if (!gathered) run::stay_a_share(record, gathered.error(), transport);
  return gathered;
}

}  // namespace mlps::checkpointing
