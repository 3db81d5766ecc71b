#pragma once

#include <atomic>
#include <csignal>
#include <mutex>
#include <thread>

#include "world/world.hpp"

namespace mlps::cli {

/// Turns SIGINT and SIGTERM into a failure of the running world: the run stops in order (uploads aborted, record
/// written) and ends with E203, exit 8. With no world attached, or on a second signal, the process ends at once with
/// exit 8. Make one before any other thread starts: it blocks the signals for all threads made later.
class InterruptWatch {
 public:
  InterruptWatch();
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
  world::Failure* attach(world::Failure* failure);

  sigset_t signals_;
  sigset_t previous_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  world::Failure* failure_ = nullptr;
  std::thread thread_;
};

}  // namespace mlps::cli
