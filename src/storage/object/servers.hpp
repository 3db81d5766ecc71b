#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "storage/object/settings.hpp"
#include "storage/server_use.hpp"

namespace mlps::object {

/// How an attempt at a server ended, as far as the server's health shows in it.
enum class Health : uint8_t {
  kGood,     ///< an answer, of whatever status below 500
  kSlow,     ///< 503 or 429: it asks for fewer requests
  kBroken,   ///< the connection ended without a whole answer
  kFailing,  ///< 500, 502, 504
  kAway,     ///< no connection
  kHung      ///< no byte for too long
};

/// The servers of a store with what is known of each: shared by all sessions, which choose by it and add to it. A
/// server that fails is set aside: at once when it can't be reached or hangs, after kFailuresInARow else; for
/// kFirstAside, then twice as long each time, up to kLongestAside. It comes back when a request of its own (Client's
/// probe) is answered. Any thread may call every function.
class Servers {
 public:
  static constexpr Nanos kFirstAside = 1'000'000'000;
  static constexpr Nanos kLongestAside = 60'000'000'000;
  static constexpr uint32_t kFailuresInARow = 3;
  static constexpr uint32_t kRefusalsInARow = 12;  ///< of 503 and 429, to which fewer requests are the first answer
  static constexpr size_t kNone = SIZE_MAX;

  Servers(std::vector<Server> all, Balance balance);

  size_t size() const { return states_.size(); }
  const Server& operator[](size_t index) const { return states_[index].server; }

  /// Returns the server for the next request of a session, whose `turn` it moves on. Left out are servers set aside
  /// and, for a request that has just failed there, `failed_at`; where none is left, the one that was set aside first.
  size_t choose(size_t& turn, size_t failed_at) const;

  /// Takes note of an attempt that begins; false, with nothing noted, while the server has as many in flight as it
  /// takes since it asked for fewer.
  bool begin(size_t index);
  /// Takes note of its end. `cause` says what was wrong, for people.
  void end(size_t index, Health health, const std::string& cause);
  /// Takes note of an attempt that was dropped.
  void drop(size_t index) { states_[index].outstanding.fetch_sub(1, std::memory_order_relaxed); }

  bool is_aside(size_t index) const { return states_[index].aside_until.load(std::memory_order_relaxed) != 0; }
  /// Returns a server whose time aside is over and gives it to the caller to probe, for which it stays aside; kNone if
  /// there is none.
  size_t take_due(Nanos now);
  /// Gives `index` to the caller to probe, since it has been quiet for long; false if somebody has it.
  bool take_quiet(size_t index, Nanos now);
  /// Takes note of what a probe found.
  void probed(size_t index, bool answered, const std::string& cause);

  /// Adds what a session has counted since its last report.
  void report(size_t index, const storage::ServerUse& counted, const std::vector<uint64_t>& answers_ns);
  std::vector<storage::ServerUse> uses() const;

 private:
  struct State {
    Server server;
    std::atomic<Nanos> aside_until = 0;  ///< 0: not set aside
    std::atomic<Nanos> probing_until = 0;
    std::atomic<uint32_t> outstanding = 0;
    std::atomic<uint32_t> most_outstanding = 0;  ///< 0: no limit
    std::atomic<uint32_t> failures = 0;          ///< in a row
    // Under mutex_:
    uint32_t times_aside = 0;  ///< lately
    Nanos aside_since = 0;
    Nanos good_since = 0;
    Nanos slowed_at = 0;
    uint32_t answered_since_slowed = 0;
    storage::ServerUse use;
  };

  uint32_t outstanding(size_t index) const { return states_[index].outstanding.load(std::memory_order_relaxed); }
  void set_aside(State& state, const std::string& cause, Nanos now);
  void bring_back(State& state, Nanos now);
  void slow_down(State& state, Nanos now);
  void speed_up(State& state);

  std::deque<State> states_;
  Balance balance_;
  std::atomic<uint32_t> aside_ = 0;  ///< how many are set aside
  mutable std::mutex mutex_;
};

}  // namespace mlps::object
