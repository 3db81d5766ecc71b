// Every kind of failure at every kind of request, with one, two and four endpoints: the bytes are right, no upload
// stays open, and what was repeated is counted by endpoint and cause.
#include <fmt/format.h>

#include "fixture.hpp"

namespace mlps::test {
namespace {

using Fault = Reply::Fault;

struct FailureKind {
  const char* name;
  Reply reply;
  const char* cause;     ///< as it is counted
  bool in_body = false;  ///< of an answer with a body
};

const FailureKind kFailures[] = {
    {"reset at once", {.fault = Fault::kResetAtOnce}, "connection lost"},
    {"reset in the headers", {.fault = Fault::kResetInHeaders}, "connection lost"},
    {"hang", {.fault = Fault::kHang}, "no answer"},
    {"500", error_reply(500, "InternalError"), "HTTP 500 InternalError"},
    {"500 of a proxy", {.status = 500, .body = "<html>oops</html>"}, "HTTP 500"},
    {"502", {.status = 502, .body = "<html>bad gateway</html>"}, "HTTP 502"},
    {"503", error_reply(503, "SlowDown"), "HTTP 503 SlowDown"},
    {"503 with Retry-After", {.status = 503, .headers = {{"Retry-After", "1"}}}, "HTTP 503"},
    {"504", {.status = 504, .close = true}, "HTTP 504"},
    {"408", {.status = 408, .close = true}, "HTTP 408"},
    {"429", error_reply(429, "TooManyRequests"), "HTTP 429 TooManyRequests"},
};

/// A kind of request by its method and part of its target.
struct RequestKind {
  const char* name;
  const char* method;
  const char* part;
};

const RequestKind kRequests[] = {
    {"PutObject", "PUT", "small"},
    {"CreateMultipartUpload", "POST", "uploads="},
    {"UploadPart", "PUT", "partNumber=2"},
    {"CompleteMultipartUpload", "POST", "uploadId="},
    {"HeadObject", "HEAD", "large"},
    {"GetObject", "GET", "large"},
    {"AbortMultipartUpload", "DELETE", "uploadId="},
};

class FaultTable : public S3Test, public ::testing::WithParamInterface<size_t> {
 protected:
  FaultTable() : bytes(pattern(kPart + 1000)), small(pattern(5000)) {}

  void fresh(size_t ports) {
    endpoints = std::make_unique<ScriptedServer>(ports);
    s3::Settings settings = test_settings(endpoints->urls());
    settings.stall_seconds = settings.commit_stall_seconds = 1;
    open(settings);
  }

  /// Writes a small and a large object, reads the large one, and begins and aborts a third. Returns the first failure.
  std::string run_all() {
    for (const auto& [name, content] : {std::pair("small", &small), std::pair("large", &bytes)}) {
      const auto target = object(name, content->size());
      if (const auto result = outcome(write(*target, *content)); result != "ok") return result;
    }
    const auto source = object("large", bytes.size());
    std::string read(bytes.size(), '\0');
    for (uint32_t part = 0; part < source->part_count(); ++part) {
      const auto place = bytes_of(read).subspan(source->part_offset(part), source->part_length(part));
      if (const auto result = outcome(run(OpKind::kReadPart, *source, part, place)); result != "ok") return result;
    }
    if (read != bytes) return "other bytes were read";
    const auto given_up = object("given up", bytes.size());
    run(OpKind::kBeginWrite, *given_up);
    return outcome(run(OpKind::kAbortWrite, *given_up));
  }

