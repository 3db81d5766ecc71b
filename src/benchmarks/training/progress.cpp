#include "benchmarks/training/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "benchmarks/training/compute_time.hpp"

namespace mlps::training {
namespace {

constexpr const char* kTrain = "train";
constexpr const char* kEvaluate = "evaluate";
constexpr const char* kCheckpoint = "checkpoint";
constexpr Nanos kRateNs = 2'000'000'000;

double each(double seconds, uint64_t number, double otherwise) {
  return number > 0 ? seconds / static_cast<double>(number) : otherwise;
}

double part_of(Nanos part, double whole) {
  return std::clamp(static_cast<double>(part) / whole, 0.0, 1.0);
}

}  // namespace

std::optional<double> time_left(const RunPlan& plan, const Position& position, const Pace& pace,
                                double evaluation_s_by_plan) {
  if (pace.steps == 0) return std::nullopt;
  const uint64_t epochs = plan.epochs - std::min(plan.epochs, position.epoch);
  const uint64_t steps =
      plan.steps_per_epoch * epochs + (plan.steps_per_epoch - std::min(plan.steps_per_epoch, position.step));
  const auto saves = std::count_if(plan.checkpoints.begin(), plan.checkpoints.end(), [&](const auto& checkpoint) {
    return std::pair(checkpoint.epoch, checkpoint.step) > std::pair(position.epoch, position.step);
  });
  const auto evaluations = plan.eval_epochs.size() - std::min<uint64_t>(plan.eval_epochs.size(), pace.evaluations);
  return static_cast<double>(steps) * each(pace.steps_s, pace.steps, 0) +
         static_cast<double>(evaluations) * each(pace.evaluations_s, pace.evaluations, evaluation_s_by_plan) +
         static_cast<double>(saves) * each(pace.saves_s, pace.saves, 0) +
         static_cast<double>(epochs) * each(pace.others_s, pace.epochs, 0);
}

ProgressMeter::ProgressMeter(const RunRequest& request, world::World& world, Sources sources)
    : request_(request),
      sources_(sources),
      first_rank_(world.first_rank()),
      ranks_(world.local_ranks()),
      meter_(
          request.on_progress, request.invocation_start.monotonic_ns,
          [this](live::State& state) { return fill(state); }, world.failure()) {
  const workloads::TrainingWorkload& workload = request.workload;
  const std::lock_guard lock(mutex_);  // the meter runs
  base_.what = "training " + workload.model;
  base_.scale = fmt::format("{} x {}", request.plan.accelerators, workload.accelerator);
  base_.place = request.store->root().to_string();
  if (world.hosts() > 1) base_.host = fmt::format("this host of {}", world.hosts());
  base_.moving = "read";
  base_.item = "samples";
  base_.au_needed_percent = 100 * workload.metric.au;
  const double compute_s = mean_seconds(workload.training.computation_time);
  const auto samples = static_cast<double>(request.plan.batch_size * ranks_);
  if (compute_s > 0) base_.wanted_bytes_per_s = samples * workload.dataset.record_bytes / compute_s;
  evaluation_s_ = static_cast<double>(request.plan.eval_steps) * mean_seconds(workload.eval.eval_time);
}

void ProgressMeter::enter(uint32_t epoch, const std::string& phase) {
  const Nanos now = now_ns();
  const std::lock_guard lock(mutex_);
  if (!phase_.empty()) seconds_[phase_] += to_seconds(now - entered_ns_);
  if (!phase_.empty()) ++times_[phase_];
  epoch_ = epoch;
  phase_ = phase;
  entered_ns_ = now;
}

void ProgressMeter::found_cached(std::optional<double> share) {
  const std::lock_guard lock(mutex_);
  cached_share_ = share;
}

void ProgressMeter::leave(double au) {
  const std::lock_guard lock(mutex_);
  epoch_au_.push_back(au);
}

Pace ProgressMeter::pace(Nanos now, const LiveSteps& steps) const {
  Pace pace;
  const auto passed = [&](const char* phase) {
    const auto found = seconds_.find(phase);
    return found == seconds_.end() ? 0.0 : found->second;
  };
  const auto times = [&](const char* phase) {
    const auto found = times_.find(phase);
    return found == times_.end() ? uint64_t{0} : found->second;
  };
  pace.steps = steps.steps;
  pace.steps_s = passed(kTrain) + (phase_ == kTrain ? to_seconds(now - entered_ns_) : 0.0);
  pace.evaluations = times(kEvaluate);
  pace.evaluations_s = passed(kEvaluate);
  pace.saves = times(kCheckpoint);
  pace.saves_s = passed(kCheckpoint);
  pace.epochs = std::max<uint64_t>(epoch_, 1);
  for (const auto& [phase, seconds] : seconds_) {
    if (phase != kTrain && phase != kEvaluate && phase != kCheckpoint) pace.others_s += seconds;
  }
  return pace;
}

bool ProgressMeter::fill(live::State& state) {
  const std::lock_guard lock(mutex_);
  if (epoch_ == 0) return false;
  const RunPlan& plan = request_.plan;
  const LiveSteps steps = sources_.step_loop.live();
  state = base_;
  state.phase = phase_;
  state.is_aside = phase_ != kTrain;
  // What was done of this epoch follows from what was done of all.
  const uint64_t step =
      std::min(plan.steps_per_epoch, steps.steps - std::min(steps.steps, (epoch_ - 1) * plan.steps_per_epoch));
  state.parts = {{"epoch", epoch_, plan.epochs}, {"step", step, plan.steps_per_epoch}};
  const uint64_t all = plan.epochs * plan.steps_per_epoch;
  if (all > 0) state.done_share = static_cast<double>(steps.steps) / static_cast<double>(all);
  state.left_s = time_left(plan, {epoch_, step}, pace(now_ns(), steps), evaluation_s_);
  const auto evaluated = times_.find(kEvaluate);
  const uint64_t evaluations = plan.eval_epochs.size() - (evaluated == times_.end() ? 0 : evaluated->second);
  if (evaluations > 0) state.left_with = fmt::format("{} evaluation{}", evaluations, evaluations == 1 ? "" : "s");
  state.bytes = static_cast<double>(sources_.readers.live_bytes());
  state.items = static_cast<double>(steps.steps * plan.batch_size * ranks_);
  state.cached_share = cached_share_;
  state.epoch_au = epoch_au_;
  const io::SeriesSums sums = sources_.series.sums();
  live::set_latency(state, sums.latency);
  state.retries = static_cast<double>(sums.retries);
  fill_accelerators(steps, state);
  return true;
}

void ProgressMeter::fill_accelerators(const LiveSteps& steps, live::State& state) {
  const Nanos now = now_ns();
  while (moments_.size() > 1 && moments_[1].at <= now - kRateNs) moments_.pop_front();
  if (!moments_.empty()) {
    const LiveSteps& before = moments_.front().steps;
    const double wall = static_cast<double>(steps.wall_ns - before.wall_ns) * ranks_;
    if (wall > 0) state.au_now_percent = 100 * part_of(steps.compute_ns - before.compute_ns, wall);
  }
  moments_.push_back({now, steps});
  if (phase_ == kTrain && steps.block_wall_ns > 0) {
    state.au_percent = 100 * part_of(steps.block_compute_ns, static_cast<double>(steps.block_wall_ns) * ranks_);
  }
  if (const double wall = static_cast<double>(steps.wall_ns) * ranks_; wall > 0) {
    state.idle_storage_share = part_of(steps.wait_ns, wall);
    state.idle_ranks_share = part_of(steps.barrier_ns, wall);
    const Nanos own = steps.wall_ns * ranks_ - steps.compute_ns - steps.wait_ns - steps.barrier_ns;
    state.idle_client_share = part_of(own, wall);
  }
  if (steps.slowest_wait_ns > 0 && ranks_ > 1) {
    const auto wall = static_cast<double>(steps.block_wall_ns);
    state.slowest_rank = first_rank_ + steps.slowest_rank;
    state.slowest_waits_share = part_of(steps.slowest_wait_ns, wall);
    state.mean_waits_share = part_of(steps.block_wait_ns, wall * ranks_);
  }
}

}  // namespace mlps::training
