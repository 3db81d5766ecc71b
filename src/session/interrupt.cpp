#include "session/interrupt.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/log.hpp"
#include "base/output.hpp"
#include "base/stop_signals.hpp"
#include "base/waiting.hpp"

namespace mlps::cli {
namespace {

Error interrupted(int signal) {
  return {ErrorCode::kInterrupted,
          fmt::format("interrupted by {}", signal_name(signal)),
          {},
          fmt::format("{}run the command again; what was written by this run is not a complete result",
                      signal == SIGXCPU ? "raise the limit of processor time (ulimit -t); " : "")};
}

}  // namespace

InterruptWatch::InterruptWatch(Signals signals) : signals_(stop_signals()) {
  if (signals == Signals::kAllButUsr1) sigdelset(&signals_, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &signals_, &previous_);
  arrived_ = Descriptor(::signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK));
  stop_ = Descriptor(::eventfd(0, EFD_CLOEXEC));
  if (!arrived_.is_open() || !stop_.is_open()) {
    refuse(errno_error(errno, "watch for signals"));
    pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
    return;
  }
  auto started = Threads::start(1, {"signal watchers", {}, [this](Error error) { refuse(std::move(error)); }},
                                [this](size_t) { serve(); });
  if (started) {
    thread_ = std::move(*started);
  } else {
    refuse(std::move(started.error()));
    pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
  }
}

InterruptWatch::~InterruptWatch() {
  const uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

void InterruptWatch::refuse(Error error) {
  const std::lock_guard lock(mutex_);
  if (failure_ != nullptr) failure_->raise(error);
  refused_ = std::move(error);
}

void InterruptWatch::serve() {
  for (;;) {
    std::array<pollfd, 2> watched{pollfd{arrived_.get(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
    (void)poll_until(watched, kNoDeadline);  // the destructor ends it
    if (watched[1].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(arrived_.get(), &info, sizeof info) == sizeof info) take(static_cast<int>(info.ssi_signo));
  }
}

void InterruptWatch::take(int signal) {
  const Error error = interrupted(signal);
  stop_waiting_for_readers();
  const std::lock_guard lock(mutex_);
  if (asked_before_ && !asks_again(signal)) return;
  if (failure_ == nullptr || asked_before_) {
    // Where a live view stands, the cursor is at its beginning: it goes.
    const std::string text = (log::stderr_is_terminal() ? "\r\033[J" : "\n") + render(error) + "\n";
    (void)!write(STDERR_FILENO, text.data(), text.size());
    _exit(exit_code(error.code));
  }
  asked_before_ = true;
  // A launcher sends SIGTERM to those that are on their way out; of a run that has failed nothing else needs stopping.
  if (signal == SIGTERM && failure_->raised()) return;
  failure_->raise(error);
  log::warning("{}: stopping; once more ends the program at once, leaving behind what is half written", error.message);
}

InterruptWatch::Attachment::Attachment(InterruptWatch& watch, world::Failure& failure)
    : watch_(watch), before_(watch.attach(&failure)) {}

InterruptWatch::Attachment::~Attachment() {
  watch_.attach(before_);
}

world::Failure* InterruptWatch::attach(world::Failure* failure) {
  const std::lock_guard lock(mutex_);
  if (refused_ && failure != nullptr) failure->raise(*refused_);
  return std::exchange(failure_, failure);
}

}  // namespace mlps::cli
