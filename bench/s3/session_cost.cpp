// What a whole S3 session costs the client: CPU seconds per GiB, and requests per CPU second, of PUT (payload and
// CRC32C included) and GET of objects of several sizes, against a blocking loop of the same bytes on a raw socket to
// the same server, in turns A B B A so that a drifting machine hits both alike.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "cost.hpp"
#include "payload/payload.hpp"
#include "sink.hpp"
#include "storage/s3/s3_store.hpp"

namespace {

using namespace mlps;
using bench::Cpu;
using bench::median;
using bench::pin;
using storage::Operation;
using storage::OpKind;

struct Options {
  std::vector<uint64_t> sizes = {4 * kKiB, kMiB, 8 * kMiB, 64 * kMiB};
  double seconds = 1;   // of processor time, about, for one point
  unsigned depth = 0;   // 0: 32 for small objects, else 4
  unsigned rounds = 4;  // of A B B A
  s3::Checksum checksum = s3::Checksum::kCrc32c;
  bool payload = true;
  bool pinned = true;
  bool ours_only = false;  // for profiles
  bool puts = true;
  bool gets = true;
};

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "s3_session_cost: {}\n", why);
  std::exit(1);
}

/// A: one connection and blocking calls.
class RawLoop {
 public:
  explicit RawLoop(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) give_up("can't connect");
  }
  ~RawLoop() { close(fd_); }
  RawLoop(const RawLoop&) = delete;
  RawLoop& operator=(const RawLoop&) = delete;

  void put(std::span<const std::byte> body) {
    const std::string head = fmt::format("PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.size());
    send_all(std::as_bytes(std::span(head)));
    send_all(body);
    if (read_head(body.first(0)) != 0) give_up("an answer with a body");
  }

  void get(std::span<std::byte> room) {
    const std::string head = fmt::format("GET /b/k HTTP/1.1\r\nHost: h\r\nRange: bytes=0-{}\r\n\r\n", room.size() - 1);
    send_all(std::as_bytes(std::span(head)));
    room = room.subspan(read_head(room));
    while (!room.empty()) {
      const ssize_t got = recv(fd_, room.data(), room.size(), 0);
      if (got <= 0) give_up("the sink went away");
      room = room.subspan(static_cast<size_t>(got));
    }
  }

 private:
  /// Returns how much of the body came with the head.
  size_t read_head(std::span<const std::byte> room) {
    std::array<char, 512> answer;
    for (size_t have = 0;;) {
      const ssize_t got = recv(fd_, answer.data() + have, answer.size() - have, 0);
      if (got <= 0) give_up("the sink went away");
      have += static_cast<size_t>(got);
      const auto end = std::string_view(answer.data(), have).find("\r\n\r\n");
      if (end != std::string_view::npos) return std::min(have - end - 4, room.size());
    }
  }
  void send_all(std::span<const std::byte> data) {
    while (!data.empty()) {
      const ssize_t sent = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
      if (sent <= 0) give_up("send failed");
      data = data.subspan(static_cast<size_t>(sent));
    }
  }
  int fd_;
};

/// B: our session, `depth` objects of one part in flight, each a request.
class OurSession {
 public:
  OurSession(const Options& options, unsigned depth, uint64_t size, uint16_t port, std::vector<AlignedBuffer>& buffers)
      : options_(options), size_(size), buffers_(buffers), objects_(depth), operations_(depth) {
    s3::Settings settings;
    settings.endpoints.push_back(*storage::parse_endpoint(fmt::format("http://127.0.0.1:{}", port), "sink"));
    settings.endpoint_source = "bench";
    settings.region = "us-east-1";
    settings.credentials = std::make_shared<s3::KeySource>("bench", s3::Credentials{"bench", "bench", ""});
    settings.checksum = options.checksum;
    store_ = s3::store_with(Location(Scheme::kS3, "bench", ""), settings);
    auto session = store_->open_session(depth);
    if (!session) give_up(session.error().message);
    session_ = std::move(*session);
  }

  void run(OpKind kind, uint64_t requests) {
    uint64_t begun = 0, finished = 0;
    for (size_t i = 0; i < operations_.size() && begun < requests; ++i) begin(kind, i, begun++);
    std::vector<Operation*> done;
    while (finished < requests) {
      done.clear();
      session_->poll(std::chrono::seconds(1), done);
      for (const Operation* operation : done) {
        if (operation->error) give_up(operation->error->message);
        if (operation->kind == OpKind::kBeginWrite) {
          write(operation->tag);
        } else if (++finished, begun < requests) {
          begin(kind, operation->tag, begun++);
        }
      }
    }
  }

 private:
  void begin(OpKind kind, size_t slot, uint64_t number) {
    const std::string name = fmt::format("data/img_{:07}_of_1000000.npz", number);
    storage::ObjectSpec spec{
        .name = name, .size_bytes = size_, .part_bytes = size_, .payload = payload::Source(1, name)};
    store_->renew(objects_[slot], spec);
    // The beginning of an object of one part sends nothing.
    if (kind == OpKind::kWritePart)
      return submit({.kind = OpKind::kBeginWrite, .object = objects_[slot].get(), .tag = slot});
    submit({.kind = kind, .object = objects_[slot].get(), .buffer = buffers_[slot].span().first(size_), .tag = slot});
  }

  void write(size_t slot) {
    const auto body = buffers_[slot].span().first(size_);
    if (options_.payload) objects_[slot]->fill(0, body);
    submit({.kind = OpKind::kWritePart, .object = objects_[slot].get(), .buffer = body, .tag = slot});
  }

  void submit(const Operation& operation) {
    operations_[operation.tag] = operation;
    session_->submit(operations_[operation.tag]);
  }

