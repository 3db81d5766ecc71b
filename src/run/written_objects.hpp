#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"

/// What a run writes into a folder that may hold the same of an earlier run, and that stays there unless the user wants
/// it removed.
namespace mlps::run {

/// Returns the sizes of all objects below `folder`, by name.
Result<std::unordered_map<std::string, uint64_t>> list_sizes(const std::string& folder, storage::Session& session);

/// Returns how many bytes `objects`, all of them in `folder`, will take the place of: those of them that are there.
Result<uint64_t> bytes_in_place(const std::string& folder, const std::vector<storage::ObjectInfo>& objects,
                                storage::Session& session);

/// Removes those of `objects` that are there, and `folder` where it is one of a file system and empty then. Returns the
/// first error; what could be removed is.
Status remove_objects(const std::string& folder, const std::vector<storage::ObjectInfo>& objects,
                      storage::Session& session, const storage::Store& store);

/// What a run was to write.
struct Written {
  std::string what;                                  ///< "2 checkpoints, 3.00 GiB in /mnt/ck"
  bool whole = true;                                 ///< false: the run has failed, maybe before it wrote any of it
  std::function<Result<uint64_t>()> bytes_in_place;  ///< asked on file systems if it isn't whole; may be empty
  std::function<Status()> remove;
};
/// Says that it stays; or, where `cleanup` asks for that, removes it and says so. Says nothing where nothing is there.
void settle_written(bool cleanup, const Written& written);

}  // namespace mlps::run
