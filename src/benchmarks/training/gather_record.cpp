#include "benchmarks/training/gather_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "benchmarks/training/gather_steps.hpp"
#include "benchmarks/training/metrics.hpp"
#include "benchmarks/training/step_log.hpp"
#include "run/gather_parts.hpp"

namespace mlps::training {

using run::HostPart;
using run::process_name;
using run::shifted;

/// What of a record differs from host to host. Checkpoints are process 0's and not sent.
struct RecordPart {
  run::HostPart host;
  Stamp invocation_start;
  double start_up_s = 0;
  uint64_t steps = 0;  ///< in the log
  uint64_t extents_planned = 0;
  std::vector<Epoch> epochs;
  ReadStats stats;
  std::vector<std::string> reasons;
};

template <class Archive, world::Is<RankBlock> B>
void fields(Archive& archive, B& block) {
  archive(block.steps, block.start, block.end, block.au, block.throughput, block.compute_ns, block.window_compute_ns,
          block.window_ns, block.wait_ns, block.barrier_ns, block.harness_ns);
}

template <class Archive, world::Is<Block> B>
void fields(Archive& archive, B& block) {
  archive(block.ranks, block.first_step, block.overhead_ns);
}

template <class Archive, world::Is<Evaluation> E>
void fields(Archive& archive, E& evaluation) {
  archive(evaluation.start, evaluation.end, evaluation.ranks);
}

template <class Archive, world::Is<CacheProbe> P>
void fields(Archive& archive, P& probe) {
  archive(probe.files_sampled, probe.files_total, probe.cached_bytes, probe.sampled_bytes);
}

template <class Archive, world::Is<Epoch> E>
void fields(Archive& archive, E& epoch) {
  archive(epoch.number, epoch.end, epoch.blocks, epoch.evaluation, epoch.cache);
}

template <class Archive, world::Is<ReadStats> S>
void fields(Archive& archive, S& stats) {
  archive(static_cast<std::conditional_t<std::is_const_v<S>, const io::Stats, io::Stats>&>(stats), stats.extent_ns,
          stats.extents, stats.files_opened, stats.cpu_user_s, stats.cpu_system_s);
}

template <class Archive, world::Is<RecordPart> P>
void fields(Archive& archive, P& part) {
  archive(part.host, part.invocation_start, part.start_up_s, part.steps, part.extents_planned, part.epochs, part.stats,
          part.reasons);
}

namespace {

constexpr const char* kRunPart = "part of the training record";

uint64_t logged_steps(const RunRecord& record) {
  return record.steps ? record.steps->steps() : 0;
}

/// Whether `ranks` are `count`, all with the steps that process 0's first rank has.
bool fit(const std::vector<RankBlock>& ranks, uint32_t count, const std::vector<RankBlock>& expected) {
  const uint64_t steps = expected.empty() ? 0 : expected.front().steps;
  return ranks.size() == count &&
         std::all_of(ranks.begin(), ranks.end(), [&](const RankBlock& rank) { return rank.steps == steps; });
}

/// Whether an epoch of a part is that of process 0; else why not.
std::string mismatch(const Epoch& epoch, uint32_t ranks, const Epoch& expected) {
  if (epoch.number != expected.number)
    return fmt::format("epoch {} stands in place of {}", epoch.number, expected.number);
  if (epoch.blocks.size() != expected.blocks.size()) {
    return fmt::format("epoch {} has {} blocks, not {}", epoch.number, epoch.blocks.size(), expected.blocks.size());
  }
  for (size_t i = 0; i < epoch.blocks.size(); ++i) {
    const Block& block = epoch.blocks[i];
    if (block.first_step != expected.blocks[i].first_step || !fit(block.ranks, ranks, expected.blocks[i].ranks)) {
      return fmt::format("block {} of epoch {} has other ranks or steps", i + 1, epoch.number);
    }
  }
  const bool same_evaluation = epoch.evaluation.has_value() == expected.evaluation.has_value();
  if (!same_evaluation || (epoch.evaluation && !fit(epoch.evaluation->ranks, ranks, expected.evaluation->ranks))) {
    return fmt::format("the evaluation after epoch {} has other ranks or steps", epoch.number);
  }
  return {};
}

std::string mismatch(const RecordPart& part, const RunRecord& record) {
  if (part.host.ranks == 0) return "it has no ranks";
  if (part.epochs.size() != record.epochs.size()) {
    return fmt::format("it has {} epochs, host 0 has {}", part.epochs.size(), record.epochs.size());
  }
  if (part.steps != logged_steps(record)) {
    return fmt::format("it has {} logged steps, host 0 has {}", part.steps, logged_steps(record));
  }
  for (size_t i = 0; i < part.epochs.size(); ++i) {
    std::string problem = mismatch(part.epochs[i], part.host.ranks, record.epochs[i]);
    if (!problem.empty()) return problem;
  }
  return {};
}

void append(std::vector<RankBlock>& whole, const std::vector<RankBlock>& part, const world::ClockOffset& clock) {
  for (const RankBlock& rank : part) {
    whole.push_back(rank);
    whole.back().start = run::shifted(rank.start, clock);
    whole.back().end = run::shifted(rank.end, clock);
  }
}

void extend_to(Stamp& end, const Stamp& other) {
  if (other.monotonic_ns > end.monotonic_ns) end = other;
}

void join(Epoch& whole, const Epoch& part, const world::ClockOffset& clock) {
  extend_to(whole.end, run::shifted(part.end, clock));
  for (size_t i = 0; i < part.blocks.size(); ++i) {
    append(whole.blocks[i].ranks, part.blocks[i].ranks, clock);
    whole.blocks[i].overhead_ns += part.blocks[i].overhead_ns;
  }
  if (part.evaluation) {
    const Stamp start = run::shifted(part.evaluation->start, clock);
    if (start.monotonic_ns < whole.evaluation->start.monotonic_ns) whole.evaluation->start = start;
    extend_to(whole.evaluation->end, run::shifted(part.evaluation->end, clock));
    append(whole.evaluation->ranks, part.evaluation->ranks, clock);
  }
  if (whole.cache && part.cache) {
    whole.cache->files_sampled += part.cache->files_sampled;
    whole.cache->files_total += part.cache->files_total;
    whole.cache->cached_bytes += part.cache->cached_bytes;
    whole.cache->sampled_bytes += part.cache->sampled_bytes;
  } else {
    whole.cache.reset();  // one host doesn't know
  }
}

/// Adds the part of another process to process 0's record.
void add(RunRecord& whole, const RecordPart& part, const world::ClockOffset& clock) {
  for (size_t i = 0; i < part.epochs.size(); ++i) join(whole.epochs[i], part.epochs[i], clock);
  merge(whole.stats, part.stats);
  whole.extents_planned += part.extents_planned;
  if (part.start_up_s == 0) return;  // no step was begun
  whole.start_up_s = std::max(
      whole.start_up_s, run::seconds_after(whole.invocation_start, part.invocation_start, part.start_up_s, clock));
}

Status gather(RunRecord& record, world::Transport& transport, const std::string& scratch_folder) {
  const Result<std::vector<world::Bytes>> sent = transport.gather(pack_part(record));
  if (!sent) return fail(sent.error());
  const bool leads = transport.index() == 0;
  RunRecord whole;
  std::vector<uint32_t> ranks;
  if (leads) {
    whole = record;
    if (Status merged = merge_parts(whole, *sent, transport.members()); !merged) {
      transport.failure().raise(merged.error());
      return merged;
    }
    for (const run::HostPart& host : whole.hosts) ranks.push_back(host.ranks);
  }
  auto steps = gather_steps(record.steps.get(), transport, ranks, scratch_folder);
  if (!steps) return fail(std::move(steps.error()));
  if (!leads) return {};
  whole.steps = std::move(*steps);
  record = std::move(whole);
  return {};
}

}  // namespace

world::Bytes pack_part(const RunRecord& record) {
  const run::HostPart host = record.hosts.empty() ? run::HostPart() : record.hosts.front();  // none: it did not run
  return world::pack(kRunPart, RecordPart{host, record.invocation_start, record.start_up_s, logged_steps(record),
                                          record.extents_planned, record.epochs, record.stats, record.reasons});
}

Status merge_parts(RunRecord& record, const std::vector<world::Bytes>& sent,
                   const std::vector<world::Member>& members) {
  auto parts = run::unpack_parts<RecordPart>(kRunPart, sent, members, record.plan.accelerators);
  if (!parts) return fail(std::move(parts.error()));
  for (uint32_t process = 0; process < parts->size(); ++process) {
    std::string problem = mismatch((*parts)[process], record);
    if (!problem.empty()) return world::unusable(kRunPart, run::process_name(members, process), std::move(problem));
  }
  run::forget_hosts(record);
  for (uint32_t process = 0; process < parts->size(); ++process) {
    const RecordPart& part = (*parts)[process];
    run::add_host(record, part, members[process], run::process_name(members, process));
    if (process != 0) add(record, part, members[process].clock);
  }
  for (Epoch& epoch : record.epochs) sum_up(epoch);
  judge(record);
  return {};
}

Status gather_record(RunRecord& record, world::Transport& transport, const std::string& scratch_folder) {
  if (transport.size() == 1) return {};
  Status gathered = gather(record, transport, scratch_folder);
  if (!gathered) run::stay_a_share(record, gathered.error(), transport);
  return gathered;
}

}  // namespace mlps::training
