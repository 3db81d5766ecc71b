#include "benchmarks/vectordb/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mlps::vectordb {
namespace {

constexpr std::string_view kWindow = "window";
constexpr std::string_view kInsert = "insert";

}  // namespace

ProgressMeter::ProgressMeter(const RunRequest& request, world::World& world, const std::atomic<uint64_t>& counted,
                             io::SharedSeries& series)
    : request_(request),
      counted_(counted),
      series_(series),
      meter_(
          request.on_progress, request.invocation_start.monotonic_ns,
          [this](live::State& state) { return fill(state); }, world.failure()) {
  const std::lock_guard lock(mutex_);  // the meter runs
  base_.what = fmt::format("{} {} {}", request.searches ? "search" : "load", engine_word(request.engine),
                           index_name(request.collection.index));
  base_.scale =
      fmt::format("{} {}{}", world.size(), request.searches ? "worker" : "loader", world.size() == 1 ? "" : "s");
  base_.place = request.engine == EngineKind::kEmbedded
                    ? request.store->root().to_string()
                    : fmt::format("{}:{}", request.server.host, request.server.port);
  if (world.hosts() > 1) base_.host = fmt::format("this host of {}", world.hosts());
  base_.item = request.searches ? "queries" : "vectors";
}

void ProgressMeter::enter(std::string_view phase, std::string_view part, uint64_t done, uint64_t total) {
  const std::lock_guard lock(mutex_);
  if (phase_ != phase) entered_ns_ = now_ns();
  phase_ = phase;
  part_ = {std::string(part), done, total};
  windows_ = 0;
}

void ProgressMeter::open_window(uint32_t number, size_t windows) {
  series_.begin_sums();
  const std::lock_guard lock(mutex_);
  phase_ = kWindow;
  part_ = {phase_, number, windows};
  entered_ns_ = now_ns();
  windows_ = windows;
}

bool ProgressMeter::fill(live::State& state) {
  const std::lock_guard lock(mutex_);
  if (phase_.empty()) return false;
  state = base_;
  state.phase = phase_;
  state.is_aside = windows_ == 0;
  if (!part_.word.empty()) state.parts = {part_};
  const double elapsed = to_seconds(now_ns() - entered_ns_);
  const auto done = static_cast<double>(part_.number), total = static_cast<double>(part_.total);
  if (windows_ > 0) {
    fill_window(state);
  } else if (part_.total > 0) {
    state.done_share = std::min(1.0, done / total);
    if (done > 0 && elapsed > 0) state.left_s = std::max(0.0, total - done) * elapsed / done;
  }
  const uint64_t counted = counted_;
  if (counted > 0) state.items = static_cast<double>(counted);
  const io::SeriesSums sums = series_.sums();
  live::set_latency(state, sums.latency);
  const bool moves = windows_ > 0 || phase_ == kInsert;
  if (sums.bytes == 0 || !moves) return true;  // what a server reads is its own
  state.bytes = static_cast<double>(sums.bytes);
  state.moving = request_.searches ? "read" : "write";
  return true;
}

void ProgressMeter::fill_window(live::State& state) const {
  const double elapsed = to_seconds(now_ns() - entered_ns_);
  const auto windows = static_cast<double>(windows_), before = static_cast<double>(part_.number - 1);
  if (request_.search.mode != SearchMode::kQueryCount) {
    const double length = request_.search.runtime_s;
    const double seconds = before * length + std::min(elapsed, length);
    state.done_share = seconds / (windows * length);
    state.left_s = windows * length - seconds;
    return;
  }
  const auto queries = static_cast<double>(request_.search.queries);
  const auto answered = std::min(static_cast<double>(counted_), queries);
  state.done_share = answered / queries;
  if (answered > 0 && elapsed > 0) state.left_s = (queries - answered) * elapsed / answered;
}

}  // namespace mlps::vectordb
