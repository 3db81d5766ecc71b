#include "benchmarks/checkpointing/gather_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mlps::checkpointing {
namespace {

constexpr const char* kKind = "part of the checkpointing record";

/// Whether a part's events are those of process 0, each with every rank of the part; else why not.
std::string mismatch(const RunRecord& part, const std::vector<CheckpointEvent>& expected) {
  if (part.hosts.front().ranks == 0) return "it has no ranks";
  if (part.events.size() != expected.size()) {
    return fmt::format("it has {} checkpoints, host 0 has {}", part.events.size(), expected.size());
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    const CheckpointEvent& event = part.events[i];
    if (event.phase != expected[i].phase || event.checkpoint != expected[i].checkpoint) {
      return fmt::format("event {} is not the {} of checkpoint {}", i + 1, phase_name(expected[i].phase),
                         expected[i].checkpoint);
    }
    uint32_t next = part.hosts.front().first_rank;
    const bool in_order = std::all_of(event.ranks.begin(), event.ranks.end(),
                                      [&](const RankInterval& interval) { return interval.rank == next++; });
    if (!in_order || event.ranks.size() != part.hosts.front().ranks) {
      return fmt::format("event {} has not exactly its ranks in order", i + 1);
    }
  }
  return {};
}

}  // namespace

world::Bytes pack_part(const RunRecord& record) {
  return run::pack_record(kKind, record);
}

Status merge_parts(RunRecord& record, const std::vector<world::Bytes>& sent,
                   const std::vector<world::Member>& members) {
  auto parts = run::unpack_parts<RunRecord>(kKind, sent, members, record.plan.ranks.size(),
                                            [&](const RunRecord& part) { return mismatch(part, record.events); });
  if (!parts) return fail(std::move(parts.error()));
  run::merge_records(record, std::move(*parts), members);
  record.write.wall_s = record.read.wall_s = 0;
  for (const CheckpointEvent& event : record.events) {
    (event.phase == Phase::kWrite ? record.write : record.read).wall_s += to_seconds(event.slowest_ns);
  }
  judge(record, record.plan);
  return {};
}

}  // namespace mlps::checkpointing
