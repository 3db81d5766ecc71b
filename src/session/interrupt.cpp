#include "session/interrupt.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <utility>

#include "base/log.hpp"

namespace mlps::cli {
namespace {

// Private to this process: tells the watching thread to end.
constexpr int kStopSignal = SIGUSR2;

Error interrupted(int signal) {
  return {ErrorCode::kInterrupted,
          fmt::format("interrupted by {}", signal == SIGINT ? "SIGINT" : "SIGTERM"),
          {},
          "run the command again; what was written by this run is not a complete result"};
}

}  // namespace

InterruptWatch::InterruptWatch() {
  sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, kStopSignal}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, &previous_);
  thread_ = std::thread([this] { serve(); });
}

InterruptWatch::~InterruptWatch() {
  stopping_ = true;
  pthread_kill(thread_.native_handle(), kStopSignal);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

void InterruptWatch::serve() {
  bool asked_before = false;
  for (;;) {
    int signal = 0;
    if (sigwait(&signals_, &signal) != 0 || stopping_) return;
    if (signal == kStopSignal) continue;
    const Error error = interrupted(signal);
    const std::lock_guard lock(mutex_);
    if (failure_ == nullptr || asked_before) {
      const std::string text = "\n" + render(error) + "\n";
      (void)!write(STDERR_FILENO, text.data(), text.size());
      _exit(exit_code(error.code));
    }
    // A launcher sends SIGTERM to those that are on their way out; of a run that has failed nothing else needs
    // stopping.
    if (signal == SIGTERM && !asked_before && failure_->raised()) {
      asked_before = true;
      continue;
    }
    log::warning("{}: stopping; once more ends the program at once, leaving open uploads behind", error.message);
    failure_->raise(error);
    asked_before = true;
  }
}

InterruptWatch::Attachment::Attachment(InterruptWatch& watch, world::Failure& failure)
    : watch_(watch), before_(watch.attach(&failure)) {}

InterruptWatch::Attachment::~Attachment() {
  watch_.attach(before_);
}

world::Failure* InterruptWatch::attach(world::Failure* failure) {
  const std::lock_guard lock(mutex_);
  return std::exchange(failure_, failure);
}

}  // namespace mlps::cli
