#include <atomic>
#include <nlohmann/json.hpp>

#include "fixture.hpp"
#include "test_key.hpp"

namespace mlps::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A store whose requests carry tokens, and the service that hands them out.
class GcsToken : public GcsTest {
 protected:
  GcsToken() {
    issuer.answer_with([this](const Request& request) {
      asked = request;
      if (refuses) {
        return Reply{.status = 400,
                     .body = R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})"};
      }
      service.token = "token-" + std::to_string(++issued);
      return Reply{.headers = {{"Metadata-Flavor", "Google"}},
                   .body = nlohmann::json({{"access_token", service.token}, {"expires_in", 3600}}).dump()};
    });
  }

  void open_as(gcs::Identity identity) {
    gcs::Settings with_token = settings();
    with_token.identity = {std::move(identity), "test credentials", "payer"};
    with_token.quota_project = "payer";
    with_token.token = std::make_shared<object::Renewed<std::string>>(
        "test credentials",
        [who = with_token.identity](const std::atomic<bool>& stop) { return gcs::ask_token(who, {}, stop); });
    open(std::move(with_token));
  }
  gcs::ServiceAccount account() { return {"a@b", "k1", private_key(), issuer.url() + "/token"}; }

  Request asked;
  int issued = 0;
  bool refuses = false;
  ScriptedServer issuer;
};

TEST_F(GcsToken, RequestsCarryTheTokenOfAServiceAccount) {
  open_as(account());
  std::string bytes = pattern(100);
  auto target = object("k", bytes.size(), 1000);
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  EXPECT_EQ(asked.method, "POST");
  EXPECT_EQ(asked.headers.at("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(issued, 1);
  for (const Request& request : server.requests()) {
    EXPECT_EQ(request.headers.at("authorization"), "Bearer token-1");
    EXPECT_EQ(request.headers.at("x-goog-user-project"), "payer");
  }
}

TEST_F(GcsToken, TheMetadataServerIsAskedWithItsHeaderAndMustAnswerWithIt) {
  open_as(gcs::MetadataServer{issuer.url().substr(7)});
  EXPECT_TRUE(session().remove("k").has_value());
  EXPECT_EQ(asked.headers.at("metadata-flavor"), "Google");
  issuer.alter("GET", "", [](Reply& reply) { reply.headers.clear(); });
  open_as(gcs::MetadataServer{issuer.url().substr(7)});
  const auto status = session().remove("k");
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message, HasSubstr("is no metadata server of Google"));
}

TEST_F(GcsToken, ATokenThatIsRefusedIsNotAskedForAgainAndAgain) {
  open_as(account());
  EXPECT_TRUE(session().remove("k").has_value());
  service.token = "another";
  const auto status = session().remove("k");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kStorageDenied);
  EXPECT_THAT(status.error().message, Not(HasSubstr("token-1")));
  EXPECT_EQ(issued, 1);
}

TEST_F(GcsToken, TheTokenServiceIsQuotedWhenItRefuses) {
  refuses = true;
  open_as(account());
  std::string bytes = pattern(100);
  auto target = object("k", bytes.size(), 1000);
  const Operation operation = write(*target, bytes);
  EXPECT_THAT(outcome(operation), StartsWith("E602: token for gs:// from " + issuer.url() + "/token (credentials: "));
  EXPECT_THAT(outcome(operation), HasSubstr("HTTP 400 invalid_grant: Invalid JWT Signature."));
  EXPECT_THAT(operation.error->suggestion, HasSubstr("clock"));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(GcsToken, AServerThatRepeatsTheTokenIsNotQuotedWithIt) {
  open_as(account());
  EXPECT_TRUE(session().remove("k").has_value());
  server.inject("GET", "", json_error_reply(403, "forbidden", "token-1 may not do this"));
  EXPECT_THAT(session().head("k").error().message, HasSubstr("forbidden: *** may not do this"));
}

}  // namespace
}  // namespace mlps::test
