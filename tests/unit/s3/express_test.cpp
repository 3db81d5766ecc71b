#include <fmt/format.h>

#include "fixture.hpp"
#include "storage/open.hpp"

namespace mlps::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kDirectoryBucket = "data--use1-az4--x-s3";

/// A directory bucket on the scripted server, whose CreateSession hands out keys.
class ExpressTest : public S3Test {
 protected:
  ExpressTest() {
    server.inject("GET", "?session", {.body = session_keys("SESSIONID", 300)}, 1 << 20);
    open_bucket({});
  }

  static std::string session_keys(const std::string& id, int64_t seconds) {
    const time_t end = time(nullptr) + seconds;
    tm utc = {};
    gmtime_r(&end, &utc);
    std::array<char, 32> text = {};
    strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return fmt::format(
        "<CreateSessionResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Credentials><SessionToken>token-of-{0}"
        "</SessionToken><SecretAccessKey>secret-of-{0}</SecretAccessKey><AccessKeyId>{0}</AccessKeyId><Expiration>{1}"
        "</Expiration></Credentials></CreateSessionResult>",
        id, text.data());
  }

  void open_bucket(std::map<std::string, std::string> variables) {
    variables.insert({{"AWS_ACCESS_KEY_ID", "OWNID"},
                      {"AWS_SECRET_ACCESS_KEY", "own-secret"},
                      {"AWS_SESSION_TOKEN", "own-token"},
                      {"AWS_ENDPOINT_URL", server.url()}});
    const Location root(Scheme::kS3, kDirectoryBucket, "run");
    auto settings = s3::resolve_settings(root, Environment(variables));
    ASSERT_TRUE(settings) << settings.error().message;
    shorten_waits(*settings);
    use(s3::store_with(root, std::move(*settings)), 4);
  }
};

TEST_F(ExpressTest, RequestsAreSignedWithTheKeysOfASession) {
  std::string bytes = pattern(kPart + 10);
  EXPECT_EQ(outcome(write(*object("k", bytes.size()), bytes)), "ok");
  const auto requests = server.requests();
  ASSERT_GT(requests.size(), 4U);
  const Request& opened = requests.front();
  EXPECT_EQ(opened.target, fmt::format("/{}?session", kDirectoryBucket));
  EXPECT_EQ(opened.headers.at("x-amz-create-session-mode"), "ReadWrite");
  EXPECT_EQ(opened.headers.at("x-amz-security-token"), "own-token");
  EXPECT_THAT(opened.headers.at("authorization"),
              AllOf(StartsWith("AWS4-HMAC-SHA256 Credential=OWNID/"), HasSubstr("/us-east-1/s3express/aws4_request")));
  for (size_t i = 1; i < requests.size(); ++i) {
    EXPECT_THAT(
        requests[i].headers.at("authorization"),
        AllOf(HasSubstr("Credential=SESSIONID/"), HasSubstr("/s3express/"), HasSubstr("x-amz-s3session-token")));
    EXPECT_EQ(requests[i].headers.at("x-amz-s3session-token"), "token-of-SESSIONID");
    EXPECT_EQ(requests[i].headers.count("x-amz-security-token"), 0U);
  }
  EXPECT_EQ(server.count("GET", "?session"), 1) << "a session serves all requests";
}

TEST_F(ExpressTest, ASessionThatTheServerHasForgottenIsOpenedAnew) {
  ASSERT_TRUE(session().put("k", std::as_bytes(std::span("bytes", 5))));
  server.inject("PUT", "", error_reply(403, "ExpiredToken"));
  const Status stored = session().put("k", std::as_bytes(std::span("bytes", 5)));
  // Within ten seconds of the first one it isn't asked for again: the error names what the server said.
  ASSERT_FALSE(stored);
  EXPECT_THAT(stored.error().message, HasSubstr("ExpiredToken"));
}

TEST_F(ExpressTest, AnyPrefixIsListedThoughTheServerKnowsFolders) {
  for (const char* name : {"ckpt_1/a", "ckpt_12/b", "data/c"}) {
    server.put_object(fmt::format("/{}/run/{}", kDirectoryBucket, name), "x");
  }
  const auto page = session().list("ckpt_1", "");
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[0].name, "ckpt_1/a");
  EXPECT_EQ(page->objects[1].name, "ckpt_12/b");
  EXPECT_THAT(server.requests().back().query, HasSubstr("prefix=run%2F"));
  EXPECT_THAT(server.requests().back().query, ::testing::Not(HasSubstr("ckpt")));
  std::string bytes = pattern(kPart + 10);
  const auto open = object("ckpt_1/left", bytes.size());
  run(OpKind::kBeginWrite, *open);
  EXPECT_EQ(session().abort_uploads(
                "ckpt_", [](std::string_view) { return true; }, now_ns() + 1'000'000'000),
            1U);
}

TEST_F(ExpressTest, ARefusedSessionNamesTheRight) {
  ScriptedServer other;
  other.inject("GET", "?session", error_reply(403, "AccessDenied"), 100);
  open_bucket({{"AWS_ENDPOINT_URL", other.url()}});
  const auto info = session().head("k");
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code, ErrorCode::kStorageDenied);
  EXPECT_THAT(render(info.error()),
              AllOf(HasSubstr("CreateSession"), HasSubstr("AccessDenied"), HasSubstr("s3express:CreateSession"),
                    ::testing::Not(HasSubstr("own-secret"))));
}

TEST_F(ExpressTest, KeysInAFormNobodyKnowsAreNotShown) {
  ScriptedServer other;
  other.inject("GET", "?session", {.body = "<New><SecretAccessKey>hidden-secret</SecretAccessKey></New>"}, 100);
  open_bucket({{"AWS_ENDPOINT_URL", other.url()}});
  const auto info = session().head("k");
  ASSERT_FALSE(info);
  EXPECT_THAT(render(info.error()),
              AllOf(HasSubstr("HTTP 200 the answer holds no keys"), ::testing::Not(HasSubstr("hidden"))));
}

TEST_F(ExpressTest, WithoutSessionsTheOwnKeysSign) {
  open_bucket({{"AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "true"}});
  ASSERT_TRUE(session().put("k", std::as_bytes(std::span("bytes", 5))));
  const Request last = server.requests().back();
  EXPECT_THAT(last.headers.at("authorization"), AllOf(HasSubstr("Credential=OWNID/"), HasSubstr("/s3express/")));
  EXPECT_EQ(last.headers.at("x-amz-security-token"), "own-token");
  EXPECT_EQ(server.count("GET", "?session"), 0);
}

}  // namespace
}  // namespace mlps::test
