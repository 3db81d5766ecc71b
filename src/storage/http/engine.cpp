#include "storage/http/engine.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <iterator>

#include "storage/http/response.hpp"

namespace mlps::http {
namespace {

constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kContinueWait = kSecond;

// Firewalls drop quiet connections without telling either side.
constexpr Nanos kIdleLimit = 60 * kSecond;

// Small bodies, and the start of large ones, travel with the head in one segment.
constexpr size_t kBodyWithHead = size_t{8} << 10;

// Receives per turn, so that one fast connection doesn't starve the others.
constexpr int kReceivesPerTurn = 8;

/// An exchange under way on a connection.
struct Slot {
  Exchange* exchange = nullptr;
  std::unique_ptr<Connection> connection;
  bool connecting = false;
  bool awaits_continue = false;
  bool send_ended = false;  // the server doesn't take any more; its answer may still come
  bool runnable = false;    // to be moved on without waiting for an event
  std::string head;         // and the first bytes of the body
  size_t head_sent = 0;
  size_t body_in_head = 0;
  uint64_t body_sent = 0;  // beyond body_in_head
  Nanos progress_ns = 0;
  Nanos continue_until_ns = 0;
  Nanos total_until_ns = 0;
  ResponseReader reader;

  bool sending() const {
    if (connecting || send_ended) return false;
    return head_sent < head.size() || (!awaits_continue && body_in_head + body_sent < exchange->body.size());
  }
  bool all_sent() const { return head_sent == head.size() && body_in_head + body_sent == exchange->body.size(); }
};

class StreamEngine final : public Engine {
 public:
  StreamEngine(std::unique_ptr<Connector> connector, unsigned slots, int wake_descriptor)
      : connector_(std::move(connector)), slots_(slots), wake_descriptor_(wake_descriptor) {
    events_.reserve(slots + 1);
  }
  ~StreamEngine() override {
    slots_.clear();  // connections end before the connector
    idle_.clear();
    close(wake_descriptor_);
  }

  void start(Exchange& exchange) override;
  void poll(std::chrono::nanoseconds timeout, std::vector<Exchange*>& done) override;
  void drop(Exchange& exchange) override;
  void wake() override {
    woken_.store(true);
    eventfd_write(wake_descriptor_, 1);
  }

 private:
  std::unique_ptr<Connection> idle_connection(const std::string& origin);
  static void write_head(Slot& slot);
  void take_connected();
  void move_on(Slot& slot, short events);
  void send_some(Slot& slot);
  void receive_some(Slot& slot);
  void check_time(Slot& slot, Nanos now);
  void give_up(Slot& slot, Failure failure, std::string words);
  void complete(Slot& slot);
  void release(Slot& slot);
  Nanos next_deadline() const;
  void wait_for_events(Nanos until);

  std::unique_ptr<Connector> connector_;
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::vector<Exchange*> completed_;
  std::vector<pollfd> events_;
  int wake_descriptor_;
  std::atomic<bool> woken_ = false;
};

// ---- beginning and end of an exchange

std::unique_ptr<Connection> StreamEngine::idle_connection(const std::string& origin) {
  for (size_t i = idle_.size(); i-- > 0;) {
    if (idle_[i]->origin() != origin) continue;
    std::unique_ptr<Connection> connection = std::move(idle_[i]);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    // The server may have closed it meanwhile; unrequested bytes make it unusable as well.
    std::byte unasked;
    if (now_ns() - connection->idle_since_ns > kIdleLimit) continue;
    if (connection->receive({&unasked, 1}).again) return connection;
  }
  return nullptr;
}

void StreamEngine::write_head(Slot& slot) {
  const Exchange& exchange = *slot.exchange;
  const bool with_body = exchange.method == Method::kPut || exchange.method == Method::kPost;
  slot.head.clear();
  fmt::format_to(std::back_inserter(slot.head), "{} {} HTTP/1.1\r\n{}", method_name(exchange.method), exchange.target,
                 exchange.headers.text());
  if (with_body) fmt::format_to(std::back_inserter(slot.head), "Content-Length: {}\r\n", exchange.body.size());
  slot.awaits_continue = exchange.expect_continue && !exchange.body.empty();
  if (slot.awaits_continue) slot.head += "Expect: 100-continue\r\n";
  slot.head += "\r\n";
  slot.head_sent = 0;
  slot.body_sent = 0;
  slot.body_in_head = slot.awaits_continue ? 0 : std::min(kBodyWithHead, exchange.body.size());
  slot.head.append(reinterpret_cast<const char*>(exchange.body.data()), slot.body_in_head);
}

void StreamEngine::start(Exchange& exchange) {
  exchange.reset_answer();
  const auto free =
      std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.exchange == nullptr; });
  if (free == slots_.end()) {
    exchange.failure = Failure::kLocal;
    exchange.failure_text = "more requests at once than the session was opened for";
    completed_.push_back(&exchange);
    return;
  }
  Slot& slot = *free;
  const Nanos now = now_ns();
  slot.exchange = &exchange;
  exchange.slot = static_cast<int>(free - slots_.begin());
  slot.send_ended = false;
  slot.progress_ns = now;
  slot.continue_until_ns = 0;
  slot.total_until_ns = exchange.total_milliseconds == 0 ? 0 : now + Nanos{exchange.total_milliseconds} * 1'000'000;
  write_head(slot);
  slot.reader.begin(exchange);
  slot.connection = idle_connection(exchange.origin);
  slot.connecting = slot.connection == nullptr;
  slot.runnable = !slot.connecting;
  if (slot.connecting) slot.connection = connector_->connect(exchange.origin);
  if (slot.connection == nullptr) return give_up(slot, Failure::kLocal, "libcurl has no memory for a connection");
  exchange.reused = slot.connection->served;
}

