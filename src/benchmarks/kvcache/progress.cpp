#include "benchmarks/kvcache/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mlps::kvcache {

std::optional<WindowsDone> windows_done(const Settings& settings, uint64_t windows, double elapsed_s) {
  double all = 0, done = 0;
  uint64_t pauses = 0;
  uint64_t before = 0;
  for (const OptionPlan& option : settings.options) {
    if (option.duration_s <= 0) return std::nullopt;
    if (before > 0 && before >= windows && settings.inter_option_delay_s > 0) ++pauses;
    const uint64_t ended = std::clamp<uint64_t>(windows, before, before + settings.trials) - before;
    const bool is_now = windows >= before && windows < before + settings.trials;
    all += settings.trials * option.duration_s;
    done += static_cast<double>(ended) * option.duration_s + (is_now ? std::min(elapsed_s, option.duration_s) : 0.0);
    before += settings.trials;
  }
  if (all <= 0) return std::nullopt;
  return WindowsDone{done / all, all - done + static_cast<double>(pauses) * settings.inter_option_delay_s, pauses};
}

ProgressMeter::ProgressMeter(const RunRequest& request, world::World& world, const io::SharedSeries& series)
    : settings_(request.settings),
      series_(series),
      counts_(world.local_ranks()),
      meter_(
          request.on_progress, request.invocation_start.monotonic_ns,
          [this](live::State& state) { return fill(state); }, world.failure()) {
  const std::lock_guard lock(mutex_);  // the meter runs
  base_.what = "KV cache";
  base_.scale = fmt::format("{} rank{}", world.size(), world.size() == 1 ? "" : "s");
  base_.place = request.store->root().to_string();
  if (world.hosts() > 1) base_.host = fmt::format("this host of {}", world.hosts());
  base_.moving = "storage";
  base_.item = "requests";
}

void ProgressMeter::prepare(size_t option, uint32_t trial) {
  const std::lock_guard lock(mutex_);
  begun_ = true;
  option_ = option;
  trial_ = trial;
}

void ProgressMeter::open() {
  const std::lock_guard lock(mutex_);
  is_open_ = true;
  opened_ns_ = now_ns();
}

void ProgressMeter::moved(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  window_bytes_ = bytes;
}

void ProgressMeter::close() {
  const std::lock_guard lock(mutex_);
  is_open_ = false;
  closed_bytes_ += window_bytes_;
  window_bytes_ = 0;
  for (Counts& counts : counts_) {
    closed_served_ += counts.served.exchange(0);
    counts.in_service = counts.waiting = 0;
  }
}

void ProgressMeter::tell(uint32_t place, uint64_t served, uint64_t in_service, uint64_t waiting) {
  Counts& counts = counts_[place];
  counts.served.store(served, std::memory_order_relaxed);
  counts.in_service.store(in_service, std::memory_order_relaxed);
  counts.waiting.store(waiting, std::memory_order_relaxed);
}

bool ProgressMeter::fill(live::State& state) {
  const std::lock_guard lock(mutex_);
  if (!begun_) return false;
  const OptionPlan& option = settings_.options[option_];
  state = base_;
  state.what += " " + option.model.key;
  state.phase = is_open_ ? "window" : "prepare";
  state.is_aside = !is_open_;
  if (settings_.options.size() > 1) state.parts.push_back({"option", option_ + 1, settings_.options.size()});
  state.parts.push_back({"trial", trial_ + 1, settings_.trials});
  const double elapsed_s = is_open_ ? to_seconds(now_ns() - opened_ns_) : 0;
  if (const auto done = windows_done(settings_, option_ * settings_.trials + trial_, elapsed_s)) {
    state.done_share = done->share;
    state.left_s = done->left_s;
    if (done->pauses > 0) state.left_with = fmt::format("{} pause{}", done->pauses, done->pauses == 1 ? "" : "s");
  }
  uint64_t served = closed_served_, in_service = 0, waiting = 0;
  for (const Counts& counts : counts_) {
    served += counts.served;
    in_service += counts.in_service;
    waiting += counts.waiting;
  }
  state.items = static_cast<double>(served);
  if (is_open_) {
    state.in_service = static_cast<double>(in_service);
    state.waiting = static_cast<double>(waiting);
  }
  state.bytes = static_cast<double>(closed_bytes_ + window_bytes_);
  const io::SeriesSums sums = series_.sums();
  live::set_latency(state, sums.latency);
  live::set_commits(state, sums.commits);
  state.retries = static_cast<double>(sums.retries);
  return true;
}

}  // namespace mlps::kvcache
