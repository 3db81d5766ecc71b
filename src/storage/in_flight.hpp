#pragma once

#include <cstdint>
#include <optional>

#include "storage/store.hpp"

/// How many operations a host has in flight, and in which threads: one decision for everything that moves data.
namespace mlps::storage {

/// What the user set; what is absent is chosen.
struct InFlightRequest {
  std::optional<uint32_t> workers = {};  ///< --io-workers
  std::optional<uint32_t> depth = {};    ///< --io-depth
  uint64_t memory_bytes = 0;             ///< --io-memory: for buffers of this host
  uint32_t cores = 1;
};

/// What the benchmark would like.
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

/// Room for one operation of `bytes` in whole blocks, as the store's buffers need it.
uint64_t buffer_bytes_for(uint64_t bytes, const StoreTraits& traits);

/// workers x depth x buffer stays within the memory. A blocking store gets one thread per operation, an asynchronous
/// one a thread per core. E102 when a value that was asked for can't be honoured; it names the flag, the value and what
/// would be legal.
Result<InFlight> choose_in_flight(const InFlightRequest& request, const InFlightWish& wish, const StoreTraits& traits);

}  // namespace mlps::storage
