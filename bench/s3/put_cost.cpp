// What a PUT costs the client: CPU seconds per GiB of our session, payload and checksum included, against a blocking
// send() loop of the same bytes to the same sink, interleaved A B B A so that a drifting machine hits both alike.
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
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
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

struct Options {
  uint64_t part_bytes = 16 * kMiB;
  uint64_t total_bytes = 2 * kGiB;
  unsigned depth = 4;
  unsigned rounds = 4;  // of A B B A
  bool payload = true;
  bool checksum = true;
  bool pinned = true;
  bool ours_only = false;  // for profiles
};

struct Point {
  double cpu = 0;  // seconds per GiB
  double user = 0;
  double rate = 0;  // GiB per second of wall time
};

template <class Work>
Point measured(const Options& options, Work&& work) {
  const Cpu before = Cpu::now();
  const Nanos start = now_ns();
  work();
  const Nanos end = now_ns();
  const Cpu after = Cpu::now();
  const double gib = to_gib(options.total_bytes);
  const double user = after.user - before.user;
  return {(user + after.system - before.system) / gib, user / gib, gib / to_seconds(end - start)};
}

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "s3_put_cost: {}\n", why);
  std::exit(1);
}

/// A: one connection, one blocking send() per part.
class RawSender {
 public:
  explicit RawSender(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) give_up("can't connect");
  }
  ~RawSender() { close(fd_); }
  RawSender(const RawSender&) = delete;
  RawSender& operator=(const RawSender&) = delete;

  void put(std::span<const std::byte> body) {
    const std::string head = fmt::format("PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.size());
    send_all(std::as_bytes(std::span(head)));
    send_all(body);
    std::array<char, 512> answer;
    size_t have = 0;
    while (std::string_view(answer.data(), have).find("\r\n\r\n") == std::string_view::npos) {
      const ssize_t got = recv(fd_, answer.data() + have, answer.size() - have, 0);
      if (got <= 0) give_up("the sink went away");
      have += static_cast<size_t>(got);
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
  int fd_;
};

/// B: our session, `depth` parts in flight.
class SessionSender {
 public:
  SessionSender(const Options& options, uint16_t port, std::vector<AlignedBuffer>& buffers)
      : options_(options), buffers_(buffers) {
    s3::Settings settings;
    settings.endpoints.push_back(*storage::parse_endpoint(fmt::format("http://127.0.0.1:{}", port), "sink"));
    settings.endpoint_source = "bench";
    settings.region = "us-east-1";
    settings.credentials = std::make_shared<s3::KeySource>("bench", s3::Credentials{"bench", "bench", ""});
    settings.checksum = options.checksum ? s3::Checksum::kCrc32c : s3::Checksum::kNone;
    store_ = s3::store_with(Location(Scheme::kS3, "bench", ""), settings);
    auto session = store_->open_session(options.depth);
    if (!session) give_up(session.error().message);
    session_ = std::move(*session);
  }

  void run() {
    const payload::Source source(1, "object");
    auto object = store_->object(
        {.name = "object", .size_bytes = options_.total_bytes, .part_bytes = options_.part_bytes, .payload = source});
    std::vector<storage::Operation> operations(options_.depth);
    for (size_t i = 0; i < operations.size(); ++i) operations[i].tag = i;
    one(storage::OpKind::kBeginWrite, *object);
    uint32_t next = 0;
    std::vector<storage::Operation*> done;
    done.reserve(operations.size());
    for (storage::Operation& operation : operations) done.push_back(&operation);
    for (uint32_t finished = 0; finished < object->part_count();) {
      for (storage::Operation* operation : done) {
        if (next < object->part_count()) submit_part(*operation, *object, next++);
      }
      done.clear();
      session_->poll(std::chrono::seconds(1), done);
      for (const storage::Operation* operation : done) {
        if (operation->error) give_up(operation->error->message);
        ++finished;
      }
    }
    one(storage::OpKind::kAbortWrite, *object);
  }

 private:
  void submit_part(storage::Operation& operation, storage::Object& object, uint32_t part) {
    operation.kind = storage::OpKind::kWritePart;
    operation.object = &object;
    operation.part = part;
    operation.buffer = buffers_[operation.tag].span().first(object.part_length(part));
    if (options_.payload) object.payload().fill(object.part_offset(part), operation.buffer);
    session_->submit(operation);
  }

  void one(storage::OpKind kind, storage::Object& object) {
    storage::Operation operation{.kind = kind, .object = &object};
    std::vector<storage::Operation*> done;
    session_->submit(operation);
    while (done.empty()) session_->poll(std::chrono::seconds(1), done);
    if (operation.error) give_up(operation.error->message);
  }

  const Options& options_;
  std::vector<AlignedBuffer>& buffers_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Session> session_;
};

void print(const char* who, const std::vector<Point>& points) {
  for (const Point& point : points) {
    fmt::print("{}  {:.4f} CPU s/GiB (user {:.4f}), {:.2f} GiB/s\n", who, point.cpu, point.user, point.rate);
  }
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    const auto equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const auto size = equals == std::string_view::npos ? Result<uint64_t>(0) : parse_size(text.substr(equals + 1));
    if (!size) give_up(size.error().message);
    if (name == "--part") {
      options.part_bytes = *size;
    } else if (name == "--total") {
      options.total_bytes = *size;
    } else if (name == "--depth") {
      options.depth = static_cast<unsigned>(*size);
    } else if (name == "--rounds") {
      options.rounds = static_cast<unsigned>(*size);
    } else if (name == "--no-payload") {
      options.payload = false;
    } else if (name == "--no-checksum") {
      options.checksum = false;
    } else if (name == "--no-pin") {
      options.pinned = false;
    } else if (name == "--ours-only") {
      options.ours_only = true;
    } else {
      give_up(
          "usage: s3_put_cost [--part=16MiB] [--total=2GiB] [--depth=4] [--rounds=4] "
          "[--no-payload] [--no-checksum] [--no-pin] [--ours-only]");
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  if (options.part_bytes < 5 * kMiB || options.depth == 0)
    give_up("a part has at least 5 MiB, and depth is at least 1");
  // The client on the first processor and the sink on the others, for both sides alike: where the scheduler puts them
  // otherwise changes a point by a factor of two.
  if (options.pinned) pin(1, get_nprocs() - 1);
  const bench::Sink sink;
  if (options.pinned) pin(0, 1);
  std::vector<AlignedBuffer> buffers;
  for (unsigned i = 0; i < options.depth; ++i) {
    auto buffer = AlignedBuffer::allocate(options.part_bytes);
    if (!buffer) give_up(buffer.error().message);
    std::memset(buffer->data(), 1, buffer->size());
    buffers.push_back(std::move(*buffer));
  }
  RawSender raw(sink.port());
  SessionSender ours(options, sink.port(), buffers);
  const auto run_raw = [&] {
    for (uint64_t sent = 0, i = 0; sent < options.total_bytes; sent += options.part_bytes, ++i) {
      raw.put(buffers[i % buffers.size()].span());
    }
  };
  if (options.ours_only) {
    for (unsigned round = 0; round < options.rounds; ++round) ours.run();
    return 0;
  }
  run_raw();  // warm up both
  ours.run();
  std::vector<Point> raw_points;
  std::vector<Point> our_points;
  for (unsigned round = 0; round < options.rounds; ++round) {
    raw_points.push_back(measured(options, run_raw));
    our_points.push_back(measured(options, [&] { ours.run(); }));
    our_points.push_back(measured(options, [&] { ours.run(); }));
    raw_points.push_back(measured(options, run_raw));
  }
  print("raw ", raw_points);
  print("ours", our_points);
  std::vector<double> ratios;
  for (size_t i = 0; i < our_points.size(); ++i) ratios.push_back(our_points[i].cpu / raw_points[i].cpu);
  const auto cheapest = [](const std::vector<Point>& points) {
    return std::min_element(points.begin(), points.end(), [](auto& a, auto& b) { return a.cpu < b.cpu; })->cpu;
  };
  fmt::print("ratio of the cheapest points {:.3f}\n", cheapest(our_points) / cheapest(raw_points));
  fmt::print("median ratio {:.3f} (goal: at most 1.6); payload {}, crc32c {}, part {}, depth {}\n", median(ratios),
             options.payload ? payload::active_layer() : "none", options.checksum ? "on" : "off",
             human_bytes(options.part_bytes), options.depth);
  return 0;
}
