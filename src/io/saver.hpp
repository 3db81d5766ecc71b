#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/object_pool.hpp"

namespace mlps::io {

/// Saves sets of objects one after the other, for runs that save something now and then. Sessions and buffers are
/// opened once. Used by one thread.
class Saver {
 public:
  /// Makes room for objects of up to `largest_bytes`.
  static Result<std::unique_ptr<Saver>> open(storage::Store& store, uint64_t largest_bytes, uint32_t cores,
                                             world::Failure& failure);

  struct Item {
    std::string name;  ///< relative to the store's root
    uint64_t size_bytes = 0;
  };
  struct Saved {
    Stamp start;
    Nanos duration_ns = 0;  ///< until the last object is complete and durable
    uint64_t bytes = 0;
    Nanos idle_ns = 0;  ///< of the duration, until the last object was complete: nothing at all was in flight
  };
  /// Writes `items` with the payload of `seed` and waits until all are stored, or the run has failed.
  Result<Saved> save(const std::vector<Item>& items, uint64_t seed);

 private:
  Saver(storage::Store& store, const Plan& plan, world::Failure& failure)
      : store_(store), plan_(plan), failure_(failure) {}

  storage::Store& store_;
  const Plan plan_;
  world::Failure& failure_;
  std::unique_ptr<ObjectPool> pool_;
  uint32_t saved_ = 0;
};

}  // namespace mlps::io
