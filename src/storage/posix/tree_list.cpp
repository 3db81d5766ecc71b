#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "storage/posix/tree.hpp"

namespace mlps::storage::posix {
namespace {

namespace fs = std::filesystem;

bool is_absent(const std::error_code& error) {
  return error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
}

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
    std::error_code error;
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
      const std::string name = at->path().filename();
      if (name.ends_with(Tree::kPartialSuffix)) continue;
      if (Status added = add_entry(*at, name, entries); !added) return fail(added.error());
    }
    if (error && !is_absent(error)) return fail(errno_error(error.value(), fmt::format("list folder {}", path)));
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
    return entries;
  }

  static Status add_entry(const fs::directory_entry& found, const std::string& name, std::vector<Entry>& entries) {
    std::error_code error;
    const fs::file_status kind = found.symlink_status(error);
    if (fs::is_directory(kind)) {
      entries.push_back({name + "/"});
    } else if (!error && found.is_regular_file(error)) {
      const uint64_t size = found.file_size(error);
      if (!error) entries.push_back({name, size});
    }
    // A file may be removed meanwhile, and a link may lead nowhere.
    if (!error || is_absent(error) || fs::is_symlink(kind)) return {};
    return fail(errno_error(error.value(), fmt::format("stat {}", found.path().native())));
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
