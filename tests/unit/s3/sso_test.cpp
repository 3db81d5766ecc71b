// Keys by a login that the AWS CLI has made (SSO), against an access portal that the scripted server plays.
#include "storage/s3/sso.hpp"

#include "keys_test.hpp"

namespace mlps::s3 {
namespace {

class LoginTest : public KeysTest {
 protected:
  LoginTest() {
    file(".aws/config",
         "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Read Only\n"
         "[sso-session corp]\nsso_region = eu-1\nsso_start_url = https://corp.example/start\n");
    set("AWS_PROFILE", "dev");
    set("AWS_ENDPOINT_URL_SSO", server.url());
    std::filesystem::create_directories(home + "/.aws/sso/cache");
  }
  void logged_in(const std::string& end, const std::string& name = kOfCorp) {
    file(".aws/sso/cache/" + name + ".json",
         R"({"startUrl":"https://corp.example/start","region":"eu-1","accessToken":"login-token","expiresAt":")" + end +
             "\"}");
  }
  void serve_keys() {
    serve("GET", "/federation/credentials",
          R"({"roleCredentials":{"accessKeyId":"sso","secretAccessKey":"secret-of-sso","sessionToken":"token-of-sso",)"
          R"("expiration":)" +
              std::to_string((time(nullptr) + 3600) * 1000) + "}}");
  }

  // SHA-1 of "corp", and of "https://corp.example/start".
  static constexpr char kOfCorp[] = "ee0bfd2552fbd840c02cc48b6e823320543c450f";
  static constexpr char kOfAddress[] = "f7c9b39d0b4c7a7d82c79307585f77e1c5e74378";
};

TEST_F(LoginTest, GivesTheKeysOfARole) {
  serve_keys();
  logged_in(in_an_hour());
  EXPECT_EQ(found(), "sso from SSO role Read Only of account 123456789012 by " + server.url());
  const test::Request request = server.requests().back();
  EXPECT_EQ(request.target, "/federation/credentials?role_name=Read%20Only&account_id=123456789012");
  EXPECT_EQ(request.headers.at("x-amz-sso_bearer_token"), "login-token");
  EXPECT_EQ(request.headers.count("authorization"), 0U);
}

// As the AWS CLI wrote it before it knew sessions: the file is called by the portal's address.
TEST_F(LoginTest, OfAProfileWithoutASession) {
  serve_keys();
  logged_in(in_an_hour().replace(19, 1, "UTC"), kOfAddress);
  file(".aws/config",
       "[profile dev]\nsso_start_url = https://corp.example/start\nsso_region = eu-1\nsso_account_id = 1\n"
       "sso_role_name = r\n");
  EXPECT_THAT(found(), HasSubstr("sso from SSO role r of account 1"));
}

TEST_F(LoginTest, ThatIsMissingOrEndedSaysWhatToDo) {
  EXPECT_THAT(found(),
              AllOf(HasSubstr("[E101]"), HasSubstr(".aws/sso/cache/"), HasSubstr("aws sso login --profile dev")));
  logged_in("2024-01-01T00:00:00Z");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E602]"), HasSubstr("ended"), HasSubstr("aws sso login --profile dev")));
  EXPECT_EQ(server.requests().size(), 0U);
  logged_in(in_an_hour());
  server.inject("GET", "/federation", {.status = 401, .body = R"({"message":"Session token not found or invalid"})"});
  EXPECT_THAT(found(), AllOf(HasSubstr("[E602]"), HasSubstr("Session token not found"),
                             HasSubstr("aws sso login --profile dev"), Not(HasSubstr("login-token"))));
  server.inject("GET", "/federation", {.status = 403, .body = R"({"message":"No access"})"});
  EXPECT_THAT(found(), AllOf(HasSubstr("[E602]"), HasSubstr("No access"), HasSubstr("sso_role_name")));
}

TEST_F(LoginTest, WhatTheProfileLacksIsNamed) {
  file(".aws/config", "[profile dev]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E101]"), HasSubstr("sso_start_url"), HasSubstr("[sso-session corp]")));
  file(".aws/config", "[profile dev]\nsso_start_url = https://x\nsso_region = eu-1\nsso_role_name = r\n");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E101]"), HasSubstr("sso_account_id")));
}

TEST_F(LoginTest, WhatCannotBeReadIsNoKey) {
  const std::string path = "f";
  for (const char* text :
       {"", "[]", "{", R"({"accessToken":1})", R"({"accessToken":"a b","expiresAt":"2030-01-01T00:00:00Z"})",
        R"({"accessToken":"a"})", R"({"accessToken":"a","expiresAt":"soon"})"}) {
    EXPECT_FALSE(parse_portal_token(text, path, 0)) << text;
  }
  for (const char* text : {"", "[]", "{}", R"({"roleCredentials":[]})", R"({"roleCredentials":{"accessKeyId":"a"}})",
                           R"({"roleCredentials":{"accessKeyId":"a","secretAccessKey":"b","sessionToken":"c"}})",
                           R"({"roleCredentials":{"accessKeyId":"a","secretAccessKey":"b\n","expiration":1}})"}) {
    EXPECT_FALSE(parse_portal_keys(text, "s")) << text;
  }
}

}  // namespace
}  // namespace mlps::s3
