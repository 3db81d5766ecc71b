#include "storage/http/response.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace mlps::http {
namespace {

using ::testing::HasSubstr;

/// Feeds `stream` in pieces of at most `piece` bytes, then the end of the connection if `end`.
struct Fed {
  explicit Fed(std::string_view stream, size_t piece = SIZE_MAX, bool end = true, Method method = Method::kGet,
               size_t sink_size = 0)
      : sink(sink_size, '\0') {
    exchange.method = method;
    exchange.text_limit = 1000;
    exchange.sink = std::as_writable_bytes(std::span(sink));
    reader.begin(exchange);
    while (!stream.empty() && !reader.finished()) {
      const auto room = reader.room();
      EXPECT_FALSE(room.empty());
      const size_t count = std::min({piece, room.size(), stream.size()});
      std::memcpy(room.data(), stream.data(), count);
      stream.remove_prefix(count);
      reader.received(count);
    }
    rest = stream.size();
    if (end && !reader.finished()) reader.ended("closed");
  }
  std::string sink;
  Exchange exchange;
  ResponseReader reader;
  size_t rest = 0;
};

TEST(Response, AnyFragmentationGivesTheSame) {
  const std::string stream =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 206 Partial Content\r\nContent-Length: 11\r\nETag: \"x\"\r\n\r\nhello "
      "there";
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    for (const size_t sink_size : {size_t{0}, size_t{11}, size_t{20}}) {
      const Fed fed(stream, piece, false, Method::kGet, sink_size);
      ASSERT_TRUE(fed.reader.finished()) << piece;
      EXPECT_EQ(fed.exchange.failure, Failure::kNone);
      EXPECT_EQ(fed.exchange.status, 206);
      EXPECT_EQ(fed.exchange.received, 11U);
      EXPECT_TRUE(fed.reader.continue_seen());
      EXPECT_TRUE(fed.reader.reusable());
      EXPECT_EQ(fed.exchange.header("etag"), "\"x\"");
      EXPECT_EQ(sink_size == 0 ? fed.exchange.text : fed.sink.substr(0, 11), "hello there");
      EXPECT_GT(fed.exchange.first_byte_ns, 0);
    }
  }
}

TEST(Response, FoldedLinesAndBlanksBeforeColons) {
  const Fed fed("HTTP/1.1 200 OK\r\nETag: \"a\r\n\t b\"\r\nContent-Length :\r\n 2\r\n\r\nhi");
  EXPECT_EQ(fed.exchange.failure, Failure::kNone) << fed.exchange.failure_text;
  EXPECT_EQ(fed.exchange.header("etag"), "\"a b\"");
  EXPECT_EQ(fed.exchange.text, "hi");
  EXPECT_TRUE(fed.reader.reusable());
  EXPECT_EQ(Fed("HTTP/1.1 200 OK\r\n folded\r\n\r\n").exchange.failure, Failure::kMalformed);
}

TEST(Response, ListsOfEqualLengthsAndOfOptions) {
  const Fed fed("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nConnection: TE, Close\r\n\r\nhi");
  EXPECT_EQ(fed.exchange.text, "hi");
  EXPECT_FALSE(fed.reader.reusable());
  for (const char* value : {"2, 3", "", ",", "two"}) {
    EXPECT_EQ(Fed(std::string("HTTP/1.1 200 OK\r\nContent-Length: ") + value + "\r\n\r\nhi").exchange.failure,
              Failure::kMalformed)
        << value;
  }
}

