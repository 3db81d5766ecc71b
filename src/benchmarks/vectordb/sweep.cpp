#include "benchmarks/vectordb/sweep.hpp"

#include <algorithm>
#include <atomic>

namespace mlps::vectordb {
namespace {

constexpr uint32_t kLeastEffort = 8;
constexpr uint32_t kMostEffort = 8192;
constexpr uint32_t kNarrowness = 16;  // efforts of a sixteenth apart are near enough
constexpr double kNanosOfMs = 1e6;

SweepStep step_of(uint32_t effort, const WorkerWindow& window, double seconds) {
  SweepStep step;
  step.effort = effort;
  if (window.answered == 0) return step;
  const auto answered = static_cast<double>(window.answered);
  step.recall = window.recall_sum / answered;
  step.queries_per_s = answered / seconds;
  step.latency_p95_ms = static_cast<double>(window.latency.percentile(0.95)) / kNanosOfMs;
  step.reads_per_query = static_cast<double>(window.cost.reads) / answered;
  step.bytes_per_query = static_cast<double>(window.cost.bytes) / answered;
  return step;
}

}  // namespace

Sweep::Sweep(const Settings& settings, const SearchData& data, SearchSession& session, world::Failure& failure)
    : settings_(settings), data_(data), worker_(settings, data, 0, 1, session, failure), failure_(failure) {}

const SweepStep& Sweep::try_effort(uint32_t effort) {
  const auto [place, is_new] = tried_.try_emplace(effort);
  if (!is_new) return place->second;
  std::atomic<uint64_t> done = 0;
  WorkerWindow window;
  window.start = Stamp::now();
  worker_.search(effort, {INT64_MAX, settings_.search.sweep_queries}, &window, done);
  place->second = step_of(effort, window, to_seconds(now_ns() - window.start.monotonic_ns));
  if (on_step && !failure_.raised()) on_step(place->second);
  return place->second;
}

WindowPlan Sweep::find_target(double target) {
  WindowPlan plan = choose_effort(tried_, target);
  if (!plan.reached) return plan;
  uint32_t low = 0;
  for (const auto& [effort, step] : tried_) {
    if (effort < plan.effort) low = effort;
  }
  while (plan.effort - low > std::max(1U, plan.effort / kNarrowness) && low != 0 && !failure_.raised()) {
    const uint32_t middle = low + (plan.effort - low) / 2;
    if (try_effort(middle).recall >= target) {
      plan.effort = middle;
    } else {
      low = middle;
    }
  }
  return plan;
}

std::vector<WindowPlan> Sweep::find() {
  const uint32_t least = effective_effort(data_.index, kLeastEffort, data_.params.k);
  const bool has_effort = data_.index != IndexKind::kFlat;
  for (uint32_t effort = least; effort <= kMostEffort && !failure_.raised(); effort *= 2) {
    if (try_effort(effort).recall >= settings_.search.targets.back() || !has_effort) break;
  }
  std::vector<WindowPlan> plans;
  for (const double target : settings_.search.targets) plans.push_back(find_target(target));
  return failure_.raised() ? std::vector<WindowPlan>() : plans;
}

WindowPlan choose_effort(const std::map<uint32_t, SweepStep>& tried, double target) {
  WindowPlan plan;
  plan.target = target;
  plan.reached = false;
  double best = -1;
  for (const auto& [effort, step] : tried) {
    if (step.recall < target) plan.reached = false;  // what less effort seemed to reach was chance, or another state
    if (step.recall >= target && !plan.reached) {
      plan.effort = effort;
      plan.reached = true;
    }
    if (plan.reached || step.recall <= best) continue;
    best = step.recall;
    plan.effort = effort;
  }
  return plan;
}

}  // namespace mlps::vectordb
