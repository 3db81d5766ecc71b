// What the HTTP client costs: the same requests to the same server through libcurl's own HTTP (curl_multi), through our
// engine, and through a blocking loop on a raw socket. Repetitions of the three are interleaved, so that a drifting
// machine hits all alike; the table has medians. Usage: s3_http_cost [repetitions=9] [--no-pin]
#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "cost.hpp"
#include "sink.hpp"
#include "storage/http/engine.hpp"

namespace {

using namespace mlps;

constexpr unsigned kInFlight = 4;  // of libcurl and of our engine; the raw loop has one connection

/// Requests of one kind: `count` times a body of `bytes`.
struct Load {
  bool put = true;
  uint64_t bytes = 0;
  unsigned count = 0;
};

constexpr std::array kLoads = {Load{true, kMiB, 512},       Load{true, 8 * kMiB, 96}, Load{true, 64 * kMiB, 16},
                               Load{false, 4 * kKiB, 8000}, Load{false, kMiB, 512},   Load{false, 8 * kMiB, 96},
                               Load{false, 64 * kMiB, 16}};

using Buffers = std::vector<std::vector<std::byte>>;  // one for each request in flight

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "s3_http_cost: {}\n", why);
  std::exit(1);
}

class Client {
 public:
  virtual ~Client() = default;
  virtual void run(const Load& load) = 0;
};

class RawClient final : public Client {
 public:
  RawClient(uint16_t port, Buffers& buffers) : buffers_(buffers), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) give_up("can't connect");
  }
  ~RawClient() override { close(fd_); }

  void run(const Load& load) override {
    for (unsigned i = 0; i < load.count; ++i) {
      const std::span<std::byte> body(buffers_[i % kInFlight].data(), load.bytes);
      const std::string head =
          load.put ? fmt::format("PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", load.bytes)
                   : fmt::format("GET /b/k HTTP/1.1\r\nHost: h\r\nRange: bytes=0-{}\r\n\r\n", load.bytes - 1);
      send_all(std::as_bytes(std::span(head)));
      if (load.put) send_all(body);
      receive(load.put ? std::span<std::byte>() : body);
    }
  }

 private:
  void send_all(std::span<const std::byte> data) {
    while (!data.empty()) {
      const ssize_t sent = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
      if (sent <= 0) give_up("send failed");
      data = data.subspan(static_cast<size_t>(sent));
    }
  }

  /// Receives the head and a body of the size of `body`.
  void receive(std::span<std::byte> body) {
    std::array<char, 8192> head;
    size_t have = 0;
    size_t end = std::string_view::npos;
    while (end == std::string_view::npos) {
      have += receive_some(head.data() + have, head.size() - have);
      end = std::string_view(head.data(), have).find("\r\n\r\n");
    }
    size_t done = have - end - 4;
    if (done > body.size()) give_up("more than was asked for");
    if (done > 0) std::memcpy(body.data(), head.data() + end + 4, done);
    while (done < body.size()) done += receive_some(body.data() + done, body.size() - done);
  }

  size_t receive_some(void* room, size_t size) {
    const ssize_t got = recv(fd_, room, size, 0);
    if (got <= 0) give_up("the server went away");
    return static_cast<size_t>(got);
  }

  Buffers& buffers_;
  int fd_;
};

class EngineClient final : public Client {
 public:
  EngineClient(const std::string& origin, Buffers& buffers)
      : buffers_(buffers), engine_(std::move(*http::make_engine({}, kInFlight))), exchanges_(kInFlight) {
    for (http::Exchange& exchange : exchanges_) exchange.origin = origin;
  }

