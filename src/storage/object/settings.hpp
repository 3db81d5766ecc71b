#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "storage/http/engine.hpp"
#include "storage/server_options.hpp"

namespace mlps::object {

/// One server of a store, as requests name it.
struct Server {
  std::string origin;       ///< "http://host:port" to connect to, with a bucket in front of the host for virtual hosts
  std::string host;         ///< the Host header
  std::string path_prefix;  ///< encoded, in front of every path, without '/' at its end; mostly empty
  std::string url;          ///< the endpoint as its setting has it, for people and the record
};

/// Which server the next request of a session goes to.
enum class Balance : uint8_t {
  kRoundRobin,        ///< the next one in turn
  kLeastOutstanding,  ///< the one with the fewest requests of this process in flight
  kByRank             ///< always the session's own, unless that one is set aside
};

/// Waits between attempts: full jitter, uniform in [0, min(cap, base * 2^(attempt - 1))].
struct RetryPolicy {
  unsigned max_attempts = 5;
  std::chrono::nanoseconds transient_base = std::chrono::milliseconds(50);
  std::chrono::nanoseconds throttle_base = std::chrono::seconds(1);
  std::chrono::nanoseconds cap = std::chrono::seconds(20);
  std::chrono::nanoseconds retry_after_cap = std::chrono::seconds(120);  ///< most of a Retry-After that is honoured
  std::chrono::nanoseconds away_cap = std::chrono::seconds(2);  ///< most of a wait for a server that can't be reached
  /// While a server is away, fails or asks for less, attempts go on at least until this long after the first failed one
  /// began, whatever max_attempts says.
  std::chrono::nanoseconds patience = std::chrono::seconds(60);
};

/// How the engine moves bytes and waits, the same for every dialect.
struct TransferSettings {
  RetryPolicy retry;
  Balance balance = Balance::kRoundRobin;
  size_t rank = 0;  ///< of this process in its job; sessions begin at different servers
  /// Of several servers, one without a byte for this long is probed, and set aside if it doesn't answer a probe in
  /// time.
  std::chrono::nanoseconds quiet = std::chrono::seconds(4);
  unsigned probe_seconds = 3;
  unsigned stall_seconds = 30;          ///< without a byte in either direction
  unsigned commit_stall_seconds = 300;  ///< the same for the commit of an upload, which may think for long
  std::chrono::nanoseconds cancel_grace = std::chrono::seconds(5);  ///< for cleaning up after cancel()
  http::EngineSettings engine;
  std::shared_ptr<storage::OpLog> op_log;  ///< keeps every attempt; null: nothing does
};

/// Takes over what the command line says.
void take_options(TransferSettings& settings, const storage::ServerOptions& options);

/// Reads S3_LOAD_BALANCE_STRATEGY, and the rank of this process among those of its job as its launcher tells it. E102
/// names the legal values.
Status read_balance(TransferSettings& settings, const Environment& environment);

std::string_view balance_name(Balance balance);  ///< as S3_LOAD_BALANCE_STRATEGY has it

/// Reads MLPSTORAGE_TLS_CERTIFICATE and MLPSTORAGE_TLS_KEY: the certificate of this client. E101 to E104 as below.
Status read_own_certificate(const Environment& environment, http::EngineSettings& engine);

/// Reads MLPSTORAGE_PROXY (which --proxy sets) and MLPSTORAGE_PROXY_USER. E102 for what is no address of an HTTP proxy.
Status read_proxy(const Environment& environment, http::Way& way);

/// Reads the variables that mean the same for every protocol: AWS_MAX_ATTEMPTS, AWS_CA_BUNDLE,
/// MLPSTORAGE_TLS_CERTIFICATE, MLPSTORAGE_TLS_KEY, and those of read_balance() and read_proxy(). E101 to E104 name the
/// variable.
Status read_transfer_variables(const Environment& environment, TransferSettings& settings);

}  // namespace mlps::object
