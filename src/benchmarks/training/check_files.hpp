#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "benchmarks/training/dataset.hpp"
#include "storage/store.hpp"
#include "world/failure.hpp"

namespace mlps::training {

/// Returns the k of the k-th files that are checked: what the user asked for, of which 0 means none, or by the number
/// of files.
uint64_t listing_interval(uint64_t files, std::optional<uint64_t> asked);

/// Asks the store for the sizes of `count` files, the i-th of them being named `name_of(i)`, with many threads at once,
/// and gives each answer to `take` with that i: the size, or nothing if the file isn't there. `take` is called by
/// one thread at a time. Fails with the first error that says neither; ends early when `failure` is raised.
Status ask_files(uint64_t count, const std::function<std::string(uint64_t)>& name_of, storage::Store& store,
                 world::Failure& failure, const std::function<void(uint64_t i, std::optional<uint64_t> bytes)>& take);

/// Checks that the first, the last and every `interval`-th file of the set is there with its exact size; see
/// listing_interval(), which may say that none is. Fails with E603 or E606 with the number of missing and wrong files
/// and the first of them. Nothing to do for null://.
Status check_files(const Dataset& dataset, std::optional<uint64_t> interval, storage::Store& store,
                   world::Failure& failure);

/// Finds the sizes of the files of a set that another program made. Asks as check_files() does, or, where that checks
/// none, by their number; only if these files
/// differ in size, all are asked for. If none of them is there, their mean size is 0. Fails with E603 for missing
/// and E606 for empty files.
Result<FoundSizes> find_sizes(const Dataset& names, std::optional<uint64_t> interval, storage::Store& store,
                              world::Failure& failure);

}  // namespace mlps::training
