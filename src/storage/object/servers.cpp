#include "storage/object/servers.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/units.hpp"

namespace mlps::object {
namespace {

constexpr Nanos kOneSecond = 1'000'000'000;

// A server that was good for this long after it came back begins with a short time aside again.
constexpr Nanos kForgiven = 60 * kOneSecond;

// Requests that are in flight together are refused together; the limit falls once for them.
constexpr Nanos kBetweenCuts = kOneSecond;

// A server that is quiet but answers probes is asked this rarely.
constexpr Nanos kBetweenProbes = 4 * kOneSecond;

// A probe that nobody has reported for this long belongs to a session that is gone.
constexpr Nanos kProbeLost = 30 * kOneSecond;

}  // namespace

Servers::Servers(std::vector<Server> all, Balance balance) : balance_(balance) {
  for (Server& server : all) {
    State& state = states_.emplace_back();
    state.use.endpoint = server.url;
    state.server = std::move(server);
  }
}

size_t Servers::choose(size_t& turn, size_t failed_at) const {
  const size_t count = states_.size();
  if (count == 1) return 0;
  const bool all_good = aside_.load(std::memory_order_relaxed) == 0;
  const size_t first = turn % count;
  if (balance_ != Balance::kByRank) ++turn;
  size_t best = kNone;
  for (size_t step = 0; step < count; ++step) {
    const size_t candidate = (first + step) % count;
    if (candidate == failed_at || (!all_good && is_aside(candidate))) continue;
    if (balance_ != Balance::kLeastOutstanding) return candidate;
    if (best == kNone || outstanding(candidate) < outstanding(best)) best = candidate;
  }
  if (best != kNone) return best;
  if (failed_at != kNone && !is_aside(failed_at)) return failed_at;
  const auto longest = std::min_element(states_.begin(), states_.end(), [](const State& one, const State& other) {
    return one.aside_until.load() < other.aside_until.load();
  });
  return static_cast<size_t>(longest - states_.begin());
}

bool Servers::begin(size_t index) {
  State& state = states_[index];
  const uint32_t most = state.most_outstanding.load(std::memory_order_relaxed);
  const uint32_t before = state.outstanding.fetch_add(1, std::memory_order_relaxed);
  if (most == 0 || before < most) return true;
  drop(index);
  return false;
}

void Servers::end(size_t index, Health health, const std::string& cause) {
  State& state = states_[index];
  drop(index);
  if (health == Health::kGood && state.failures.load(std::memory_order_relaxed) == 0 &&
      state.most_outstanding.load(std::memory_order_relaxed) == 0) {
    return;
  }
  const Nanos now = now_ns();
  const std::lock_guard lock(mutex_);
  if (health == Health::kGood) {
    state.failures.store(0);
    if (state.most_outstanding.load() != 0) speed_up(state);
    if (is_aside(index)) bring_back(state, now);
    return;
  }
  if (health == Health::kSlow) slow_down(state, now);
  const uint32_t failures = state.failures.fetch_add(1) + 1;
  const bool at_once = health == Health::kAway || health == Health::kHung;
  const uint32_t enough = health == Health::kSlow ? kRefusalsInARow : kFailuresInARow;
  if (states_.size() > 1 && (at_once || failures >= enough)) set_aside(state, cause, now);
}

void Servers::set_aside(State& state, const std::string& cause, Nanos now) {
  if (state.aside_until.load() != 0) return;  // the failures of requests that were in flight together are one
  if (state.good_since != 0 && now - state.good_since > kForgiven) state.times_aside = 0;
  state.aside_until.store(now + std::min(kLongestAside, kFirstAside << std::min(state.times_aside, 10U)));
  state.aside_since = now;
  aside_.fetch_add(1);
  ++state.use.times_set_aside;
  if (state.times_aside++ == 0) {
    log::warning("Endpoint {} is left out for now: {}. It is asked again from time to time.", state.server.url, cause);
  }
}

void Servers::bring_back(State& state, Nanos now) {
  state.use.aside_ns += static_cast<uint64_t>(now - state.aside_since);
  log::info("Endpoint {} answers again, after {}.", state.server.url,
            human_seconds(to_seconds(now - state.aside_since)));
  state.aside_until.store(0);
  state.failures.store(0);
  state.good_since = now;
  aside_.fetch_sub(1);
}

void Servers::slow_down(State& state, Nanos now) {
  if (state.slowed_at != 0 && now - state.slowed_at < kBetweenCuts) return;
  state.slowed_at = now;
  state.answered_since_slowed = 0;
  state.most_outstanding.store(std::max<uint32_t>(1, (state.outstanding.load() + 1) / 2));
  ++state.use.times_slowed;
}

void Servers::speed_up(State& state) {
  const uint32_t most = state.most_outstanding.load();
  if (++state.answered_since_slowed < most) return;  // one more for every round of answers
  state.answered_since_slowed = 0;
  const bool never_full = state.outstanding.load() * 2 < most;
  state.most_outstanding.store(never_full ? 0 : most + 1);
}

size_t Servers::take_due(Nanos now) {
  if (aside_.load(std::memory_order_relaxed) == 0) return kNone;
  for (size_t i = 0; i < states_.size(); ++i) {
    const Nanos until = states_[i].aside_until.load(std::memory_order_relaxed);
    if (until != 0 && until <= now && take_quiet(i, now)) return i;
  }
  return kNone;
}

bool Servers::take_quiet(size_t index, Nanos now) {
  Nanos until = states_[index].probing_until.load();
  return until <= now && states_[index].probing_until.compare_exchange_strong(until, now + kProbeLost);
}

void Servers::probed(size_t index, bool answered, const std::string& cause) {
  State& state = states_[index];
  const Nanos now = now_ns();
  const std::lock_guard lock(mutex_);
  state.probing_until.store(answered ? now + kBetweenProbes : 0);
  if (answered) {
    if (state.aside_until.load() != 0) bring_back(state, now);
  } else if (state.aside_until.load() == 0) {
    set_aside(state, cause, now);
  } else {
    state.aside_until.store(now + std::min(kLongestAside, kFirstAside << std::min(state.times_aside++, 10U)));
  }
}

void Servers::report(size_t index, const storage::ServerUse& counted, const std::vector<uint64_t>& answers_ns) {
  const std::lock_guard lock(mutex_);
  storage::ServerUse& use = states_[index].use;
  use.attempts += counted.attempts;
  use.failed += counted.failed;
  use.sent_bytes += counted.sent_bytes;
  use.received_bytes += counted.received_bytes;
  for (const storage::FailureCount& failure : counted.failures) {
    storage::count_failure(use.failures, failure.cause, failure.count);
  }
  for (const uint64_t answer : answers_ns) use.answer_ns.record(answer);
}

std::vector<storage::ServerUse> Servers::uses() const {
  const Nanos now = now_ns();
  std::vector<storage::ServerUse> uses;
  const std::lock_guard lock(mutex_);
  for (const State& state : states_) {
    uses.push_back(state.use);
    if (state.aside_until.load() != 0) uses.back().aside_ns += static_cast<uint64_t>(now - state.aside_since);
  }
  return uses;
}

}  // namespace mlps::object
