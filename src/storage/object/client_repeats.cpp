#include <time.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "storage/object/client.hpp"
#include "storage/object/errors.hpp"
#include "storage/object/judge.hpp"

/// When a client sends a request again, at once or after a wait, and what it says about that.
namespace mlps::object {
namespace {

constexpr Nanos kRepeatMillisecond = 1'000'000;
constexpr Nanos kRepeatSecond = 1'000 * kRepeatMillisecond;

// Each idle connection can prove stale once; more failures in a row mean a server that resets.
constexpr unsigned kMaxImmediateRepeats = 3;

// While a server is waited for, one line in this time says so, for all sessions of a store.
constexpr Nanos kTellAgain = 10 * kRepeatSecond;

/// Returns Retry-After (seconds or a date) or x-amz-retry-after (milliseconds) in nanoseconds; 0 when absent.
Nanos asked_wait(const http::Exchange& exchange, int64_t server_now) {
  constexpr uint64_t kMostSeconds = 1'000'000;
  if (const auto text = exchange.header("x-amz-retry-after")) {
    if (const auto value = parse_number<uint64_t>(*text)) {
      return static_cast<Nanos>(std::min(*value, kMostSeconds * 1000)) * kRepeatMillisecond;
    }
  }
  const auto text = exchange.header("retry-after");
  if (!text) return 0;
  if (const auto value = parse_number<uint64_t>(*text))
    return static_cast<Nanos>(std::min(*value, kMostSeconds)) * kRepeatSecond;
  const auto when = parse_http_date(*text);
  return when ? std::clamp<int64_t>(*when - server_now, 0, kMostSeconds) * kRepeatSecond : 0;
}

bool is_lost(http::Failure failure) {
  return failure == http::Failure::kConnect || failure == http::Failure::kStalled || failure == http::Failure::kBroken;
}

}  // namespace

bool Client::repeat_at_once(Call& call, const Verdict& verdict) {
  if (call.deadline_ns != 0 && now_ns() >= call.deadline_ns) return false;
  call.failed_at = call.server;
  switch (verdict.action) {
    case Action::kRepeat:
      if (call.immediate_repeats == kMaxImmediateRepeats) return false;
      ++call.immediate_repeats;
      call.failed_at.reset();
      return true;
    case Action::kRetry:
    case Action::kFailOver:
      if (!is_lost(call.exchange.failure) || call.failovers + 1 >= context_.servers.size()) return false;
      ++call.failovers;
      return true;
    case Action::kWithoutExpect:
      if (call.without_expect) return false;
      call.without_expect = true;
      return true;
    case Action::kSkewed:
      return correct_clock(call);
    case Action::kAdapt:
      if (call.adapted) return false;
      call.adapted = true;
      return writer_->adapt(call, verdict);
    default:
      return false;
  }
}

bool Client::correct_clock(Call& call) {
  const auto date = call.exchange.header("date");
  const auto server_time = date ? parse_http_date(*date) : std::nullopt;
  if (!server_time || call.clock_corrected) return false;
  call.clock_corrected = true;
  const int64_t offset = *server_time - time(nullptr);
  context_.clock_offset.store(offset, std::memory_order_relaxed);
  if (!context_.told_clock.exchange(true)) {
    log::warning("This host's clock differs from the server's by {} s; requests are signed with the server's time.",
                 offset);
  }
  return true;
}

Nanos Client::wait_before_next(const Call& call, const Verdict& verdict) {
  const RetryPolicy& policy = settings_.retry;
  const Nanos base = (verdict.action == Action::kThrottled ? policy.throttle_base : policy.transient_base).count();
  const Nanos cap = (verdict.action == Action::kFailOver ? std::min(policy.cap, policy.away_cap) : policy.cap).count();
  const unsigned doublings = std::min(call.counted_attempts - 1, 20U);
  const double share = std::uniform_real_distribution<double>(0, 1)(random_);
  const Nanos jittered = static_cast<Nanos>(share * static_cast<double>(std::min<Nanos>(cap, base << doublings)));
  const Nanos asked = std::min<Nanos>(asked_wait(call.exchange, server_time()), policy.retry_after_cap.count());
  return std::max(jittered, asked);
}

bool Client::repeat_later(Call& call, const Verdict& verdict) {
  if (!may_heal(verdict.action)) return false;
  const Nanos now = now_ns();
  const Nanos patience_ends = call.first_failed_ns + settings_.retry.patience.count();
  const bool patient = is_servers_state(call, verdict) && now < patience_ends;
  if (!patient && call.counted_attempts >= settings_.retry.max_attempts) return false;
  Nanos due = now + wait_before_next(call, verdict);
  if (patient) due = std::min(due, patience_ends);
  if (call.deadline_ns != 0 && due >= call.deadline_ns) return false;
  ++call.counted_attempts;
  call.failovers = 0;
  call.due_ns = due;
  call.happened = verdict.happened;
  tell_waiting(call, now);
  return true;
}

/// Returns whether it is time for a line about waiting; only one session of a store gets true.
bool Client::may_tell(Nanos now) {
  Nanos last = context_.told_waiting_ns.load();
  return (last == 0 || now - last >= kTellAgain) && context_.told_waiting_ns.compare_exchange_strong(last, now);
}

void Client::tell_waiting(const Call& call, Nanos now) {
  if (!may_tell(now)) return;
  const Nanos patience_ends = call.first_failed_ns + settings_.retry.patience.count();
  log::warning("Waiting for {}: {} {}: {}; attempt {} in {}, patience ends in {}.", context_.servers[call.server].url,
               context_.dialect->call_name(call.kind), call.subject, call.happened, call.retries + 2,
               human_seconds(to_seconds(std::max<Nanos>(call.due_ns - now, 0))),
               human_seconds(to_seconds(std::max<Nanos>(patience_ends - now, 0))));
}

}  // namespace mlps::object
