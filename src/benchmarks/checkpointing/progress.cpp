#include "benchmarks/checkpointing/progress.hpp"

#include <fmt/format.h>

#include "base/units.hpp"

namespace mlps::checkpointing {
namespace {
constexpr Nanos kTick = 500'000'000;
}

ProgressMeter::ProgressMeter(const CheckpointPlan& plan, const io::ObjectPool& pool,
                             std::function<void(const Progress&)> display, world::Failure& failure)
    : plan_(plan), pool_(pool), display_(std::move(display)) {
  Status started = thread_.start(
      {"progress meters", {}, [&failure](Error error) { failure.raise(std::move(error)); }},
      [] { return now_ns() + kTick; }, [this] { tick(); });
  if (!started) failure.raise(std::move(started.error()));
}

void ProgressMeter::enter(Phase phase, uint32_t checkpoint) {
  const std::lock_guard lock(mutex_);
  if (now_.phase != phase) {
    finished_seconds_ = 0;
    phase_start_bytes_ = last_bytes_ = pool_.live_bytes();
    const bool writing = phase == Phase::kWrite;
    now_ = {};
    now_.phase = phase;
    now_.checkpoints = writing ? plan_.checkpoints_to_write : plan_.checkpoints_to_read;
    now_.phase_total_bytes = writing ? plan_.bytes_to_write() : plan_.bytes_to_read();
  }
  now_.checkpoint = checkpoint;
  now_.pausing = false;
  entered_ns_ = last_tick_ns_ = now_ns();
}

void ProgressMeter::leave(double seconds) {
  const std::lock_guard lock(mutex_);
  finished_seconds_ += seconds;
  now_.pausing = true;
}

Progress ProgressMeter::measure() {
  const Nanos now = now_ns();
  const uint64_t bytes = pool_.live_bytes();
  now_.phase_bytes = bytes - phase_start_bytes_;
  now_.phase_seconds = finished_seconds_ + (now_.pausing ? 0.0 : to_seconds(now - entered_ns_));
  const double elapsed = to_seconds(now - last_tick_ns_);
  now_.gib_per_s = elapsed > 0 ? to_gib(bytes - last_bytes_) / elapsed : 0;
  last_bytes_ = bytes;
  last_tick_ns_ = now;
  return now_;
}

void ProgressMeter::tick() {
  std::unique_lock lock(mutex_);
  if (!now_.phase) return;
  const Progress progress = measure();
  lock.unlock();  // a slow terminal must not hold up the run
  display_(progress);
}

std::string progress_line(const Progress& progress) {
  if (!progress.phase) return {};
  std::string line =
      fmt::format("{} {}/{}  {} of {}", phase_name(*progress.phase), progress.checkpoint, progress.checkpoints,
                  human_bytes(progress.phase_bytes), human_bytes(progress.phase_total_bytes));
  if (progress.pausing) return line + "  (pause)";
  line += fmt::format("  {:.2f} GiB/s", progress.gib_per_s);
  if (progress.phase_bytes > 0 && progress.phase_seconds > 0) {
    const double left = static_cast<double>(progress.phase_total_bytes - progress.phase_bytes) *
                        progress.phase_seconds / static_cast<double>(progress.phase_bytes);
    line += fmt::format("  {} left", human_seconds(left));
  }
  return line;
}

}  // namespace mlps::checkpointing
