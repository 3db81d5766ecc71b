#include "base/log.hpp"
#include "fixture.hpp"
#include "storage/s3/dialect.hpp"

namespace mlps::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class FaultTest : public S3Test {
 protected:
  FaultTest() : bytes(pattern(2'000'000)) {}

  /// PUTs a one-part object and returns the operation of the part.
  Operation put(const std::string& name = "k") {
    target = object(name, bytes.size());
    run(OpKind::kBeginWrite, *target);
    return write_part(*target, bytes, 0);
  }

  std::string bytes;
  std::unique_ptr<object::RemoteObject> target;
};

TEST_F(FaultTest, SlowDownThenOk) {
  server.inject("PUT", "", error_reply(503, "SlowDown"), 2);
  const Operation operation = put();
  EXPECT_EQ(outcome(operation), "ok");
  EXPECT_EQ(operation.attempts, 3U);
  EXPECT_EQ(server.count("PUT"), 3);
  EXPECT_EQ(server.objects().at("/bkt/run%201/k"), bytes);
}

TEST_F(FaultTest, RepeatedLargeBodiesAskFirst) {
  server.inject("PUT", "", error_reply(503, "SlowDown"));
  EXPECT_EQ(outcome(put()), "ok");
  EXPECT_EQ(server.requests()[0].headers.count("expect"), 0U);
  EXPECT_EQ(server.requests()[1].headers.at("expect"), "100-continue");
}

TEST_F(FaultTest, StormIsGivenUpAfterTheLastAttempt) {
  server.inject("PUT", "", error_reply(503, "SlowDown", "Reduce your rate"), 100);
  const Operation operation = put();
  EXPECT_EQ(outcome(operation),
            "E604: PutObject s3://bkt/run 1/k failed after 4 attempts: HTTP 503 SlowDown: Reduce your rate");
  EXPECT_THAT(operation.error->details, AllOf(HasSubstr(server.url()), HasSubstr("req-1")));
  EXPECT_EQ(operation.attempts, 4U);
  EXPECT_GE(operation.retried_bytes, bytes.size());
  EXPECT_EQ(server.count("PUT"), 4);
}

TEST_F(FaultTest, RetryAfterIsHonoured) {
  Reply reply = error_reply(503, "SlowDown");
  reply.headers = {{"Retry-After", "3600"}};  // the tests' cap makes 30 ms of it
  server.inject("PUT", "", reply);
  const Operation operation = put();
  EXPECT_EQ(outcome(operation), "ok");
  EXPECT_GE(operation.completed_ns - operation.submitted_ns, 30'000'000);
}

TEST_F(FaultTest, AWaitForTheServerIsSaidOnceWithItsReason) {
  const size_t before = log::problems().size();
  server.inject("PUT", "", {.status = 408}, 3);
  EXPECT_EQ(put().attempts, 4U);
  const auto problems = log::problems();
  ASSERT_EQ(problems.size(), before + 1);
  EXPECT_THAT(problems.back(),
              AllOf(HasSubstr("Waiting for " + server.url() + ": PutObject s3://bkt/run 1/k: HTTP 408"),
                    HasSubstr("attempt 2 in"), HasSubstr("patience ends in")));
}

TEST_F(FaultTest, EveryTransientStatusIsRepeated) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    server.inject("PUT", "", {.status = status, .body = "<html>proxy</html>"});
    const Operation operation = put();
    EXPECT_EQ(outcome(operation), "ok") << status;
    EXPECT_EQ(operation.attempts, 2U) << status;
  }
  server.inject("PUT", "", error_reply(400, "RequestTimeout"));
  EXPECT_EQ(put().attempts, 2U);
  server.inject("PUT", "", error_reply(400, "BadDigest"));
  EXPECT_EQ(put().attempts, 2U);
  server.inject("PUT", "", error_reply(409, "OperationAborted"));
  EXPECT_EQ(put().attempts, 2U);
}

TEST_F(FaultTest, FatalAnswersAreNotRepeated) {
  const std::tuple<int, const char*, const char*> cases[] = {
      {403, "AccessDenied", "E602"},        {403, "SignatureDoesNotMatch", "E602"}, {401, "", "E602"},
      {400, "ExpiredToken", "E602"},        {404, "NoSuchBucket", "E603"},          {403, "QuotaExceeded", "E607"},
      {507, "XMinioStorageFull", "E607"},   {400, "EntityTooLarge", "E607"},        {405, "MethodNotAllowed", "E605"},
      {301, "PermanentRedirect", "E605"},   {501, "NotImplemented", "E605"},        {400, "InvalidArgument", "E605"},
      {403, "RequestTimeTooSkewed", "E602"}};
  for (const auto& [status, code, expected] : cases) {
    server.inject("PUT", "", error_reply(status, code));
    const Operation operation = put();
    EXPECT_THAT(outcome(operation), StartsWith(expected)) << code;
    EXPECT_THAT(outcome(operation), HasSubstr(code));
    EXPECT_EQ(operation.attempts, 1U) << code;
  }
}

