#include "launch/job_attendant.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/log.hpp"
#include "base/waiting.hpp"
#include "launch/job_control.hpp"

namespace mlps::cli {
namespace {

constexpr Nanos kGoodbyeNs = 6'000'000'000;  // a launcher's own, after the verdict
constexpr Nanos kTermNs = 2'000'000'000;     // between SIGTERM and SIGKILL
constexpr Nanos kTickNs = 200'000'000;

/// The wait for one launcher.
class Attendance {
 public:
  Attendance(pid_t launcher, int control, int errors, Nanos start_limit_ns)
      : launcher_(launcher), control_(control), errors_(errors), start_deadline_ns_(now_ns() + start_limit_ns) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&signals, signal);
    signals_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    ::fcntl(errors_, F_SETFL, ::fcntl(errors_, F_GETFL) | O_NONBLOCK);
  }
  ~Attendance() {
    if (signals_ >= 0) ::close(signals_);
  }
  Attendance(const Attendance&) = delete;
  Attendance& operator=(const Attendance&) = delete;

  JobEnd wait() {
    JobEnd end;
    while (::waitpid(launcher_, &end.wait_status, WNOHANG) != launcher_) {
      std::array<pollfd, 2> watched{pollfd{errors_, POLLIN, 0}, pollfd{signals_, POLLIN, 0}};
      const int ready = poll_until(watched, now_ns() + kTickNs);
      if (ready == 0) show(filter_.rest());
      if (watched[0].revents != 0) forward();
      if (watched[1].revents != 0) take_signals();
      hurry(end);
    }
    forward();
    show(filter_.rest());
    end.verdict = filter_.verdict();
    end.was_interrupted = ending_ != SIGTERM;
    return end;
  }

 private:
  // What there is; a child of the launcher may keep the pipe open for ever.
  void forward() {
    std::array<char, 65536> buffer;
    for (;;) {
      const ssize_t got = ::read(errors_, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got > 0) show(filter_.pass({buffer.data(), static_cast<size_t>(got)}));
      if (got == 0) errors_ = -1;  // poll() leaves it out
      if (got <= 0) return;
    }
  }

  static void show(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;
      text.remove_prefix(static_cast<size_t>(written));
    }
  }

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGCHLD) continue;
      const char* name = info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM";
      if (asked_) {
        log::warning("{}: ending the launcher; uploads may stay open", name);
        ::kill(-launcher_, std::exchange(ending_, SIGKILL));
        continue;
      }
      log::warning("{}: stopping on every host; once more ends the launcher at once, leaving open uploads behind",
                   name);
      const std::string line = fmt::format("{}{}\n", kInterruptLine, name);
      (void)!::write(control_, line.data(), line.size());
      asked_ = true;
    }
  }

  void hurry(JobEnd& end) {
    const Nanos now = now_ns();
    if (!filter_.has_begun() && now > start_deadline_ns_) {
      ::kill(-launcher_, end.never_began ? SIGKILL : SIGTERM);
      end.never_began = true;
      start_deadline_ns_ = now + kTermNs;
    }
    if (!filter_.verdict()) return;
    if (patience_ns_ == 0) patience_ns_ = now + kGoodbyeNs;
    if (now < patience_ns_) return;
    ::kill(-launcher_, end.had_to_be_ended ? SIGKILL : SIGTERM);
    end.had_to_be_ended = true;
    patience_ns_ = now + kTermNs;
  }

  const pid_t launcher_;
  const int control_;
  int errors_;
  Nanos start_deadline_ns_;
  int signals_ = -1;
  VerdictFilter filter_;
  bool asked_ = false;
  int ending_ = SIGTERM;   // what ends the launcher the next time
  Nanos patience_ns_ = 0;  // until then; 0: no verdict yet
};

}  // namespace

std::string VerdictFilter::pass(std::string_view bytes) {
  held_ += bytes;
  std::string shown;
  for (size_t end; (end = held_.find('\n')) != std::string::npos; held_.erase(0, end + 1)) {
    std::string line = held_.substr(0, end + 1);
    // A launcher may put something before a line, but breaks none.
    if (const auto verdict = verdict_in(line)) {
      verdict_ = verdict;
    } else if (says_begun(line)) {
      has_begun_ = true;
    } else {
      shown += line;
    }
  }
  return shown;
}

std::string VerdictFilter::rest() {
  if (held_.find(kVerdictMark) != std::string::npos) return {};
  return std::exchange(held_, {});
}

JobEnd attend(pid_t launcher, int control, int errors, Nanos start_limit_ns) {
  return Attendance(launcher, control, errors, start_limit_ns).wait();
}

}  // namespace mlps::cli