TEST(Response, TheLimitThatWasReachedIsNamed) {
  EXPECT_THAT(Fed("HTTP/1.1 200 OK\r\nA: " + std::string(20'000, 'x')).exchange.failure_text, HasSubstr("16384"));
  std::string many = "HTTP/1.1 200 OK\r\n";
  while (many.size() < 70'000) many += "A: " + std::string(1000, 'x') + "\r\n";
  EXPECT_THAT(Fed(many).exchange.failure_text, HasSubstr("65536"));
}

TEST(Response, ChunksInAnyFragmentation) {
  const std::string stream =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nx-trailer: 1\r\n\r\n";
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    for (const size_t sink_size : {size_t{0}, size_t{6}}) {
      const Fed fed(stream, piece, false, Method::kGet, sink_size);
      ASSERT_TRUE(fed.reader.finished()) << piece;
      EXPECT_EQ(sink_size == 0 ? fed.exchange.text : fed.sink, "hello!");
      EXPECT_TRUE(fed.reader.reusable());
    }
  }
}

TEST(Response, AnswersWithoutABody) {
  EXPECT_TRUE(Fed("HTTP/1.1 204 No Content\r\n\r\n", 1, false).reader.reusable());
  EXPECT_TRUE(Fed("HTTP/1.1 200 OK\r\nContent-Length: 232\r\n\r\n", 1, false, Method::kHead).reader.reusable());
  EXPECT_TRUE(Fed("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 1, false).reader.reusable());
  EXPECT_TRUE(Fed("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", 1, false).reader.reusable());
}

TEST(Response, WhenTheConnectionEndsTheBody) {
  const Fed fed("HTTP/1.1 200 OK\r\n\r\nabc", 1);
  EXPECT_EQ(fed.exchange.failure, Failure::kNone);
  EXPECT_EQ(fed.exchange.text, "abc");
  EXPECT_FALSE(fed.reader.reusable());
}

TEST(Response, NotReusable) {
  EXPECT_FALSE(Fed("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").reader.reusable());
  EXPECT_FALSE(Fed("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").reader.reusable());
  EXPECT_FALSE(Fed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nextra").reader.reusable());
  EXPECT_FALSE(
      Fed("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").reader.reusable());
}

TEST(Response, EarlyEnds) {
  for (const char* stream : {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "HTTP/1.1 100 C\r\n\r\n"}) {
    EXPECT_EQ(Fed(stream).exchange.failure, Failure::kBroken) << stream;
  }
  EXPECT_THAT(Fed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc").exchange.failure_text,
              HasSubstr("after 3 of 5 bytes"));
}

TEST(Response, Malformed) {
  for (const char* stream : {
           "SSH-2.0-OpenSSH\r\n",
           "HTTP/2 200\r\n\r\n",
           "HTTP/1.1 99 X\r\n\r\n",
           "HTTP/1.1 600 X\r\n\r\n",
           "HTTP/1.1 2000 X\r\n\r\n",
           "HTTP/1.1  200\r\n\r\n",
           "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
           "HTTP/1.1 200 OK\r\n: empty\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
           "HTTP/1.1 101 Switching\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
       }) {
    EXPECT_EQ(Fed(stream).exchange.failure, Failure::kMalformed) << stream;
  }
}

TEST(Response, EverythingIsBounded) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 5000; ++i) many += "x-header-of-some-length: and a value\r\n";
  EXPECT_EQ(Fed(many).exchange.failure, Failure::kTooLarge);
  EXPECT_EQ(Fed("HTTP/1.1 200 OK\r\nx: " + std::string(100'000, 'a')).exchange.failure, Failure::kTooLarge);
  std::string interim;
  for (int i = 0; i < 5000; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(Fed(interim).exchange.failure, Failure::kTooLarge);
  EXPECT_EQ(Fed("HTTP/1.1 200 OK\r\n\r\n" + std::string(2000, 'a')).exchange.failure, Failure::kTooLarge);
  EXPECT_EQ(Fed("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef", SIZE_MAX, true, Method::kGet, 5).exchange.failure,
            Failure::kTooLarge);
  EXPECT_EQ(
      Fed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n", 1, true, Method::kGet, 5)
          .exchange.failure,
      Failure::kTooLarge);
  const Fed error("HTTP/1.1 500 Oops\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'a'));
  EXPECT_EQ(error.exchange.failure, Failure::kNone);
  EXPECT_EQ(error.exchange.text.size(), 1000U);
  EXPECT_FALSE(error.reader.reusable());
}

TEST(Response, ErrorBodiesStayOutOfTheSink) {
  const Fed fed("HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nabc", 1, false, Method::kGet, 10);
  EXPECT_EQ(fed.exchange.text, "abc");
  EXPECT_EQ(fed.sink, std::string(10, '\0'));
}

}  // namespace
}  // namespace mlps::http
