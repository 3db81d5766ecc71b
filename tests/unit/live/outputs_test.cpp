#include "live/outputs.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "live/meter.hpp"

namespace mlps::live {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;

const About kAbout{"training", "run", "whatif", "unet3d", "box", "new \"firmware\" \\ 2"};

State some_state() {
  State state;
  state.phase = "train";
  state.place = "/mnt";
  state.parts = {{"epoch", 2, 5}, {"step", 7, 0}};
  state.elapsed_s = 1.5;
  state.bytes = 1e12;
  state.bytes_per_s = std::numeric_limits<double>::infinity();
  state.retries = 0;
  state.cached_share = 0.25;
  return state;
}

TEST(LiveJson, HasEveryFigureOnOneLine) {
  const std::string line = json_line(some_state(), kAbout, 1'000'000);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const Json json = Json::parse(line);
  EXPECT_EQ(json["schema"], "mlpstorage.live/1");
  EXPECT_EQ(json["label"], "new \"firmware\" \\ 2");
  EXPECT_EQ(json["parts"][0], (Json{{"word", "epoch"}, {"number", 2}, {"total", 5}}));
  EXPECT_TRUE(json["parts"][1]["total"].is_null());
  EXPECT_EQ(json["elapsed_s"], 1.5);
  EXPECT_EQ(json["retries"], 0) << "measured, and none";
  EXPECT_TRUE(json["bytes_per_s"].is_null()) << "no number";
  for (const Figure& figure : kFigures) EXPECT_TRUE(json.contains(std::string(figure.name))) << figure.name;
}

TEST(Metrics, AreOpenMetrics) {
  const std::string page = metrics_page(some_state(), kAbout);
  EXPECT_THAT(page, HasSubstr("# TYPE mlpstorage_elapsed_seconds gauge\n# UNIT mlpstorage_elapsed_seconds seconds\n"));
  EXPECT_THAT(page, HasSubstr("\nmlpstorage_elapsed_seconds 1.5\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE mlpstorage_bytes counter\n"));
  EXPECT_THAT(page, HasSubstr("\nmlpstorage_bytes_total 1000000000000\n"));
  EXPECT_THAT(page, HasSubstr("\nmlpstorage_cached_ratio 0.25\n"));
  EXPECT_THAT(page, HasSubstr("\nmlpstorage_part{part=\"epoch\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("label=\"new \\\"firmware\\\" \\\\ 2\""));
  EXPECT_THAT(page, Not(HasSubstr("mlpstorage_bytes_per_second"))) << "not known";
  EXPECT_THAT(page, EndsWith("\n# EOF\n"));
}

TEST(Metrics, RequestsAreAnsweredByTheirKind) {
  const auto status = [](std::string_view request) { return answer_to(request).status; };
  EXPECT_EQ(status("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), 200U);
  EXPECT_EQ(status("GET /metrics?x=1 HTTP/1.0\r\n\r\n"), 200U);
  EXPECT_TRUE(answer_to("GET /metrics HTTP/1.1\r\n\r\n").has_body);
  EXPECT_FALSE(answer_to("HEAD /metrics HTTP/1.1\r\n\r\n").has_body);
  EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), 404U);
  EXPECT_EQ(status("GET /metrics2 HTTP/1.1\r\n\r\n"), 404U);
  EXPECT_EQ(status("POST /metrics HTTP/1.1\r\n\r\n"), 405U);
  for (const char* wrong : {"", "\r\n\r\n", "GET\r\n\r\n", "GET /metrics\r\n\r\n", "GET /metrics HTTP/2\r\n\r\n",
                            "GET /metrics HTTP/1.1\r\n", " \r\n\r\n"}) {
    EXPECT_EQ(status(wrong), 400U) << wrong;
  }
}

TEST(Metrics, AddressesAreHostAndPort) {
  using Parts = std::pair<std::string, std::string>;
  EXPECT_EQ(*split_address("127.0.0.1:9400"), Parts("127.0.0.1", "9400"));
  EXPECT_EQ(*split_address("[::1]:0"), Parts("::1", "0"));
  EXPECT_EQ(*split_address("node-1.cluster:65535"), Parts("node-1.cluster", "65535"));
  for (const char* wrong : {"", ":", "9400", ":9400", "host", "host:", "host:x", "host:65536", "host:-1", "::1:9400",
                            "[]:1", "[::1]", "http://host:80", "a b:80", "host: 80", "host:000080"}) {
    const auto parts = split_address(wrong);
    ASSERT_FALSE(parts) << wrong;
    EXPECT_EQ(parts.error().code, ErrorCode::kConfigInvalid);
    EXPECT_THAT(parts.error().suggestion, HasSubstr("127.0.0.1:9400"));
  }
}

std::string ask(const std::string& address, const std::string& request) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  EXPECT_EQ(::send(socket, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  std::string answer;
  char bytes[512];
  for (ssize_t got = 0; (got = ::recv(socket, bytes, sizeof bytes, 0)) > 0;)
    answer.append(bytes, static_cast<size_t>(got));
  ::close(socket);
  return answer;
}

TEST(Metrics, AreServedWhileTheRunGoesOn) {
  auto server = MetricsServer::start("127.0.0.1:0");
  ASSERT_TRUE(server) << server.error().message;
  const std::string address = (*server)->address();
  EXPECT_THAT(address, StartsWith("127.0.0.1:"));
  EXPECT_THAT(ask(address, "GET /metrics HTTP/1.1\r\n\r\n"), EndsWith("\r\n\r\n# EOF\n"));
  (*server)->set_text("a 1\n# EOF\n");
  const std::string answer = ask(address, "GET /metrics HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0"));
  EXPECT_THAT(answer, EndsWith("Content-Length: 10\r\nConnection: close\r\n\r\na 1\n# EOF\n"));
  EXPECT_THAT(ask(address, "GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 Not Found"));
  EXPECT_THAT(ask(address, std::string(MetricsServer::kMostRequestBytes, 'x')), StartsWith("HTTP/1.1 400"));

  const auto second = MetricsServer::start(address);
  ASSERT_FALSE(second) << "the address is in use";
  EXPECT_EQ(second.error().code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(second.error().message, HasSubstr("--metrics " + address));
  server->reset();
  EXPECT_TRUE(MetricsServer::start(address)) << "it is free again";
}

class OutputsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "mlps_live_" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const char* name) const { return folder_ + "/" + name; }
  static std::string content(const std::string& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static Result<std::shared_ptr<Outputs>> open(const std::string& file) {
    Outputs::Settings settings;
    settings.live_json_file = file;
    settings.about = kAbout;
    return Outputs::open(settings);
  }

  std::string folder_;
};

TEST_F(OutputsTest, LinesAreAppended) {
  const std::string file = path("live.json");
  for (int run = 1; run <= 2; ++run) {
    const auto outputs = open(file);
    ASSERT_TRUE(outputs) << outputs.error().message;
    (*outputs)->show(some_state());
    (*outputs)->show(some_state());  // within the same second
    const std::string text = content(file);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), run);
  }
}