void StreamEngine::release(Slot& slot) {
  slot.connection.reset();
  slot.exchange->slot = -1;
  slot.exchange = nullptr;
}

void StreamEngine::complete(Slot& slot) {
  Exchange& exchange = *slot.exchange;
  exchange.sent = slot.body_sent + (slot.head_sent == slot.head.size() ? slot.body_in_head : 0);
  if (slot.connection != nullptr && slot.reader.finished() && slot.reader.reusable() && slot.all_sent()) {
    slot.connection->served = true;
    slot.connection->idle_since_ns = now_ns();
    idle_.push_back(std::move(slot.connection));
  }
  completed_.push_back(&exchange);
  release(slot);
}

void StreamEngine::give_up(Slot& slot, Failure failure, std::string words) {
  slot.exchange->failure = failure;
  slot.exchange->failure_text = std::move(words);
  complete(slot);
}

void StreamEngine::drop(Exchange& exchange) {
  std::erase(completed_, &exchange);
  if (exchange.slot >= 0) release(slots_[static_cast<size_t>(exchange.slot)]);
}

// ---- moving bytes

void StreamEngine::take_connected() {
  Connected outcome;
  while (connector_->next_connected(outcome)) {
    const auto found = std::find_if(slots_.begin(), slots_.end(),
                                    [&](const Slot& slot) { return slot.connection.get() == outcome.connection; });
    if (found == slots_.end()) continue;
    if (outcome.failure != Failure::kNone) {
      give_up(*found, outcome.failure, outcome.words);
      continue;
    }
    found->connecting = false;
    found->runnable = true;
    found->progress_ns = now_ns();
  }
}

void StreamEngine::send_some(Slot& slot) {
  while (slot.sending()) {
    const bool in_head = slot.head_sent < slot.head.size();
    const auto rest = in_head ? std::as_bytes(std::span(slot.head)).subspan(slot.head_sent)
                              : slot.exchange->body.subspan(slot.body_in_head + slot.body_sent);
    const Connection::Moved moved = slot.connection->send(rest);
    if (moved.again) return;
    if (moved.ended) {  // an answer may have come before the end, so reading decides
      slot.send_ended = true;
      return;
    }
    slot.progress_ns = now_ns();
    if (!in_head) {
      slot.body_sent += moved.bytes;
    } else {
      slot.head_sent += moved.bytes;
      if (slot.awaits_continue && slot.head_sent == slot.head.size()) {
        slot.continue_until_ns = slot.progress_ns + kContinueWait;
      }
    }
    if (moved.partly) return;  // waiting for real room costs less than sending in small pieces
  }
}

void StreamEngine::receive_some(Slot& slot) {
  for (int turn = 0; turn < kReceivesPerTurn; ++turn) {
    const Connection::Moved moved = slot.connection->receive(slot.reader.room());
    if (moved.again) {
      if (slot.send_ended) return give_up(slot, Failure::kBroken, slot.connection->words());
      if (turn > 0 && slot.all_sent()) slot.connection->acknowledge();
      return;
    }
    if (moved.ended) {
      slot.reader.ended(slot.connection->words());
      return complete(slot);
    }
    slot.progress_ns = now_ns();
    slot.reader.received(moved.bytes);
    if (slot.reader.finished()) return complete(slot);
    if (slot.reader.continue_seen()) slot.awaits_continue = false;
    if (moved.partly && !slot.send_ended) {  // all that has arrived: asking again would find nothing
      if (slot.all_sent()) slot.connection->acknowledge();
      return;
    }
  }
  slot.runnable = true;
}

