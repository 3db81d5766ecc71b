#include "benchmarks/training/step_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "base/write_all.hpp"

namespace mlps::training {
namespace {

/// Entries kept before they are written: 3 MiB, some thousand steps.
constexpr size_t kPendingEntries = size_t{1} << 17;
/// Steps read back at a time, for one of few ranks; each of many ranks is read entry by entry, as reading all of them
/// once for each would take the square of the time.
constexpr uint64_t kStepsAtOnce = 1024;
constexpr uint32_t kFewRanks = 32;

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

Status StepLog::append(const std::vector<StepTimes>& rows) {
  if (pending_.capacity() == 0) pending_.reserve(std::max<size_t>(kPendingEntries, ranks_));
  pending_.insert(pending_.end(), rows.begin(), rows.end());
  steps_ += rows.size() / ranks_;
  return pending_.size() + ranks_ > pending_.capacity() ? flush() : Status{};
}

Status StepLog::flush() {
  if (failed_) return fail(*failed_);
  if (Status written = write_all(fd_, std::as_bytes(std::span(pending_)), "write the step times beside the results");
      !written) {
    failed_ = written.error();
    return written;
  }
  pending_.clear();
  return {};
}

Status StepLog::read_rows(uint64_t first, std::span<StepTimes> rows) const {
  return read_entries(first * ranks_, rows);
}

Status StepLog::read_entries(uint64_t first, std::span<StepTimes> entries) const {
  auto offset = static_cast<off_t>(first * sizeof(StepTimes));
  for (std::span<std::byte> rest = std::as_writable_bytes(entries); !rest.empty();) {
    const ssize_t got = ::pread(fd_, rest.data(), rest.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "read the step times beside the results"));
    if (got == 0 && failed_) return fail(*failed_);
    if (got == 0) return fail(ErrorCode::kInternal, "the step times end too early");
    rest = rest.subspan(static_cast<size_t>(got));
    offset += got;
  }
  return {};
}

Status StepLog::read(uint32_t rank, uint64_t first, uint64_t count,
                     const std::function<void(const StepTimes&)>& visit) const {
  if (ranks_ > kFewRanks) {
    for (uint64_t step = first; step < first + count; ++step) {
      StepTimes entry;
      if (Status got = read_entries(step * ranks_ + rank, {&entry, 1}); !got) return got;
      visit(entry);
    }
    return {};
  }
  std::vector<StepTimes> steps(std::min(count, kStepsAtOnce) * ranks_);
  while (count != 0) {
    const uint64_t now = std::min(count, kStepsAtOnce);
    if (Status got = read_rows(first, std::span(steps).first(now * ranks_)); !got) return got;
    for (uint64_t step = 0; step < now; ++step) visit(steps[step * ranks_ + rank]);
    first += now;
    count -= now;
  }
  return {};
}

}  // namespace mlps::training
