#pragma once

#include <cstdint>
#include <optional>

#include "storage/store.hpp"

/// The number of operations that a host has in flight, and of the I/O threads that submit them: one decision for
/// everything that moves data.
namespace mlps::storage {

/// The values that the user gave; absent ones are chosen.
struct InFlightRequest {
  std::optional<uint32_t> workers = {};  ///< --io-workers
  std::optional<uint32_t> depth = {};    ///< --io-depth
  uint64_t memory_bytes = 0;             ///< --io-memory: for buffers of this host
  uint32_t cores = 1;
};

/// The values that suit the benchmark best.
struct InFlightWish {
  uint64_t in_flight = 1;              ///< operations at once on this host
  uint64_t most_workers = UINT64_MAX;  ///< more would find nothing to do
  uint32_t null_workers = 1;           ///< on null://, where nothing is waited for
  uint32_t null_depth = 1;
  uint64_t buffer_bytes = 0;  ///< of one operation; 0: no bytes go through memory
};

struct InFlight {
  uint32_t workers = 1;  ///< I/O threads, each with a session
  uint32_t depth = 1;    ///< operations in flight of each
};

/// Returns the bytes of buffer for one operation of `bytes`: whole blocks of the store's alignment.
uint64_t buffer_bytes_for(uint64_t bytes, const StoreTraits& traits);

/// Returns numbers with which workers x depth x buffer stays within the memory. A blocking store gets one thread per
/// operation, an asynchronous one a thread per core. E102 when a value that was asked for can't be honoured; it names
/// the flag, the value and what would be legal.
Result<InFlight> choose_in_flight(const InFlightRequest& request, const InFlightWish& wish, const StoreTraits& traits);

}  // namespace mlps::storage
