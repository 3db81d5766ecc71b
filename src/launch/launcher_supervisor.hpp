#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace mlps::cli {

/// Separates the control lines of a job from what its processes print on standard error.
class ControlLineFilter {
 public:
  /// Feeds output bytes; returns the complete lines to print. What comes behind the verdict is kept: launchers explain
  /// a failure that the job has explained already.
  std::string feed(std::string_view bytes);
  /// Returns the unfinished last line, unless it may be a control line; to be called on a time-out or at the end.
  std::string unfinished_line();
  /// The process status of the job, once a control line has told it.
  std::optional<int> verdict() const { return verdict_; }
  /// Returns what came behind the verdict, or its first MiB.
  const std::string& aftermath() const { return aftermath_; }
  /// Whether all processes have met, or there is a verdict already.
  bool has_begun() const { return has_begun_ || verdict_; }

 private:
  std::string held_;
  std::string aftermath_;
  std::optional<int> verdict_;
  bool has_begun_ = false;
};

/// How long a launcher may take until all processes have met: it reaches every host and starts a program there. The
/// processes themselves wait for each other for half of this time (world::LinkLimits::start_ns).
inline constexpr Nanos kStartLimitNs = 120'000'000'000;

/// How a launcher ended, and what its job said before.
struct JobEnd {
  std::optional<int> verdict;
  std::string aftermath;         ///< what the launcher said behind the verdict, not shown yet
  int wait_status = 0;           ///< of the launcher, as from waitpid(2)
  bool was_interrupted = false;  ///< the user interrupted more than once, so the launcher was ended
  bool had_to_be_ended = false;  ///< it did not end by itself after the verdict
  bool never_began = false;      ///< the processes did not meet in time, and it was ended
};

/// This process's ends of a launcher's standard streams.
struct LauncherStreams {
  int control, output, errors;
};

/// Supervises the launcher `launcher` until it ends. Writes `settings` to its standard input as fast as it reads, and
/// forwards its standard output and error; the descriptors become non-blocking.
///
/// The signals that ask to stop (base/stop_signals.hpp) and SIGCHLD must be blocked, and SIGPIPE ignored. The first
/// signal goes to process 0 as a control line behind the settings, so that all hosts stop in order; a second SIGINT,
/// SIGTERM or SIGQUIT terminates the launcher, the third kills it. A launcher whose processes have not met within
/// `start_limit_ns` is terminated, then killed; and so is one that is still there 6 s after the verdict, since it waits
/// for a host that it can't reach.
JobEnd supervise_launcher(pid_t launcher, const LauncherStreams& streams, std::string settings,
                          Nanos start_limit_ns = kStartLimitNs);

}  // namespace mlps::cli
