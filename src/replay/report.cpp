#include "replay/report.hpp"

#include <fmt/format.h>

#include "base/numbers.hpp"
#include "base/units.hpp"

namespace mlps::replay {
namespace {

using storage::LogOp;

constexpr std::array kKinds = {LogOp::kGet, LogOp::kPut, LogOp::kDelete};

std::string shown(const Histogram& histogram, double fraction) {
  if (histogram.count() == 0) return "-";
  return human_seconds(to_seconds(static_cast<Nanos>(histogram.percentile(fraction))));
}

Json latencies(const Histogram& histogram) {
  if (histogram.count() == 0) return {};
  const auto seconds = [](double nanoseconds) { return nanoseconds * 1e-9; };
  const auto percentile = [&](double fraction) { return seconds(static_cast<double>(histogram.percentile(fraction))); };
  return {{"count", histogram.count()}, {"mean_s", seconds(histogram.mean())},
          {"p50_s", percentile(0.5)},   {"p90_s", percentile(0.9)},
          {"p99_s", percentile(0.99)},  {"max_s", seconds(static_cast<double>(histogram.max()))}};
}

double per_second(uint64_t count, Nanos duration_ns) {
  return duration_ns > 0 ? static_cast<double>(count) / to_seconds(duration_ns) : 0;
}

Json counts_of(const std::map<std::string, uint64_t>& counts) {
  Json json = Json::object();
  for (const auto& [name, count] : counts) json[name] = count;
  return json;
}

}  // namespace

std::string plan_text(const Plan& plan) {
  std::string text = fmt::format("{}, {}, {}, over {}, at most {} at once\n",
                                 counted(static_cast<double>(plan.operations.size()), "operation"),
                                 human_bytes(plan.bytes), counted(static_cast<double>(plan.names.size()), "object"),
                                 human_seconds(to_seconds(plan.span_ns)), plan.at_once);
  for (const auto& [why, count] : plan.left_out)
    text += fmt::format("not played: {}, {}\n", counted(static_cast<double>(count), "line"), why);
  return text;
}

std::string result_text(const Plan& plan, const PlayOptions& options, const PlayResult& result) {
  std::string text = fmt::format("{:<8}{:>12}{:>14}{:>14}{:>12}{:>12}{:>12}{:>14}{:>14}\n", "", "operations",
                                 "per second", "throughput", "median", "p99", "max", "recorded p50", "recorded p99");
  for (const LogOp op : kKinds) {
    const KindResult& kind = result.kinds.at(static_cast<size_t>(op));
    if (kind.operations + kind.failed == 0) continue;
    const auto rate = static_cast<uint64_t>(per_second(kind.bytes, result.duration_ns));
    text += fmt::format("{:<8}{:>12}{:>14.1f}{:>14}{:>12}{:>12}{:>12}{:>14}{:>14}\n", storage::log_op_name(op),
                        grouped(kind.operations), per_second(kind.operations, result.duration_ns),
                        op == LogOp::kDelete ? "-" : human_bytes(rate) + "/s", shown(kind.latency_ns, 0.5),
                        shown(kind.latency_ns, 0.99), shown(kind.latency_ns, 1), shown(kind.recorded_ns, 0.5),
                        shown(kind.recorded_ns, 0.99));
    if (kind.failed > 0) text += fmt::format("{:<8}{:>12} failed\n", "", grouped(kind.failed));
  }
  text += fmt::format("duration {}; recorded {}\n", human_seconds(to_seconds(result.duration_ns)),
                      human_seconds(to_seconds(plan.span_ns)));
  if (options.at_recorded_times) {
    text += fmt::format("late by: median {}, p99 {}, most {}\n", shown(result.late_ns, 0.5),
                        shown(result.late_ns, 0.99), shown(result.late_ns, 1));
  }
  if (result.written_whole > 0) {
    text += fmt::format("{} objects were written in parts of another size than recorded, one part after the other\n",
                        grouped(result.written_whole));
  }
  if (result.not_played > 0)
    text += fmt::format("stopped: {} operations were not played\n", grouped(result.not_played));
  return text;
}

Json result_json(const Plan& plan, const PlayOptions& options, const PlayResult& result) {
  Json kinds = Json::object();
  for (const LogOp op : kKinds) {
    const KindResult& kind = result.kinds.at(static_cast<size_t>(op));
    if (kind.operations + kind.failed == 0) continue;
    kinds[std::string(storage::log_op_name(op))] = {
        {"operations", kind.operations},
        {"failed", kind.failed},
        {"bytes", kind.bytes},
        {"operations_per_s", per_second(kind.operations, result.duration_ns)},
        {"bytes_per_s", per_second(kind.bytes, result.duration_ns)},
        {"latency", latencies(kind.latency_ns)},
        {"recorded_latency", latencies(kind.recorded_ns)}};
  }
  return {{"operations", plan.operations.size()},
          {"at_recorded_times", options.at_recorded_times},
          {"speed", options.at_recorded_times ? Json(options.speed) : Json()},
          {"at_once", options.at_once},
          {"duration_s", to_seconds(result.duration_ns)},
          {"recorded_duration_s", to_seconds(plan.span_ns)},
          {"recorded_at_once", plan.at_once},
          {"left_out", counts_of(plan.left_out)},
          {"not_played", result.not_played},
          {"written_in_other_parts", result.written_whole},
          {"late", options.at_recorded_times ? latencies(result.late_ns) : Json()},
          {"kinds", std::move(kinds)}};
}

}  // namespace mlps::replay
