#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"

namespace mlps::gates {

/// Writes, reads, compares and deletes an object of about 4 KiB, ".mlpstorage-probe-<random>", which is deleted also
/// after a failure. Returns the failures, as the store reports them, or E606 if the content differs.
std::vector<Error> check_write_access(storage::Store& store);

/// Does with a file in `folder` what runs do with theirs: writes it out of order, syncs it, writes it again, and
/// renames another one over it. Returns the first refusal, with what it was refused; file systems over object stores
/// have some. Files that can't be removed are warnings.
std::optional<Error> check_write_pattern(const std::string& folder, std::vector<std::string>& warnings);

/// Lists the first objects of the store, which proves that the store answers and may be read. For runs that only
/// read, which may lack the permission to write.
Result<std::vector<storage::ObjectInfo>> check_read_access(storage::Store& store);

}  // namespace mlps::gates
