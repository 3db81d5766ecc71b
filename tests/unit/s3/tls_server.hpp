#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "own_certificate.hpp"

namespace mlps::test {

/// An HTTPS server on 127.0.0.1 with a certificate of its own making: PUT keeps the body, GET gives it back. One
/// connection at a time.
class TlsServer {
 public:
  /// Its certificate is that of OwnCertificate.
  explicit TlsServer(const std::string& host, long begins = -3600, long ends = 3600);
  ~TlsServer();
  std::string url() const;
  const std::string& certificate_file() const { return certificate_.certificate_file; }
  const std::string& key_file() const { return certificate_.key_file; }
  /// From now on clients must show a certificate, which only the server's own can be.
  void ask_for_certificate();
  /// The next PUTs are reset inside their body.
  void reset_uploads(int count) { resets_ = count; }
  const std::string& body() const { return body_; }

 private:
  void serve();
  void serve_connection(SSL* stream);

  SSL_CTX* context_ = nullptr;
  const OwnCertificate certificate_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> connection_ = -1;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> resets_ = 0;
  std::string body_;
  std::thread thread_;
};

}  // namespace mlps::test
