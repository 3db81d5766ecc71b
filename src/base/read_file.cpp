#include "base/read_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/descriptor.hpp"

namespace mlps {
namespace {

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

Error unreadable(int error, const std::string& named) {
  Error result = errno_error(error, "read " + named);
  if (error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG) {
    result.code = ErrorCode::kConfigFileNotFound;
    result.suggestion = "give the path of a file";
  }
  return result;
}

}  // namespace

Result<std::string> read_file(const std::string& path, const std::string& what, uint64_t most_bytes) {
  const std::string named = fmt::format("{} {}", what, path);
  // Without O_NONBLOCK the open of a pipe would wait for a writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.is_open()) return fail(unreadable(errno, named));
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return fail(unreadable(errno, named));
  if (!S_ISREG(found.st_mode)) {
    return fail(ErrorCode::kConfigFileNotFound, fmt::format("{} is {}, not a file", named, kind_of(found.st_mode)), {},
                "give the path of a file; what a command prints must be stored in one first");
  }
  std::string text;
  for (ssize_t got = 1; got > 0;) {
    constexpr size_t kStep = 64 * kKiB;
    const size_t have = text.size();
    text.resize(have + kStep);
    do {
      got = ::read(file.get(), text.data() + have, kStep);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return fail(unreadable(errno, named));
    text.resize(have + static_cast<size_t>(got));
    if (text.size() > most_bytes) {
      return fail(ErrorCode::kConfigParse, fmt::format("{}: {} or more is more than such a file can have, {}", named,
                                                       human_bytes(text.size()), human_bytes(most_bytes)));
    }
  }
  return text;
}

}  // namespace mlps