TEST_F(FaultTest, NoSuchBucketSaysWhatToDo) {
  server.inject("PUT", "", error_reply(404, "NoSuchBucket"));
  const Operation operation = put();
  EXPECT_THAT(operation.error->suggestion, AllOf(HasSubstr("bkt"), HasSubstr(server.url())));
}

TEST_F(FaultTest, ErrorsCarryNoSecretsAndOneLine) {
  server.inject("PUT", "", error_reply(403, "AccessDenied", "token very-secret-token\r\nkey very-secret-key denied"));
  const std::string text = render(*put().error);
  EXPECT_THAT(text, Not(HasSubstr("very-secret")));
  EXPECT_THAT(text, HasSubstr("token ***"));
  EXPECT_THAT(text, Not(HasSubstr("\r")));
}

TEST_F(FaultTest, RefusedUnsignedPayloadNamesTheSetting) {
  server.inject("PUT", "", error_reply(400, "XAmzContentSHA256Mismatch"));
  const Operation operation = put();
  EXPECT_THAT(outcome(operation), StartsWith("E605"));
  EXPECT_THAT(operation.error->suggestion, HasSubstr("MLPSTORAGE_S3_PAYLOAD_SIGNING=signed"));
  EXPECT_EQ(server.count("PUT"), 1);
}

// G8: keys that stand in ordinary words blank nothing out.
TEST_F(FaultTest, ShortSecretsLeaveMessagesReadable) {
  s3::Settings settings = test_settings({server.url()});
  settings.credentials = std::make_shared<s3::KeySource>("environment", s3::Credentials{"test", "test", "run"});
  open(std::move(settings));
  server.inject("PUT", "", error_reply(403, "AccessDenied", "a test of run 1"));
  EXPECT_THAT(outcome(put()), HasSubstr("s3://bkt/run 1/k failed: HTTP 403 AccessDenied: a test of run 1"));
}

// O9: the region is found, once for all sessions; then every request is signed for it.
TEST_F(FaultTest, TheRegionThatAServerNamesIsTaken) {
  const Reply malformed = {.status = 400,
                           .body =
                               "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong</Message>"
                               "<Region>eu-west-9</Region></Error>"};
  const Reply moved = {.status = 301, .headers = {{"x-amz-bucket-region", "eu-west-8"}}};
  for (const auto& [reply, region] : {std::pair(malformed, "eu-west-9"), {moved, "eu-west-8"}}) {
    open(test_settings({server.url()}));
    server.inject("PUT", "", reply);
    const Operation operation = put();
    EXPECT_EQ(outcome(operation), "ok");
    EXPECT_EQ(operation.attempts, 2U);
    EXPECT_THAT(server.requests().back().headers.at("authorization"), HasSubstr(std::string("/") + region + "/s3/"));
  }
  open(test_settings({server.url()}));
  server.inject("PUT", "", malformed, 2);
  EXPECT_THAT(outcome(put()), StartsWith("E602")) << "not for ever";
}

TEST_F(FaultTest, ARedirectIsFollowedOnceASignedAnew) {
  ScriptedServer other;
  server.inject("PUT", "", {.status = 307, .headers = {{"Location", other.url() + "/bkt/run%201/k"}}});
  const Operation operation = put();
  EXPECT_EQ(outcome(operation), "ok");
  EXPECT_EQ(other.objects().at("/bkt/run%201/k"), bytes);
  EXPECT_EQ("http://" + other.requests().front().headers.at("host"), other.url());
  EXPECT_EQ(other.requests().front().headers.count("authorization"), 1U);
  EXPECT_EQ(outcome(put("k2")), "ok");
  EXPECT_EQ(server.objects().count("/bkt/run%201/k2"), 1U) << "the next call goes where it belongs";
}

