#include "training/step_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mlps::training {
namespace {

/// Entries kept before they are written: 3 MiB, some thousand steps.
constexpr size_t kPendingEntries = size_t{1} << 17;
/// Steps read back at a time.
constexpr uint64_t kStepsAtOnce = 1024;

}  // namespace

Result<std::shared_ptr<StepLog>> StepLog::create(const std::string& folder, uint32_t ranks) {
  std::string path = folder + "/steps-XXXXXX";
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return fail(errno_error(errno, fmt::format("create a file for step times in {}", folder)));
  // Nobody else needs its name, and so nothing is left behind however the run ends.
  ::unlink(path.c_str());
  return std::shared_ptr<StepLog>(new StepLog(fd, ranks));
}

StepLog::~StepLog() {
  ::close(fd_);
}

Status StepLog::append(const std::vector<StepTimes>& ranks) {
  if (pending_.capacity() == 0) pending_.reserve(std::max<size_t>(kPendingEntries, ranks_));
  pending_.insert(pending_.end(), ranks.begin(), ranks.end());
  ++steps_;
  return pending_.size() + ranks_ > pending_.capacity() ? flush() : Status{};
}

Status StepLog::flush() {
  const char* data = reinterpret_cast<const char*>(pending_.data());
  size_t left = pending_.size() * sizeof(StepTimes);
  while (left != 0) {
    const ssize_t written = ::write(fd_, data, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(errno_error(errno, "write the step times beside the results"));
    data += written;
    left -= static_cast<size_t>(written);
  }
  pending_.clear();
  return {};
}

Status StepLog::read(uint32_t rank, uint64_t first, uint64_t count,
                     const std::function<void(const StepTimes&)>& visit) const {
  std::vector<StepTimes> steps(std::min(count, kStepsAtOnce) * ranks_);
  while (count != 0) {
    const uint64_t now = std::min(count, kStepsAtOnce);
    const size_t bytes = now * ranks_ * sizeof(StepTimes);
    const auto offset = static_cast<off_t>(first * ranks_ * sizeof(StepTimes));
    const ssize_t got = ::pread(fd_, steps.data(), bytes, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "read the step times beside the results"));
    if (static_cast<size_t>(got) != bytes) return fail(ErrorCode::kInternal, "the step times end too early");
    for (uint64_t step = 0; step < now; ++step) visit(steps[step * ranks_ + rank]);
    first += now;
    count -= now;
  }
  return {};
}

}  // namespace mlps::training
