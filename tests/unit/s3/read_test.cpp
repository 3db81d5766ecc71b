#include "fixture.hpp"

namespace mlps::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ReadTest : public S3Test {
 protected:
  ReadTest() : bytes(pattern(100'000)) { server.put_object("/bkt/run%201/k", bytes); }

  Operation read(storage::Object& object, uint32_t part) {
    buffer.assign(object.part_length(part), '\0');
    return run(OpKind::kReadPart, object, part, bytes_of(buffer));
  }

  std::string bytes;
  std::string buffer;
};

TEST_F(ReadTest, WholeObject) {
  auto source = object("k", bytes.size());
  EXPECT_EQ(outcome(run(OpKind::kBeginRead, *source)), "ok");
  const Operation operation = read(*source, 0);
  EXPECT_EQ(outcome(operation), "ok");
  EXPECT_EQ(buffer, bytes);
  EXPECT_EQ(operation.bytes, bytes.size());
  EXPECT_LE(operation.submitted_ns, operation.first_byte_ns);
  EXPECT_LE(operation.first_byte_ns, operation.completed_ns);
  EXPECT_EQ(outcome(run(OpKind::kEndRead, *source)), "ok");
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(server.requests()[0].headers.at("range"), "bytes=0-99999");
}

TEST_F(ReadTest, PartsArePinnedToTheFirstEtag) {
  const std::string big = pattern(2 * kPart + 5);
  server.put_object("/bkt/run%201/big", big);
  auto source = object("big", big.size());
  for (uint32_t part = 0; part < 3; ++part) {
    EXPECT_EQ(outcome(read(*source, part)), "ok");
    EXPECT_EQ(buffer, big.substr(source->part_offset(part), source->part_length(part)));
  }
  const auto requests = server.requests();
  EXPECT_EQ(requests[0].headers.count("if-match"), 0U);
  EXPECT_EQ(requests[1].headers.at("if-match"), "\"old\"");
  EXPECT_EQ(requests[2].headers.at("range"), "bytes=10485760-10485764");
}

TEST_F(ReadTest, AChangedObjectIsAMismatch) {
  const std::string big = pattern(kPart + 5);
  server.put_object("/bkt/run%201/big", big);
  auto source = object("big", big.size());
  EXPECT_EQ(outcome(read(*source, 0)), "ok");
  server.inject("GET", "", error_reply(412, "PreconditionFailed"));
  EXPECT_THAT(outcome(read(*source, 1)), StartsWith("E606: GetObject s3://bkt/run 1/big bytes 5242880-5242884 failed"));
}

// All parts are asked for before any answer, so none can carry If-Match.
TEST_F(ReadTest, VersionsOfPartsInFlightAreCompared) {
  for (const auto& [first, second, good] : {std::tuple("\"a\"", "\"b\"", false),
                                            {"W/\"a\"", "W/\"b\"", false},
                                            {"W/\"a\"", "W/\"a\"", true},
                                            {"a", "a", true}}) {
    open(test_settings({server.url()}));
    for (const auto& [part, etag] : {std::pair(0, first), {1, second}}) {
      Reply reply{.status = 206, .headers = {{"ETag", etag}}, .body = bytes.substr(part == 0 ? 0 : 50'000, 50'000)};
      reply.headers.emplace_back("Content-Range", part == 0 ? "bytes 0-49999/100000" : "bytes 50000-99999/100000");
      server.inject("GET", "/k", reply);
    }
    const auto source = object("k", bytes.size());
    std::string halves(bytes.size(), '\0');
    std::vector<Operation> reads(2);
    for (size_t i = 0; i < 2; ++i) {
      reads[i] = {
          .kind = OpKind::kReadRange, .object = source.get(), .buffer = bytes_of(halves).subspan(i * 50'000, 50'000)};
      reads[i].range_offset = i * 50'000;
      reads[i].range_bytes = 50'000;
    }
    session().submit(reads[0]);
    wait_for(1);  // the server answers in the order of the rules
    source->is_version(first);
    session().submit(reads[1]);
    wait_for(1);
    EXPECT_EQ(outcome(reads[0]), "ok");
    EXPECT_EQ(outcome(reads[1]).substr(0, 5), good ? "ok" : "E606:") << first << second;
    if (!good) {
      EXPECT_THAT(outcome(reads[1]), HasSubstr("version"));
    }
  }
}

TEST_F(ReadTest, WeakEtagsAreNotAskedFor) {
  for (const char* etag : {"W/\"a\"", "unquoted"}) {
    open(test_settings({server.url()}));
    server.alter(
        "GET", "/k", [&](Reply& reply) { reply.headers.front().second = etag; }, 2);
    const auto source = object("k", bytes.size());
    EXPECT_EQ(outcome(read(*source, 0)), "ok");
    EXPECT_EQ(outcome(read(*source, 0)), "ok");
    EXPECT_EQ(server.requests().back().headers.count("if-match"), 0U);
  }
}

TEST_F(ReadTest, ARefusedPreconditionNamesTheEtag) {
  const auto source = object("k", bytes.size());
  EXPECT_EQ(outcome(read(*source, 0)), "ok");
  server.inject("GET", "/k", error_reply(412, "PreconditionFailed"));
  const Operation second = read(*source, 0);
  EXPECT_THAT(outcome(second), HasSubstr("If-Match was \"old\""));
  EXPECT_THAT(second.error->suggestion, HasSubstr("--io-part-size"));
}

TEST_F(ReadTest, AnotherSizeIsAMismatch) {
  auto longer = object("k", bytes.size() + 10);
  EXPECT_THAT(outcome(read(*longer, 0)), StartsWith("E606"));
  auto shorter = object("k", bytes.size() - 10);
  EXPECT_EQ(outcome(read(*shorter, 0)),
            "E606: GetObject s3://bkt/run 1/k bytes 0-99989 failed: the object has 100000 bytes instead of 99990");
  auto empty = object("k", 0);
  EXPECT_THAT(outcome(read(*empty, 0)), StartsWith("E606"));
}

TEST_F(ReadTest, BeyondTheEnd) {
  auto source = object("k", 2 * kPart);
  EXPECT_THAT(outcome(read(*source, 1)), HasSubstr("InvalidRange"));
}

TEST_F(ReadTest, IgnoredRangeIsFineForTheWholeObjectOnly) {
  const auto ignore_range = [](const std::string& all) {
    return [all](Reply& reply) {
      reply.status = 200;
      reply.body = all;
    };
  };
  server.alter("GET", "", ignore_range(bytes), 1);
  auto whole = object("k", bytes.size());
  EXPECT_EQ(outcome(read(*whole, 0)), "ok");
  EXPECT_EQ(buffer, bytes);
  std::string big = pattern(kPart + 100'000);
  server.put_object("/bkt/run%201/k", big);
  server.alter("GET", "", ignore_range(big), 1);
  auto parts = object("k", big.size());
  EXPECT_THAT(outcome(read(*parts, 1)), StartsWith("E605"));
}

TEST_F(ReadTest, RangeDriftIsAMismatch) {
  server.alter(
      "GET", "", [](Reply& reply) { reply.headers.back().second = "bytes 1-100000/100001"; }, 1);
  auto source = object("k", bytes.size());
  EXPECT_THAT(outcome(read(*source, 0)), StartsWith("E606"));
  for (const char* text : {"", "bytes", "bytes 0-99999", "bytes 5-1/9", "items 0-99999/100000", "bytes 0-9999x/1"}) {
    server.alter(
        "GET", "", [text](Reply& reply) { reply.headers.back().second = text; }, 1);
    auto again = object("k", bytes.size());
    EXPECT_THAT(outcome(read(*again, 0)), StartsWith("E605")) << text;
  }
}

TEST_F(ReadTest, OneByteFragments) {
  server.put_object("/bkt/run%201/s", bytes.substr(0, 700));
  server.alter("GET", "", [](Reply& reply) { reply.one_byte_pieces = true; });
  auto source = object("s", 700);
  EXPECT_EQ(outcome(read(*source, 0)), "ok");
  EXPECT_EQ(buffer, bytes.substr(0, 700));
}

TEST_F(ReadTest, ChunkedAnswer) {
  server.alter("GET", "", [](Reply& reply) { reply.chunked = true; });
  auto source = object("k", bytes.size());
  EXPECT_EQ(outcome(read(*source, 0)), "ok");
  EXPECT_EQ(buffer, bytes);
}

TEST_F(ReadTest, ConnectionCloseIsObeyed) {
  server.alter("GET", "", [](Reply& reply) { reply.close = true; });
  auto source = object("k", bytes.size());
  for (int i = 0; i < 3; ++i) {
    const Operation operation = read(*source, 0);
    EXPECT_EQ(outcome(operation), "ok");
    EXPECT_EQ(operation.attempts, 1U);
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(ReadTest, BrokenBodiesStartOver) {
  for (const auto fault : {Reply::Fault::kResetAtOnce, Reply::Fault::kResetInHeaders, Reply::Fault::kResetInBody,
                           Reply::Fault::kShortBody}) {
    server.alter(
        "GET", "", [fault](Reply& reply) { reply.fault = fault; }, 1);
    auto source = object("k", bytes.size());
    const Operation operation = read(*source, 0);
    EXPECT_EQ(outcome(operation), "ok");
    EXPECT_EQ(buffer, bytes);
    EXPECT_EQ(operation.bytes, bytes.size());
    if (fault == Reply::Fault::kShortBody) {
      EXPECT_EQ(operation.attempts, 2U);
      EXPECT_EQ(operation.retried_bytes, bytes.size() / 2);
    }
  }
}

TEST_F(ReadTest, EndlesslyShortBodiesAreGivenUp) {
  server.alter("GET", "", [](Reply& reply) { reply.fault = Reply::Fault::kShortBody; });
  auto source = object("k", bytes.size());
  const Operation operation = read(*source, 0);
  EXPECT_THAT(outcome(operation), StartsWith("E601: GetObject s3://bkt/run 1/k bytes 0-99999 failed after 4 attempts"));
  EXPECT_EQ(operation.attempts, 4U);
  EXPECT_EQ(operation.bytes, 0U);
}

TEST_F(ReadTest, ConsistentlyShortAnnouncementsAreRetriedThenRefused) {
  // The range is right, the body isn't: Content-Length agrees with the short body.
  server.alter("GET", "", [](Reply& reply) { reply.body.resize(10); });
  auto source = object("k", bytes.size());
  const Operation operation = read(*source, 0);
  EXPECT_THAT(outcome(operation), HasSubstr("the body has 10 bytes instead of 100000"));
  EXPECT_EQ(operation.attempts, 4U);
}

TEST_F(ReadTest, TooMuchBodyIsRefused) {
  server.alter("GET", "", [](Reply& reply) { reply.body += reply.body; });
  auto source = object("k", bytes.size());
  EXPECT_THAT(outcome(read(*source, 0)), HasSubstr("longer than 100000 bytes"));
}

TEST_F(ReadTest, HugeErrorBodiesAreBounded) {
  server.inject("GET", "", {.status = 404, .body = std::string(size_t{3} << 20, 'x')});
  auto source = object("k", bytes.size());
  EXPECT_THAT(outcome(read(*source, 0)), StartsWith("E603"));
}

TEST_F(ReadTest, HugeHeadersAreRefused) {
  Reply reply;
  for (int i = 0; i < 40; ++i) reply.headers.emplace_back("x-" + std::to_string(i), std::string(4000, 'h'));
  server.inject("GET", "", reply);
  auto source = object("k", bytes.size());
  EXPECT_THAT(outcome(read(*source, 0)), StartsWith("E605"));
}

// O5: with all parts in flight at once, none of which can ask for the version of the others.
TEST_F(ReadTest, PartsInFlightTogetherAreOfOneVersion) {
  for (const bool changes : {false, true}) {
    server.put_object("/bkt/run%201/k", pattern(4 * kPart));
    open(test_settings({server.url()}), 4);
    if (changes) {
      const auto answered = std::make_shared<std::atomic<int>>(0);
      server.alter("GET", "k", [answered](Reply& reply) {
        if ((*answered)++ < 2) return;
        for (auto& [name, value] : reply.headers) {
          if (name == "ETag") value = "\"new\"";
        }
      });
    }
    const auto source = object("k", 4 * kPart);
    std::string room(4 * kPart, '\0');
    std::vector<Operation> reads(4);
    for (uint32_t part = 0; part < 4; ++part) {
      reads[part] = {.kind = OpKind::kReadPart,
                     .object = source.get(),
                     .part = part,
                     .buffer = bytes_of(room).subspan(part * kPart, kPart)};
      session().submit(reads[part]);
    }
    wait_for(4);
    const auto failed =
        std::count_if(reads.begin(), reads.end(), [](const Operation& read) { return read.error.has_value(); });
    EXPECT_EQ(failed, changes ? 2 : 0);
    for (const Operation& read : reads) {
      if (read.error) {
        EXPECT_EQ(read.error->code, ErrorCode::kDataMismatch);
        EXPECT_THAT(read.error->message, ::testing::HasSubstr("\"new\""));
      }
    }
  }
}

}  // namespace
}  // namespace mlps::test
