#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <stdexcept>

namespace mlps::test {

struct Listener {
  int fd = -1;  ///< the caller's to close
  uint16_t port = 0;
};

/// A socket that listens on 127.0.0.1, at a port of the system's choice. Throws if there is none.
inline Listener listen_on_loopback(int backlog) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, generic, length) != 0 || listen(fd, backlog) != 0 || getsockname(fd, generic, &length) != 0) {
    throw std::runtime_error("no listening socket on 127.0.0.1");
  }
  return {fd, ntohs(address.sin_port)};
}

}  // namespace mlps::test
