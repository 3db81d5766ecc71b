#include "storage/endpoint.hpp"

#include <fmt/format.h>

namespace mlps::storage {

std::string Endpoint::authority() const {
  return port == default_port(tls) ? host : fmt::format("{}:{}", host, port);
}

std::string Endpoint::url() const {
  return (tls ? "https://" : "http://") + authority() + path;
}

std::string Endpoint::host_name() const {
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

bool Endpoint::host_is_address() const {
  return host.starts_with('[') || host.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace mlps::storage
