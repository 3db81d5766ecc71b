#pragma once

#include <memory>
#include <string>
#include <vector>

#include "benchmarks/checkpointing/record.hpp"
#include "storage/store.hpp"
#include "world/world.hpp"

namespace mlps::checkpointing {

/// Saves single checkpoints outside the checkpointing benchmark, with its crew of workers: for training runs, which
/// save one now and then. Sessions and buffers are opened once. Not thread-safe.
class Saver {
 public:
  /// Room for objects of up to `largest_bytes`.
  static Result<std::unique_ptr<Saver>> open(storage::Store& store, uint64_t largest_bytes, uint32_t cores,
                                             world::Failure& failure);
  ~Saver();

  struct Saved {
    Stamp start;
    Nanos duration_ns = 0;  ///< to the last object being complete and durable
    uint64_t bytes = 0;
  };
  /// Writes `objects` (names relative to the store's root) with payload of `seed` and waits until all are stored.
  Result<Saved> save(const std::vector<PlannedObject>& objects, uint64_t seed);

 private:
  struct State;
  explicit Saver(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mlps::checkpointing
