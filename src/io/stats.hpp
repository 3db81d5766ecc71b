#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/histogram.hpp"
#include "world/archive.hpp"

namespace mlps::io {

/// Time of I/O threads, summed over threads. prepare + submit + wait + idle + other is all of it.
struct Times {
  Nanos prepare_ns = 0;  ///< filling buffers with payload, or verifying what was read
  Nanos submit_ns = 0;   ///< inside Session::submit (blocking stores: the I/O itself)
  Nanos wait_ns = 0;     ///< inside Session::poll with something in flight
  Nanos idle_ns = 0;     ///< nothing in flight and nothing to start
  Nanos other_ns = 0;    ///< bookkeeping of this program
  Nanos exposed_ns = 0;  ///< part of prepare and other during which the thread had nothing in flight
};

/// What I/O threads have done: latencies per operation, times and counters. Latencies and moved bytes are those of
/// operations that succeeded.
struct Stats {
  Histogram begin_ns, part_ns, first_byte_ns, commit_ns;
  Times times;
  uint64_t bytes = 0;
  uint64_t bytes_verified = 0;
  uint64_t parts = 0;    ///< operations that moved a part or a range
  uint64_t objects = 0;  ///< committed, or read to their end
  uint64_t retries = 0;
  uint64_t retried_bytes = 0;
};

template <class Archive, world::Is<Times> T>
void fields(Archive& archive, T& times) {
  archive(times.prepare_ns, times.submit_ns, times.wait_ns, times.idle_ns, times.other_ns, times.exposed_ns);
}

template <class Archive, world::Is<Stats> S>
void fields(Archive& archive, S& stats) {
  archive(stats.begin_ns, stats.part_ns, stats.first_byte_ns, stats.commit_ns, stats.times, stats.bytes,
          stats.bytes_verified, stats.parts, stats.objects, stats.retries, stats.retried_bytes);
}

/// Adds every field.
void merge(Stats& into, const Stats& from);

}  // namespace mlps::io
