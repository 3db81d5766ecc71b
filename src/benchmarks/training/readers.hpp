#pragma once

#include <memory>
#include <vector>

#include "base/threads.hpp"
#include "benchmarks/training/reader.hpp"

namespace mlps::training {

/// All I/O workers of this host: threads that live from before the first epoch to the end of the run.
class Readers {
 public:
  /// Opens every session and starts every thread. On failure nothing is left running.
  static Result<std::unique_ptr<Readers>> start(const ReadPlan& plan, bool verify, storage::Store& store, Feed& feed,
                                                world::Failure& failure);
  /// As stop().
  ~Readers();

  /// Closes the feed and ends the threads; their numbers are final after it.
  void stop();

  uint64_t live_bytes() const;
  /// Adds the workers' numbers. After stop().
  void merge_into(ReadStats& stats) const;
  Nanos first_read_ns() const;  ///< 0 if nothing was read. After stop()

 private:
  explicit Readers(Feed& feed) : feed_(feed) {}

  Feed& feed_;
  std::vector<std::unique_ptr<Reader>> readers_;
  Threads threads_;
  world::Failure::Subscription on_raise_;
};

}  // namespace mlps::training
