#include "base/sync.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace mlps {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) && std::atomic<uint32_t>::is_always_lock_free);

// std::atomic::wait knows no deadline, and a condition variable needs a lock on the way of every notification.
void RealSync::futex_wait(std::atomic<uint32_t>& word, uint32_t expected, Nanos deadline_ns) {
  const timespec deadline{deadline_ns / 1'000'000'000, deadline_ns % 1'000'000'000};
  ::syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT_BITSET_PRIVATE, expected,
            deadline_ns == kNoDeadline ? nullptr : &deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
}

void RealSync::futex_wake(std::atomic<uint32_t>& word, uint32_t count) {
  ::syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE_PRIVATE, std::min<uint32_t>(count, INT_MAX),
            nullptr, nullptr, 0);
}

}  // namespace mlps
