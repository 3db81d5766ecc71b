#include "base/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/waiting.hpp"
#include "base/write_all.hpp"

namespace mlps {
namespace {

struct Lost {
  std::mutex mutex;
  std::optional<Error> first;
  bool is_reported = false;
};

Lost& lost() {
  static Lost instance;
  return instance;
}

std::atomic<uint64_t> printed = 0;

constexpr size_t kPipeRoom = 4096;  // a pipe that can be written takes as much without a wait (PIPE_BUF)
constexpr Nanos kReaderNs = 60'000'000'000;
constexpr Nanos kAfterStopNs = 5'000'000'000;
constexpr Nanos kLookNs = 100'000'000;

std::atomic<Nanos> give_up_ns{kNoDeadline};

/// One of the two streams.
struct Stream {
  int fd;
  const char* name;
  Nanos patience_ns;
  std::atomic<bool> is_stalled{false};  // nobody has read for that long
};
Stream standard_output{STDOUT_FILENO, "stdout", kNoDeadline};
Stream standard_error{STDERR_FILENO, "stderr", kReaderNs};

// Waits for room. A file always has some, and so has a stream whose reader is gone: the write tells.
bool has_room(Stream& stream) {
  const Nanos begin = now_ns();
  const Nanos patience = stream.is_stalled ? 0 : stream.patience_ns;
  for (;;) {
    std::array<pollfd, 1> watched{pollfd{stream.fd, POLLOUT, 0}};
    if (poll_until(watched, now_ns() + (patience == 0 ? 0 : kLookNs)) != 0) break;
    if (now_ns() - begin >= patience || now_ns() >= give_up_ns) {
      stream.is_stalled = true;
      return false;
    }
  }
  stream.is_stalled = false;
  return true;
}

void write_to(Stream& stream, std::string_view text) {
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, kPipeRoom);
    if (!has_room(stream)) return note_lost_output(fmt::format("write to {}: its reader does not read", stream.name));
    if (const int error = try_write_all(stream.fd, std::as_bytes(std::span(piece))); error != 0) {
      return note_lost_output(fmt::format("write to {}: {}", stream.name, std::generic_category().message(error)));
    }
    text.remove_prefix(piece.size());
  }
}

}  // namespace

void print(std::string_view text) {
  printed += text.size();
  write_to(standard_output, text);
}

uint64_t printed_bytes() {
  return printed;
}

void print_error(std::string_view text) {
  write_to(standard_error, text);
}

void stop_waiting_for_readers() {
  Nanos never = kNoDeadline;
  give_up_ns.compare_exchange_strong(never, now_ns() + kAfterStopNs);
}

void note_lost_output(std::string message) {
  Lost& state = lost();
  const std::lock_guard lock(state.mutex);
  if (state.first) return;
  state.first = Error{ErrorCode::kDiskFull,
                      std::move(message),
                      {},
                      "this output is not complete; the results of a run are in its folder all the same"};
}

std::optional<Error> lost_output() {
  Lost& state = lost();
  const std::lock_guard lock(state.mutex);
  return state.first;
}

int status_with_output(int status) {
  const auto error = lost_output();
  if (!error) return status;
  Lost& state = lost();
  if (!std::exchange(state.is_reported, true)) print_error(render(*error) + "\n");
  return status == kExitSuccess ? exit_code(error->code) : status;
}

}  // namespace mlps
