#pragma once

#include <set>
#include <string>
#include <vector>

#include "location/location.hpp"
#include "storage/endpoint.hpp"

/// The kernel's counters that count the bytes moved to and from a location.
namespace mlps::world {

struct CounterPlace {
  enum class Kind {
    kNone,        ///< nothing is moved: null://
    kDisks,       ///< lines of /proc/diskstats, summed
    kNetwork,     ///< every interface of /proc/net/dev but lo, summed
    kLoopback,    ///< lo: the server is this host
    kUncountable  ///< bytes move, but no counter that we know counts them
  };
  Kind kind = Kind::kNone;
  std::vector<std::string> disks;  ///< kDisks: as /proc/diskstats names them
  std::string reason;              ///< kUncountable: why, as a sentence
};

/// The kernel's files about devices; tests give their own folders.
struct CounterPaths {
  std::string sys = "/sys";
  std::string mountinfo = "/proc/self/mountinfo";
};

/// Returns the block device of the file system that holds a folder, or its nearest ancestor that exists. Partitions
/// have counters of their own, and so have most layered devices (device-mapper, md); for a device that counts nothing,
/// the devices below it are taken.
CounterPlace place_of_folder(const std::string& folder, const CounterPaths& paths = {});

/// The same for a device number, so that it can be tested without a folder; `type` is that of the file system where its
/// mount tells it: a subvolume has a device number that no mount has.
CounterPlace place_of_device(unsigned major, unsigned minor, const CounterPaths& paths, const std::string& type = {});

/// Returns the place for an object store: lo if every one of `servers` is an address of this host, else the network.
/// `own_addresses` are numeric, as addresses_of_this_host() (world/addresses.hpp) returns them. A name that can't be
/// resolved counts as another host.
CounterPlace place_of_servers(const std::vector<storage::Endpoint>& servers,
                              const std::set<std::string>& own_addresses);

/// Returns the place of `location`, whose store has these servers (none for other stores).
CounterPlace place_of(const Location& location, const std::vector<storage::Endpoint>& servers);

}  // namespace mlps::world
