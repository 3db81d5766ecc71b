#pragma once

#include <cstdint>
#include <tuple>

#include "base/clock.hpp"
#include "base/fields.hpp"
#include "base/histogram.hpp"

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
constexpr auto fields_of(Of<Times>) {
  return std::tuple(summed("prepare_ns", &Times::prepare_ns), summed("submit_ns", &Times::submit_ns),
                    summed("wait_ns", &Times::wait_ns), summed("idle_ns", &Times::idle_ns),
                    summed("other_ns", &Times::other_ns), summed("exposed_ns", &Times::exposed_ns));
}
static_assert(lists_every_member<Times>());

/// Latencies per operation, times and counters of I/O threads. Latencies and moved bytes are those of
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
constexpr auto fields_of(Of<Stats>) {
  return std::tuple(summed("bytes", &Stats::bytes), summed("bytes_verified", &Stats::bytes_verified),
                    summed("parts", &Stats::parts), summed("objects", &Stats::objects),
                    summed("retries", &Stats::retries), summed("retried_bytes", &Stats::retried_bytes),
                    summed("worker_time", &Stats::times), summed("begin", &Stats::begin_ns),
                    summed("part", &Stats::part_ns), summed("first_byte", &Stats::first_byte_ns),
                    summed("commit", &Stats::commit_ns));
}
static_assert(lists_every_member<Stats>());

}  // namespace mlps::io