  const Options& options_;
  const uint64_t size_;
  std::vector<AlignedBuffer>& buffers_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Session> session_;
  std::vector<std::unique_ptr<storage::Object>> objects_;
  std::vector<Operation> operations_;
};

/// One size and direction.
class Comparison {
 public:
  Comparison(const Options& options, uint64_t size, bool puts, uint16_t port)
      : options_(options),
        size_(size),
        puts_(puts),
        depth_(options.depth != 0  ? options.depth
               : size <= 64 * kKiB ? 32
                                   : 4) {
    for (unsigned i = 0; i < depth_; ++i) {
      auto buffer = AlignedBuffer::allocate(size);
      if (!buffer) give_up(buffer.error().message);
      std::memset(buffer->data(), 1, buffer->size());
      buffers_.push_back(std::move(*buffer));
    }
    raw_.emplace(port);
    ours_.emplace(options, depth_, size, port, buffers_);
    // As many requests as take about the wanted time, of the faster side.
    const double one = std::max(cost_of([&] { run_raw(warm_up()); }), 1e-4) / static_cast<double>(warm_up());
    requests_ = std::max<uint64_t>(static_cast<uint64_t>(options.seconds / one), 4);
    run_ours(warm_up());
  }

  void run_ours_only() { run_ours(requests_); }

  void compare() {
    std::vector<double> raw, ours;
    for (unsigned round = 0; round < options_.rounds; ++round) {
      raw.push_back(cost_of([&] { run_raw(requests_); }));
      ours.push_back(cost_of([&] { run_ours(requests_); }));
      ours.push_back(cost_of([&] { run_ours(requests_); }));
      raw.push_back(cost_of([&] { run_raw(requests_); }));
    }
    std::vector<double> ratios;
    for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / raw[i]);
    const double gib = to_gib(requests_ * size_);
    const auto rate = [&](const std::vector<double>& costs) {
      return grouped(static_cast<uint64_t>(static_cast<double>(requests_) / median(costs)));
    };
    fmt::print(
        "{} {:>10}  raw {:.3f}  ours {:.3f} CPU s/GiB  requests per CPU s: raw {:>8}  ours {:>8}  median ratio {:.2f}  "
        "least {:.2f}\n",
        puts_ ? "PUT" : "GET", human_bytes(size_), median(raw) / gib, median(ours) / gib, rate(raw), rate(ours),
        median(ratios), least(ours) / least(raw));
  }

 private:
  static double least(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }
  uint64_t warm_up() const { return size_ <= 64 * kKiB ? 2000 : std::max<uint64_t>(256 * kMiB / size_, 4); }

  template <class Work>
  static double cost_of(Work&& work) {
    const double before = Cpu::now().total();
    work();
    return Cpu::now().total() - before;
  }
  void run_raw(uint64_t requests) {
    for (uint64_t i = 0; i < requests; ++i) {
      const auto body = buffers_[i % depth_].span().first(size_);
      puts_ ? raw_->put(body) : raw_->get(body);
    }
  }
  void run_ours(uint64_t requests) { ours_->run(puts_ ? OpKind::kWritePart : OpKind::kReadPart, requests); }

  const Options& options_;
  const uint64_t size_;
  const bool puts_;
  const unsigned depth_;
  uint64_t requests_ = 0;
  std::vector<AlignedBuffer> buffers_;
  std::optional<RawLoop> raw_;
  std::optional<OurSession> ours_;
};

constexpr const char* kUsage =
    "usage: s3_session_cost [--sizes=4KiB,1MiB,8MiB,64MiB] [--seconds=1] [--depth=N] [--rounds=4] [--put|--get] "
    "[--no-payload] "
    "[--checksum=crc32c|crc64nvme|none] [--no-pin] [--ours-only]";

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    const auto equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const std::string value(equals == std::string_view::npos ? "" : text.substr(equals + 1));
    if (name == "--sizes") {
      options.sizes.clear();
      for (const std::string& one : split(value, ",")) {
        const auto size = parse_size(one);
        if (!size || *size == 0) give_up(kUsage);
        options.sizes.push_back(*size);
      }
    } else if (name == "--seconds") {
      options.seconds = std::strtod(value.c_str(), nullptr);
    } else if (name == "--depth" || name == "--rounds") {
      (name == "--depth" ? options.depth : options.rounds) = parse_number<unsigned>(value).value_or(1);
    } else if (name == "--put" || name == "--get") {
      (name == "--put" ? options.gets : options.puts) = false;
    } else if (name == "--no-payload") {
      options.payload = false;
    } else if (name == "--checksum") {
      options.checksum = value == "none"        ? s3::Checksum::kNone
                         : value == "crc64nvme" ? s3::Checksum::kCrc64nvme
                                                : s3::Checksum::kCrc32c;
    } else if (name == "--no-pin") {
      options.pinned = false;
    } else if (name == "--ours-only") {
      options.ours_only = true;
    } else {
      give_up(kUsage);
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  // The client on the first processor and the sink on the others, for both sides alike: where the scheduler puts them
  // otherwise changes a point by a factor of two.
  if (options.pinned) pin(1, get_nprocs() - 1);
  const bench::Sink sink;
  if (options.pinned) pin(0, 1);
  std::string load;
  std::getline(std::ifstream("/proc/loadavg"), load);
  fmt::print("payload {}, checksum {}, load {}\n", options.payload ? payload::active_layer() : "none",
             s3::names_of(options.checksum).setting, load);
  for (const bool puts : {true, false}) {
    if (puts ? !options.puts : !options.gets) continue;
    for (const uint64_t size : options.sizes) {
      Comparison comparison(options, size, puts, sink.port());
      options.ours_only ? comparison.run_ours_only() : comparison.compare();
    }
  }
  return 0;
}
