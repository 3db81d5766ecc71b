#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/histogram.hpp"
#include "world/archive.hpp"

/// What happened in every second of a run.
namespace mlps::io {

/// Sums over one interval of a series. Operations and their latencies are in that in which they completed.
struct Second {
  uint64_t bytes = 0;
  uint64_t operations = 0;  ///< that moved bytes
  uint64_t retries = 0;
  Nanos compute_ns = 0, wait_ns = 0, barrier_ns = 0;  ///< of all accelerators, where a benchmark has some
  Histogram::State latency;                           ///< of the operations

  void merge(const Second& other);
};

/// Consecutive intervals from the start of a run on. Holds at most so many; a longer run has longer ones, of 2, 4, ...
/// seconds. Not thread-safe.
class Series {
 public:
  static constexpr size_t kMostIntervals = 4096;

  uint64_t interval_s() const { return interval_s_; }
  const std::vector<Second>& intervals() const { return intervals_; }
  /// The interval that holds second number `second`; valid until the next call.
  Second& at(uint64_t second);
  /// Adds another host's, or another thread's, from the same start on.
  void merge(const Series& other);

  template <class Archive, world::Is<Series> S>
  friend void fields(Archive& archive, S& series) {
    archive(series.interval_s_, series.intervals_);
  }

 private:
  void double_interval();

  uint64_t interval_s_ = 1;
  std::vector<Second> intervals_;
};

template <class Archive, world::Is<Second> S>
void fields(Archive& archive, S& second) {
  archive(second.bytes, second.operations, second.retries, second.compute_ns, second.wait_ns, second.barrier_ns,
          second.latency);
}

/// Sums over all that a SharedSeries was given since its begin_sums(), for a look while the threads work.
struct SeriesSums {
  uint64_t bytes = 0, retries = 0;
  Histogram latency;  ///< of operations that moved bytes
  Histogram commits;  ///< of those that ended an object
};

/// The series of the I/O threads of a host: each adds its own share of a second once that is over.
class SharedSeries {
 public:
  /// Seconds count from `origin` on.
  explicit SharedSeries(Nanos origin) : origin_(origin) {}

  Nanos origin() const { return origin_; }
  uint64_t second_of(Nanos moment) const {
    return moment <= origin_ ? 0 : static_cast<uint64_t>(moment - origin_) / kNs;
  }
  /// Any thread.
  void add(uint64_t second, const Second& share, const Histogram& latency, const Histogram& commits);
  /// Any thread. Up to a second late.
  SeriesSums sums() const;
  /// Lets the sums begin anew, but for bytes and retries. Threads that do not work now have added everything.
  void begin_sums();
  /// After the threads have ended.
  const Series& series() const { return series_; }

 private:
  static constexpr uint64_t kNs = 1'000'000'000;
  const Nanos origin_;
  mutable std::mutex mutex_;
  Series series_;
  SeriesSums sums_;
};

/// One thread's share of the current second.
class SecondRecorder {
 public:
  /// `shared` may be nullptr: then nothing is recorded.
  explicit SecondRecorder(SharedSeries* shared) : shared_(shared) {}

  void moved(Nanos completed, uint64_t bytes, std::optional<uint64_t> latency) {
    if (shared_ == nullptr) return;
    turn_to(completed);
    ++now_.operations;
    now_.bytes += bytes;
    if (latency) latency_.record(*latency);
  }
  void committed(Nanos completed, uint64_t latency) {
    if (shared_ == nullptr) return;
    turn_to(completed);
    commits_.record(latency);
  }
  void retried(Nanos completed, uint64_t retries) {
    if (shared_ == nullptr || retries == 0) return;
    turn_to(completed);
    now_.retries += retries;
  }
  /// Hands over what is there.
  void flush();

 private:
  void turn_to(Nanos moment) {
    if (moment >= end_) turn(moment);
  }
  void turn(Nanos moment);

  SharedSeries* const shared_;
  Nanos end_ = 0;  // of the current second
  uint64_t second_ = 0;
  Second now_;
  Histogram latency_, commits_;
};

}  // namespace mlps::io
