#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"

namespace mlps::gates {

/// Puts, gets, compares and deletes an object of about 4 KiB, "<model_folder>/.mlpstorage-probe-<random>". The object
/// is deleted whatever happens. What went wrong comes back in the store's own words, E606 for other bytes.
std::vector<Error> probe_writing(storage::Store& store, const std::string& model_folder);

/// The first objects of `model_folder`: the store answers and lets us read. For runs that write nothing, which may have
/// no right to.
Result<std::vector<storage::ObjectInfo>> probe_reading(storage::Store& store, const std::string& model_folder);

}  // namespace mlps::gates
