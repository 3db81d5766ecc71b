#include "storage/object/client.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "storage/object/errors.hpp"
#include "storage/object/judge.hpp"

namespace mlps::object {
namespace {

constexpr Nanos kMillisecond = 1'000'000;
constexpr Nanos kSecond = 1'000 * kMillisecond;

// Bodies from this size on wait for "100 Continue" when they are sent again, so that a server that still refuses
// doesn't get them in full.
constexpr size_t kExpectContinueBytes = size_t{1} << 20;

// An attempt without a byte for this long is worth a line.
constexpr Nanos kTellQuiet = 5 * kSecond;

// The most that a connection may take where another server could be asked instead.
constexpr unsigned kConnectSeconds = 3;

// Requests that a server doesn't take now, because it asked for fewer, look again after this.
constexpr Nanos kHeld = 5 * kMillisecond;

constexpr Nanos kBetweenWatches = kSecond / 2;
constexpr Nanos kBetweenReports = kSecond;

/// What the operation log calls a request, by CallKind, and whether it moves an object's content.
constexpr std::array<std::pair<storage::LogOp, bool>, kCallKinds> kLogged = {{{storage::LogOp::kPut, true},
                                                                              {storage::LogOp::kPut, false},
                                                                              {storage::LogOp::kPut, true},
                                                                              {storage::LogOp::kPut, false},
                                                                              {storage::LogOp::kDelete, false},
                                                                              {storage::LogOp::kGet, true},
                                                                              {storage::LogOp::kStat, false},
                                                                              {storage::LogOp::kStat, false},
                                                                              {storage::LogOp::kList, false},
                                                                              {storage::LogOp::kList, false},
                                                                              {storage::LogOp::kDelete, true}}};

}  // namespace

Result<std::unique_ptr<Client>> Client::open(Context& context, TransferSettings settings, unsigned slots,
                                             unsigned ordinal) {
  auto engine = http::make_engine(settings.engine, slots + 1);  // one for the probe
  if (!engine) return fail(std::move(engine.error()));
  return std::unique_ptr<Client>(new Client(context, std::move(settings), std::move(*engine), ordinal));
}

Client::~Client() {
  for (const Call* call : in_flight_) {
    if (call != &probe_) context_.servers.drop(call->server);
  }
  report();
}

Client::Client(Context& context, TransferSettings settings, std::unique_ptr<http::Engine> engine, unsigned ordinal)
    : context_(context),
      settings_(std::move(settings)),
      engine_(std::move(engine)),
      writer_(context.dialect->open_writer()),
      random_(static_cast<unsigned>(now_ns()) ^ (ordinal * 0x9E3779B9U)),
      turn_(ordinal + settings_.rank),
      tallies_(context.servers.size()),
      probe_subject_(context.bucket_uri()),
      log_(settings_.op_log ? settings_.op_log->open_channel() : nullptr) {}

// ---- attempts

void Client::begin(Call& call) {
  call.under_way = true;
  call.counted_attempts = 1;
  send(call);
}

int64_t Client::server_time() const {
  return time(nullptr) + context_.clock_offset.load(std::memory_order_relaxed);
}

void Client::send(Call& call) {
  const Nanos now = now_ns();
  call.due_ns = 0;
  const bool probes = &call == &probe_;
  if (!probes) {
    call.server = context_.servers.choose(turn_, call.failed_at.value_or(Servers::kNone));
    if (!context_.servers.begin(call.server)) {
      call.due_ns = now + kHeld;
      waiting_.push_back(&call);
      return;
    }
  }
  call.sent_ns = now;
  fill_exchange(call, now);
  if (auto written = writer_->write(call, context_.servers[call.server], server_time()); !written) {
    if (!probes) context_.servers.drop(call.server);
    call.error = std::move(written.error());
    refused_.push_back(&call);
    return;
  }
  in_flight_.push_back(&call);
  engine_->start(call.exchange);
}

void Client::fill_exchange(Call& call, Nanos now) const {
  http::Exchange& exchange = call.exchange;
  exchange.method = call.method;
  exchange.headers.text.clear();
  exchange.expect_continue = call.retries > 0 && !call.without_expect && call.body.size() >= kExpectContinueBytes;
  exchange.body = call.body;
  exchange.sink = call.sink;
  const bool lists = call.kind == CallKind::kListObjects || call.kind == CallKind::kListUploads;
  exchange.text_limit = lists ? size_t{8} << 20 : size_t{1} << 20;
  exchange.owner = &call;
  exchange.fresh_connection = call.immediate_repeats > 0;
  const bool others = call.failovers + 1 < context_.servers.size();
  exchange.connect_seconds = settings_.engine.connect_seconds;
  if (others) exchange.connect_seconds = std::min(exchange.connect_seconds, kConnectSeconds);
  exchange.stall_seconds =
      call.kind == CallKind::kCommitUpload ? settings_.commit_stall_seconds : settings_.stall_seconds;
  exchange.total_milliseconds = 0;
  if (call.deadline_ns != 0) {
    // Of the time that is left, a server that hangs must leave some to the next one.
    const Nanos left = (call.deadline_ns - now) / (others ? 2 : 1);
    exchange.total_milliseconds = static_cast<unsigned>(std::clamp<Nanos>(left / kMillisecond, 1, 3'600'000));
  }
  if (&call == &probe_) exchange.stall_seconds = exchange.connect_seconds = settings_.probe_seconds;
}

void Client::evaluate(Call& call, std::vector<Call*>& done) {
  std::erase(in_flight_, &call);
  if (&call == &probe_) return probe_done();
  const Verdict verdict = judge(*context_.dialect, call);
  call.server_code = verdict.server_code;
  count(call, verdict);
  if (verdict.action == Action::kAccept) {
    call.under_way = false;
    done.push_back(&call);
    return;
  }
  call.retried_bytes += call.body.empty() ? (call.sink.empty() ? 0 : call.exchange.received) : call.exchange.sent;
  call.answer_lost = call.answer_lost || verdict.answer_lost;
  if (call.first_failed_ns == 0) call.first_failed_ns = call.sent_ns;
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

void Client::count(const Call& call, const Verdict& verdict) {
  const http::Exchange& exchange = call.exchange;
  Tally& tally = tallies_[call.server];
  ++tally.use.attempts;
  tally.use.sent_bytes += exchange.sent;
  tally.use.received_bytes += exchange.received;
  const Health health = health_of(call, verdict, now_ns());
  const bool accepted = verdict.action == Action::kAccept;
  if (log_) log_attempt(call, accepted ? std::string() : cause_of(exchange, verdict));
  if (accepted) {
    tally.answers_ns.push_back(static_cast<uint64_t>(now_ns() - call.sent_ns));
    return context_.servers.end(call.server, health, {});
  }
  ++tally.use.failed;
  storage::count_failure(tally.use.failures, cause_of(exchange, verdict));
  // An idle connection that the server had closed meanwhile says nothing about the server.
  if (verdict.action == Action::kRepeat) return context_.servers.drop(call.server);
  context_.servers.end(call.server, health, verdict.happened);
}

/// Keeps an attempt that has just ended in the operation log.
void Client::log_attempt(const Call& call, std::string_view error) {
  const http::Exchange& exchange = call.exchange;
  const auto [op, moves_data] = kLogged.at(static_cast<size_t>(call.kind));
  const auto scheme = call.subject.find("://");
  storage::LoggedRequest request;
  request.op = op;
  // A body that the dialect has made (a list of what to compose) is no content.
  request.moves_data =
      moves_data && (call.body.empty() || call.body.data() != std::as_bytes(std::span(call.text)).data());
  request.attempt = call.retries + 1;
  request.status = exchange.status;
  if (request.moves_data) request.bytes = op == storage::LogOp::kGet ? exchange.received : exchange.sent;
  request.offset = call.first_byte;
  request.start_ns = call.sent_ns;
  request.first_byte_ns = exchange.first_byte_ns;
  request.end_ns = now_ns();
  request.request = context_.dialect->call_name(call.kind);
  request.endpoint = context_.servers[call.server].url;
  request.file = scheme == std::string_view::npos ? call.subject : call.subject.substr(scheme + 3);
  request.error = error;
  log_->add(request);
}

// ---- time

void Client::send_due(Nanos now) {
  for (size_t i = 0; i < waiting_.size();) {
    if (waiting_[i]->due_ns > now) {
      ++i;
      continue;
    }
    Call& call = *waiting_[i];
    waiting_[i] = waiting_.back();
    waiting_.pop_back();
    send(call);
  }
}

void Client::poll(std::chrono::nanoseconds timeout, std::vector<Call*>& done) {
  Nanos now = now_ns();
  const Nanos until = now + std::max<Nanos>(timeout.count(), 0);
  Nanos wake_at = until;
  if (!waiting_.empty()) send_due(now);
  for (const Call* call : waiting_) wake_at = std::min(wake_at, call->due_ns);
  if (!in_flight_.empty() || !waiting_.empty()) wake_at = std::min(wake_at, std::max(next_watch_ns_, now));
  if (!refused_.empty()) wake_at = now;
  answered_.clear();
  engine_->poll(std::chrono::nanoseconds(wake_at - now), answered_);
  for (http::Exchange* exchange : answered_) evaluate(*static_cast<Call*>(exchange->owner), done);
  for (Call* call : refused_) {
    call->under_way = false;
    if (call == &probe_) {
      context_.servers.probed(call->server, false, call->error->message);
    } else {
      done.push_back(call);
    }
  }
  refused_.clear();
  now = now_ns();
  if (now >= next_watch_ns_) watch(now, done);
  if (now >= next_report_ns_ || (in_flight_.empty() && waiting_.empty())) report();
}

/// Looks after what waits: says so, probes servers that are quiet or set aside, and cuts what waits for one of them.
void Client::watch(Nanos now, std::vector<Call*>& done) {
  next_watch_ns_ = now + std::min(kBetweenWatches, settings_.quiet.count() / 4);
  Servers& servers = context_.servers;
  std::vector<std::pair<Call*, Nanos>> hung;
  for (Call* call : in_flight_) {
    const Nanos quiet = now - std::max(call->sent_ns, call->exchange.progress_ns);
    if (quiet < settings_.quiet.count() || call == &probe_) continue;
    if (servers.size() > 1 && servers.is_aside(call->server)) {
      hung.emplace_back(call, quiet);
    } else if (servers.size() > 1 && !probe_.under_way && servers.take_quiet(call->server, now)) {
      probe(call->server);
      break;  // in_flight_ has changed
    } else if (quiet >= kTellQuiet && may_tell(now)) {
      log::info("Waiting for {}: no byte for {} in {} {}; this attempt ends after {} s without one.",
                servers[call->server].url, human_seconds(to_seconds(quiet)), context_.dialect->call_name(call->kind),
                call->subject, call->exchange.stall_seconds);
    }
  }
  for (const auto& [call, quiet] : hung) cut(*call, quiet, done);
  const auto told = std::find_if(waiting_.begin(), waiting_.end(), [](const Call* call) { return call->retries > 0; });
  if (told != waiting_.end()) tell_waiting(**told, now);
  if (servers.size() == 1 || probe_.under_way) return;
  if (const size_t due = servers.take_due(now); due != Servers::kNone) probe(due);
}

void Client::cut(Call& call, Nanos quiet, std::vector<Call*>& done) {
  engine_->drop(call.exchange);
  call.exchange.failure = http::Failure::kStalled;
  call.exchange.failure_text =
      fmt::format("no byte for {}, and the endpoint is set aside", human_seconds(to_seconds(quiet)));
  evaluate(call, done);
}

void Client::probe(size_t server) {
  context_.dialect->ask_bucket(probe_, probe_subject_);
  probe_.server = server;
  probe_.under_way = true;
  send(probe_);
}

void Client::probe_done() {
  const http::Exchange& answer = probe_.exchange;
  probe_.under_way = false;
  const bool answered = answer.failure == http::Failure::kNone && answer.status < 500;
  const std::string cause = answer.failure == http::Failure::kNone
                                ? fmt::format("HTTP {}", answer.status)
                                : fmt::format("it doesn't answer a look at the bucket ({})", answer.failure_text);
  if (log_) log_attempt(probe_, answered ? std::string_view() : cause);
  context_.servers.probed(probe_.server, answered, cause);
}

void Client::report() {
  next_report_ns_ = now_ns() + kBetweenReports;
  for (size_t i = 0; i < tallies_.size(); ++i) {
    Tally& tally = tallies_[i];
    if (tally.use.attempts == 0) continue;
    context_.servers.report(i, tally.use, tally.answers_ns);
    tally.use = {};
    tally.answers_ns.clear();
  }
}

bool Client::drop(Call& call) {
  const bool waited = call.due_ns != 0;
  if (waited) std::erase(waiting_, &call);
  if (std::erase(in_flight_, &call) != 0 && &call != &probe_) context_.servers.drop(call.server);
  std::erase(refused_, &call);
  engine_->drop(call.exchange);
  call.due_ns = 0;
  call.under_way = false;
  return waited;
}

}  // namespace mlps::object
