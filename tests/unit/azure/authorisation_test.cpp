// How an az:// store is authorised, and where its tokens come from.
#include <time.h>

#include "fixture.hpp"
#include "storage/azure/azure_dialect.hpp"

namespace mlps::azure {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(AzureTest, ASasTokenIsSentAndNeverShown) {
  Settings sas = settings();
  sas.authorisation = Authorisation::kSas;
  sas.authorisation_source = "AZURE_STORAGE_SAS_TOKEN";
  sas.sas = "sv=2021-12-02&sp=r&sig=hunter2%3D";
  open(sas);
  Reply echo = refused(403, "AuthorizationPermissionMismatch");
  echo.body =
      "<Error><Code>AuthorizationPermissionMismatch</Code><Message>not with hunter2= or "
      "sig=hunter2%3D</Message></Error>";
  server.inject("GET", "", echo);
  const auto listed = session().list("", "");
  ASSERT_FALSE(listed);
  EXPECT_THAT(render(listed.error()), Not(HasSubstr("hunter2")));
  EXPECT_THAT(listed.error().suggestion, HasSubstr("racwdl"));
  const Request request = server.requests().front();
  EXPECT_THAT(request.query, testing::EndsWith("&" + sas.sas));
  EXPECT_EQ(request.headers.count("authorization"), 0U);
  server.inject("HEAD", "", properties(7));
  EXPECT_TRUE(session().head("x"));
  EXPECT_EQ(server.requests().back().query, sas.sas);
}

TEST_F(AzureTest, ATokenIsAskedForOnceAndSentWithEveryRequest) {
  Settings token = settings();
  token.authorisation = Authorisation::kToken;
  int asked = 0;
  token.token = std::make_shared<TokenSource>("a test", [&asked](const std::atomic<bool>&) {
    ++asked;
    return Result<object::Lease<std::string>>({"hunter2", time(nullptr) + 3600});
  });
  token.authorisation_source = "a test";
  open(token);
  server.inject("HEAD", "", properties(7), 2);
  EXPECT_TRUE(session().head("x"));
  EXPECT_TRUE(session().head("x"));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(server.requests().back().headers.at("authorization"), "Bearer hunter2");
  server.inject("HEAD", "", refused(401, "InvalidAuthenticationInfo"), 2);
  const auto denied = session().head("x");
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, ErrorCode::kStorageDenied);
  EXPECT_THAT(denied.error().suggestion, HasSubstr("Storage Blob Data Contributor"));
}

TEST_F(AzureTest, ATokenThatEndedOnItsWayIsReplacedByTheNewerOne) {
  Settings token = settings();
  token.authorisation = Authorisation::kToken;
  std::atomic<int> asked = 0;
  token.token = std::make_shared<TokenSource>("a test", [&asked](const std::atomic<bool>&) {
    return Result<object::Lease<std::string>>({"t" + std::to_string(++asked), time(nullptr) + (asked == 1 ? 1 : 3600)});
  });
  auto source = token.token;
  open(token);
  const Nanos deadline = now_ns() + 30'000'000'000;
  int looks = 0;
  server.alter("HEAD", "", [&](Reply& reply) {
    reply = ++looks == 1 ? refused(403, "AuthenticationFailed") : properties(7);
    while (source->version() < 2 && now_ns() < deadline) sleep_for(1'000'000);
  });
  EXPECT_TRUE(session().head("x"));
  EXPECT_EQ(server.requests().front().headers.at("authorization"), "Bearer t1");
  EXPECT_EQ(server.requests().back().headers.at("authorization"), "Bearer t2");
}

