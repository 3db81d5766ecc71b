#include "benchmarks/training/gather_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "benchmarks/training/gather_steps.hpp"
#include "benchmarks/training/metrics.hpp"
#include "benchmarks/training/step_log.hpp"

namespace mlps::training {

namespace {

constexpr const char* kRunPart = "part of the training record";
constexpr const char* kDatagenPart = "part of the datagen record";

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

std::string mismatch(const RunRecord& part, const RunRecord& record) {
  if (part.hosts.front().ranks == 0) return "it has no ranks";
  if (part.epochs.size() != record.epochs.size()) {
    return fmt::format("it has {} epochs, host 0 has {}", part.epochs.size(), record.epochs.size());
  }
  if (part.steps_logged != record.steps_logged) {
    return fmt::format("it has {} logged steps, host 0 has {}", part.steps_logged, record.steps_logged);
  }
  for (size_t i = 0; i < part.epochs.size(); ++i) {
    std::string problem = mismatch(part.epochs[i], part.hosts.front().ranks, record.epochs[i]);
    if (!problem.empty()) return problem;
  }
  return {};
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
  return run::pack_record(kRunPart, record);
}

world::Bytes pack_part(const GenerateRecord& record) {
  return run::pack_record(kDatagenPart, record);
}

Status merge_parts(RunRecord& record, const std::vector<world::Bytes>& sent,
                   const std::vector<world::Member>& members) {
  auto parts = run::unpack_parts<RunRecord>(kRunPart, sent, members, record.plan.accelerators,
                                            [&](const RunRecord& part) { return mismatch(part, record); });
  if (!parts) return fail(std::move(parts.error()));
  double start_up_s = 0;
  for (size_t process = 0; process < parts->size(); ++process) {
    const RunRecord& part = (*parts)[process];
    if (part.start_up_s == 0) continue;  // no step was begun
    start_up_s = std::max(start_up_s, run::seconds_after(record.invocation_start, part.invocation_start,
                                                         part.start_up_s, members[process].clock));
  }
  run::merge_records(record, std::move(*parts), members);
  record.start_up_s = start_up_s;
  for (Epoch& epoch : record.epochs) sum_up(epoch);
  judge(record);
  return {};
}

Status merge_parts(GenerateRecord& record, const std::vector<world::Bytes>& sent,
                   const std::vector<world::Member>& members) {
  auto parts = run::unpack_parts<GenerateRecord>(kDatagenPart, sent, members, 0,
                                                 [](const GenerateRecord&) { return std::string(); });
  if (!parts) return fail(std::move(parts.error()));
  run::merge_records(record, std::move(*parts), members);
  judge_generation(record, record.files);
  return {};
}

Status gather_record(RunRecord& record, world::Transport& transport, const std::string& scratch_folder) {
  if (transport.size() == 1) return {};
  Status gathered = gather(record, transport, scratch_folder);
  if (!gathered) run::stay_a_share(record, gathered.error(), transport);
  return gathered;
}

}  // namespace mlps::training
