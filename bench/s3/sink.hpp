#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "../../tests/unit/s3/own_certificate.hpp"

namespace mlps::bench {

/// An HTTP server in a process of its own on 127.0.0.1 that throws bodies away unread (MSG_TRUNC), sends as many bytes
/// as a range asks for, and answers as S3 would, so that the cost measured in this process is the client's alone.
/// With TLS it decrypts what it throws away.
class Sink {
 public:
  explicit Sink(bool tls = false);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  uint16_t port() const { return port_; }
  /// Returns the file of the certificate that clients must trust; only with TLS.
  const std::string& certificate_file() const { return certificate_->certificate_file; }

 private:
  pid_t child_ = -1;
  uint16_t port_ = 0;
  std::unique_ptr<test::OwnCertificate> certificate_;
};

}  // namespace mlps::bench
