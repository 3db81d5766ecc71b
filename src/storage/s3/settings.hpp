#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "location/location.hpp"
#include "storage/http/engine.hpp"
#include "storage/s3/endpoint.hpp"
#include "storage/s3/sigv4.hpp"
#include "storage/store.hpp"

namespace mlps::s3 {

/// Waits between attempts: full jitter, uniform in [0, min(cap, base * 2^(attempt - 1))].
struct RetryPolicy {
  unsigned max_attempts = 5;
  std::chrono::nanoseconds transient_base = std::chrono::milliseconds(50);
  std::chrono::nanoseconds throttle_base = std::chrono::seconds(1);
  std::chrono::nanoseconds cap = std::chrono::seconds(20);
  std::chrono::nanoseconds retry_after_cap = std::chrono::seconds(120);  ///< most of a Retry-After that is honoured
  std::chrono::nanoseconds quarantine = std::chrono::seconds(10);  ///< an endpoint that refused is left out this long
};

/// All that a store was opened with. Immutable afterwards.
struct Settings {
  std::vector<Endpoint> endpoints;
  std::string endpoint_source;  ///< the variable that named them, or "default"
  std::string region;
  Credentials credentials;
  bool virtual_host = false;  ///< bucket in front of the host instead of in the path
  bool sign_payload = false;  ///< SHA-256 of bodies instead of UNSIGNED-PAYLOAD
  bool checksum = true;       ///< CRC32C with PUTs and parts
  RetryPolicy retry;
  unsigned stall_seconds = 30;            ///< without a byte in either direction
  unsigned complete_stall_seconds = 300;  ///< the same for CompleteMultipartUpload, which may think for long
  std::chrono::nanoseconds cancel_grace = std::chrono::seconds(5);  ///< for cleaning up after cancel()
  http::EngineSettings engine;
};

/// Returns the settings for `root` (s3 or gs) from the variables; docs/object-storage.md has their table. Errors (E101
/// to E105) name the variable.
Result<Settings> resolve_settings(const Location& root, const Environment& environment);

/// Returns the settings as Store::describe() does: never a secret.
storage::SettingList describe(const Settings& settings);

}  // namespace mlps::s3
