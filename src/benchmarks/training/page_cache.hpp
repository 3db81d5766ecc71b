#pragma once

#include "benchmarks/training/dataset.hpp"
#include "benchmarks/training/record.hpp"
#include "storage/store.hpp"
#include "world/world.hpp"

namespace mlps::training {

/// Before an epoch on a file system: asks a sample of the files how much of them this host's page cache holds, and if
/// it is more than a trace, evicts the whole set, without root and in parallel, for at most `limit_s` seconds; then
/// asks again. The cost is that of a few hundred files as long as there is nothing to evict: readers drop what they
/// have read. The probe's `action` says what could not be done.
Result<CacheProbe> keep_cold(const Dataset& dataset, storage::Store& store, double limit_s, uint32_t threads,
                             world::Failure& failure);

}  // namespace mlps::training