TEST_F(FaultTest, RedirectsThatCannotBeFollowedSayWhereTheyPoint) {
  server.inject("PUT", "", {.status = 307, .headers = {{"Location", "http://127.0.0.1:1/elsewhere"}}});
  const Operation path = put();
  EXPECT_THAT(outcome(path), AllOf(StartsWith("E605"), HasSubstr("to http://127.0.0.1:1/elsewhere")));
  EXPECT_THAT(path.error->suggestion, HasSubstr("Set the endpoint to where"));
  server.inject("PUT", "", {.status = 301, .body = error_xml("PermanentRedirect", "to this endpoint.")});
  EXPECT_THAT(outcome(put()), Not(HasSubstr("nowhere")));
}

// Keys that a server refuses as ended are asked for once more.
TEST_F(FaultTest, EndedKeysAreRenewedOnce) {
  int asked = 0;
  s3::Settings settings = test_settings({server.url()});
  settings.credentials = std::make_shared<s3::KeySource>(
      "a test", [&asked](const std::atomic<bool>&) -> Result<object::Lease<s3::Credentials>> {
        ++asked;
        return object::Lease<s3::Credentials>{{"KEY" + std::to_string(asked), "secret", ""}, {}};
      });
  open(std::move(settings));
  EXPECT_EQ(outcome(put()), "ok");
  EXPECT_THAT(server.requests().back().headers.at("authorization"), HasSubstr("Credential=KEY1/"));
  server.inject("PUT", "", error_reply(400, "ExpiredToken"));
  const Operation refused = put("k2");
  // The source was asked less than ten seconds ago.
  EXPECT_THAT(outcome(refused), StartsWith("E602"));
  EXPECT_THAT(refused.error->suggestion, HasSubstr("from a test have ended"));
  EXPECT_EQ(asked, 1);
}

TEST_F(FaultTest, UnsignedRequestsCarryNoSignature) {
  s3::Settings settings = test_settings({server.url()});
  settings.credentials = std::make_shared<s3::KeySource>("none", s3::Credentials{});
  open(std::move(settings));
  EXPECT_EQ(outcome(put()), "ok");
  const Request request = server.requests().back();
  for (const auto& [name, value] : request.headers) {
    EXPECT_THAT(name, ::testing::AnyOf("host", "content-length", "user-agent", "x-amz-checksum-crc32c"));
  }
}

TEST_F(FaultTest, PathsOfEndpointsStandInFrontOfBuckets) {
  open(test_settings({server.url() + "/gate"}));
  server.alter("PUT", "", [](Reply& reply) { reply.headers.emplace_back("x-amz-request-id", "r"); });
  (void)put();
  EXPECT_EQ(server.requests().back().target, "/gate/bkt/run%201/k");
}

/// What a server, a proxy or a web page answers, and what is said about it.
struct Words {
  int status;
  std::string type;
  std::string body;
  std::string code;
  std::string message;
  std::string advice;
};

// O7: the words of whatever answers, and advice only where its cause is certain.
TEST_F(FaultTest, WordsOfWhateverAnswers) {
  const Words cases[] = {
      {400, "text/plain", "Client sent an HTTP request to an HTTPS server.\n", "E605",
       "HTTP 400: Client sent an HTTP request to an HTTPS server.", "https://"},
      {400, "text/html", "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
       "E605", "The plain HTTP request was sent to HTTPS port", "https://"},
      {403, "text/html", "<html><style>b{}</style><body><h1>Blocked</h1>by policy 4711 &amp; more</body></html>",
       "E602", "HTTP 403: Blocked by policy 4711 & more", "does not look like an S3 server"},
      {413, "text/html", "<html><h1>413 Request Entity Too Large</h1></html>", "E607", "413 Request Entity Too Large",
       "client_max_body_size"},
      {400, "application/json", R"({"error":{"code":7,"message":"no such\nproject"}})", "E605",
       "HTTP 400: no such project", "does not look like an S3 server"},
      {200, "text/html", "<!DOCTYPE html><html><title>Console</title></html>", "E605", "with a web page: Console",
       "does not look like an S3 server"},
      {403, "", "", "E602", "HTTP 403", "Check that the keys from environment"},
      {404, "application/xml", "<Error><Code>XAdminUserNotFound</Code><Message>who?</Message></Error>", "E602",
       "HTTP 404 XAdminUserNotFound: who?", "keys from environment"},
      {501, "application/xml", "<Error><Code>NotImplemented</Code></Error>", "E605", "HTTP 501 NotImplemented",
       "MLPSTORAGE_S3_CHECKSUM=none"},
      {400, "application/xml",
       "<Error><Code>SignatureDoesNotMatch</Code><Message>x-amz-content-sha256 was signed</Message></Error>", "E602",
       "SignatureDoesNotMatch", "Check the secret key from environment"},
  };
  for (const Words& one : cases) {
    SCOPED_TRACE(one.body);
    server.inject("PUT", "", {.status = one.status, .headers = {{"Content-Type", one.type}}, .body = one.body});
    const Operation operation = put();
    EXPECT_THAT(outcome(operation), AllOf(StartsWith(one.code), HasSubstr(one.message)));
    ASSERT_TRUE(operation.error);
    EXPECT_THAT(operation.error->suggestion, HasSubstr(one.advice));
  }
}

