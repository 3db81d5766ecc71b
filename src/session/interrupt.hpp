#pragma once

#include <csignal>
#include <mutex>
#include <optional>

#include "base/descriptor.hpp"
#include "base/threads.hpp"
#include "world/world.hpp"

namespace mlps::cli {

/// Turns the signals that ask to stop (base/stop_signals.hpp) into a failure of the running world: the run stops in
/// order (uploads aborted, record written) and ends with E203, exit 8. With no world attached, or on a second SIGINT,
/// SIGTERM or SIGQUIT, the process ends at once with exit 8. Make one before any other thread starts: it blocks the
/// signals for all threads made later. If the system refuses its thread, signals end the process as usual, and a world
/// that is attached fails with the refusal.
class InterruptWatch {
 public:
  /// The MPI library of a launched process has its own use for SIGUSR1.
  enum class Signals { kAll, kAllButUsr1 };
  explicit InterruptWatch(Signals signals = Signals::kAll);
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  /// Signals go to `failure` while the guard lives, afterwards where they went before.
  class Attachment {
   public:
    Attachment(InterruptWatch& watch, world::Failure& failure);
    ~Attachment();
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;

   private:
    InterruptWatch& watch_;
    world::Failure* const before_;
  };

 private:
  void serve();
  void take(int signal);
  void refuse(Error error);
  world::Failure* attach(world::Failure* failure);

  sigset_t signals_;
  sigset_t previous_;
  Descriptor arrived_;  // a signalfd
  Descriptor stop_;     // an eventfd
  std::mutex mutex_;
  world::Failure* failure_ = nullptr;
  bool asked_before_ = false;     // by a signal, while a world was attached
  std::optional<Error> refused_;  // why there is no thread
  Threads thread_;
};

}  // namespace mlps::cli
