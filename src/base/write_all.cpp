#include "base/write_all.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/descriptor.hpp"
#include "base/waiting.hpp"

namespace mlps {
namespace {

constexpr Nanos kSlowReaderNs = 60'000'000'000;

// Waits for the reader of a pipe that was made non-blocking by somebody who shares it.
bool is_writable_again(int fd) {
  std::array<pollfd, 1> watched{pollfd{fd, POLLOUT, 0}};
  return poll_until(watched, now_ns() + kSlowReaderNs) > 0;
}

}  // namespace

int try_write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN && is_writable_again(fd)) continue;
    if (written <= 0) return written < 0 ? errno : EIO;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return 0;
}

Status write_all(int fd, std::span<const std::byte> bytes, const std::string& what) {
  if (const int error = try_write_all(fd, bytes); error != 0) return fail(errno_error(error, what));
  return {};
}

Status write_all(int fd, std::string_view text, const std::string& what) {
  return write_all(fd, std::as_bytes(std::span(text)), what);
}

Status write_file(const std::string& path, std::string_view text, int flags) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644));
  if (!file.is_open()) return fail(errno_error(errno, "create " + path));
  if (Status status = write_all(file.get(), text, "write " + path); !status) return status;
  if (const int error = file.close(); error != 0) return fail(errno_error(error, "write " + path));
  return {};
}

}  // namespace mlps
