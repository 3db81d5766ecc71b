#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/threads.hpp"
#include "base/waiting.hpp"

/// Credentials of any kind (keys of an account, a bearer token) that a source hands out for a while: asked for when the
/// first session opens, and again on a thread of their own before they end, so that no request waits for a renewal.
namespace mlps::object {

/// What a source handed out, and until when it may be used.
template <class Value>
struct Lease {
  Value value;
  std::optional<int64_t> ends = {};  ///< seconds since the epoch; nothing: never
};

/// Returns when a lease that ends at `ends` is to be renewed, in seconds since the epoch: ten minutes before, or after
/// half of the time that is left at `now`, whichever is later; at least a second after `now`.
int64_t renewal_time(int64_t ends, int64_t now);

/// The thread that renews, and when. Knows nothing of what is renewed.
class Renewal {
 public:
  /// Asks the source once more; returns the end of what came (nothing: it never ends), or why nothing did.
  using Renew = std::function<Result<std::optional<int64_t>>()>;

  /// `source` names the source in messages.
  Renewal(std::string source, Renew renew) : source_(std::move(source)), renew_(std::move(renew)) {}
  ~Renewal() { stop(); }
  Renewal(const Renewal&) = delete;
  Renewal& operator=(const Renewal&) = delete;

  /// Takes note of what the source was asked for, and renews it from now on before it ends. Starts the thread when
  /// there is something to renew; fails if the system refuses one. Any thread.
  Status follow(const Result<std::optional<int64_t>>& outcome);
  /// Ends the thread; waits at most for an asking under way, which `stopping()` ends.
  void stop();

  /// Becomes true when stop() is called; an asking under way is to give up then.
  const std::atomic<bool>& stopping() const { return stopping_; }
  const std::string& source() const { return source_; }
  /// Returns why the last asking failed; empty if it did not.
  std::string trouble() const;

 private:
  void run();
  void take(const Result<std::optional<int64_t>>& outcome);

  const std::string source_;
  const Renew renew_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;  // of all below
  Condition changed_;
  std::optional<int64_t> ends_;
  std::optional<int64_t> due_;  // seconds since the epoch
  unsigned failures_ = 0;       // in a row
  std::string trouble_;
  Threads thread_;
};

/// Credentials that are kept fresh. Any thread may call anything. Destroying waits at most for an asking under way.
///
/// The cost on the way of a request is one atomic load: a thread keeps what get() returned, and calls it again when
/// version() has changed.
template <class Value>
class Renewed {
 public:
  /// Asks the source, which must keep its own limits of time, and give up when `stop` becomes true. Its error is shown
  /// to the user: it names the source and what to do, and never holds a secret.
  using Ask = std::function<Result<Lease<Value>>(const std::atomic<bool>& stop)>;

  /// Credentials out of `source` ("instance metadata of http://169.254.169.254"), which is not asked yet.
  Renewed(std::string source, Ask ask)
      : ask_(std::move(ask)), renewal_(std::move(source), [this] {
          const std::lock_guard asking(asking_);
          return ask_now();
        }) {}
  /// Credentials that are known and never end.
  Renewed(std::string source, Value value) : Renewed(std::move(source), Ask()) {
    value_ = std::make_shared<const Value>(std::move(value));
    version_ = 1;
  }

  /// Returns where the credentials come from, for describe() and messages.
  const std::string& source() const { return renewal_.source(); }

  /// Returns what counts now, even if it has ended. The first call asks the source and may take as long as that; other
  /// threads wait for it. A failure of the first asking is everybody's for ten seconds.
  Result<std::shared_ptr<const Value>> get() {
    if (auto known = current()) return known;
    const std::lock_guard asking(asking_);
    if (auto known = current()) return known;
    if (failure_ && now_ns() < asked_ns_ + kAskAgain) return fail(*failure_);
    auto end = ask_now();
    if (end) {
      if (Status followed = renewal_.follow(end); !followed) return fail(std::move(followed.error()));
      return current();
    }
    failure_ = end.error();
    return fail(std::move(end.error()));
  }

  /// Changes with every renewal; 0 before the first get(). The number that belongs to a value is to be read before it.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  /// Asks the source at once, because a server refused what counted at `version` as ended or unknown; may take as long
  /// as the source does. Returns whether there is something newer now. Asks nothing if that was there already, or if
  /// the source was asked less than ten seconds ago.
  bool renew(uint64_t version) {
    const std::lock_guard asking(asking_);
    if (version != this->version()) return true;
    if (!ask_ || now_ns() < asked_ns_ + kAskAgain) return false;
    const auto end = ask_now();
    return renewal_.follow(end).has_value() && end.has_value();
  }

  /// Returns why the last asking failed; empty if it did not.
  std::string trouble() const { return renewal_.trouble(); }

 private:
  static constexpr Nanos kAskAgain = 10'000'000'000;

  std::shared_ptr<const Value> current() const {
    const std::lock_guard lock(value_mutex_);
    return value_;
  }
  // With asking_ held.
  Result<std::optional<int64_t>> ask_now() {
    asked_ns_ = now_ns();
    Result<Lease<Value>> lease = ask_(renewal_.stopping());
    if (!lease) return fail(std::move(lease.error()));
    auto made = std::make_shared<const Value>(std::move(lease->value));
    const std::lock_guard lock(value_mutex_);
    value_ = std::move(made);
    version_.fetch_add(1, std::memory_order_release);
    return lease->ends;
  }

  const Ask ask_;
  std::mutex asking_;  // of the next two
  std::optional<Error> failure_;
  Nanos asked_ns_ = 0;
  mutable std::mutex value_mutex_;
  std::shared_ptr<const Value> value_;
  std::atomic<uint64_t> version_ = 0;
  Renewal renewal_;  // last: its thread ends before the rest goes
};

}  // namespace mlps::object