  void run(const Load& load) override {
    unsigned started = 0;
    std::vector<http::Exchange*> done;
    for (unsigned i = 0; i < kInFlight; ++i) start(exchanges_[i], i, load, started);
    for (unsigned finished = 0; finished < load.count;) {
      done.clear();
      engine_->poll(std::chrono::seconds(10), done);
      if (done.empty()) give_up("the engine brings nothing");
      for (http::Exchange* exchange : done) {
        if (exchange->failure != http::Failure::kNone) give_up(exchange->failure_text);
        ++finished;
        start(*exchange, static_cast<size_t>(exchange - exchanges_.data()), load, started);
      }
    }
  }

 private:
  void start(http::Exchange& exchange, size_t buffer, const Load& load, unsigned& started) {
    if (started == load.count) return;
    ++started;
    exchange.method = load.put ? http::Method::kPut : http::Method::kGet;
    exchange.target = "/b/k";
    exchange.headers.text.clear();
    exchange.headers.add("Host", "h");
    if (!load.put) exchange.headers.add("Range", fmt::format("bytes=0-{}", load.bytes - 1));
    const std::span<std::byte> body(buffers_[buffer].data(), load.bytes);
    exchange.body = load.put ? body : std::span<std::byte>();
    exchange.sink = load.put ? std::span<std::byte>() : body;
    engine_->start(exchange);
  }

  Buffers& buffers_;
  std::unique_ptr<http::Engine> engine_;
  std::vector<http::Exchange> exchanges_;
};

class CurlClient final : public Client {
 public:
  CurlClient(const std::string& origin, Buffers& buffers) : multi_(curl_multi_init()), transfers_(kInFlight) {
    for (unsigned i = 0; i < kInFlight; ++i) {
      transfers_[i].easy = curl_easy_init();
      transfers_[i].buffer = buffers[i].data();
      const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(transfers_[i].easy, option, value); };
      set(CURLOPT_URL, (origin + "/b/k").c_str());
      set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
      set(CURLOPT_NOSIGNAL, 1L);
      set(CURLOPT_TCP_NODELAY, 1L);
      set(CURLOPT_UPLOAD_BUFFERSIZE, 2L << 20);  // the most there is
      set(CURLOPT_BUFFERSIZE, 512L << 10);       // the most there is
      set(CURLOPT_PRIVATE, &transfers_[i]);
      set(CURLOPT_READFUNCTION, read_body);
      set(CURLOPT_READDATA, &transfers_[i]);
      set(CURLOPT_WRITEFUNCTION, write_body);
      set(CURLOPT_WRITEDATA, &transfers_[i]);
      set(CURLOPT_HTTPHEADER, headers_);
    }
  }
  ~CurlClient() override {
    for (const Transfer& transfer : transfers_) curl_easy_cleanup(transfer.easy);
    curl_multi_cleanup(multi_);
    curl_slist_free_all(headers_);
  }

  void run(const Load& load) override {
    unsigned started = 0;
    for (Transfer& transfer : transfers_) start(transfer, load, started);
    for (unsigned finished = 0; finished < load.count;) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      int queued = 0;
      bool any = false;
      while (const CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
        if (message->data.result != CURLE_OK) give_up(curl_easy_strerror(message->data.result));
        char* user = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
        curl_multi_remove_handle(multi_, message->easy_handle);
        start(*static_cast<Transfer*>(static_cast<void*>(user)), load, started);
        ++finished;
        any = true;
      }
      if (!any) curl_multi_poll(multi_, nullptr, 0, 10'000, nullptr);
    }
  }

 private:
  struct Transfer {
    CURL* easy = nullptr;
    std::byte* buffer = nullptr;
    uint64_t size = 0;
    uint64_t moved = 0;
  };

  static size_t read_body(char* out, size_t size, size_t count, void* user) {
    Transfer& transfer = *static_cast<Transfer*>(user);
    const size_t bytes = std::min<uint64_t>(size * count, transfer.size - transfer.moved);
    std::memcpy(out, transfer.buffer + transfer.moved, bytes);
    transfer.moved += bytes;
    return bytes;
  }
  static size_t write_body(char* data, size_t size, size_t count, void* user) {
    Transfer& transfer = *static_cast<Transfer*>(user);
    if (size * count > transfer.size - transfer.moved) return 0;
    std::memcpy(transfer.buffer + transfer.moved, data, size * count);
    transfer.moved += size * count;
    return size * count;
  }

  void start(Transfer& transfer, const Load& load, unsigned& started) {
    if (started == load.count) return;
    ++started;
    transfer.size = load.bytes;
    transfer.moved = 0;
    if (load.put) {
      curl_easy_setopt(transfer.easy, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(transfer.easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(load.bytes));
      curl_easy_setopt(transfer.easy, CURLOPT_RANGE, nullptr);
    } else {
      curl_easy_setopt(transfer.easy, CURLOPT_UPLOAD, 0L);
      curl_easy_setopt(transfer.easy, CURLOPT_HTTPGET, 1L);
      curl_easy_setopt(transfer.easy, CURLOPT_RANGE, fmt::format("0-{}", load.bytes - 1).c_str());
    }
    curl_multi_add_handle(multi_, transfer.easy);
  }

  CURLM* multi_;
  curl_slist* headers_ = curl_slist_append(nullptr, "Expect:");
  std::vector<Transfer> transfers_;
};

