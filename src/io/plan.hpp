#pragma once

#include <cstdint>
#include <optional>

#include "storage/store.hpp"

/// How many operations a host has in flight, in which threads and in how much memory: one decision for all benchmarks.
namespace mlps::io {

/// How the bytes of this host move: decided before the run from the store's traits and the user's limits, printed, and
/// obeyed.
struct Plan {
  uint32_t workers = 0;       ///< I/O threads, each with a session
  uint32_t depth = 0;         ///< operations in flight per I/O thread
  uint64_t part_bytes = 0;    ///< largest part or range of any operation, in whole blocks of the store
  uint64_t budget_bytes = 0;  ///< limit for I/O buffers (--io-memory)
  bool buffers = true;        ///< false: no bytes go through memory
  uint64_t buffer_bytes() const { return buffers ? uint64_t{workers} * depth * part_bytes : 0; }
};

/// The values the user set; absent ones are chosen.
struct PlanRequest {
  std::optional<uint32_t> workers = {};  ///< --io-workers
  std::optional<uint32_t> depth = {};    ///< --io-depth
  uint64_t part_bytes = 0;               ///< --io-part-size
  uint64_t memory_bytes = 0;             ///< --io-memory
  uint32_t cores = 1;
  uint64_t spare_bytes = 0;  ///< the memory may grow to this for all that is wanted in flight; 0: it is the user's
};

/// The needs of the benchmark.
struct PlanWish {
  uint64_t in_flight = 1;              ///< operations at once on this host
  uint64_t most_workers = UINT64_MAX;  ///< more would find nothing to do
  uint32_t null_workers = 1;           ///< on null://, where nothing is waited for
  uint32_t null_depth = 1;
  uint64_t part_bytes = 0;
  bool buffers = true;
};

/// Returns the size of a buffer for an operation of `bytes`: whole blocks, as the store needs them.
uint64_t buffer_bytes_for(uint64_t bytes, const storage::StoreTraits& traits);

/// Chooses threads and depth so that workers x depth x part stays within the memory. A blocking store gets one thread
/// per operation, an asynchronous one a thread per core. Fails with E102 when a value that was asked for can't be
/// honoured; the error names the flag, the value and the legal ones.
Result<Plan> choose_plan(const PlanRequest& request, const PlanWish& wish, const storage::StoreTraits& traits);

}  // namespace mlps::io