TEST_F(OutputsTest, AFileOfSomethingElseStaysAsItIs) {
  const std::string file = path("notes.txt");
  std::ofstream(file) << "my notes\n";
  const auto outputs = open(file);
  ASSERT_FALSE(outputs);
  EXPECT_EQ(outputs.error().code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(content(file), "my notes\n");
  EXPECT_FALSE(open(path("missing/live.json")));
  EXPECT_FALSE(open(folder_)) << "a folder";
}

TEST_F(OutputsTest, APipeWithoutAReaderIsAnError) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(open(path("pipe")));
}

TEST(Meter, AddsRatesAndEndsAtOnce) {
  world::Failure failure;
  std::mutex mutex;
  std::vector<State> shown;
  Condition more;
  double bytes = 0;
  const auto show = [&](const State& state) {
    const std::lock_guard lock(mutex);
    shown.push_back(state);
    more.notify_all();
  };
  const auto fill = [&](State& state) {
    state.bytes = bytes += 1000;
    return true;
  };
  {
    const Meter meter(show, now_ns(), fill, failure);
    std::unique_lock lock(mutex);
    more.wait(lock, [&] { return shown.size() >= 3; });
  }
  EXPECT_FALSE(failure.raised());
  EXPECT_GT(shown.back().bytes_per_s.value_or(0), 0);
  EXPECT_FALSE(shown.back().history.empty());
  EXPECT_GE(*shown.back().elapsed_s, *shown.front().elapsed_s);
  EXPECT_FALSE(shown.back().items_per_s.has_value()) << "nothing was counted";
}

TEST(Meter, ShowsNothingWithoutAnAudience) {
  world::Failure failure;
  const Meter meter(
      nullptr, 0, [](State&) -> bool { throw std::logic_error("called"); }, failure);
}

}  // namespace
}  // namespace mlps::live
