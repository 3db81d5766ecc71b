#include "storage/object/client.hpp"

#include <time.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "storage/object/errors.hpp"

namespace mlps::object {
namespace {

// Bodies from this size on wait for "100 Continue" when they are sent again, so that a server that still refuses
// doesn't get them in full.
constexpr size_t kExpectContinueBytes = size_t{1} << 20;

// Each idle connection can prove stale once; more failures in a row mean a server that resets.
constexpr unsigned kMaxImmediateRepeats = 3;

// While a server can't be reached, one line in this time says so, for all sessions of a store.
constexpr Nanos kTellAgain = 10'000'000'000;

/// Returns Retry-After (seconds or a date) or x-amz-retry-after (milliseconds) in nanoseconds; 0 when absent.
Nanos asked_wait(const http::Exchange& exchange, int64_t server_now) {
  constexpr uint64_t kMostSeconds = 1'000'000;
  if (const auto text = exchange.header("x-amz-retry-after")) {
    if (const auto value = parse_number<uint64_t>(*text)) {
      return static_cast<Nanos>(std::min(*value, kMostSeconds * 1000)) * 1'000'000;
    }
  }
  const auto text = exchange.header("retry-after");
  if (!text) return 0;
  if (const auto value = parse_number<uint64_t>(*text))
    return static_cast<Nanos>(std::min(*value, kMostSeconds)) * 1'000'000'000;
  const auto when = parse_http_date(*text);
  return when ? std::clamp<int64_t>(*when - server_now, 0, kMostSeconds) * 1'000'000'000 : 0;
}

}  // namespace

Result<std::unique_ptr<Client>> Client::open(Context& context, unsigned slots, unsigned ordinal) {
  auto engine = http::make_engine(context.settings.engine, slots);
  if (!engine) return fail(std::move(engine.error()));
  return std::unique_ptr<Client>(new Client(context, std::move(*engine), ordinal));
}

Client::Client(Context& context, std::unique_ptr<http::Engine> engine, unsigned ordinal)
    : context_(context),
      engine_(std::move(engine)),
      writer_(context.dialect->open_writer()),
      random_(static_cast<unsigned>(now_ns()) ^ (ordinal * 0x9E3779B9U)),
      turn_(ordinal),
      quarantined_until_(context.servers.size(), 0) {}

size_t Client::next_server() {
  const size_t count = context_.servers.size();
  const Nanos now = count > 1 ? now_ns() : 0;
  for (size_t tried = 0; tried < count; ++tried) {
    const size_t candidate = turn_++ % count;
    if (quarantined_until_[candidate] <= now) return candidate;
  }
  return turn_++ % count;  // all of them refused lately: no reason to prefer one
}

void Client::begin(Call& call) {
  call.under_way = true;
  call.counted_attempts = 1;
  send(call);
}

int64_t Client::server_time() const {
  return time(nullptr) + context_.clock_offset.load(std::memory_order_relaxed);
}

void Client::send(Call& call) {
  call.due_ns = 0;
  call.server = next_server();
  http::Exchange& exchange = call.exchange;
  exchange.method = call.method;
  exchange.expect_continue = call.retries > 0 && call.body.size() >= kExpectContinueBytes;
  exchange.body = call.body;
  exchange.sink = call.sink;
  const bool lists = call.kind == CallKind::kListObjects || call.kind == CallKind::kListUploads;
  exchange.text_limit = lists ? size_t{8} << 20 : size_t{1} << 20;
  const TransferSettings& settings = context_.settings;
  exchange.stall_seconds =
      call.kind == CallKind::kCommitUpload ? settings.commit_stall_seconds : settings.stall_seconds;
  exchange.total_milliseconds = 0;
  if (call.deadline_ns != 0) {
    exchange.total_milliseconds =
        static_cast<unsigned>(std::clamp<Nanos>((call.deadline_ns - now_ns()) / 1'000'000, 1, 3'600'000));
  }
  exchange.owner = &call;
  exchange.headers.text.clear();
  if (auto written = writer_->write(call, context_.servers[call.server], server_time()); !written) {
    call.error = std::move(written.error());
    call.under_way = false;
    refused_.push_back(&call);
    return;
  }
  engine_->start(exchange);
}

bool Client::repeat_at_once(Call& call, const Verdict& verdict) {
  switch (verdict.action) {
    case Action::kRepeat:
      if (call.immediate_repeats == kMaxImmediateRepeats) return false;
      ++call.immediate_repeats;
      return true;
    case Action::kFailOver: {
      const size_t count = context_.servers.size();
      if (count == 1) return false;
      if (quarantined_until_[call.server] <= now_ns()) {
        log::warning("Endpoint {} can't be reached ({}); using the others for now.", context_.servers[call.server].url,
                     verdict.happened);
      }
      quarantined_until_[call.server] = now_ns() + context_.settings.retry.quarantine.count();
      if (call.failovers + 1 >= count) return false;
      ++call.failovers;
      return true;
    }
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
  log::warning("This host's clock differs from the server's by {} s; requests are signed with the server's time.",
               offset);
  context_.clock_offset.store(offset, std::memory_order_relaxed);
  return true;
}

Nanos Client::wait_before_next(const Call& call, const Verdict& verdict) {
  const RetryPolicy& policy = context_.settings.retry;
  const bool throttled = verdict.action == Action::kThrottled;
  const Nanos base = (throttled ? policy.throttle_base : policy.transient_base).count();
  const unsigned doublings = std::min(call.counted_attempts - 1, 20U);
  const Nanos most = std::min<Nanos>(policy.cap.count(), base << doublings);
  const double share = std::uniform_real_distribution<double>(0, 1)(random_);
  const Nanos jittered = static_cast<Nanos>(share * static_cast<double>(most));
  const Nanos asked = std::min<Nanos>(asked_wait(call.exchange, server_time()), policy.retry_after_cap.count());
  return std::max(jittered, asked);
}

void Client::tell_waiting(const Call& call, const Verdict& verdict) {
  const Nanos now = now_ns();
  Nanos last = context_.told_waiting_ns.load();
  if (last != 0 && now - last < kTellAgain) return;
  if (!context_.told_waiting_ns.compare_exchange_strong(last, now)) return;  // another session says it
  log::warning("Waiting for {}: {} {}: {}; attempt {} of {} follows (AWS_MAX_ATTEMPTS).",
               context_.servers[call.server].url, context_.dialect->call_name(call.kind), call.subject,
               verdict.happened, call.counted_attempts, context_.settings.retry.max_attempts);
}

bool Client::repeat_later(Call& call, const Verdict& verdict) {
  if (verdict.action != Action::kRetry && verdict.action != Action::kThrottled && verdict.action != Action::kRepeat &&
      verdict.action != Action::kFailOver) {
    return false;
  }
  if (call.counted_attempts >= context_.settings.retry.max_attempts) return false;
  const Nanos due = now_ns() + wait_before_next(call, verdict);
  if (call.deadline_ns != 0 && due >= call.deadline_ns) return false;
  ++call.counted_attempts;
  call.due_ns = due;
  if (verdict.code == ErrorCode::kStorageUnreachable) tell_waiting(call, verdict);
  return true;
}

void Client::evaluate(Call& call, std::vector<Call*>& done) {
  const Verdict verdict = judge(*context_.dialect, call);
  call.server_code = verdict.server_code;
  if (verdict.action == Action::kAccept) {
    call.under_way = false;
    done.push_back(&call);
    return;
  }
  call.retried_bytes += call.body.empty() ? (call.sink.empty() ? 0 : call.exchange.received) : call.exchange.sent;
  call.answer_lost = call.answer_lost || verdict.answer_lost;
  if (repeat_at_once(call, verdict)) {
    ++call.retries;
    send(call);
  } else if (repeat_later(call, verdict)) {
    ++call.retries;
    waiting_.push_back(&call);
  } else {
    call.error = call_error(context_, call, verdict);
    call.under_way = false;
    done.push_back(&call);
  }
}

void Client::poll(std::chrono::nanoseconds timeout, std::vector<Call*>& done) {
  Nanos wait = std::max<Nanos>(timeout.count(), 0);
  if (!waiting_.empty()) {
    const Nanos now = now_ns();
    for (size_t i = 0; i < waiting_.size();) {
      if (waiting_[i]->due_ns > now) {
        wait = std::min(wait, waiting_[i]->due_ns - now);
        ++i;
        continue;
      }
      Call& call = *waiting_[i];
      waiting_[i] = waiting_.back();
      waiting_.pop_back();
      send(call);
    }
  }
  if (!refused_.empty()) wait = 0;
  answered_.clear();
  engine_->poll(std::chrono::nanoseconds(wait), answered_);
  for (http::Exchange* exchange : answered_) evaluate(*static_cast<Call*>(exchange->owner), done);
  done.insert(done.end(), refused_.begin(), refused_.end());
  refused_.clear();
}

bool Client::drop(Call& call) {
  const bool waited = call.due_ns != 0;
  if (waited) std::erase(waiting_, &call);
  std::erase(refused_, &call);
  engine_->drop(call.exchange);
  call.due_ns = 0;
  call.under_way = false;
  return waited;
}

}  // namespace mlps::object
