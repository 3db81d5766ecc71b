#include "benchmarks/checkpointing/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.hpp"

namespace mlps::checkpointing {
namespace {

double seconds_at(double rate, uint64_t bytes) {
  return static_cast<double>(bytes) / rate;
}

uint64_t rest(uint64_t all, uint64_t done) {
  return all - std::min(all, done);
}

}  // namespace

uint64_t pauses_left(const CheckpointPlan& plan, const Position& position) {
  if (plan.pause_seconds <= 0) return 0;
  const bool writing = position.phase == Phase::kWrite;
  return rest(writing ? plan.checkpoints_to_write : plan.checkpoints_to_read, position.begun) +
         (writing ? plan.checkpoints_to_read : 0);
}

std::optional<double> time_left(const CheckpointPlan& plan, const Position& position) {
  const double write = position.write_bytes_per_s;
  const double read = position.read_bytes_per_s > 0 ? position.read_bytes_per_s : write;
  const bool writing = position.phase == Phase::kWrite;
  const uint64_t to_write = writing ? rest(plan.bytes_to_write(), position.bytes) : 0;
  const uint64_t to_read = writing ? plan.bytes_to_read() : rest(plan.bytes_to_read(), position.bytes);
  if ((to_write > 0 && write <= 0) || (to_read > 0 && read <= 0)) return std::nullopt;
  double left = (to_write > 0 ? seconds_at(write, to_write) : 0) + (to_read > 0 ? seconds_at(read, to_read) : 0);
  const auto pauses = static_cast<double>(pauses_left(plan, position));
  if (position.pausing) return left + std::max(0.0, pauses - 1) * plan.pause_seconds + position.pause_left_s;
  return left + pauses * plan.pause_seconds;
}

ProgressMeter::ProgressMeter(const RunRequest& request, const CheckpointPlan& plan, const io::ObjectPool& pool,
                             io::SharedSeries& series, world::World& world)
    : pool_(pool),
      series_(series),
      plan_(plan),
      meter_(
          request.on_progress, request.invocation_start.monotonic_ns,
          [this](live::State& state) { return fill(state); }, world.failure()) {
  const std::lock_guard lock(mutex_);  // the meter runs
  base_.what = "checkpoint " + plan.model;
  base_.scale = counted(plan.processes, "rank");
  base_.place = request.store->root().to_string();
  if (world.hosts() > 1) base_.host = fmt::format("this host of {}", world.hosts());
}

void ProgressMeter::prepare(Phase phase, uint32_t checkpoint) {
  const std::lock_guard lock(mutex_);
  if (phase_ != phase) {
    write_bytes_per_s_ = position(now_ns()).write_bytes_per_s;
    phase_start_bytes_ = pool_.live_bytes();
    closed_s_ = 0;
    rates_.clear();
    last_ = {};
    series_.begin_sums();
  }
  phase_ = phase;
  checkpoint_ = checkpoint;
  stage_ = Stage::kPreparing;
}

void ProgressMeter::pause() {
  const std::lock_guard lock(mutex_);
  stage_ = Stage::kPausing;
  stage_ns_ = now_ns();
}

void ProgressMeter::enter() {
  const std::lock_guard lock(mutex_);
  stage_ = Stage::kMoving;
  stage_ns_ = now_ns();
}

void ProgressMeter::leave(const CheckpointEvent& event) {
  const std::lock_guard lock(mutex_);
  const double seconds = to_seconds(std::max<Nanos>(event.slowest_ns, 1));
  closed_s_ += seconds;
  rates_.push_back(static_cast<double>(plan_.checkpoint_bytes()) / seconds);
  last_ = event;
  stage_ = Stage::kPreparing;
}

void ProgressMeter::shorten(const CheckpointPlan& plan) {
  const std::lock_guard lock(mutex_);
  plan_ = plan;
}

Position ProgressMeter::position(Nanos now) const {
  Position found;
  found.phase = phase_;
  found.begun = stage_ == Stage::kMoving ? checkpoint_ : last_.checkpoint;
  found.bytes = pool_.live_bytes() - phase_start_bytes_;
  found.pausing = stage_ == Stage::kPausing;
  const double in_stage = to_seconds(now - stage_ns_);
  if (found.pausing) found.pause_left_s = std::max(0.0, plan_.pause_seconds - in_stage);
  const double seconds = closed_s_ + (stage_ == Stage::kMoving ? in_stage : 0.0);
  const double rate = seconds > 0 ? static_cast<double>(found.bytes) / seconds : 0;
  found.write_bytes_per_s = phase_ == Phase::kWrite ? rate : write_bytes_per_s_;
  found.read_bytes_per_s = phase_ == Phase::kRead ? rate : 0;
  return found;
}

void ProgressMeter::fill_parts(const Position& position, live::State& state) const {
  const bool writing = position.phase == Phase::kWrite;
  const auto add = [&](Phase phase, uint64_t number, uint64_t total) {
    if (total > 0) state.parts.push_back({phase_name(phase), number, total});
  };
  const uint64_t written = writing ? checkpoint_ : plan_.checkpoints_to_write;
  add(Phase::kWrite, written, plan_.checkpoints_to_write);
  add(Phase::kRead, writing ? 0 : checkpoint_, plan_.checkpoints_to_read);
}

bool ProgressMeter::fill(live::State& state) {
  const std::lock_guard lock(mutex_);
  if (stage_ == Stage::kNothing) return false;
  const Position where = position(now_ns());
  state = base_;
  state.phase = stage_ == Stage::kPausing ? "pause" : stage_ == Stage::kPreparing ? "prepare" : phase_name(phase_);
  state.is_aside = stage_ != Stage::kMoving;
  state.moving = phase_name(phase_);
  fill_parts(where, state);
  state.bytes = static_cast<double>(pool_.live_bytes());
  const uint64_t all = plan_.bytes_to_write() + plan_.bytes_to_read();
  if (all > 0) state.done_share = *state.bytes / static_cast<double>(all);
  state.left_s = time_left(plan_, where);
  if (const uint64_t pauses = pauses_left(plan_, where); pauses > 0) {
    state.left_with = counted(static_cast<double>(pauses), "pause");
  }
  if (where.pausing && plan_.pause_seconds > 0) state.pause_left_s = where.pause_left_s;
  const double mean = phase_ == Phase::kWrite ? where.write_bytes_per_s : where.read_bytes_per_s;
  if (mean > 0) state.mean_bytes_per_s = mean;
  if (!rates_.empty()) {
    state.best_bytes_per_s = *std::max_element(rates_.begin(), rates_.end());
    state.worst_bytes_per_s = *std::min_element(rates_.begin(), rates_.end());
  }
  const io::SeriesSums sums = series_.sums();
  live::set_latency(state, sums.latency);
  live::set_commits(state, sums.commits);
  state.retries = static_cast<double>(sums.retries);
  if (last_.cached_before && last_.cached_before->total_bytes > 0) {
    state.cached_share =
        static_cast<double>(last_.cached_before->cached_bytes) / static_cast<double>(last_.cached_before->total_bytes);
  }
  if (last_.ranks.size() < 2) return true;
  const auto by_time = [](const RankInterval& a, const RankInterval& b) { return a.duration_ns < b.duration_ns; };
  const auto slowest = std::max_element(last_.ranks.begin(), last_.ranks.end(), by_time);
  Nanos sum = 0;
  for (const RankInterval& rank : last_.ranks) sum += rank.duration_ns;
  state.slowest_rank = slowest->rank;
  state.slowest_s = to_seconds(slowest->duration_ns);
  state.slowest_mean_s = to_seconds(sum) / static_cast<double>(last_.ranks.size());
  return true;
}

}  // namespace mlps::checkpointing
