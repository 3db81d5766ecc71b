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

#include "base/encoding.hpp"
#include "storage/http/connection.hpp"
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

// The rest of a large body is waited for in pieces of this size, since every wake-up and every call costs as much as
// some ten KiB of copying. What comes too slowly for that is looked for after a second.
constexpr size_t kLowWater = size_t{256} << 10;
constexpr size_t kLowWaterFrom = size_t{128} << 10;
constexpr Nanos kLowWaterPatience = kSecond;

/// An exchange under way on a connection.
struct Lane {
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
  Nanos continue_until_ns = 0;
  Nanos total_until_ns = 0;
  ResponseReader reader;

  bool sending() const {
    if (connecting || send_ended) return false;
    return head_sent < head.size() || (!awaits_continue && body_in_head + body_sent < exchange->body.size());
  }
  uint64_t body_handed() const { return body_sent + (head_sent == head.size() ? body_in_head : 0); }
  bool all_sent() const { return head_sent == head.size() && body_in_head + body_sent == exchange->body.size(); }
};

class StreamEngine final : public Engine {
 public:
  StreamEngine(std::unique_ptr<Connector> connector, const Way& way, unsigned slots, int wake_descriptor)
      : connector_(std::move(connector)),
        proxied_(!way.proxy.empty()),
        lanes_(slots),
        wake_descriptor_(wake_descriptor) {
    events_.reserve(slots + 1);
    if (way.proxy_user.empty()) return;
    proxy_header_ = fmt::format("Proxy-Authorization: Basic {}\r\n", base64(std::as_bytes(std::span(way.proxy_user))));
  }
  ~StreamEngine() override {
    lanes_.clear();  // connections end before the connector
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
  void write_head(Lane& lane) const;
  void take_connected();
  void move_on(Lane& lane, short events);
  void send_some(Lane& lane);
  void receive_some(Lane& lane);
  static void wait_for_more(Lane& lane);
  void check_time(Lane& lane, Nanos now);
  void give_up(Lane& lane, Failure failure, std::string words);
  void complete(Lane& lane);
  void release(Lane& lane);
  Nanos next_deadline() const;
  void wait_for_events(Nanos until);

  std::unique_ptr<Connector> connector_;
  const bool proxied_;
  std::string proxy_header_;  // of requests that the proxy reads itself
  std::vector<Lane> lanes_;
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

void StreamEngine::write_head(Lane& lane) const {
  const Exchange& exchange = *lane.exchange;
  const bool with_body = exchange.method == Method::kPut || exchange.method == Method::kPost;
  const bool by_proxy = proxied_ && exchange.origin.starts_with("http://");
  lane.head.clear();
  fmt::format_to(std::back_inserter(lane.head), "{} {}{} HTTP/1.1\r\n{}{}", method_name(exchange.method),
                 by_proxy ? exchange.origin : std::string_view(), exchange.target, exchange.headers.text,
                 by_proxy ? proxy_header_ : std::string_view());
  if (with_body) fmt::format_to(std::back_inserter(lane.head), "Content-Length: {}\r\n", exchange.body.size());
  lane.awaits_continue = exchange.expect_continue && !exchange.body.empty();
  if (lane.awaits_continue) lane.head += "Expect: 100-continue\r\n";
  lane.head += "\r\n";
  lane.head_sent = 0;
  lane.body_sent = 0;
  lane.body_in_head = lane.awaits_continue ? 0 : std::min(kBodyWithHead, exchange.body.size());
  lane.head.append(reinterpret_cast<const char*>(exchange.body.data()), lane.body_in_head);
}

void StreamEngine::start(Exchange& exchange) {
  exchange.reset_answer();
  const auto free =
      std::find_if(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.exchange == nullptr; });
  if (free == lanes_.end()) {
    exchange.failure = Failure::kLocal;
    exchange.failure_text = "more requests at once than the session was opened for";
    completed_.push_back(&exchange);
    return;
  }
  Lane& lane = *free;
  const Nanos now = now_ns();
  lane.exchange = &exchange;
  exchange.slot = static_cast<int>(free - lanes_.begin());
  lane.send_ended = false;
  lane.exchange->progress_ns = now;
  lane.continue_until_ns = 0;
  lane.total_until_ns = exchange.total_milliseconds == 0 ? 0 : now + Nanos{exchange.total_milliseconds} * 1'000'000;
  write_head(lane);
  lane.reader.begin(exchange);
  lane.connection = exchange.fresh_connection ? nullptr : idle_connection(exchange.origin);
  lane.connecting = lane.connection == nullptr;
  lane.runnable = !lane.connecting;
  if (lane.connecting) lane.connection = connector_->connect(exchange.origin, exchange.connect_seconds);
  if (lane.connection == nullptr) return give_up(lane, Failure::kLocal, "libcurl has no memory for a connection");
  exchange.reused = lane.connection->served;
}

void StreamEngine::release(Lane& lane) {
  lane.connection.reset();
  lane.exchange->slot = -1;
  lane.exchange = nullptr;
}

void StreamEngine::complete(Lane& lane) {
  Exchange& exchange = *lane.exchange;
  if (lane.connection != nullptr && lane.reader.finished() && lane.reader.reusable() && lane.all_sent()) {
    lane.connection->served = true;
    lane.connection->set_low_water(1);
    lane.connection->idle_since_ns = now_ns();
    idle_.push_back(std::move(lane.connection));
  }
  completed_.push_back(&exchange);
  release(lane);
}

void StreamEngine::give_up(Lane& lane, Failure failure, std::string words) {
  lane.exchange->failure = failure;
  lane.exchange->failure_text = std::move(words);
  complete(lane);
}

void StreamEngine::drop(Exchange& exchange) {
  std::erase(completed_, &exchange);
  if (exchange.slot >= 0) release(lanes_[static_cast<size_t>(exchange.slot)]);
}

// ---- moving bytes

void StreamEngine::take_connected() {
  Connected outcome;
  while (connector_->next_connected(outcome)) {
    const auto found = std::find_if(lanes_.begin(), lanes_.end(),
                                    [&](const Lane& lane) { return lane.connection.get() == outcome.connection; });
    if (found == lanes_.end()) continue;
    if (outcome.failure != Failure::kNone) {
      give_up(*found, outcome.failure, outcome.words);
      continue;
    }
    found->connecting = false;
    found->runnable = true;
    found->exchange->progress_ns = now_ns();
  }
}

void StreamEngine::send_some(Lane& lane) {
  while (lane.sending()) {
    const bool in_head = lane.head_sent < lane.head.size();
    const auto rest = in_head ? std::as_bytes(std::span(lane.head)).subspan(lane.head_sent)
                              : lane.exchange->body.subspan(lane.body_in_head + lane.body_sent);
    const Connection::Moved moved = lane.connection->send(rest);
    if (moved.again) return;
    if (moved.ended) {  // an answer may have come before the end, so reading decides
      lane.send_ended = true;
      return;
    }
    lane.exchange->progress_ns = now_ns();
    if (!in_head) {
      lane.body_sent += moved.bytes;
    } else {
      lane.head_sent += moved.bytes;
      if (lane.awaits_continue && lane.head_sent == lane.head.size()) {
        lane.continue_until_ns = lane.exchange->progress_ns + kContinueWait;
      }
    }
    lane.exchange->sent = lane.body_handed();
    if (moved.partly) return;  // waiting for real room costs less than sending in small pieces
  }
}

void StreamEngine::receive_some(Lane& lane) {
  for (int turn = 0; turn < kReceivesPerTurn; ++turn) {
    const Connection::Moved moved = lane.connection->receive(lane.reader.room());
    if (moved.again) {
      if (lane.send_ended) return give_up(lane, Failure::kBroken, lane.connection->words());
      if (turn > 0 && lane.all_sent()) lane.connection->acknowledge();
      return;
    }
    if (moved.ended) {
      lane.reader.ended(lane.connection->words());
      return complete(lane);
    }
    lane.exchange->progress_ns = now_ns();
    lane.reader.received(moved.bytes);
    if (lane.reader.finished()) return complete(lane);
    if (lane.reader.continue_seen()) lane.awaits_continue = false;
    wait_for_more(lane);
    if (moved.partly && !lane.send_ended) {  // all that has arrived: asking again would find nothing
      if (lane.all_sent()) lane.connection->acknowledge();
      return;
    }
  }
  lane.runnable = true;
}

/// Lets the kernel report data only when it is worth it.
void StreamEngine::wait_for_more(Lane& lane) {
  const size_t missing = lane.reader.sink_missing();
  const bool large = missing >= kLowWaterFrom || lane.connection->low_water() > 1;
  lane.connection->set_low_water(large ? std::clamp<size_t>(missing, 1, kLowWater) : 1);
}

void StreamEngine::move_on(Lane& lane, short events) {
  const bool unasked = lane.runnable;
  lane.runnable = false;
  if ((events & (POLLIN | POLLERR | POLLHUP)) != 0) receive_some(lane);
  if (lane.exchange == nullptr) return;
  if (unasked || (events & POLLOUT) != 0) send_some(lane);
  // An encrypted stream may hold bytes of which poll() knows nothing.
  if (lane.send_ended || (unasked && lane.all_sent())) receive_some(lane);
}

// ---- time

void StreamEngine::check_time(Lane& lane, Nanos now) {
  if (lane.total_until_ns != 0 && now >= lane.total_until_ns) {
    return give_up(lane, lane.connecting ? Failure::kConnect : Failure::kStalled,
                   fmt::format("not done within {} ms", lane.exchange->total_milliseconds));
  }
  if (lane.connecting) return;  // libcurl watches that time
  if (now - lane.exchange->progress_ns >= lane.exchange->stall_seconds * kSecond) {
    return give_up(lane, Failure::kStalled, fmt::format("no byte for {} s", lane.exchange->stall_seconds));
  }
  if (lane.connection->low_water() > 1 && now - lane.exchange->progress_ns >= kLowWaterPatience) {
    lane.connection->set_low_water(1);
    lane.runnable = true;
  }
  if (lane.awaits_continue && lane.continue_until_ns != 0 && now >= lane.continue_until_ns) {
    lane.awaits_continue = false;
    lane.continue_until_ns = 0;
    lane.runnable = true;
  }
}

Nanos StreamEngine::next_deadline() const {
  Nanos first = INT64_MAX;
  for (const Lane& lane : lanes_) {
    if (lane.exchange == nullptr) continue;
    if (lane.runnable) return 0;
    if (lane.total_until_ns != 0) first = std::min(first, lane.total_until_ns);
    if (lane.connecting) continue;
    first = std::min(first, lane.exchange->progress_ns + lane.exchange->stall_seconds * kSecond);
    if (lane.connection->low_water() > 1) first = std::min(first, lane.exchange->progress_ns + kLowWaterPatience);
    if (lane.awaits_continue && lane.continue_until_ns != 0) first = std::min(first, lane.continue_until_ns);
  }
  return first;
}

void StreamEngine::wait_for_events(Nanos until) {
  events_.clear();
  events_.push_back({.fd = wake_descriptor_, .events = POLLIN, .revents = 0});
  for (const Lane& lane : lanes_) {
    const bool watched = lane.exchange != nullptr && !lane.connecting;
    const short sending = watched && lane.sending() ? POLLOUT : 0;
    const int descriptor = watched ? lane.connection->descriptor() : -1;
    events_.push_back({.fd = descriptor, .events = static_cast<short>(POLLIN | sending), .revents = 0});
  }
  const Nanos left = std::max<Nanos>(until - now_ns(), 0);
  // libcurl asks to be called again in time by itself, but only from within its own wait.
  const int milliseconds = static_cast<int>(std::min<Nanos>((left + 999'999) / 1'000'000, INT_MAX));
  connector_->wait(events_, milliseconds);
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
    for (Lane& lane : lanes_) {
      if (lane.exchange != nullptr && lane.runnable) move_on(lane, 0);
    }
    if (!completed_.empty() || last || woken_.exchange(false)) break;
    wait_for_events(std::min(deadline, next_deadline()));
    const Nanos now = now_ns();
    for (size_t i = 0; i < lanes_.size(); ++i) {
      Lane& lane = lanes_[i];
      if (lane.exchange != nullptr && events_[i + 1].revents != 0) move_on(lane, events_[i + 1].revents);
      if (lane.exchange != nullptr) check_time(lane, now);
    }
    last = now >= deadline;
  }
  done.insert(done.end(), completed_.begin(), completed_.end());
  completed_.clear();
}

}  // namespace

Result<std::unique_ptr<Engine>> make_engine(const EngineSettings& settings, unsigned slots) {
  auto connector = Connector::make(settings);
  if (!connector) return fail(std::move(connector.error()));
  const int wake_descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_descriptor < 0) return fail(errno_error(errno, "make a wake-up descriptor"));
  return std::make_unique<StreamEngine>(std::move(*connector), settings, slots, wake_descriptor);
}

}  // namespace mlps::http
