#pragma once

#include <memory>
#include <vector>

#include "benchmarks/training/extent_reader.hpp"
#include "io/io_thread_pool.hpp"

namespace mlps::training {

/// The I/O threads of a training run on this host: they read from before the first epoch to the end of the run.
class Readers {
 public:
  /// Opens every session and starts every thread. On failure nothing is left running.
  static Result<std::unique_ptr<Readers>> start(const ReadPlan& plan, bool verify, storage::Store& store,
                                                PrefetchQueue& queue, world::Failure& failure);
  /// As stop().
  ~Readers();

  /// Closes the prefetch queue and ends the threads; their numbers are final after it.
  void stop();

  uint64_t live_bytes() const { return threads_->live_bytes(); }
  /// Adds what the threads counted. After stop().
  void merge_into(ReadStats& stats) const;
  Nanos first_read_ns() const { return threads_->first_part_ns(); }  ///< 0 if nothing was read. After stop()

 private:
  explicit Readers(PrefetchQueue& queue) : queue_(queue) {}

  PrefetchQueue& queue_;
  std::vector<std::unique_ptr<ExtentReader>> readers_;
  std::unique_ptr<io::IoThreadPool> threads_;
  world::Failure::Subscription on_raise_;
};

}  // namespace mlps::training
