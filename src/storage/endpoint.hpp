#pragma once

#include <cstdint>
#include <string>

namespace mlps::storage {

/// The base address of a server: scheme, host and port, and where a gateway has one, a path in front of all buckets.
struct Endpoint {
  bool tls = false;
  std::string host;       ///< lower case; an IPv6 address stands in brackets
  uint16_t port = 0;      ///< never 0 once parsed: the scheme's own where the text has none
  std::string path = {};  ///< encoded, "/gateway" or empty

  /// Returns "host" or "host:port", as a Host header has it: the port only where it isn't the scheme's own.
  std::string authority() const;
  std::string url() const;        ///< "http://host:port" and the path
  std::string host_name() const;  ///< `host` without the brackets of an IPv6 address, as a resolver takes it
  bool host_is_address() const;   ///< true for an IPv4 or IPv6 address: no name can be put in front of it
  static uint16_t default_port(bool tls) { return tls ? 443 : 80; }
  bool operator==(const Endpoint&) const = default;
};

}  // namespace mlps::storage
