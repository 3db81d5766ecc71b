#include "benchmarks/training/record.hpp"

#include <fmt/format.h>

#include "base/units.hpp"
#include "benchmarks/training/metrics.hpp"

namespace mlps::training {

std::optional<double> CacheProbe::cached_share() const {
  if (!cached_bytes || sampled_bytes.value_or(0) == 0) return std::nullopt;
  return static_cast<double>(*cached_bytes) / static_cast<double>(*sampled_bytes);
}

void judge(RunRecord& record) {
  const ReadStats& stats = record.stats;
  const auto add = [&](std::string reason) { record.reasons.push_back(std::move(reason)); };
  if (record.ended_by == run::EndedBy::kPlan && record.epochs.size() != record.plan.epochs) {
    add(fmt::format("{} of {} epochs are complete", record.epochs.size(), record.plan.epochs));
  }
  if (stats.extents != record.extents_planned) {
    add(fmt::format("extents read: {} planned, {} done", grouped(record.extents_planned), grouped(stats.extents)));
  }
  if (record.verify && stats.bytes_verified != stats.bytes) {
    add(fmt::format("bytes verified: {} of {} read", grouped(stats.bytes_verified), grouped(stats.bytes)));
  }
  record.verdict = run::judge(record.reasons, record.error);
  record.caveats.clear();
  if (record.verdict == run::Verdict::kPassed) record.caveats = slow_client(record, run::kTooSlowClient);
}

}  // namespace mlps::training