  std::unique_ptr<ScriptedServer> endpoints;
  std::string bytes, small;
};

TEST_P(FaultTable, OneFailureIsOvercomeAndCounted) {
  for (const FailureKind& failure : kFailures) {
    for (const RequestKind& request : kRequests) {
      SCOPED_TRACE(fmt::format("{} at {}", failure.name, request.name));
      fresh(GetParam());
      endpoints->inject(request.method, request.part, failure.reply);
      EXPECT_EQ(run_all(), "ok");
      EXPECT_EQ(endpoints->objects(),
                (std::map<std::string, std::string>{{"/bkt/run%201/large", bytes}, {"/bkt/run%201/small", small}}));
      EXPECT_EQ(endpoints->open_uploads(), 0U);
      open(test_settings(endpoints->urls()));  // the last session has reported when it is gone
    }
  }
}

TEST_P(FaultTable, FailuresAreInTheUsesOfTheServers) {
  for (const FailureKind& failure : kFailures) {
    SCOPED_TRACE(failure.name);
    fresh(GetParam());
    endpoints->inject("PUT", "partNumber=2", failure.reply);
    EXPECT_EQ(run_all(), "ok");
    close_session();
    std::vector<storage::ServerUse> uses = store().server_uses();
    ASSERT_EQ(uses.size(), GetParam());
    storage::ServerUse all;
    for (const storage::ServerUse& use : uses) {
      all.attempts += use.attempts;
      all.failed += use.failed;
      for (const auto& one : use.failures) storage::count_failure(all.failures, one.cause, one.count);
      all.answer_ns.merge(use.answer_ns);
    }
    EXPECT_EQ(all.attempts, endpoints->requests().size());
    EXPECT_EQ(all.failed, 1U);
    ASSERT_EQ(all.failures.size(), 1U);
    EXPECT_EQ(all.failures.front().cause, failure.cause);
    EXPECT_EQ(all.answer_ns.count(), all.attempts - all.failed);
  }
}

TEST_P(FaultTable, OneEndpointThatAlwaysFailsCostsNoObject) {
  if (GetParam() == 1) return;
  for (const FailureKind& failure : kFailures) {
    SCOPED_TRACE(failure.name);
    fresh(GetParam());
    for (const char* method : {"PUT", "POST", "GET", "HEAD", "DELETE"}) {
      endpoints->inject_at(0, method, "", failure.reply);
    }
    for (int i = 0; i < 3; ++i) EXPECT_EQ(run_all(), "ok");
    EXPECT_EQ(endpoints->open_uploads(), 0U);
    EXPECT_EQ(endpoints->objects().at("/bkt/run%201/large"), bytes);
  }
}

TEST_P(FaultTable, AnEndpointThatIsClosedIsLeftOut) {
  if (GetParam() == 1) return;
  fresh(GetParam());
  endpoints->close_port(0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run_all(), "ok");
  close_session();
  const auto uses = store().server_uses();
  EXPECT_LE(uses[0].attempts, 3U);  // the first, and what was asked when its time aside was over
  EXPECT_EQ(uses[0].attempts, uses[0].failed);
  EXPECT_EQ(uses[0].failures.front().cause, "no connection");
  EXPECT_EQ(uses[0].times_set_aside, 1U);
  EXPECT_GT(uses[0].aside_ns, 0U);
  EXPECT_EQ(uses[1].failed, 0U);
}

INSTANTIATE_TEST_SUITE_P(Endpoints, FaultTable, ::testing::Values(1, 2, 4));

class EndpointHealth : public S3Test {
 protected:
  EndpointHealth() : bytes(pattern(5000)) {}

  std::string put(const std::string& name) {
    const auto target = object(name, bytes.size());
    return outcome(write(*target, bytes));
  }

