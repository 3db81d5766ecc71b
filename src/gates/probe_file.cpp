#include "gates/probe_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"

namespace mlps::gates {

ProbeFile::~ProbeFile() {
  if (!made_ || ::unlink(path_.c_str()) == 0 || errno == ENOENT) return;
  warnings_.push_back(errno_error(errno, fmt::format("{}: remove {}", gate_, path_)).message);
}

int ProbeFile::create(mode_t mode, std::string_view content) {
  const int descriptor = ::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode);
  if (descriptor < 0) return errno;
  made_ = true;
  const ssize_t written = ::write(descriptor, content.data(), content.size());
  int error = written < 0 ? errno : 0;
  if (error == 0 && static_cast<size_t>(written) != content.size()) error = EIO;
  // Network file systems send what was written, and tell what became of it, when the file is closed.
  if (::close(descriptor) != 0 && error == 0) error = errno;
  return error;
}

int ProbeFile::link_from(const ProbeFile& source) {
  if (::link(source.path_.c_str(), path_.c_str()) != 0) return errno;
  made_ = true;
  return 0;
}

}  // namespace mlps::gates
