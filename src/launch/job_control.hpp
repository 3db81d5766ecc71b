#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/threads.hpp"
#include "launch/job_settings.hpp"
#include "world/world.hpp"

namespace mlps::cli {

/// The first word of the processes that a command starts on its hosts. Process 0 reads the settings of the job from its
/// standard input, which the launcher connects with the command, and broadcasts them.
inline constexpr std::string_view kJoinWord = "join-job";

/// Control lines tell the command that started a job how the job goes: they come by standard error, which the launcher
/// forwards, and the command filters them out. A verdict line holds the job's process status, which a launcher's own
/// status need not be; a begun line says that all processes have met.
inline constexpr char kVerdictMark = '\x1e';
std::string verdict_line(int status);
std::optional<int> verdict_in(std::string_view line);
std::string begun_line();
bool says_begun(std::string_view line);

/// The control line that a command may send behind the settings: this, and the name of a signal.
inline constexpr std::string_view kInterruptLine = "interrupt ";

/// Returns the settings that the command has sent to process 0. Waits for them for a minute: then E202, and E503 if
/// standard input ends before. `behind` gets what came behind them, for JobControl.
Result<JobSettings> receive_settings(std::string& behind);

/// A thread of process 0 that reads control lines from then on: when the command was interrupted, or is gone, the job
/// fails with E203. A thread that can't be started fails the job, too. `failure` must outlive this.
class JobControl {
 public:
  /// `behind` is what receive_settings() left.
  JobControl(world::Failure& failure, std::string behind);
  ~JobControl();
  JobControl(const JobControl&) = delete;
  JobControl& operator=(const JobControl&) = delete;

 private:
  void listen();
  bool handle_control_line();

  world::Failure& failure_;
  std::string received_;
  Descriptor stop_;  // an eventfd
  Threads thread_;
};

}  // namespace mlps::cli
