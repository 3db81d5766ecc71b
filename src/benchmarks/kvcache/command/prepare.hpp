#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/kvcache/command/options.hpp"
#include "benchmarks/kvcache/run.hpp"
#include "storage/store.hpp"
#include "workloads/values.hpp"

namespace mlps::cli {

/// Holds a kvcache command in which everything is decided that can be without touching any storage.
struct PreparedKvCache {
  workloads::Values values;               ///< options.*, sequence.*, features.*
  std::unique_ptr<storage::Store> store;  ///< run, and configview with a folder: opened, nothing sent
  std::unique_ptr<storage::Store> slabs;  ///< over that store, where blocks are in slots; the run's
  kvcache::RunRequest request;            ///< its I/O is planned where there is a store
};

/// Makes the plan and opens the store. Returns every failure found.
tl::expected<PreparedKvCache, std::vector<Error>> prepare_kvcache(const KvCacheOptions& options,
                                                                  const Environment& environment);

/// Returns the memory that one host needs for an option: buffers, and the CPU tiers of its ranks.
uint64_t host_memory(const kvcache::OptionIo& io, const kvcache::OptionPlan& option, uint32_t ranks);

/// Returns the ranks of the host with most of them.
uint32_t ranks_per_host(const KvCacheOptions& options);

}  // namespace mlps::cli
