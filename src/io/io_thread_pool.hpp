#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/threads.hpp"
#include "io/io_thread.hpp"
#include "io/phase_gate.hpp"

namespace mlps::io {

/// All I/O threads that a benchmark has on this host: they live from before the first barrier to the end of the run,
/// with their sessions and buffers. begin(), wait_idle() and stop() are called by one thread; live_bytes() by any.
class IoThreadPool {
 public:
  /// Opens the sessions and starts the threads, one for each of `sources`, which must live longer. On failure nothing
  /// is left running. `series`, where given, gets what happens in every second, until stop().
  static Result<std::unique_ptr<IoThreadPool>> start(const Plan& plan, bool verify, storage::Store& store,
                                                     world::Failure& failure, std::vector<TaskSource*> sources,
                                                     SharedSeries* series = nullptr);
  ~IoThreadPool() { stop(); }

  /// Every thread works on its source until that is finished or the run fails.
  void begin() { gate_.begin(); }
  /// Waits until no thread works. After a failure all have cleaned up.
  void wait_idle() { gate_.wait_idle(); }
  /// Ends the threads, once their sources are finished or the run has failed.
  void stop();

  uint64_t live_bytes() const;
  /// Returns when the first part was submitted on this host, 0 if none was. After stop() or wait_idle().
  Nanos first_part_ns() const;

 private:
  IoThreadPool(world::Failure& failure, std::vector<TaskSource*> sources)
      : failure_(failure), sources_(std::move(sources)), gate_(static_cast<uint32_t>(sources_.size())) {}
  void serve(size_t index);

  world::Failure& failure_;
  const std::vector<TaskSource*> sources_;
  std::vector<std::unique_ptr<IoThread>> threads_;
  PhaseGate gate_;
  Threads running_;
  world::Failure::Subscription on_raise_;
};

/// The pointers that IoThreadPool::start() takes.
template <class Source>
std::vector<TaskSource*> pointers(const std::vector<std::unique_ptr<Source>>& sources) {
  std::vector<TaskSource*> pointers;
  pointers.reserve(sources.size());
  for (const auto& source : sources) pointers.push_back(source.get());
  return pointers;
}

}  // namespace mlps::io
