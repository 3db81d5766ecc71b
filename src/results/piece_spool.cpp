#include "results/piece_spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace mlps::results {

Result<PieceSpool> PieceSpool::create(const std::string& folder, size_t texts) {
  std::string path = folder + "/pieces-XXXXXX";
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return fail(errno_error(errno, fmt::format("create a temporary file in {}", folder)));
  ::unlink(path.c_str());
  return PieceSpool(fd, texts);
}

PieceSpool::~PieceSpool() {
  if (fd_ >= 0) ::close(fd_);
}

Status PieceSpool::append(size_t text, std::string_view piece) {
  const Extent extent{end_, piece.size()};
  while (!piece.empty()) {
    const ssize_t written = ::pwrite(fd_, piece.data(), piece.size(), static_cast<off_t>(end_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(errno_error(errno, "write a temporary file beside the results"));
    end_ += static_cast<uint64_t>(written);
    piece.remove_prefix(static_cast<size_t>(written));
  }
  pieces_[text].push_back(extent);
  return {};
}

Status PieceSpool::read(size_t text, const Sink& sink) const {
  std::string piece;
  for (const Extent& extent : pieces_[text]) {
    piece.resize(extent.length);
    for (uint64_t got = 0; got < extent.length;) {
      const ssize_t more =
          ::pread(fd_, piece.data() + got, extent.length - got, static_cast<off_t>(extent.offset + got));
      if (more < 0 && errno == EINTR) continue;
      if (more < 0) return fail(errno_error(errno, "read a temporary file beside the results"));
      if (more == 0) return fail(ErrorCode::kInternal, "a temporary file beside the results ends too early");
      got += static_cast<uint64_t>(more);
    }
    if (Status taken = sink(piece); !taken) return taken;
  }
  return {};
}

}  // namespace mlps::results