// O27
TEST_F(FaultTest, VirtualHostsAtAGatewayGetTheRightAdvice) {
  s3::Settings settings = test_settings({server.url()});
  settings.virtual_host = true;
  EXPECT_THAT(s3::S3Dialect(Location(Scheme::kS3, "bkt", ""), settings)
                  .advice({}, {.code = ErrorCode::kStorageNotFound, .server_code = "NoSuchBucket"}),
              HasSubstr("AWS_S3_ADDRESSING_STYLE=path"));
  // The first request is HEAD of the bucket, whose answer has no code.
  settings.virtual_host = false;
  open(settings);
  server.inject("HEAD", "", {.status = 404}, 2);
  EXPECT_THAT(session().reach().error().suggestion, HasSubstr("Create bucket bkt first"));
  settings.virtual_host = true;
  settings.endpoints.front().host = "localhost";
  open(settings);
  EXPECT_THAT(session().reach().error().suggestion, HasSubstr("AWS_S3_ADDRESSING_STYLE=path"));
}

// O23
TEST_F(FaultTest, KeysInAServersWordsAreMasked) {
  s3::Settings settings = test_settings({server.url()});
  settings.credentials =
      std::make_shared<s3::KeySource>("environment", s3::Credentials{"AKIAIOSFODNN7EXAMPLE", "very-secret-key", ""});
  open(settings);
  server.inject(
      "PUT", "",
      error_reply(403, "InvalidAccessKeyId", "The key AKIAIOSFODNN7EXAMPLE (AKIAIOSFODNN7EXAMPLE) isn't here"));
  const std::string text = render(*put().error);
  EXPECT_THAT(text, AllOf(HasSubstr("The key AKIA*** (AKIA***) isn't here"), Not(HasSubstr("IOSFODNN7"))));
}

TEST_F(FaultTest, ResetsDuringAnUploadAreRepeatedInFull) {
  Reply in_upload{.fault = Reply::Fault::kResetInUpload, .upload_bytes = 500'000};
  for (const Reply& reply :
       {in_upload, Reply{.fault = Reply::Fault::kResetAtOnce}, Reply{.fault = Reply::Fault::kResetInHeaders}}) {
    open(test_settings({server.url()}));  // a fresh connection, so that it isn't a stale one
    server.inject("PUT", "", reply);
    const Operation operation = put();
    EXPECT_EQ(outcome(operation), "ok");
    EXPECT_EQ(operation.attempts, 2U);
    EXPECT_GT(operation.retried_bytes, 0U);
    EXPECT_EQ(server.objects().at("/bkt/run%201/k"), bytes);
    EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  }
}

TEST_F(FaultTest, StaleConnectionsDontCountAsAttempts) {
  s3::Settings settings = test_settings({server.url()});
  settings.retry.max_attempts = 1;  // only what isn't counted can be repeated
  open(settings);
  EXPECT_EQ(outcome(put()), "ok");
  server.inject("PUT", "", {.fault = Reply::Fault::kResetAtOnce});
  EXPECT_EQ(outcome(put()), "ok");
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.count("PUT"), 3);
}

TEST_F(FaultTest, ARefusalBeforeTheBodyWasReadIsHeard) {
  bytes = pattern(16'000'000);
  Reply reply = error_reply(403, "AccessDenied");
  reply.fault = Reply::Fault::kRefuseEarly;
  server.inject("PUT", "", reply, 100);
  target = object("k", bytes.size(), 32'000'000);
  run(OpKind::kBeginWrite, *target);
  EXPECT_THAT(outcome(write_part(*target, bytes, 0)), StartsWith("E602"));
}

