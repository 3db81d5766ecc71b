#pragma once

#include <liburing.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace mlps::storage::posix {

/// An io_uring whose every entry into the kernel is checked. Requests carry a tag, which comes back with their result.
/// Once the kernel refuses entries for good (a filter that was set later, say), refusal() says why, nothing more is
/// handed over, and what the kernel already has is still waited for. Belongs to one thread.
class Ring {
 public:
  Ring() = default;
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// Sets up room for `entries` requests (at most 4,096 at a time). E608 if the kernel gives none.
  Status open(unsigned entries);

  /// Adds a request that `prepare(io_uring_sqe*)` fills in. False, and nothing added, once the kernel refuses entries.
  template <class Prepare>
  bool add(uint64_t tag, Prepare&& prepare) {
    io_uring_sqe* const entry = next_entry();
    if (entry == nullptr) return false;
    prepare(entry);
    io_uring_sqe_set_data64(entry, tag);
    prepared_.push_back(tag);
    return true;
  }
  /// Hands the prepared requests to the kernel. What it has no memory for goes with the next submit() or wait().
  void submit();
  /// Submits, and sleeps until a result is there or `timeout` has passed.
  void wait(std::chrono::nanoseconds timeout);

  /// Calls `visit(tag, result)` for every result that is there; `visit` may prepare and submit further requests.
  template <class Visit>
  void reap(Visit&& visit) {
    io_uring_cqe* result = nullptr;
    while (io_uring_peek_cqe(&ring_, &result) == 0) {
      const uint64_t tag = io_uring_cqe_get_data64(result);
      const int value = result->res;
      io_uring_cqe_seen(&ring_, result);
      visit(tag, value);
    }
  }

  const std::optional<Error>& refusal() const { return refusal_; }
  /// Returns the tags of the requests that the kernel refused to take, each once.
  std::vector<uint64_t> take_refused();

 private:
  io_uring_sqe* next_entry();
  void entered(int result);

  io_uring ring_{};
  bool open_ = false;
  std::vector<uint64_t> prepared_;  // tags of what the kernel has not taken yet, oldest first
  Nanos short_since_ns_ = 0;        // since when the kernel has had no memory; 0: it has
  std::optional<Error> refusal_;
};

/// Returns why this process can't use io_uring (an errno), or 0: a request is sent through one to find out.
int io_uring_refusal();

}  // namespace mlps::storage::posix
