#include "storage/posix/ring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/waiting.hpp"

namespace mlps::storage::posix {
namespace {

constexpr unsigned kMaxEntries = 4096;
/// A kernel short of memory is asked again after the pause, and the ring is given up after the limit.
constexpr Nanos kShortagePause = 1'000'000;
constexpr Nanos kShortageLimit = 30'000'000'000;

}  // namespace

Ring::~Ring() {
  if (open_) io_uring_queue_exit(&ring_);
}

Status Ring::open(unsigned entries) {
  entries = std::min(entries, kMaxEntries);
  // Completions need no interrupt of the thread, which fetches them (Linux 5.19; older kernels answer EINVAL).
  int error = io_uring_queue_init(entries, &ring_, IORING_SETUP_COOP_TASKRUN | IORING_SETUP_CLAMP);
  if (error == -EINVAL) error = io_uring_queue_init(entries, &ring_, IORING_SETUP_CLAMP);
  if (error < 0) return fail(errno_error(-error, fmt::format("set up an io_uring with {} entries", entries)));
  open_ = true;
  prepared_.reserve(entries);
  return {};
}

io_uring_sqe* Ring::next_entry() {
  while (!refusal_) {
    if (io_uring_sqe* const entry = io_uring_get_sqe(&ring_); entry != nullptr) return entry;
    submit();  // the kernel was short of memory before; it takes requests as others end
  }
  return nullptr;
}

void Ring::submit() {
  if (!refusal_) entered(io_uring_submit(&ring_));
}

void Ring::wait(std::chrono::nanoseconds timeout) {
  if (refusal_) {
    // poll() reports results without entering the ring.
    pollfd results{.fd = ring_.ring_fd, .events = POLLIN, .revents = 0};
    (void)poll_until({&results, 1}, now_ns() + timeout.count());
    return;
  }
  __kernel_timespec time{timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
  io_uring_cqe* result = nullptr;
  entered(io_uring_submit_and_wait_timeout(&ring_, &result, 1, &time, nullptr));
}

void Ring::entered(int result) {
  const size_t left = std::min<size_t>(io_uring_sq_ready(&ring_), prepared_.size());
  prepared_.erase(prepared_.begin(), prepared_.end() - static_cast<std::ptrdiff_t>(left));
  if (result >= 0 || result == -ETIME || result == -EINTR) {
    short_since_ns_ = 0;
    return;
  }
  const Nanos now = now_ns();
  if (result == -EAGAIN || result == -EBUSY) {
    if (short_since_ns_ == 0) short_since_ns_ = now;
    if (now - short_since_ns_ < kShortageLimit) return sleep_for(kShortagePause);
  }
  refusal_ = errno_error(-result, "hand requests to the kernel by io_uring");
}

std::vector<uint64_t> Ring::take_refused() {
  return refusal_ ? std::exchange(prepared_, {}) : std::vector<uint64_t>{};
}

int io_uring_refusal() {
  io_uring ring{};
  if (const int error = io_uring_queue_init(1, &ring, 0); error < 0) return -error;
  io_uring_probe* const probe = io_uring_get_probe_ring(&ring);
  const bool complete = probe != nullptr && io_uring_opcode_supported(probe, IORING_OP_READ) != 0 &&
                        io_uring_opcode_supported(probe, IORING_OP_WRITE) != 0 &&
                        io_uring_opcode_supported(probe, IORING_OP_FSYNC) != 0;
  io_uring_free_probe(probe);
  // A kernel, or a filter, may allow the ring and refuse to be entered through it.
  io_uring_prep_nop(io_uring_get_sqe(&ring));
  const int entered = io_uring_submit(&ring);
  io_uring_queue_exit(&ring);
  if (!complete) return ENOSYS;
  return entered < 0 ? -entered : 0;
}

}  // namespace mlps::storage::posix
