#pragma once

#include <chrono>
#include <string>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "storage/http/engine.hpp"

namespace mlps::object {

/// One server of a store, as requests name it.
struct Server {
  std::string origin;       ///< "http://host:port" to connect to, with a bucket in front of the host for virtual hosts
  std::string host;         ///< the Host header
  std::string path_prefix;  ///< encoded, in front of every path, without '/' at its end; mostly empty
  std::string url;          ///< the endpoint as its setting has it, for people and the record
};

/// Waits between attempts: full jitter, uniform in [0, min(cap, base * 2^(attempt - 1))].
struct RetryPolicy {
  unsigned max_attempts = 5;
  std::chrono::nanoseconds transient_base = std::chrono::milliseconds(50);
  std::chrono::nanoseconds throttle_base = std::chrono::seconds(1);
  std::chrono::nanoseconds cap = std::chrono::seconds(20);
  std::chrono::nanoseconds retry_after_cap = std::chrono::seconds(120);  ///< most of a Retry-After that is honoured
  std::chrono::nanoseconds quarantine = std::chrono::seconds(10);  ///< a server that refused is left out this long
};

/// How the engine moves bytes and waits, the same for every dialect.
struct TransferSettings {
  RetryPolicy retry;
  unsigned stall_seconds = 30;          ///< without a byte in either direction
  unsigned commit_stall_seconds = 300;  ///< the same for the commit of an upload, which may think for long
  std::chrono::nanoseconds cancel_grace = std::chrono::seconds(5);  ///< for cleaning up after cancel()
  http::EngineSettings engine;
};

/// Reads the variables that mean the same for every protocol: AWS_MAX_ATTEMPTS, AWS_CA_BUNDLE,
/// MLPSTORAGE_TLS_CERTIFICATE and MLPSTORAGE_TLS_KEY. E101 to E104 name the variable.
Status read_transfer_variables(const Environment& environment, TransferSettings& settings);

}  // namespace mlps::object
