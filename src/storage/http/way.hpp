#pragma once

#include <string>
#include <string_view>

namespace mlps::http {

/// By what connections go to servers, and whom they trust.
struct Way {
  std::string ca_file = {};     ///< PEM bundle for TLS; empty: the system's
  std::string proxy = {};       ///< "http://host:port" of an HTTP proxy; empty: none
  std::string proxy_user = {};  ///< "user:password" for it, a secret; empty: none
};

/// Returns whether a URL is of a service on this host or of its link (metadata services), which no proxy can reach.
bool is_beside_host(std::string_view url);

}  // namespace mlps::http
