#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "rules/document.hpp"

namespace mlps::cli {

/// Runs commands of this program one after the other, each in a process and a process group of its own, so that what
/// they leave can be removed whatever became of them: a signal goes to the command that runs, and this process stays.
/// Keeps what they say on stderr in a file. To be made before other threads start; one thread.
class TryRunner {
 public:
  /// `seconds` is what all is to take, for the display, which is on stderr.
  TryRunner(const std::string& log_file, double seconds);
  ~TryRunner();
  TryRunner(const TryRunner&) = delete;
  TryRunner& operator=(const TryRunner&) = delete;

  /// Runs `mlpstorage <arguments> --json`, and returns what it printed. E203 once a signal has come, E202 for a command
  /// that hangs, else the error that the command told. `what` says in the display what is done.
  Result<rules::Document> run(std::vector<std::string> arguments, const std::string& what);
  /// Runs a command that removes, also after a signal; a further one ends it, too. Returns its exit status.
  Result<int> run_removal(const std::vector<std::string>& arguments);

  /// Returns E203 if a signal has come.
  Status check_stop();
  /// Returns whether one has come a third time: what is stored may stay, if only this ends.
  bool gives_up() const { return signals_seen_ >= 3; }
  double elapsed_s() const { return to_seconds(now_ns() - start_ns_); }

 private:
  struct Output {
    std::string text;
    int status = 0;  ///< as waitpid() has it
    bool late = false;
  };
  Result<Output> start_and_wait(const std::vector<std::string>& arguments, const std::string& what, bool removal);
  Output follow(pid_t child, const Descriptor& from, const std::string& what, bool removal);
  void take_signals(pid_t child, bool removal);
  void show(const std::string& what);
  double hangs_s() const;

  std::string program_;
  Descriptor log_;
  double seconds_;
  Nanos start_ns_ = now_ns();
  Nanos shown_ns_ = 0;
  sigset_t signals_, previous_;
  Descriptor arrived_;  // a signalfd
  int signals_seen_ = 0;
  int last_signal_ = 0;
};

}  // namespace mlps::cli
