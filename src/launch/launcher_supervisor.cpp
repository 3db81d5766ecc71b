#include "launch/launcher_supervisor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/descriptor.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/stop_signals.hpp"
#include "base/waiting.hpp"
#include "launch/job_control.hpp"

namespace mlps::cli {
namespace {

constexpr Nanos kGoodbyeNs = 6'000'000'000;  // from the verdict to the launcher's own end
constexpr Nanos kTermNs = 2'000'000'000;     // between SIGTERM and SIGKILL
constexpr Nanos kTickNs = 200'000'000;
constexpr size_t kMostAftermath = 1 << 20;

void make_non_blocking(int descriptor) {
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

class LauncherSupervisor {
 public:
  LauncherSupervisor(pid_t launcher, const LauncherStreams& streams, std::string settings, Nanos start_limit_ns)
      : launcher_(launcher),
        control_(streams.control),
        output_(streams.output),
        errors_(streams.errors),
        unsent_(std::move(settings)),
        start_deadline_ns_(now_ns() + start_limit_ns) {
    sigset_t signals = stop_signals();
    sigaddset(&signals, SIGCHLD);
    signals_ = Descriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    for (const int stream : {control_, output_, errors_}) make_non_blocking(stream);
    if (signals_.is_open()) return;
    log::warning("a signal will end this command at once, and its job then: {}",
                 errno_error(errno, "watch for signals").message);
    ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  }

  JobEnd run() {
    JobEnd end;
    while (::waitpid(launcher_, &end.wait_status, WNOHANG) != launcher_) {
      wait_for_event();
      terminate_launcher_if_late(end);
    }
    while (forward_some(output_, print)) {
    }
    forward_errors();
    print_error(filter_.unfinished_line());
    end.verdict = filter_.verdict();
    end.aftermath = filter_.aftermath();
    end.was_interrupted = next_signal_ != SIGTERM;
    return end;
  }

 private:
  void wait_for_event() {
    std::array<pollfd, 4> watched{pollfd{errors_, POLLIN, 0}, pollfd{signals_.get(), POLLIN, 0},
                                  pollfd{unsent_.empty() ? -1 : control_, POLLOUT, 0},
                                  stdout_is_full_ ? pollfd{STDOUT_FILENO, POLLOUT, 0} : pollfd{output_, POLLIN, 0}};
    if (poll_until(watched, now_ns() + kTickNs) == 0) print_error(filter_.unfinished_line());
    if (watched[0].revents != 0) forward_errors();
    if (watched[3].revents != 0) forward_output();
    if (watched[1].revents != 0) take_signals();
    if (watched[2].revents != 0) send_settings();
  }

  // As much as the pipe takes. A launcher that has closed its end tells by its status why.
  void send_settings() {
    while (!unsent_.empty()) {
      const ssize_t sent = ::write(control_, unsent_.data(), unsent_.size());
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) return;
      if (sent < 0) return unsent_.clear();
      unsent_.erase(0, static_cast<size_t>(sent));
    }
  }

  // What there is: a child of the launcher may keep the pipe open after it.
  void forward_errors() {
    while (forward_some(errors_, [this](std::string_view bytes) { print_error(filter_.feed(bytes)); })) {
    }
  }

  // As much as stdout takes without a wait, so that signals are taken meanwhile.
  void forward_output() {
    std::array<pollfd, 1> watched{pollfd{STDOUT_FILENO, POLLOUT, 0}};
    stdout_is_full_ = poll_until(watched, now_ns()) == 0;
    if (!stdout_is_full_) forward_some(output_, print);
  }

  // Returns whether there was something.
  template <class Show>
  static bool forward_some(int& stream, const Show& show) {
    std::array<char, 4096> buffer;
    if (stream < 0) return false;
    const ssize_t got = ::read(stream, buffer.data(), buffer.size());
    if (got > 0) show({buffer.data(), static_cast<size_t>(got)});
    if (got == 0) stream = -1;  // poll() leaves it out
    return got > 0 || (got < 0 && errno == EINTR);
  }

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGCHLD) continue;
      stop_waiting_for_readers();
      const auto signal = static_cast<int>(info.ssi_signo);
      const std::string name = signal_name(signal);
      if (interrupted_ && !asks_again(signal)) continue;
      if (std::exchange(interrupted_, true)) {
        log::warning("{}: ending the launcher; uploads may stay open", name);
        ::kill(-launcher_, std::exchange(next_signal_, SIGKILL));
        continue;
      }
      log::warning(
          "{}: stopping on every host; once more ends the launcher at once, leaving behind what is half written", name);
      unsent_ += fmt::format("{}{}\n", kInterruptLine, name);
      send_settings();
    }
  }

  void terminate_launcher_if_late(JobEnd& end) {
    const Nanos now = now_ns();
    if (!filter_.has_begun() && now > start_deadline_ns_) {
      ::kill(-launcher_, std::exchange(end.never_began, true) ? SIGKILL : SIGTERM);
      start_deadline_ns_ = now + kTermNs;
    }
    if (!filter_.verdict()) return;
    if (end_deadline_ns_ == 0) end_deadline_ns_ = now + kGoodbyeNs;
    if (now < end_deadline_ns_) return;
    ::kill(-launcher_, std::exchange(end.had_to_be_ended, true) ? SIGKILL : SIGTERM);
    end_deadline_ns_ = now + kTermNs;
  }

  const pid_t launcher_;
  const int control_;
  int output_;
  int errors_;
  bool stdout_is_full_ = false;
  std::string unsent_;  // settings, and control lines behind them
  Nanos start_deadline_ns_;
  Nanos end_deadline_ns_ = 0;  // 0: no verdict yet
  Descriptor signals_;
  ControlLineFilter filter_;
  bool interrupted_ = false;
  int next_signal_ = SIGTERM;  // for the launcher, at the next interrupt
};

}  // namespace

std::string ControlLineFilter::feed(std::string_view bytes) {
  held_ += bytes;
  std::string shown;
  for (size_t end; (end = held_.find('\n')) != std::string::npos; held_.erase(0, end + 1)) {
    std::string line = held_.substr(0, end + 1);
    // A launcher may put something before a line, but breaks none.
    if (const auto verdict = verdict_in(line)) {
      verdict_ = verdict;
    } else if (says_begun(line)) {
      has_begun_ = true;
    } else if (!verdict_) {
      shown += line;
    } else if (aftermath_.size() + line.size() <= kMostAftermath) {
      aftermath_ += line;
    }
  }
  return shown;
}

std::string ControlLineFilter::unfinished_line() {
  if (verdict_ || held_.find(kVerdictMark) != std::string::npos) return {};
  return std::exchange(held_, {});
}

JobEnd supervise_launcher(pid_t launcher, const LauncherStreams& streams, std::string settings, Nanos start_limit_ns) {
  return LauncherSupervisor(launcher, streams, std::move(settings), start_limit_ns).run();
}

}  // namespace mlps::cli
