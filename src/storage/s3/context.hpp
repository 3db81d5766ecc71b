#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "location/location.hpp"
#include "storage/s3/settings.hpp"

namespace mlps::s3 {

/// The data that all sessions of one store share: settings, and the texts derived from them once. Immutable except for
/// the clock correction.
struct Context {
  Context(Location location, Settings chosen);

  Location root;
  Settings settings;
  std::vector<std::string> bases;  ///< per endpoint: "http://host:port", with the bucket in front for virtual hosts
  std::vector<std::string> hosts;  ///< per endpoint: the Host header
  std::string bucket_path;         ///< "/bucket" in path style, else empty
  /// Server time minus ours in seconds, learned from a RequestTimeTooSkewed answer.
  std::atomic<int64_t> clock_offset = 0;
  std::atomic<Nanos> told_waiting_ns = 0;  ///< when a session last said that it waits for a server; 0: never

  std::string object_path(std::string_view name) const;   ///< encoded, of a name relative to the root
  std::string bucket_request_path() const;                ///< encoded, of requests to the bucket itself
  std::string object_uri(std::string_view name) const;    ///< "s3://bucket/prefix/name", for people
  std::string key_prefix(std::string_view prefix) const;  ///< the key prefix of a list below the root
};

}  // namespace mlps::s3
