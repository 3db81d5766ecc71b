#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/io_thread_pool.hpp"
#include "io/phase_work.hpp"
#include "io/span.hpp"

namespace mlps::io {

class ObjectMover;

/// Returns how much of `whole` none of the spans covers.
Nanos uncovered(const Span& whole, std::vector<Span> spans);

/// The I/O threads of a benchmark that moves whole objects, rank by rank: phase after phase of PhaseWork. Called by one
/// thread, live_bytes() by any.
class ObjectPool {
 public:
  struct Settings {
    Plan plan;
    bool verify = false;        ///< compare what is read with the objects' content
    std::string mismatch_hint;  ///< what to check when they differ
  };
  /// Opens every session and starts every thread. On failure nothing is left running.
  /// `series`, where given, gets what happens in every second, until stop().
  static Result<std::unique_ptr<ObjectPool>> start(const Settings& settings, storage::Store& store,
                                                   world::Failure& failure, SharedSeries* series = nullptr);
  ~ObjectPool();

  /// All I/O threads take steps of `work` from now on, until it is finished or the run fails. After a failure they
  /// abort what is open on it, and ranks that wait for it wake. `work` must live until wait_idle() or stop() has
  /// returned.
  void work_on(PhaseWork& work);
  void wait_idle();
  /// Ends the threads.
  void stop();

  uint64_t live_bytes() const { return threads_->live_bytes(); }
  /// Returns when the first part was submitted, 0 if none was. After stop().
  Nanos first_part_ns() const { return threads_->first_part_ns(); }
  /// Adds up what the threads counted in phases that write, or read. After wait_idle() or stop().
  Stats stats(bool writes) const;

  /// Returns how much of `whole`, the time of the last phase, nothing at all was in flight in: the storage waited for
  /// this host. After wait_idle() or stop(); once for each phase.
  Nanos idle_ns(const Span& whole);

 private:
  explicit ObjectPool(world::Failure& failure);

  world::Failure& failure_;
  std::vector<std::unique_ptr<ObjectMover>> movers_;
  std::unique_ptr<IoThreadPool> threads_;
  world::Failure::Subscription stop_work_;  // of the current phase
};

}  // namespace mlps::io
