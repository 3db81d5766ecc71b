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

/// Walks folders in byte order of full names, from just after one name until a page is full.
class Walk {
 public:
  Walk(const std::string& root, std::string_view after, ListPage& page) : root_(root), after_(after), page_(page) {}

  /// Adds the files below the folder `prefix` ("" or ending in '/').
  Status add_folder(const std::string& prefix) {
    const Result<std::vector<std::string>> keys = read_folder(prefix);
    if (!keys) return fail(keys.error());
    for (const std::string& key : *keys) {
      const Status added = key.back() == '/' ? add_folder(prefix + key) : add_file(prefix + key);
      if (!added || !page_.next.empty()) return added;
    }
    return {};
  }

 private:
  /// Returns the names in a folder that the page may still take, in their order; a folder's ends in '/', so that
  /// sorting them sorts the full names below, too. Nothing is asked of the files: of a large folder a page takes few.
  Result<std::vector<std::string>> read_folder(const std::string& prefix) const {
    const std::string path = root_ + "/" + prefix;
    std::vector<std::string> keys;
    std::error_code error;
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
      std::string key = at->path().filename();
      if (key.ends_with(Tree::kPartialSuffix)) continue;
      std::error_code ignored;  // of one that was removed meanwhile; the folder itself tells what most are
      if (!at->is_symlink(ignored) && at->is_directory(ignored)) key += '/';
      const std::string name = prefix + key;
      const bool passed = key.back() == '/' ? name < after_ && !after_.starts_with(name) : name <= after_;
      if (!passed) keys.push_back(std::move(key));
    }
    if (error && !is_absent(error)) return fail(errno_error(error.value(), fmt::format("list folder {}", path)));
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  Status add_file(std::string name) {
    const std::string path = root_ + "/" + name;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      // A file may be removed meanwhile, and a link may lead nowhere.
      const int problem = errno;
      const bool link = ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
      if (link || problem == ENOENT || problem == ENOTDIR) return {};
      return fail(errno_error(problem, fmt::format("stat {}", path)));
    }
    if (!S_ISREG(status.st_mode)) return {};
    if (page_.objects.size() == Tree::kListPage) {
      page_.next = page_.objects.back().name;
    } else {
      page_.objects.push_back({std::move(name), static_cast<uint64_t>(status.st_size)});
    }
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
