#pragma once

#include <openssl/ssl.h>

#include <string>

namespace mlps::test {

/// A certificate that nobody but itself vouches for, in files that go with it.
struct OwnCertificate {
  /// `host` is the name or address that it is made out to, as "IP:127.0.0.1" or "DNS:name". It counts from `begins` to
  /// `ends`, in seconds from now.
  explicit OwnCertificate(const std::string& host, long begins = -3600, long ends = 3600);
  ~OwnCertificate();
  OwnCertificate(const OwnCertificate&) = delete;
  OwnCertificate& operator=(const OwnCertificate&) = delete;

  /// Has a server show it.
  void give_to(SSL_CTX* context) const;

  std::string certificate_file, key_file;  ///< PEM
};

}  // namespace mlps::test
