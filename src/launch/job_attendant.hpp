#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace mlps::cli {

/// Takes what a job tells the command that started it out of what its processes print on standard error, and lets
/// everything else through.
class VerdictFilter {
 public:
  /// What of `bytes`, and of what was held back before, is to be printed. Whole lines only.
  std::string pass(std::string_view bytes);
  /// What is held back, once nothing more comes for a while, or at all.
  std::string rest();
  /// The process status of the job, once it was said.
  std::optional<int> verdict() const { return verdict_; }
  /// Whether all processes have met, or there is a verdict already.
  bool has_begun() const { return has_begun_ || verdict_; }

 private:
  std::string held_;
  std::optional<int> verdict_;
  bool has_begun_ = false;
};

/// Until all processes must have met: the launcher reaches every host, and starts a program there. The processes
/// themselves wait for each other for half of it.
inline constexpr Nanos kStartLimitNs = 120'000'000'000;

/// How a launcher ended, and what its job said before.
struct JobEnd {
  std::optional<int> verdict;
  int wait_status = 0;           ///< of the launcher
  bool was_interrupted = false;  ///< by the user, a second time, so that the launcher was ended
  bool had_to_be_ended = false;  ///< it did not end by itself after the verdict
  bool never_began = false;      ///< the processes did not meet in time, and it was ended
};

/// Waits for the launcher `launcher`, whose standard error comes through `errors`. SIGINT and SIGTERM, which must be
/// blocked, as SIGCHLD must, go to process 0 as a message through `control`, so that all hosts stop in order; a second
/// one ends the launcher, a third kills it. A launcher that is still there 6 s after the verdict is ended: it waits for
/// a host that it can't reach; and so is one whose processes have not met within `start_limit_ns`.
JobEnd attend(pid_t launcher, int control, int errors, Nanos start_limit_ns = kStartLimitNs);

}  // namespace mlps::cli