// A request that was sent with the old token is refused when the new one is in use already: it is repeated with that.
TEST_F(AzureTest, ATokenThatEndsUnderARequestCostsOneRepetition) {
  Settings token = settings();
  token.authorisation = Authorisation::kToken;
  std::atomic<int> asked = 0;
  token.token = std::make_shared<TokenSource>("a test", [&asked](const std::atomic<bool>&) {
    return Result<object::Lease<std::string>>({"t" + std::to_string(++asked), time(nullptr) + (asked == 1 ? 1 : 3600)});
  });
  const auto source = token.token;
  open(token);
  Reply ended = refused(401, "InvalidAuthenticationInfo");
  ended.delay_ms = 1'800;
  server.inject("PUT", "/x", ended);
  server.inject("PUT", "/x", created(), kAlways);
  server.inject("PUT", "/y", created());
  const auto slow = object(10);
  const auto quick = ObjectStoreTest::object("y", 10, kPart);
  std::string bytes(10, 'x');
  Operation first{.kind = OpKind::kWritePart, .object = slow.get(), .buffer = test::bytes_of(bytes)};
  EXPECT_FALSE(run(OpKind::kBeginWrite, *slow).error);
  EXPECT_FALSE(run(OpKind::kBeginWrite, *quick).error);
  session().submit(first);
  for (int i = 0; i < 3000 && source->version() < 2; ++i) {
    std::vector<Operation*> none;
    session().poll(std::chrono::milliseconds(10), none);
  }
  Operation second{.kind = OpKind::kWritePart, .object = quick.get(), .buffer = test::bytes_of(bytes)};
  session().submit(second);
  wait_for(2);
  EXPECT_EQ(outcome(second), "ok");
  EXPECT_EQ(outcome(first), "ok");
  EXPECT_EQ(first.attempts, 2U);
  EXPECT_EQ(server.requests().back().headers.at("authorization"), "Bearer t2");
  EXPECT_EQ(asked, 2);
  close_session();
  const auto use = store().server_uses().front();
  ASSERT_EQ(use.failures.size(), 1U);
  EXPECT_EQ(use.failures.front().cause, "HTTP 401 InvalidAuthenticationInfo");
  EXPECT_EQ(use.failures.front().count, 1U);
}

TEST_F(AzureTest, WithoutATokenNothingIsSent) {
  Settings token = settings();
  token.authorisation = Authorisation::kToken;
  token.token = std::make_shared<TokenSource>("a test", [](const std::atomic<bool>&) {
    return Result<object::Lease<std::string>>(fail(ErrorCode::kStorageDenied, "no token from a test"));
  });
  open(token);
  const auto looked = session().head("x");
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().message, "no token from a test");
  EXPECT_EQ(server.requests().size(), 0U);
}

TEST_F(AzureTest, AnonymousRequestsCarryNothing) {
  Settings nobody = settings();
  nobody.authorisation = Authorisation::kAnonymous;
  open(nobody);
  server.inject("HEAD", "", properties(7));
  EXPECT_TRUE(session().head("x"));
  EXPECT_EQ(server.requests().front().headers.count("authorization"), 0U);
  EXPECT_EQ(server.requests().front().query, "");
}

// ---- the services that hand out tokens

TEST(ManagedIdentity, AsksTheMetadataServiceForItsIdentity) {
  test::ScriptedServer service;
  service.inject("GET", "/metadata/identity/oauth2/token",
                 {.body = R"({"access_token":"t1","expires_in":"3599","token_type":"Bearer"})"});
  const auto source = managed_identity(
      Environment({{"AZURE_POD_IDENTITY_AUTHORITY_HOST", service.url()}, {"AZURE_CLIENT_ID", "id 1"}}));
  ASSERT_TRUE(source);
  const auto token = (*source)->get();
  ASSERT_TRUE(token) << render(token.error());
  EXPECT_EQ(**token, "t1");
  const Request request = service.requests().front();
  EXPECT_EQ(request.headers.at("metadata"), "true");
  EXPECT_EQ(test::query_value(request.query, "resource"), "https%3A%2F%2Fstorage.azure.com%2F");
  EXPECT_EQ(test::query_value(request.query, "client_id"), "id%201");
}

TEST(ManagedIdentity, AnAppServiceNamesItsOwn) {
  test::ScriptedServer service;
  service.inject("GET", "/msi/token", {.body = R"({"access_token":"t1","expires_on":"4000000000"})"});
  const auto source =
      managed_identity(Environment({{"IDENTITY_ENDPOINT", service.url() + "/msi/token"}, {"IDENTITY_HEADER", "h"}}));
  ASSERT_TRUE(source);
  EXPECT_TRUE((*source)->get());
  EXPECT_EQ(service.requests().front().headers.at("x-identity-header"), "h");
}

TEST(ManagedIdentity, ARefusalHasTheServicesWordsAndNoToken) {
  test::ScriptedServer service;
  service.inject("GET", "",
                 {.status = 400, .body = R"({"error":"invalid_request","error_description":"Identity not found"})"});
  const auto source = managed_identity(Environment({{"AZURE_POD_IDENTITY_AUTHORITY_HOST", service.url()}}));
  const auto token = (*source)->get();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, ErrorCode::kStorageDenied);
  EXPECT_THAT(token.error().message, HasSubstr("HTTP 400 invalid_request Identity not found"));
  EXPECT_THAT(token.error().suggestion, HasSubstr("AZURE_STORAGE_KEY"));
}

}  // namespace
}  // namespace mlps::azure
