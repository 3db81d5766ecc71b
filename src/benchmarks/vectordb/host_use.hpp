#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/vectordb/record.hpp"
#include "storage/store.hpp"
#include "world/host_counters.hpp"

/// What a search finds and uses of its host: the page cache, and block devices.
namespace mlps::vectordb {

/// Drops the objects whose names begin with `prefix` from this host's page cache. Returns their number.
Result<uint64_t> evict_collection(storage::Store& store, const std::string& prefix);

/// Returns how much of them it holds; nothing where there is no page cache.
Result<std::optional<storage::Residency>> cached_share(storage::Store& store, const std::string& prefix);

/// Returns what the block devices did between two samples, those that did something.
std::vector<DeviceUse> device_use(const world::HostSample& before, const world::HostSample& after);

}  // namespace mlps::vectordb
