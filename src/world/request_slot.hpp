#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "base/event_count.hpp"

namespace mlps::world {

/// The way of a request from the thread that has it to the one thread that carries it out, and back. One request is
/// under way at a time; who sends them takes turns. tests/models proves for every interleaving that no request is
/// missed and that every wait ends.
///
/// `Request` is shared, since a caller that gave up may be gone when its request is carried out, and has a member
/// `done`, a Sync::Atomic<bool> that is false at first.
template <class Sync, class Request>
class BasicRequestSlot {
 public:
  enum class Outcome { kDone, kServerEnded, kGivenUp };

  void post(std::shared_ptr<Request> request) {
    {
      const std::lock_guard lock(mutex_);
      posted_ = std::move(request);
    }
    asked_.notify();
  }

  /// Waits until `request` was carried out, until the server has ended, or until `gives_up()`, which is asked every
  /// `look_ns` at least.
  template <class GivesUp>
  Outcome wait(const Request& request, Nanos look_ns, const GivesUp& gives_up) {
    for (;;) {
      const auto key = answered_.prepare_wait();
      if (request.done.load(std::memory_order_acquire)) return Outcome::kDone;
      if (ended_.load()) return Outcome::kServerEnded;
      if (gives_up()) return Outcome::kGivenUp;
      answered_.wait(key, Sync::now() + look_ns);
    }
  }

  /// The server's life: carries out what is posted with `work(request)`, and between requests calls `progress()`, whose
  /// result says that it should be called again soon; else it is called after `idle_ns` at the latest. Until stop().
  template <class Work, class Progress>
  void serve(const Work& work, const Progress& progress, Nanos idle_ns) {
    for (;;) {
      const auto key = asked_.prepare_wait();
      if (stopping_.load()) return;
      if (const std::shared_ptr<Request> request = take()) {
        work(*request);
        request->done.store(true, std::memory_order_release);
        answered_.notify();
      }
      if (!progress()) asked_.wait(key, Sync::now() + idle_ns);
    }
  }

  /// Says that no request will be carried out any more; by the server, whatever it ends of.
  void end() {
    ended_.store(true);
    answered_.notify();
  }
  bool ended() const { return ended_.load(); }

  /// Asks the server to end. Returns whether it has before `deadline_ns`.
  bool stop(Nanos deadline_ns) {
    stopping_.store(true);
    asked_.notify();
    for (;;) {
      const auto key = answered_.prepare_wait();
      if (ended_.load()) return true;
      if (Sync::now() >= deadline_ns) return false;
      answered_.wait(key, deadline_ns);
    }
  }

  /// Makes both sides look again: a failure was raised.
  void wake() {
    asked_.notify();
    answered_.notify();
  }

 private:
  std::shared_ptr<Request> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(posted_, nullptr);
  }

  typename Sync::Mutex mutex_;
  std::shared_ptr<Request> posted_;
  BasicEventCount<Sync> asked_;     // for the server
  BasicEventCount<Sync> answered_;  // for who waits
  typename Sync::template Atomic<bool> stopping_{false};
  typename Sync::template Atomic<bool> ended_{false};
};

}  // namespace mlps::world
