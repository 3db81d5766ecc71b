#pragma once

#include <functional>
#include <mutex>

#include "base/error.hpp"
#include "base/threads.hpp"
#include "base/waiting.hpp"

namespace mlps {

/// A thread that calls a function again and again, each time at a moment of the monotonic clock, until it is stopped.
/// For meters and samplers: nothing of a run waits for it.
class PeriodicThread {
 public:
  PeriodicThread() = default;
  ~PeriodicThread() { stop(); }
  PeriodicThread(const PeriodicThread&) = delete;
  PeriodicThread& operator=(const PeriodicThread&) = delete;

  /// Starts the thread, once. `next_ns` returns when to call `tick` the next time; both run on the thread, never at the
  /// same time. An error is that of Threads::start().
  Status start(ThreadPurpose purpose, std::function<Nanos()> next_ns, std::function<void()> tick);

  /// Ends the thread at once; waits at most for a call under way. May be called again, and before start().
  void stop();

 private:
  void run(const std::function<Nanos()>& next_ns, const std::function<void()>& tick);

  std::mutex mutex_;
  Condition changed_;
  bool stopping_ = false;
  Threads thread_;
};

}  // namespace mlps
