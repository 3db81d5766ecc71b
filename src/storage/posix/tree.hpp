#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "storage/store.hpp"

namespace mlps::storage::posix {

/// The folder that is the root of a store: turns object names into paths, and implements the blocking calls of a
/// session, the same for buffered and direct files. The folder need not exist. A value; every method is const, and any
/// thread may call it.
class Tree {
 public:
  /// `root` is absolute, without trailing '/' ("/" itself excepted).
  explicit Tree(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }

  /// Returns the path of an object. A name that would leave the root, or that is no name (empty, absolute, empty or `.`
  /// or `..` components, a NUL), is E102.
  Result<std::string> path_of(std::string_view name) const;

  Result<ObjectInfo> head(std::string_view name) const;  ///< E603 if absent or a folder
  /// Returns the files below the folder `prefix` ("" is the root), or the file of that name, in byte order of their
  /// names, at most kListPage; `continuation` is the last name of the page before. Symbolic links to files count as
  /// files, links to folders are not entered.
  Result<ListPage> list(std::string_view prefix, std::string_view continuation) const;
  /// Stores a file durably and atomically: a reader, also one after a crash, finds the old bytes or the new ones.
  Status put(std::string_view name, std::span<const std::byte> bytes) const;
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t offset, uint64_t length) const;
  Status remove(std::string_view name) const;

  /// Returns the free space for this user at the nearest existing ancestor of the root. E401 without one, E402 if it
  /// can't be asked; nothing where the file system doesn't say, as some over object stores report no blocks at all.
  Result<std::optional<Capacity>> capacity() const;
  /// Writes back and drops a file's pages from the page cache, for whoever may read it. E603 if the file is not there.
  /// Where the kernel refuses the call nothing is dropped: residency() tells.
  Status evict(std::string_view name) const;
  /// Returns the cached pages of a file, by mincore. Nothing where the kernel doesn't tell the truth (to a user who
  /// neither owns the file nor may write it, every page is reported as cached) or refuses to tell.
  Result<std::optional<Residency>> residency(std::string_view name) const;

  static constexpr size_t kListPage = 1000;
  /// Ends the name of a file that put() is writing; it gets its own name when it is whole. Lists leave such files out.
  static constexpr std::string_view kPartialSuffix = ".mlps-partial";

 private:
  Result<Descriptor> open_for_reading(std::string_view name) const;

  std::string root_;
};

/// Returns `path` or the nearest of its parents that exists; empty if there is none.
std::string nearest_existing(const std::string& path);

/// Returns errno_error() for what was done to a file, with the advice that its cause has where the file system is one
/// that refuses O_DIRECT, or whose server failed over.
Error file_error(int errno_value, bool direct, std::string what);

/// Opens a regular file; `flags` as for open(2). Anything else in its place, such as a FIFO or a device, is refused
/// without waiting for it and without a byte moved (E404). A handle that a failed-over server calls stale (ESTALE) is
/// asked for once more by path, with a warning; `attempts` counts.
Result<Descriptor> open_regular(const std::string& path, int flags, uint32_t& attempts);

/// Creates the folders that lead to `path`, and makes each new one durable. Others may create them at the same time.
Status make_parents(const std::string& path);

/// Opens the folder of `path`, to fsync it.
Result<Descriptor> open_parent(const std::string& path);

/// Returns whether this errno of an fsync of a folder means that the file system has no such call, as some network file
/// systems (their server keeps the names): no reason to fail.
bool is_unsupported_folder_sync(int errno_value);

/// Makes the names in the folder of `path` durable.
Status sync_parent(const std::string& path);

/// Returns the folder part of an absolute path.
std::string parent_of(const std::string& path);

/// Returns E603 naming the path.
Error absent_error(const std::string& path);

}  // namespace mlps::storage::posix