/// Processor seconds for one load.
double cost(Client& client, const Load& load) {
  const double before = bench::Cpu::now().total();
  client.run(load);
  return bench::Cpu::now().total() - before;
}

void print_row(const Load& load, const std::array<std::vector<double>, 3>& seconds) {
  std::array<double, 3> middle;
  for (size_t i = 0; i < middle.size(); ++i) middle[i] = bench::median(seconds[i]);
  const auto [curl, ours, raw] = middle;
  const double gib = to_gib(load.bytes * load.count);
  const double count = load.count;
  fmt::print("| {} {} | {:.3f} | {:.3f} | {:.3f} | {:.0f} | {:.0f} | {:.0f} | {:.2f} | {:.2f} |\n",
             load.put ? "PUT" : "GET", human_bytes(load.bytes), curl / gib, ours / gib, raw / gib, count / curl,
             count / ours, count / raw, curl / ours, ours / raw);
}

}  // namespace

int main(int argc, char** argv) {
  unsigned repetitions = 9;
  bool pinned = true;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--no-pin") {
      pinned = false;
    } else {
      repetitions = static_cast<unsigned>(std::max(1, std::atoi(argv[i])));
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  // The client on the first processor and the server on the others: where the scheduler puts them otherwise changes a
  // figure by a factor of two.
  if (pinned) bench::pin(1, get_nprocs() - 1);
  const bench::Sink sink;
  if (pinned) bench::pin(0, 1);
  Buffers buffers(kInFlight, std::vector<std::byte>(64 * kMiB, std::byte{1}));
  const std::string origin = fmt::format("http://127.0.0.1:{}", sink.port());
  EngineClient ours(origin, buffers);
  CurlClient curl(origin, buffers);
  RawClient raw(sink.port(), buffers);
  const std::array<Client*, 3> clients = {&curl, &ours, &raw};
  fmt::print(
      "{}, {} in flight, medians of {}; CPU seconds per GiB, then requests per CPU second\n\n"
      "| request | libcurl | ours | raw loop | libcurl | ours | raw loop | libcurl : ours | ours : raw |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
      http::library_version(), kInFlight, repetitions);
  for (const Load& load : kLoads) {
    for (Client* client : clients) client->run({load.put, load.bytes, std::max(load.count / 8, kInFlight)});  // warm up
    std::array<std::vector<double>, 3> seconds;
    for (unsigned i = 0; i < repetitions; ++i) {
      for (size_t k = 0; k < clients.size(); ++k) {
        const size_t who = (k + i) % clients.size();
        seconds[who].push_back(cost(*clients[who], load));
      }
    }
    print_row(load, seconds);
  }
  return 0;
}
