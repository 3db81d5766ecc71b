#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "storage/posix/tree.hpp"

namespace mlps::storage::posix {
namespace {

struct DirCloser {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, DirCloser>;

/// An entry of a folder. A folder's key ends in '/', so that sorting keys sorts the full names below, too.
struct Entry {
  std::string key;
  uint64_t size_bytes = 0;
  bool is_folder() const { return key.back() == '/'; }
};

/// Walks folders in byte order of full names, from just after one name until a page is full.
class Walk {
 public:
  Walk(const std::string& root, std::string_view after, ListPage& page) : root_(root), after_(after), page_(page) {}

  /// Adds the files below the folder `prefix` ("" or ending in '/').
  Status add_folder(const std::string& prefix) {
    const Result<std::vector<Entry>> entries = read_folder(prefix);
    if (!entries) return fail(entries.error());
    for (const Entry& entry : *entries) {
      const std::string name = prefix + entry.key;
      if (entry.is_folder()) {
        const bool passed = name < after_ && !after_.starts_with(name);
        if (passed) continue;
        if (Status added = add_folder(name); !added) return added;
      } else if (after_.empty() || name > after_) {
        if (page_.objects.size() == Tree::kListPage) {
          page_.next = page_.objects.back().name;
        } else {
          page_.objects.push_back({name, entry.size_bytes});
        }
      }
      if (!page_.next.empty()) return {};
    }
    return {};
  }

 private:
  Result<std::vector<Entry>> read_folder(const std::string& prefix) const {
    const std::string path = root_ + "/" + prefix;
    std::vector<Entry> entries;
    const Folder folder(::opendir(path.c_str()));
    if (!folder) {
      // Gone, or never there: nothing is below it.
      if (errno == ENOENT || errno == ENOTDIR) return entries;
      return fail(errno_error(errno, fmt::format("list folder {}", path)));
    }
    for (;;) {
      errno = 0;
      const dirent* raw = ::readdir(folder.get());
      if (raw == nullptr) break;
      const std::string_view name = raw->d_name;
      if (name == "." || name == ".." || name.ends_with(Tree::kPartialSuffix)) continue;
      if (Status added = add_entry(::dirfd(folder.get()), raw->d_name, path, entries); !added) {
        return fail(added.error());
      }
    }
    if (errno != 0) return fail(errno_error(errno, fmt::format("list folder {}", path)));
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
    return entries;
  }

  static Status add_entry(int folder, const char* name, const std::string& path, std::vector<Entry>& entries) {
    struct stat status {};
    if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return {};  // removed meanwhile
      return fail(errno_error(errno, fmt::format("stat {}{}", path, name)));
    }
    if (S_ISDIR(status.st_mode)) {
      entries.push_back({std::string(name) + "/"});
      return {};
    }
    if (S_ISLNK(status.st_mode) && ::fstatat(folder, name, &status, 0) != 0) return {};  // leads nowhere
    if (S_ISREG(status.st_mode)) entries.push_back({name, static_cast<uint64_t>(status.st_size)});
    return {};
  }

  const std::string root_;
  const std::string_view after_;
  ListPage& page_;
};

}  // namespace

Result<ListPage> Tree::list(std::string_view prefix, std::string_view continuation) const {
  ListPage page;
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  Walk walk(root_ == "/" ? "" : root_, continuation, page);
  if (prefix.empty()) {
    if (Status walked = walk.add_folder(""); !walked) return fail(walked.error());
    return page;
  }
  const Result<std::string> path = path_of(prefix);
  if (!path) return fail(path.error());
  struct stat status {};
  if (::stat(path->c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return page;
    return fail(errno_error(errno, fmt::format("list folder {}", *path)));
  }
  if (S_ISREG(status.st_mode)) {
    if (continuation.empty()) page.objects.push_back({std::string(prefix), static_cast<uint64_t>(status.st_size)});
    return page;
  }
  if (Status walked = walk.add_folder(std::string(prefix) + "/"); !walked) return fail(walked.error());
  return page;
}

}  // namespace mlps::storage::posix
