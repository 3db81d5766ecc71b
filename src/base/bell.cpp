#include "base/bell.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace mlps {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) && std::atomic<uint32_t>::is_always_lock_free);

void Bell::wait(uint32_t heard, Nanos deadline_ns) {
  sleeping_.fetch_add(1, std::memory_order_seq_cst);
  if (rings_.load(std::memory_order_seq_cst) == heard) {
    // std::atomic::wait knows no deadline, and a condition variable needs a lock on the way of every ring.
    timespec deadline{deadline_ns / 1'000'000'000, deadline_ns % 1'000'000'000};
    ::syscall(SYS_futex, reinterpret_cast<uint32_t*>(&rings_), FUTEX_WAIT_BITSET_PRIVATE, heard,
              deadline_ns == kNever ? nullptr : &deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
  }
  sleeping_.fetch_sub(1, std::memory_order_relaxed);
}

void Bell::wake(uint32_t sleepers) {
  ::syscall(SYS_futex, reinterpret_cast<uint32_t*>(&rings_), FUTEX_WAKE_PRIVATE, std::min<uint32_t>(sleepers, INT_MAX),
            nullptr, nullptr, 0);
}

}  // namespace mlps
