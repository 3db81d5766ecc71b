#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/threads.hpp"
#include "launch/job_settings.hpp"
#include "world/world.hpp"

namespace mlps::cli {

/// The first word of the processes that a command starts on its hosts. Process 0 reads what to do from its standard
/// input, which the launcher connects with the command; the others hear of it from process 0.
inline constexpr std::string_view kJoinWord = "join-job";

/// How a job tells the command that started it what became of it: a line on standard error, which the launcher brings
/// there and the command takes out. A launcher's own status doesn't say whether it is the job's.
inline constexpr char kVerdictMark = '\x1e';
std::string verdict_line(int status);
std::optional<int> verdict_in(std::string_view line);
/// In the same way: all processes have met.
std::string begun_line();
bool says_begun(std::string_view line);

/// What the command that started the job may say after the settings: one line each.
inline constexpr std::string_view kInterruptLine = "interrupt ";  ///< and the name of the signal

/// The settings that the command has sent. Blocks until they have come; E503 if they don't. `behind` is what came with
/// them, for JobControl.
Result<JobSettings> receive_settings(std::string& behind);

/// Listens to the command from then on: when it was interrupted, or is gone, the job fails with E203. In process 0.
class JobControl {
 public:
  /// `behind` is what receive_settings() left.
  JobControl(world::Failure& failure, std::string behind);
  ~JobControl();
  JobControl(const JobControl&) = delete;
  JobControl& operator=(const JobControl&) = delete;

 private:
  void listen();
  bool heed();

  world::Failure& failure_;
  std::string heard_;
  int stop_ = -1;  // an eventfd
  Threads thread_;
};

}  // namespace mlps::cli