void StreamEngine::move_on(Slot& slot, short events) {
  const bool unasked = slot.runnable;
  slot.runnable = false;
  if ((events & (POLLIN | POLLERR | POLLHUP)) != 0) receive_some(slot);
  if (slot.exchange == nullptr) return;
  if (unasked || (events & POLLOUT) != 0) send_some(slot);
  // An encrypted stream may hold bytes of which poll() knows nothing.
  if (slot.send_ended || (unasked && slot.all_sent())) receive_some(slot);
}

// ---- time

void StreamEngine::check_time(Slot& slot, Nanos now) {
  if (slot.total_until_ns != 0 && now >= slot.total_until_ns) {
    return give_up(slot, slot.connecting ? Failure::kConnect : Failure::kStalled,
                   fmt::format("not done within {} ms", slot.exchange->total_milliseconds));
  }
  if (slot.connecting) return;  // libcurl watches that time
  if (now - slot.progress_ns >= slot.exchange->stall_seconds * kSecond) {
    return give_up(slot, Failure::kStalled, fmt::format("no byte for {} s", slot.exchange->stall_seconds));
  }
  if (slot.awaits_continue && slot.continue_until_ns != 0 && now >= slot.continue_until_ns) {
    slot.awaits_continue = false;
    slot.continue_until_ns = 0;
    slot.runnable = true;
  }
}

Nanos StreamEngine::next_deadline() const {
  Nanos first = INT64_MAX;
  for (const Slot& slot : slots_) {
    if (slot.exchange == nullptr) continue;
    if (slot.runnable) return 0;
    if (slot.total_until_ns != 0) first = std::min(first, slot.total_until_ns);
    if (slot.connecting) continue;
    first = std::min(first, slot.progress_ns + slot.exchange->stall_seconds * kSecond);
    if (slot.awaits_continue && slot.continue_until_ns != 0) first = std::min(first, slot.continue_until_ns);
  }
  return first;
}

void StreamEngine::wait_for_events(Nanos until) {
  events_.clear();
  events_.push_back({.fd = wake_descriptor_, .events = POLLIN, .revents = 0});
  for (const Slot& slot : slots_) {
    const bool watched = slot.exchange != nullptr && !slot.connecting;
    const short sending = watched && slot.sending() ? POLLOUT : 0;
    const int descriptor = watched ? slot.connection->descriptor() : -1;
    events_.push_back({.fd = descriptor, .events = static_cast<short>(POLLIN | sending), .revents = 0});
  }
  const Nanos left = std::max<Nanos>(until - now_ns(), 0);
  // libcurl asks to be called again in time by itself, but only from within its own wait.
  const int milliseconds = static_cast<int>(std::min<Nanos>((left + 999'999) / 1'000'000, INT_MAX));
  connector_->wait(events_.data(), events_.size(), milliseconds);
  if (events_.front().revents != 0) {
    eventfd_t ignored;
    eventfd_read(wake_descriptor_, &ignored);
  }
}

void StreamEngine::poll(std::chrono::nanoseconds timeout, std::vector<Exchange*>& done) {
  const Nanos deadline = now_ns() + std::max<int64_t>(timeout.count(), 0);
  bool last = false;
  for (;;) {
    take_connected();
    for (Slot& slot : slots_) {
      if (slot.exchange != nullptr && slot.runnable) move_on(slot, 0);
    }
    if (!completed_.empty() || last || woken_.exchange(false)) break;
    wait_for_events(std::min(deadline, next_deadline()));
    const Nanos now = now_ns();
    for (size_t i = 0; i < slots_.size(); ++i) {
      Slot& slot = slots_[i];
      if (slot.exchange != nullptr && events_[i + 1].revents != 0) move_on(slot, events_[i + 1].revents);
      if (slot.exchange != nullptr) check_time(slot, now);
    }
    last = now >= deadline;
  }
  done.insert(done.end(), completed_.begin(), completed_.end());
  completed_.clear();
}

}  // namespace

Result<std::unique_ptr<Engine>> make_engine(const EngineSettings& settings, unsigned slots) {
  auto connector = make_connector(settings);
  if (!connector) return fail(std::move(connector.error()));
  const int wake_descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_descriptor < 0) return fail(errno_error(errno, "make a wake-up descriptor"));
  return std::make_unique<StreamEngine>(std::move(*connector), slots, wake_descriptor);
}

}  // namespace mlps::http
