#include "sink.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../../tests/unit/support/loopback.hpp"

namespace mlps::bench {
namespace {

constexpr std::string_view kStored = "HTTP/1.1 200 OK\r\nETag: \"0\"\r\nContent-Length: 0\r\n\r\n";
constexpr std::string_view kDeleted = "HTTP/1.1 204 No Content\r\n\r\n";

std::string created() {
  const std::string body = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>";
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Returns the number behind `prefix` ("content-length: ") in the header lines, or 0.
uint64_t number_after(std::string_view head, std::string_view prefix) {
  for (auto at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at + 1)) {
    const std::string line(head.substr(at + 1, 64));
    if (strncasecmp(line.c_str(), prefix.data(), prefix.size()) == 0) {
      return std::strtoull(line.c_str() + prefix.size(), nullptr, 10);
    }
  }
  return 0;
}

bool send_all(int fd, const char* data, size_t length, int flags) {
  while (length > 0) {
    const ssize_t sent = send(fd, data, length, flags | MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    length -= static_cast<size_t>(sent);
  }
  return true;
}

/// Answers "Range: bytes=0-N" with bytes that nobody compares.
bool send_range(int fd, uint64_t length) {
  static const std::vector<char> block(1 << 20, 'x');
  const std::string head = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-" + std::to_string(length - 1) +
                           "/" + std::to_string(length) + "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  if (!send_all(fd, head.data(), head.size(), MSG_MORE)) return false;
  for (; length > 0; length -= std::min<uint64_t>(length, block.size())) {
    if (!send_all(fd, block.data(), std::min<uint64_t>(length, block.size()), 0)) return false;
  }
  return true;
}

bool discard(int fd, uint64_t length) {
  while (length > 0) {
    // TCP takes MSG_TRUNC as "drop this many bytes without copying them".
    const size_t most = std::min<uint64_t>(length, uint64_t{4} << 20);
    const ssize_t got = recv(fd, nullptr, most, MSG_TRUNC);
    if (got <= 0) return false;
    length -= static_cast<uint64_t>(got);
  }
  return true;
}

void serve(int fd) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  std::string pending;
  for (;;) {
    size_t end;
    while ((end = pending.find("\r\n\r\n")) == std::string::npos) {
      std::array<char, 8192> piece;
      const ssize_t got = recv(fd, piece.data(), piece.size(), 0);
      if (got <= 0) {
        close(fd);
        return;
      }
      pending.append(piece.data(), static_cast<size_t>(got));
    }
    const std::string head = pending.substr(0, end + 2);
    pending.erase(0, end + 4);
    const uint64_t length = number_after(head, "content-length: ");
    const uint64_t here = std::min<uint64_t>(length, pending.size());
    pending.erase(0, here);
    if (!discard(fd, length - here)) break;
    if (head.starts_with("GET")) {
      if (!send_range(fd, number_after(head, "range: bytes=0-") + 1)) break;
      continue;
    }
    const std::string answer =
        head.starts_with("POST") ? created() : std::string(head.starts_with("DELETE") ? kDeleted : kStored);
    if (send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
  }
  close(fd);
}

[[noreturn]] void run_server(int listener) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) _exit(1);
    std::thread(serve, fd).detach();
  }
}

}  // namespace

Sink::Sink() {
  const auto [listener, port] = test::listen_on_loopback(128);
  port_ = port;
  child_ = fork();
  if (child_ == 0) run_server(listener);
  close(listener);
  if (child_ < 0) throw std::runtime_error("fork failed");
}

Sink::~Sink() {
  kill(child_, SIGKILL);
  waitpid(child_, nullptr, 0);
}

}  // namespace mlps::bench
