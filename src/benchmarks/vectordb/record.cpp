#include "benchmarks/vectordb/record.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "benchmarks/vectordb/metrics.hpp"
#include "run/gather_parts.hpp"

namespace mlps::vectordb {
namespace {

constexpr const char* kKind = "part of the vectordb record";
constexpr double kRecallMargin = 0.01;  // a sweep asks fewer queries than a window
constexpr double kInsertShare = 0.95;   // of the rate that was asked for
constexpr double kFailedShare = 0.001;  // of the searches: more is no measurement

void sort_parts(RunRecord& record) {
  std::sort(record.loads.begin(), record.loads.end(),
            [](const RankLoad& a, const RankLoad& b) { return a.rank < b.rank; });
  std::sort(record.workers.begin(), record.workers.end(), [](const WorkerWindow& a, const WorkerWindow& b) {
    return std::pair(a.window, a.rank) < std::pair(b.window, b.rank);
  });
}

void judge_load(RunRecord& record, uint32_t ranks) {
  const auto complain = [&](std::string why) { record.reasons.push_back(std::move(why)); };
  uint64_t planned = 0, inserted = 0;
  for (const RankLoad& load : record.loads) {
    planned += load.end - load.first;
    inserted += load.inserted;
  }
  if (record.loads.size() != ranks) complain(fmt::format("{} of {} ranks loaded", record.loads.size(), ranks));
  if (inserted != planned) complain(fmt::format("{} of {} vectors were accepted", inserted, planned));
  if (ranks != record.ranks) return;  // what follows is about the whole collection
  if (record.facts.rows != record.source.rows) {
    complain(fmt::format("the collection has {} rows after the load of {}", record.facts.rows, record.source.rows));
  }
  if (record.facts.indexed_rows && *record.facts.indexed_rows < record.facts.rows) {
    complain(fmt::format("the index covers {} of {} rows", *record.facts.indexed_rows, record.facts.rows));
  }
}

void judge_window(RunRecord& record, uint32_t window, uint32_t ranks) {
  const auto complain = [&](std::string why) {
    record.reasons.push_back(record.windows.size() == 1 ? std::move(why)
                                                        : fmt::format("window {}: {}", window + 1, std::move(why)));
  };
  const WindowResult result = window_result(record, window);
  if (result.workers != ranks) return complain(fmt::format("{} of {} workers have it", result.workers, ranks));
  if (result.answered == 0) return complain("no query was answered");
  if (result.recall <= 0) complain(fmt::format("recall is 0.0 for all {} answered queries", result.answered));
  const double share = static_cast<double>(result.failed) / static_cast<double>(result.searches);
  const std::string failed =
      fmt::format("{} of {} searches failed; the first: {}", result.failed, result.searches, result.first_error);
  if (share > kFailedShare) complain(failed);
}

void judge_search(RunRecord& record, uint32_t ranks) {
  if (record.truth.rows_right < record.truth.rows_checked) {
    record.reasons.push_back(
        fmt::format("{} of {} rows that were looked up are not the collection's: their vectors "
                    "don't match its description",
                    record.truth.rows_checked - record.truth.rows_right, record.truth.rows_checked));
  }
  if (record.engine == EngineKind::kEmbedded && record.truth.new_right < record.truth.new_checked) {
    record.reasons.push_back(fmt::format("{} of {} rows that were inserted during the windows are not found",
                                         record.truth.new_checked - record.truth.new_right, record.truth.new_checked));
  }
  for (uint32_t window = 0; window < record.windows.size(); ++window) judge_window(record, window, ranks);
}

std::vector<std::string> caveats_of(const RunRecord& record) {
  std::vector<std::string> caveats;
  for (uint32_t window = 0; window < record.windows.size(); ++window) {
    const WindowResult result = window_result(record, window);
    if (result.failed > 0) {
      caveats.push_back(
          fmt::format("{} of {} searches failed; the first: {}", result.failed, result.searches, result.first_error));
    }
    const WindowPlan& plan = record.windows[window];
    for (const InsertWindow& inserts : record.inserts) {
      const double rate = static_cast<double>(inserts.inserted) / inserts.seconds;
      if (inserts.window != window || rate >= kInsertShare * record.search.insert_rate) continue;
      caveats.push_back(fmt::format("window {}: {:.0f} vectors/s were inserted, not the {} of --insert-rate",
                                    window + 1, rate, record.search.insert_rate));
    }
    if (plan.target && plan.reached && result.recall < *plan.target - kRecallMargin) {
      caveats.push_back(fmt::format("window {}: recall is {:.4f}, not the {} that effort {} had in the sweep",
                                    window + 1, result.recall, *plan.target, plan.effort));
    }
  }
  return caveats;
}

}  // namespace

void judge(RunRecord& record, uint32_t ranks) {
  sort_parts(record);
  if (!record.error) record.searches ? judge_search(record, ranks) : judge_load(record, ranks);
  record.verdict = run::judge(record.reasons, record.error);
  record.caveats.clear();
  if (record.verdict == run::Verdict::kPassed) record.caveats = caveats_of(record);
}

world::Bytes pack_part(const RunRecord& record) {
  return run::pack_record(kKind, record);
}

Status merge_parts(RunRecord& record, const std::vector<world::Bytes>& sent,
                   const std::vector<world::Member>& members) {
  auto parts = run::unpack_parts<RunRecord>(kKind, sent, members, record.ranks, [&](const RunRecord& part) {
    const size_t planned = part.hosts.front().ranks * (record.searches ? record.windows.size() : 1);
    const size_t found = record.searches ? part.workers.size() : part.loads.size();
    if (found == planned) return std::string();
    return fmt::format("it has {} windows or loads of ranks, not {}", found, planned);
  });
  if (!parts) return fail(std::move(parts.error()));
  run::merge_records(record, std::move(*parts), members);
  judge(record, record.ranks);
  return {};
}

}  // namespace mlps::vectordb
