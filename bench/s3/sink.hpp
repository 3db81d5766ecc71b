#pragma once

#include <sys/types.h>

#include <cstdint>

namespace mlps::bench {

/// An HTTP server in a process of its own on 127.0.0.1 that throws bodies away unread (MSG_TRUNC), sends as many bytes
/// as a range asks for, and answers as S3 would, so that the cost measured in this process is the client's alone.
class Sink {
 public:
  Sink();
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  uint16_t port() const { return port_; }

 private:
  pid_t child_ = -1;
  uint16_t port_ = 0;
};

}  // namespace mlps::bench
