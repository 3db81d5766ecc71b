#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"

namespace mlps::gates {

/// Sends one request of every kind that a run which writes depends on, with an object of about 4 KiB,
/// ".mlpstorage-probe-<random>": looks for the bucket, lists, writes, looks at, reads and compares, and where
/// `part_bytes` isn't 0 begins an upload and sends a part of that size (at most 64 MiB of it); then gives the upload up
/// and deletes the object, also after a failure. Returns the failures, as the store reports them, with what is left
/// behind; E606 if the content differs. Without a bucket, or an answer, nothing else is tried.
std::vector<Error> check_write_access(storage::Store& store, uint64_t part_bytes = 0);

/// Does with a file in `folder` what runs do with theirs: writes it out of order, syncs it, writes it again, and
/// renames another one over it. Returns the first refusal, with what it was refused; file systems over object stores
/// have some. Files that can't be removed are warnings.
std::optional<Error> check_write_pattern(const std::string& folder, std::vector<std::string>& warnings);

/// Lists the first objects of the store, which proves that the store answers and may be read. For runs that only
/// read, which may lack the permission to write.
Result<std::vector<storage::ObjectInfo>> check_read_access(storage::Store& store);

}  // namespace mlps::gates
