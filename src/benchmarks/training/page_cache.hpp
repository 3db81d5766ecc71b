#pragma once

#include "benchmarks/training/dataset.hpp"
#include "benchmarks/training/record.hpp"
#include "storage/store.hpp"
#include "world/world.hpp"

namespace mlps::training {

/// Before an epoch on a file system, with O_DIRECT too (which some file systems accept and do through the page cache):
/// asks a sample of the files how much of them this host's page cache holds, and if it is more than a trace, or not
/// known, evicts the whole set, without root and in parallel, for at most `limit_s` seconds; then asks again. The cost
/// is that of a few hundred files as long as there is nothing to evict: readers drop what they have read. A file system
/// that keeps its pages is left alone after one file. The probe's `action` says what was done and what is unknown;
/// where nothing could be asked, its sample is empty, and a warning says why.
Result<CacheProbe> keep_cold(const Dataset& dataset, storage::Store& store, double limit_s, uint32_t threads,
                             world::Failure& failure);

}  // namespace mlps::training
