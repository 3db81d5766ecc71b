#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "location/location.hpp"
#include "storage/object/dialect.hpp"
#include "storage/object/servers.hpp"
#include "storage/object/settings.hpp"

namespace mlps::object {

/// The data that all sessions of one store share: settings, servers and dialect. Immutable except for the clock
/// correction.
struct Context {
  Context(Location location, TransferSettings chosen, std::vector<Server> all, std::unique_ptr<const Dialect> spoken);

  Location root;
  TransferSettings settings;
  Servers servers;
  std::unique_ptr<const Dialect> dialect;
  /// Server time minus ours in seconds, learned from an answer that says so.
  std::atomic<int64_t> clock_offset = 0;
  std::atomic<bool> told_clock = false;
  std::atomic<bool> told_open_upload = false;
  std::atomic<Nanos> told_waiting_ns = 0;  ///< when a session last said that it waits for a server; 0: never

  /// Warns that an upload of `uri` may have stayed open, once a store with the reason.
  void tell_open_upload(const std::string& uri, const std::string& reason);

  std::string bucket_uri() const;                         ///< "s3://bucket", for people
  std::string object_uri(std::string_view name) const;    ///< "s3://bucket/prefix/name", for people
  std::string key_prefix(std::string_view prefix) const;  ///< the key prefix of a list below the root
  std::unique_ptr<RemoteObject> make_object(storage::ObjectSpec spec) const;
};

}  // namespace mlps::object
