#include "benchmarks/kvcache/record.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "benchmarks/kvcache/metrics.hpp"
#include "run/gather_parts.hpp"

namespace mlps::kvcache {
namespace {

constexpr const char* kKind = "part of the kvcache record";

void sort_trials(std::vector<RankTrial>& trials) {
  std::stable_sort(trials.begin(), trials.end(), [](const RankTrial& a, const RankTrial& b) {
    return std::tuple(a.option, a.trial, a.rank) < std::tuple(b.option, b.trial, b.rank);
  });
}

void judge_option(RunRecord& record, const OptionPlan& option, uint64_t planned) {
  uint64_t done = 0, read = 0, written = 0, served = 0, hits = 0, stored = 0;
  for (const RankTrial& trial : record.trials) {
    if (trial.option != option.number) continue;
    ++done;
    const TierTraffic& storage = trial.tiers[static_cast<size_t>(Tier::kStorage)];
    read += storage.read.inside;
    written += storage.written.inside + storage.demoted_in.inside;
    served += trial.served.size();
    hits += trial.replay.block_hits;
    stored += trial.replay.blocks_stored;
  }
  const auto complain = [&](const std::string& what) {
    record.reasons.push_back(fmt::format("option {}: {}", option.number, what));
  };
  if (done != planned) return complain(fmt::format("{} trials of ranks planned, {} done", planned, done));
  if (served == 0) return complain("no request was completed in any window: no latency and no rate is known");
  // A trace without any reuse reads nothing, and one of which no block comes twice stores none by second use.
  if (record.settings.paged && (hits == 0 || read > 0) && (stored == 0 || written > 0)) return;
  const Phases phases = record.settings.phases;
  if (written == 0 && phases != Phases::kDecodeOnly) {
    return complain("the storage was never written: faster tiers held everything");
  }
  if (read == 0 && phases != Phases::kPrefillOnly) complain("the storage was never read: faster tiers held everything");
}

}  // namespace

void judge(RunRecord& record, uint32_t ranks) {
  if (!record.error) {
    for (const OptionPlan& option : record.settings.options) {
      judge_option(record, option, uint64_t{record.settings.trials} * ranks);
    }
  }
  record.verdict = run::judge(record.reasons, record.error);
  record.caveats.clear();
  if (record.verdict == run::Verdict::kPassed) record.caveats = slow_client(record);
}

world::Bytes pack_part(const RunRecord& record) {
  return run::pack_record(kKind, record);
}

Status merge_parts(RunRecord& record, const std::vector<world::Bytes>& sent,
                   const std::vector<world::Member>& members) {
  const size_t windows = record.settings.options.size() * record.settings.trials;
  auto parts = run::unpack_parts<RunRecord>(kKind, sent, members, record.ranks, [&](const RunRecord& part) {
    const size_t planned = windows * part.hosts.front().ranks;
    if (part.trials.size() == planned) return std::string();
    return fmt::format("it has {} trials of ranks, not {}", part.trials.size(), planned);
  });
  if (!parts) return fail(std::move(parts.error()));
  run::merge_records(record, std::move(*parts), members);
  sort_trials(record.trials);
  judge(record, record.ranks);
  return {};
}

}  // namespace mlps::kvcache