TEST_F(FaultTest, ClockSkewIsCorrectedOnce) {
  const size_t before = log::problems().size();
  Reply reply = error_reply(403, "RequestTimeTooSkewed");
  reply.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}};
  server.inject("PUT", "", reply);
  EXPECT_EQ(outcome(put()), "ok");
  EXPECT_THAT(server.requests().back().headers.at("x-amz-date"), StartsWith("20130524T0000"));
  server.inject("PUT", "", reply, 2);
  EXPECT_THAT(outcome(put()), StartsWith("E602"));
  reply.headers = {{"Date", "Fri, 24 May 2013 01:00:00 GMT"}};
  server.inject("PUT", "", reply);
  EXPECT_EQ(outcome(put()), "ok");
  EXPECT_EQ(log::problems().size(), before + 1);  // of a store, not of a session or an offset
}

TEST_F(FaultTest, WrongChecksumEchoIsRepeatedThenAMismatch) {
  server.alter(
      "PUT", "", [](Reply& reply) { reply.headers.emplace_back("x-amz-checksum-crc32c", "AAAAAA=="); }, 1);
  EXPECT_EQ(put().attempts, 2U);
  server.alter("PUT", "", [](Reply& reply) { reply.headers.emplace_back("x-amz-checksum-crc32c", "AAAAAA=="); });
  EXPECT_THAT(outcome(put()), StartsWith("E606"));
}

TEST_F(FaultTest, DamageOnTheWayIsFoundByTheServersChecksum) {
  server.inject("PUT", "", error_reply(400, "BadDigest"), 100);
  EXPECT_THAT(outcome(put()), StartsWith("E606"));
}

TEST_F(FaultTest, NobodyListening) {
  uint16_t port = 0;
  {
    const ScriptedServer gone;
    port = gone.port();
  }
  open(test_settings({"http://127.0.0.1:" + std::to_string(port)}));
  const Operation operation = put();
  EXPECT_THAT(outcome(operation), StartsWith("E601: PutObject s3://bkt/run 1/k failed after 4 attempts"));
  EXPECT_THAT(operation.error->suggestion, HasSubstr(std::to_string(port)));
  EXPECT_EQ(operation.retried_bytes, 0U);
}

TEST_F(FaultTest, GarbageInsteadOfHttp) {
  server.alter("PUT", "", [](Reply& reply) { reply.status = -1; });
  EXPECT_THAT(outcome(put()), StartsWith("E60"));
}

// What an answer to HEAD should not have had arrives after the connection is used again.
TEST_F(FaultTest, LeftoverBytesOnAKeptConnectionAreNoAnswer) {
  s3::Settings settings = test_settings({server.url()});
  settings.retry.max_attempts = 1;
  open(settings);
  EXPECT_EQ(outcome(put()), "ok");
  server.alter(
      "PUT", "", [](Reply& reply) { reply.fault = Reply::Fault::kGarbage; }, 1);
  EXPECT_EQ(outcome(put()), "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(FaultTest, GarbageOnAFreshConnectionIsAnError) {
  server.alter(
      "PUT", "", [](Reply& reply) { reply.fault = Reply::Fault::kGarbage; }, 1);
  EXPECT_THAT(outcome(put()), StartsWith("E605"));
}

TEST_F(FaultTest, A417IsAskedAgainWithoutExpect) {
  server.inject("PUT", "", error_reply(503, "SlowDown"));
  server.inject("PUT", "", {.status = 417, .fault = Reply::Fault::kRefuseEarly});
  EXPECT_EQ(outcome(put()), "ok");
  ASSERT_EQ(server.count("PUT"), 3);
  EXPECT_EQ(server.requests()[1].headers.count("expect"), 1U);
  EXPECT_EQ(server.requests()[2].headers.count("expect"), 0U);
}

TEST_F(FaultTest, EndpointsTakeTurns) {
  ScriptedServer second;
  open(test_settings({server.url(), second.url()}));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(outcome(put("k" + std::to_string(i))), "ok");
  EXPECT_EQ(server.count("PUT"), 3);
  EXPECT_EQ(second.count("PUT"), 3);
}

TEST_F(FaultTest, ADeadEndpointIsLeftOut) {
  std::string dead;
  {
    const ScriptedServer gone;
    dead = gone.url();
  }
  s3::Settings settings = test_settings({dead, server.url()});
  settings.retry.max_attempts = 1;
  open(settings);
  unsigned attempts = 0;
  for (int i = 0; i < 6; ++i) {
    const Operation operation = put("k" + std::to_string(i));
    EXPECT_EQ(outcome(operation), "ok");
    attempts += operation.attempts;
  }
  EXPECT_EQ(server.count("PUT"), 6);
  EXPECT_EQ(attempts, 7U);  // one failover, counted; then the dead one isn't asked
}

}  // namespace
}  // namespace mlps::test