  std::string bytes;
};

TEST_F(EndpointHealth, TakeEquallyManyRequests) {
  for (const object::Balance balance : {object::Balance::kRoundRobin, object::Balance::kLeastOutstanding}) {
    ScriptedServer four(4);
    s3::Settings settings = test_settings(four.urls());
    settings.balance = balance;
    open(settings);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(put(fmt::format("k{}", i)), "ok");
    close_session();
    for (const auto& use : store().server_uses()) EXPECT_EQ(use.attempts, 25U);
  }
}

TEST_F(EndpointHealth, ByRankEverySessionKeepsToItsOwn) {
  ScriptedServer two(2);
  s3::Settings settings = test_settings(two.urls());
  settings.balance = object::Balance::kByRank;
  settings.rank = 3;
  open(settings);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(put("k"), "ok");
  close_session();
  EXPECT_EQ(store().server_uses()[0].attempts, 0U);
  EXPECT_EQ(store().server_uses()[1].attempts, 10U);
}

// Neither the stall limit of a part nor that of a commit is waited for: the endpoint is probed, found hung, and left.
TEST_F(EndpointHealth, WhatHangsIsFoundByAProbe) {
  ScriptedServer two(2);
  for (const char* method : {"PUT", "POST", "GET", "HEAD", "DELETE"}) {
    two.inject_at(0, method, "", {.fault = Reply::Fault::kHang});
  }
  s3::Settings settings = test_settings(two.urls());
  settings.stall_seconds = settings.commit_stall_seconds = 3600;
  settings.quiet = std::chrono::milliseconds(100);
  settings.probe_seconds = 1;
  settings.retry.max_attempts = 2;
  open(settings);
  bytes = pattern(2 * kPart + 1);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(put("k"), "ok");
  close_session();
  EXPECT_EQ(store().server_uses()[0].failures.front().cause, "no answer");
  EXPECT_EQ(two.open_uploads(), 0U);
}

// A server that is slow with one answer and quick with others is not set aside.
TEST_F(EndpointHealth, WhatIsSlowIsWaitedFor) {
  ScriptedServer two(2);
  two.inject("PUT", "k", {.status = 200, .delay_ms = 700});
  s3::Settings settings = test_settings(two.urls());
  settings.quiet = std::chrono::milliseconds(50);
  open(settings);
  const auto target = object("k", bytes.size());
  run(OpKind::kBeginWrite, *target);
  EXPECT_EQ(outcome(write_part(*target, bytes, 0)), "ok");
  close_session();
  EXPECT_GE(two.count("HEAD", "/bkt"), 1);
  for (const auto& use : store().server_uses()) EXPECT_EQ(use.times_set_aside, 0U);
}

TEST_F(EndpointHealth, WhatIsSetAsideComesBack) {
  ScriptedServer two(2);
  for (const char* method : {"PUT", "HEAD"}) two.inject_at(0, method, "run", {.status = 500}, 3);
  open(test_settings(two.urls()));
  while (store().server_uses()[0].times_set_aside == 0) ASSERT_EQ(put("k"), "ok");
  const int before = two.count_at(0);
  while (two.count_at(0) < before + 2) ASSERT_EQ(put("k"), "ok");  // a probe, and requests again
  EXPECT_EQ(two.requests_at(0)[static_cast<size_t>(before)].path, "/bkt");
}

// What a server asks by 503 halves the requests in flight there, until it answers again.
TEST_F(EndpointHealth, FewerRequestsAreSentToAServerThatIsOverloaded) {
  object::Servers servers({{.origin = "a", .host = "a", .path_prefix = "", .url = "a"}}, object::Balance::kRoundRobin);
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(servers.begin(0));
  servers.end(0, object::Health::kSlow, "HTTP 503");
  for (int i = 0; i < 7; ++i) servers.end(0, object::Health::kSlow, "HTTP 503");  // the same burst
  EXPECT_FALSE(servers.begin(0));                                                 // 8 are in flight
  servers.end(0, object::Health::kGood, "");
  EXPECT_TRUE(servers.begin(0));
  EXPECT_FALSE(servers.begin(0));
  for (int i = 0; i < 8; ++i) servers.end(0, object::Health::kGood, "");
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(servers.begin(0)) << i;  // one more than before
  EXPECT_EQ(servers.uses()[0].times_slowed, 1U);
}

TEST_F(EndpointHealth, PatienceOutlastsAServerThatIsAway) {
  ScriptedServer away(1);
  away.inject("PUT", "", {.status = 503}, 20);
  s3::Settings settings = test_settings(away.urls());
  settings.retry.max_attempts = 2;
  EXPECT_EQ((open(settings), put("k").substr(0, 5)), "E604:");
  settings.retry.patience = std::chrono::seconds(30);
  open(settings);
  EXPECT_EQ(put("k"), "ok");
  EXPECT_EQ(away.count("PUT"), 21);
}

TEST_F(EndpointHealth, PatienceIsNotForRefusals) {
  s3::Settings settings = test_settings({server.url()});
  settings.retry.patience = std::chrono::seconds(30);
  open(settings);
  server.inject("PUT", "", error_reply(400, "BadDigest"), 100);
  EXPECT_EQ(put("k").substr(0, 5), "E606:");
  EXPECT_EQ(server.count("PUT"), 4);
}

}  // namespace
}  // namespace mlps::test
