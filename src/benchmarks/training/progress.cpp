#include "benchmarks/training/progress.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/units.hpp"

namespace mlps::training {
namespace {
constexpr Nanos kDisplayInterval = 500'000'000;
}

ProgressMeter::ProgressMeter(const RunPlan& plan, const StepLoop& step_loop, const Readers& readers,
                             std::function<void(const Progress&)> display, world::Failure& failure)
    : plan_(plan), step_loop_(step_loop), readers_(readers), display_(std::move(display)), last_tick_ns_(now_ns()) {
  Status started = thread_.start(
      {"progress meters", {}, [&failure](Error error) { failure.raise(std::move(error)); }},
      [] { return now_ns() + kDisplayInterval; }, [this] { tick(); });
  if (!started) failure.raise(std::move(started.error()));
}

void ProgressMeter::enter(uint32_t epoch, std::string phase) {
  const std::lock_guard lock(mutex_);
  now_.epoch = epoch;
  now_.epochs = plan_.epochs;
  now_.steps = plan_.steps_per_epoch;
  now_.phase = std::move(phase);
}

Progress ProgressMeter::measure() {
  const Nanos now = now_ns();
  const double seconds = to_seconds(now - last_tick_ns_);
  const uint64_t step = step_loop_.live_step();
  const uint64_t bytes = readers_.live_bytes();
  const uint64_t steps = step >= last_step_ ? step - last_step_ : step;
  now_.step = step;
  now_.au = step_loop_.live_au();
  if (seconds > 0) {
    now_.samples_per_s = static_cast<double>(steps * plan_.batch_size * plan_.accelerators) / seconds;
    now_.mib_per_s = static_cast<double>(bytes - last_bytes_) / static_cast<double>(kMiB) / seconds;
  }
  last_step_ = step;
  last_bytes_ = bytes;
  last_tick_ns_ = now;
  return now_;
}

void ProgressMeter::tick() {
  std::unique_lock lock(mutex_);
  if (now_.epoch == 0) return;
  const Progress progress = measure();
  lock.unlock();  // a slow terminal must not hold up the run
  display_(progress);
}

std::string progress_line(const Progress& progress) {
  if (progress.phase != "train") return fmt::format("epoch {}/{}  {}", progress.epoch, progress.epochs, progress.phase);
  return fmt::format("epoch {}/{}  step {} of {}  AU {:.1f} %  {:.0f} samples/s  {:.0f} MiB/s", progress.epoch,
                     progress.epochs, grouped(progress.step), grouped(progress.steps), progress.au,
                     progress.samples_per_s, progress.mib_per_s);
}

}  // namespace mlps::training
