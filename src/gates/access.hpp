#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"

namespace mlps::gates {

/// Writes, reads, compares and deletes an object of about 4 KiB, "<model_folder>/.mlpstorage-probe-<random>", which is
/// deleted also after a failure. Returns the failures, as the store reports them, or E606 if the content differs.
std::vector<Error> check_write_access(storage::Store& store, const std::string& model_folder);

/// Lists the first objects of `model_folder`, which proves that the store answers and may be read. For runs that only
/// read, which may lack the permission to write.
Result<std::vector<storage::ObjectInfo>> check_read_access(storage::Store& store, const std::string& model_folder);

}  // namespace mlps::gates
