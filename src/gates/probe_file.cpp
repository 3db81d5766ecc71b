#include "gates/probe_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/write_all.hpp"

namespace mlps::gates {

ProbeFile::~ProbeFile() {
  if (!made_ || ::unlink(path_.c_str()) == 0 || errno == ENOENT) return;
  warnings_.push_back(errno_error(errno, fmt::format("{}: remove {}", gate_, path_)).message);
}

int ProbeFile::create(mode_t mode, std::string_view content) {
  Descriptor file(::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file.is_open()) return errno;
  made_ = true;
  const int write_error = try_write_all(file.get(), std::as_bytes(std::span(content)));
  const int close_error = file.close();
  return write_error != 0 ? write_error : close_error;
}

}  // namespace mlps::gates
