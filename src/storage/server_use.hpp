#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/fields.hpp"
#include "base/histogram.hpp"

namespace mlps::storage {

/// How many attempts at a server failed in one way: "no connection", "no answer", "connection lost", "HTTP 503
/// SlowDown", ...
struct FailureCount {
  std::string cause;
  uint64_t count = 0;
};
constexpr auto fields_of(Of<FailureCount>) {
  return std::tuple(kept("cause", &FailureCount::cause), summed("count", &FailureCount::count));
}

/// What this process asked of one server since its store was opened. An attempt is one request that was sent, or that
/// found no connection; an operation of the run takes one or more.
struct ServerUse {
  std::string endpoint;   ///< as the setting that names it has it
  uint64_t attempts = 0;  ///< all, failed ones included
  uint64_t failed = 0;    ///< without an answer, or with one that made the client ask again or give up
  std::vector<FailureCount> failures = {};  ///< those by cause, the most frequent first
  uint64_t sent_bytes = 0;                  ///< of bodies, failed attempts included
  uint64_t received_bytes = 0;
  uint64_t times_set_aside = 0;  ///< how often the server was left out because it failed
  uint64_t aside_ns = 0;         ///< for how long altogether
  uint64_t times_slowed = 0;     ///< how often a 503 or 429 made the client lower the number of requests in flight
  Histogram answer_ns = {};      ///< of attempts that succeeded: from sending to the end of the answer
};

constexpr auto fields_of(Of<ServerUse>) {
  return std::tuple(kept("endpoint", &ServerUse::endpoint), summed("attempts", &ServerUse::attempts),
                    summed("failed", &ServerUse::failed), summed("failures", &ServerUse::failures),
                    summed("sent_bytes", &ServerUse::sent_bytes), summed("received_bytes", &ServerUse::received_bytes),
                    summed("times_set_aside", &ServerUse::times_set_aside), summed("aside_ns", &ServerUse::aside_ns),
                    summed("times_slowed", &ServerUse::times_slowed), summed("answer", &ServerUse::answer_ns));
}
static_assert(lists_every_member<ServerUse>());

/// Adds up the uses of servers by several processes, by endpoint.
void merge_uses(std::vector<ServerUse>& into, const std::vector<ServerUse>& from);

/// Adds `count` attempts that failed by `cause`, and keeps the order.
void count_failure(std::vector<FailureCount>& failures, const std::string& cause, uint64_t count = 1);

}  // namespace mlps::storage
