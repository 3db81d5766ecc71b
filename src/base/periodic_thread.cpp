#include "base/periodic_thread.hpp"

#include <utility>

namespace mlps {

Status PeriodicThread::start(ThreadPurpose purpose, std::function<Nanos()> next_ns, std::function<void()> tick) {
  auto started = Threads::start(1, std::move(purpose),
                                [this, next = std::move(next_ns), tick = std::move(tick)](size_t) { run(next, tick); });
  if (!started) return fail(std::move(started.error()));
  thread_ = std::move(*started);
  return {};
}

void PeriodicThread::run(const std::function<Nanos()>& next_ns, const std::function<void()>& tick) {
  for (;;) {
    const Nanos next = next_ns();
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_until(lock, next, [this] { return stopping_; })) return;
    }
    tick();
  }
}

void PeriodicThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

}  // namespace mlps
