#include "storage/http/engine.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "scripted_server.hpp"

namespace mlps::test {
namespace {

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() : engine(std::move(*http::make_engine({}, 2))) {}

  void run(http::Exchange& exchange) {
    exchange.origin = server.url();
    exchange.target = "/b/k";
    engine->start(exchange);
    std::vector<http::Exchange*> done;
    for (int i = 0; i < 100 && done.empty(); ++i) engine->poll(std::chrono::milliseconds(100), done);
    ASSERT_EQ(done.size(), 1U);
  }

  ScriptedServer server;
  std::unique_ptr<http::Engine> engine;
};

TEST_F(EngineTest, HeadersOfTheAnswer) {
  server.inject("GET", "", {.headers = {{"X-One", "  a b "}, {"x-empty", ""}, {"X-One-More", "c"}}, .body = "hi"});
  http::Exchange exchange;
  run(exchange);
  EXPECT_EQ(exchange.status, 200);
  EXPECT_EQ(exchange.text, "hi");
  EXPECT_EQ(exchange.header("x-one"), "a b");
  EXPECT_EQ(exchange.header("X-ONE-MORE"), "c");
  EXPECT_EQ(exchange.header("x-empty"), "");
  EXPECT_EQ(exchange.header("x-absent"), std::nullopt);
}

TEST_F(EngineTest, RequestHeadersAreSentAsGiven) {
  http::Exchange exchange;
  exchange.headers.add("host", "h");
  exchange.headers.add("x-a", "1");
  run(exchange);
  const std::map<std::string, std::string> expected = {{"host", "h"}, {"x-a", "1"}};
  EXPECT_EQ(server.requests().front().headers, expected);
}

TEST_F(EngineTest, ConnectionsAreReused) {
  http::Exchange exchange;
  run(exchange);
  EXPECT_FALSE(exchange.reused);
  run(exchange);
  EXPECT_TRUE(exchange.reused);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(EngineTest, MoreThanTheSlotsIsAFailureNotACrash) {
  server.inject("GET", "", {.fault = Reply::Fault::kHang}, 2);
  http::Exchange first, second, third;
  first.origin = second.origin = third.origin = server.url();
  first.target = second.target = third.target = "/b/k";
  engine->start(first);
  engine->start(second);
  engine->start(third);
  std::vector<http::Exchange*> done;
  engine->poll(std::chrono::milliseconds(10), done);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done.front(), &third);
  EXPECT_EQ(third.failure, http::Failure::kLocal);
  engine->drop(first);
  engine->drop(second);
}

TEST_F(EngineTest, TotalTimeIsLimited) {
  server.inject("GET", "", {.fault = Reply::Fault::kHang});
  http::Exchange exchange;
  exchange.total_milliseconds = 20;
  run(exchange);
  EXPECT_EQ(exchange.failure, http::Failure::kStalled);
  EXPECT_EQ(exchange.status, 0);
}

TEST_F(EngineTest, WakeEndsAPoll) {
  std::vector<http::Exchange*> done;
  std::thread waker([this] { engine->wake(); });
  engine->poll(std::chrono::hours(1), done);
  waker.join();
  EXPECT_TRUE(done.empty());
}

TEST_F(EngineTest, UrlsOfOtherProtocolsAreRefused) {
  http::Exchange exchange;
  exchange.origin = "file:///etc/hostname";
  exchange.target = "/";
  engine->start(exchange);
  std::vector<http::Exchange*> done;
  engine->poll(std::chrono::milliseconds(100), done);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_NE(exchange.failure, http::Failure::kNone);
  EXPECT_TRUE(exchange.text.empty());
}

}  // namespace
}  // namespace mlps::test
