// Where keys come from: every place alone, two at once, and services that hand keys out for a while, played by a
// server.
#include "storage/s3/credentials.hpp"

#include <time.h>
#include <unistd.h>

#include "base/encoding.hpp"
#include "base/waiting.hpp"
#include "keys_test.hpp"
#include "storage/s3/key_services.hpp"

namespace mlps::s3 {
namespace {

using Variables = std::map<std::string, std::string>;

std::string json_keys(const std::string& name, const std::string& expiration, const std::string& token = "Token") {
  return R"({"Code":"Success","Version":1,"AccessKeyId":")" + name + R"(","SecretAccessKey":"secret-of-)" + name +
         R"(",")" + token + R"(":"token-of-)" + name + R"(","Expiration":")" + expiration + R"("})";
}

std::string role_xml(const std::string& name, const std::string& action = "AssumeRole") {
  return "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" + action +
         "Result><Credentials><AccessKeyId>" + name + "</AccessKeyId><SecretAccessKey>secret-of-" + name +
         "</SecretAccessKey><SessionToken>token-of-" + name + "</SessionToken><Expiration>" + in_an_hour() +
         "</Expiration></Credentials></" + action + "Result></" + action + "Response>";
}

TEST_F(KeysTest, MissingOnesAreNamed) {
  EXPECT_THAT(found(), AllOf(HasSubstr("[E101]"), HasSubstr("AWS_ACCESS_KEY_ID"), HasSubstr("AWS_SECRET_ACCESS_KEY"),
                             HasSubstr(home + "/.aws/credentials")));
  set("AWS_ACCESS_KEY_ID", "id");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E101]"), HasSubstr("AWS_SECRET_ACCESS_KEY isn't")));
}

TEST_F(KeysTest, VariablesOutrankFilesAndServices) {
  file(".aws/credentials", "[default]\n" + pair("file") + "aws_session_token = token-of-file\n");
  set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url());
  EXPECT_EQ(found(), "file from profile default of " + home + "/.aws/credentials");
  set_keys("shell");
  EXPECT_EQ(found(), "shell from environment");
}

// The token of one file doesn't go with the keys of the other.
TEST_F(KeysTest, KeysOfTwoFilesAreNotMixed) {
  file(".aws/config", "[default]\n" + pair("config") + "aws_session_token = token-of-config\nregion = eu\n");
  EXPECT_EQ(found(), "config from profile default of " + home + "/.aws/config");
  file(".aws/credentials", "[default]\n" + pair("credentials"));
  EXPECT_EQ(found(), "credentials from profile default of " + home + "/.aws/credentials");
  file(".aws/credentials", "[default]\naws_access_key_id = half\n");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E101]"), HasSubstr("aws_secret_access_key")));
}

TEST_F(KeysTest, ProfilesAreChosenByName) {
  file(".aws/credentials", "[default]\n" + pair("d") + "[ lab ]\n" + pair("l"));
  file(".aws/config", "[profile far]\n" + pair("f"));
  set("AWS_PROFILE", "lab");
  EXPECT_THAT(found(), HasSubstr("l from profile lab of"));
  set("AWS_PROFILE", "far");
  EXPECT_THAT(found(), HasSubstr("f from profile far of"));
  set("AWS_PROFILE", "absent");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E101]"), HasSubstr("[absent]")));
}

// O24
TEST_F(KeysTest, TheHomeFolderIsExpandedAndAFolderIsNoFile) {
  file("other", "[default]\n" + pair("o"));
  set("AWS_SHARED_CREDENTIALS_FILE", "~/other");
  EXPECT_EQ(found(), "o from profile default of " + home + "/other");
  set("AWS_SHARED_CREDENTIALS_FILE", "~/.aws");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E103]"), HasSubstr("is a folder")));
  set("AWS_SHARED_CREDENTIALS_FILE", "~/absent");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E103]"), HasSubstr("AWS_SHARED_CREDENTIALS_FILE")));
}

TEST_F(KeysTest, ABrokenFileIsNotRepeated) {
  file(".aws/credentials", "[default]\nsome-secret-without-equals\n");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E104]"), HasSubstr(":2:"), Not(HasSubstr("some-secret"))));
}

// O17: damaged by a line end, wherever they come from, before any request.
TEST_F(KeysTest, LineEndsAreFoundBeforeTheServerSeesThem) {
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}) {
    for (const char* bad : {"secret\n", "sec ret", "secret\r", "a\r\nX-Evil: 1"}) {
      set_keys("shell");
      set("AWS_SESSION_TOKEN", "token-of-shell");
      set(name, bad);
      EXPECT_THAT(found(), AllOf(HasSubstr("[E102]"), HasSubstr("from environment"), HasSubstr("line end"),
                                 Not(HasSubstr("Evil"))))
          << name;
    }
  }
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}) set(name, "");
  file(".aws/credentials", "[default]\naws_access_key_id = a\naws_secret_access_key = b c\n");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E102]"), HasSubstr("secret key from profile default")));
}

TEST_F(KeysTest, RequestsMayGoUnsigned) {
  set_keys("shell");
  set("AWS_NO_SIGN_REQUEST", "yes");
  EXPECT_THAT(found(), AllOf(HasSubstr(" from none"), HasSubstr("AWS_NO_SIGN_REQUEST")));
  set("AWS_NO_SIGN_REQUEST", "perhaps");
  EXPECT_THAT(found(), HasSubstr("[E102]"));
}

TEST_F(KeysTest, OfAProgram) {
  const std::string script = file("print", "echo '" + json_keys("program", in_an_hour(), "SessionToken") + "'\n");
  file(".aws/config", "[default]\ncredential_process = sh \"" + script + "\"\n");
  EXPECT_THAT(found(), AllOf(HasSubstr("program from credential_process sh of profile default")));
  file("print", "echo '{\"Version\": 2}'\n");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E605]"), HasSubstr("\"Version\": 1")));
  file("print", "echo secret; exit 7\n");
  EXPECT_THAT(found(), AllOf(HasSubstr("sh ended with status 7"), Not(HasSubstr("echo"))));
}

TEST_F(KeysTest, OfAContainer) {
  serve("GET", "/role", json_keys("container", in_an_hour()));
  set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url() + "/role?id=1");
  set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "first");
  EXPECT_THAT(found(), HasSubstr("container from AWS_CONTAINER_CREDENTIALS_FULL_URI (" + server.url() + "/role)"));
  EXPECT_EQ(server.requests().back().headers.at("authorization"), "first");
  set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file("token", "second\n"));
  EXPECT_THAT(found(), HasSubstr("container from"));
  EXPECT_EQ(server.requests().back().headers.at("authorization"), "second");
  set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.1.2.3/role");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E102]"), HasSubstr("without encryption")));
}

TEST_F(KeysTest, OfAnInstance) {
  serve("PUT", "/latest/api/token", "session");
  server.inject("GET", "/security-credentials/role", {.body = json_keys("instance", in_an_hour())}, 1000);
  serve("GET", "/security-credentials/", "role\n");
  set("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url());
  EXPECT_THAT(found(), HasSubstr("instance from metadata service of the instance (" + server.url() + ")"));
  EXPECT_EQ(server.requests().front().headers.at("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(server.requests().back().headers.at("x-aws-ec2-metadata-token"), "session");
  set("AWS_EC2_METADATA_DISABLED", "true");
  EXPECT_THAT(found(), HasSubstr("[E101]"));
}

TEST_F(KeysTest, AnInstanceWithoutARoleHasNone) {
  serve("PUT", "/latest/api/token", "session");
  serve("GET", "/security-credentials/", "", 404);
  set("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url());
  EXPECT_THAT(found(), AllOf(HasSubstr("[E101]"), HasSubstr("no role")));
}

TEST_F(KeysTest, OfARoleThatAnotherProfileAssumes) {
  serve("POST", "/", role_xml("role"));
  file(".aws/config",
       "[profile lab]\nrole_arn = arn:aws:iam::1:role/r&d\nsource_profile = base\nexternal_id = x y\n"
       "duration_seconds = 900\nrole_session_name = me\n[profile base]\n" +
           pair("base"));
  set("AWS_PROFILE", "lab");
  set("AWS_ENDPOINT_URL_STS", server.url());
  set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
  EXPECT_THAT(found(), AllOf(HasSubstr("role from role arn:aws:iam::1:role/r&d by " + server.url())));
  const test::Request request = server.requests().back();
  EXPECT_EQ(request.body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr%26d&RoleSessionName=me&"
            "ExternalId=x%20y&DurationSeconds=900");
  EXPECT_THAT(request.headers.at("authorization"),
              AllOf(HasSubstr("Credential=base/"), HasSubstr("/eu-1/sts/aws4_request")));
}

TEST_F(KeysTest, RefusalsOfARoleAreInTheServicesWords) {
  serve("POST", "/",
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not for you</Message></Error>"
        "</ErrorResponse>",
        403);
  file(".aws/config", "[default]\nrole_arn = arn:r\nsource_profile = default\n" + pair("base"));
  set("AWS_ENDPOINT_URL", server.url());
  EXPECT_THAT(found(), AllOf(HasSubstr("[E602]"), HasSubstr("HTTP 403 AccessDenied: not for you"), HasSubstr("arn:r"),
                             Not(HasSubstr("secret-of"))));
}

TEST_F(KeysTest, RolesThatCannotBeAssumedAreRefusedBeforeAnyRequest) {
  const auto refusal = [&](const std::string& text) {
    file(".aws/config", "[default]\nrole_arn = arn:r\n" + text);
    return found();
  };
  EXPECT_THAT(refusal(""), AllOf(HasSubstr("[E101]"), HasSubstr("neither source_profile nor")));
  EXPECT_THAT(refusal("source_profile = a\ncredential_source = Environment\n"), HasSubstr("both"));
  EXPECT_THAT(refusal("source_profile = absent\n"), HasSubstr("[absent]"));
  EXPECT_THAT(refusal("credential_source = Elsewhere\n"), HasSubstr("Ec2InstanceMetadata"));
  EXPECT_THAT(refusal("credential_source = Environment\n"), HasSubstr("no keys to ask"));
  EXPECT_THAT(refusal("mfa_serial = arn:m\nsource_profile = default\n"),
              AllOf(HasSubstr("[E105]"), HasSubstr("mfa_serial"),
                    HasSubstr("aws configure export-credentials --profile default --format env")));
  EXPECT_THAT(refusal("source_profile = b\n[profile b]\nrole_arn = arn:b\nsource_profile = default\n"),
              HasSubstr("assume each other's roles"));
  file(".aws/config", "[default]\nlogin_session = arn:me\n");
  EXPECT_THAT(found(), AllOf(HasSubstr("[E105]"), HasSubstr("export-credentials")));
  EXPECT_EQ(server.requests().size(), 0U);
}

TEST_F(KeysTest, OfAWebIdentity) {
  serve("POST", "/", role_xml("web", "AssumeRoleWithWebIdentity"));
  set("AWS_WEB_IDENTITY_TOKEN_FILE", file("jwt", "aa.bb.cc\n"));
  EXPECT_THAT(found(), AllOf(HasSubstr("[E101]"), HasSubstr("AWS_ROLE_ARN")));
  set("AWS_ROLE_ARN", "arn:r");
  set("AWS_ENDPOINT_URL", server.url());
  EXPECT_THAT(found(), HasSubstr("web from web identity of " + home + "/jwt for role arn:r"));
  EXPECT_THAT(server.requests().back().body,
              AllOf(HasSubstr("Action=AssumeRoleWithWebIdentity"), HasSubstr("WebIdentityToken=aa.bb.cc")));
  EXPECT_EQ(server.requests().back().headers.count("authorization"), 0U);
}

TEST_F(KeysTest, AServiceIsAskedAgainBeforeItGivesUp) {
  server.inject("GET", "/role", {.status = 503}, 2);
  serve("GET", "/role", json_keys("container", in_an_hour()));
  set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url() + "/role");
  EXPECT_THAT(found(), HasSubstr("container from"));
  EXPECT_EQ(server.count("GET", "/role"), 3);
}

TEST(Sections, AreReadAsTheAwsToolsDo) {
  const auto sections = parse_sections(
      "\xEF\xBB\xBF# note\r\n[profile \"a  b\"] ; note\r\nregion = eu-1 # note\r\nkey=a#b;c\r\ns3 =\r\n  "
      "addressing_style = "
      "path\r\n\tx=1\r\n[services s]\ns3=\n  endpoint_url = http://h\n[profile a b]\noutput = json\n",
      "f");
  ASSERT_TRUE(sections) << render(sections.error());
  const Section& profile = sections->at("profile a b");
  EXPECT_EQ(profile.at("region"), "eu-1");
  EXPECT_EQ(profile.at("key"), "a#b;c");
  EXPECT_EQ(profile.at("s3.addressing_style"), "path");
  EXPECT_EQ(profile.at("s3.x"), "1");
  EXPECT_EQ(profile.at("output"), "json");
  EXPECT_EQ(sections->at("services s").at("s3.endpoint_url"), "http://h");
  for (const char* bad : {"[a\n", "x = 1\n", "[a]\n= 1\n", "[a]\nword\n"})
    EXPECT_FALSE(parse_sections(bad, "f")) << bad;
}

// ---- renewal

TEST(RenewalTime, IsTenMinutesBeforeTheEndOrHalfWay) {
  using object::renewal_time;
  EXPECT_EQ(renewal_time(10'000, 1'000), 9'400);
  EXPECT_EQ(renewal_time(1'900, 1'000), 1'450);
  EXPECT_EQ(renewal_time(1'001, 1'000), 1'001);
  EXPECT_EQ(renewal_time(500, 1'000), 1'001);
}

TEST(IsoTime, OfTokenServices) {
  EXPECT_EQ(parse_iso_time("1970-01-02T00:00:01Z"), 86401);
  EXPECT_EQ(parse_iso_time("1970-01-01T02:00:00.123456+02:00"), 0);
  EXPECT_EQ(parse_iso_time("1969-12-31T23:00:00-01:00"), 0);
  for (const char* bad : {"", "1970-01-01", "1970-01-01T00:00:00", "1970-13-01T00:00:00Z", "1970-01-01T00:00:00.",
                          "1970-01-01T00:00:00+2", "1970-01-01 00:00:00Z"}) {
    EXPECT_EQ(parse_iso_time(bad), std::nullopt) << bad;
  }
}

TEST(Renewed, IsAskedOnceAndAgainBeforeItEnds) {
  std::atomic<int> asked = 0;
  object::Renewed<int> number("a test", [&](const std::atomic<bool>&) -> Result<object::Lease<int>> {
    return object::Lease<int>{++asked, time(nullptr) + 2};
  });
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(number.version(), 0U);
  ASSERT_TRUE(number.get());
  const uint64_t first = number.version();
  EXPECT_EQ(**number.get(), 1);
  for (int i = 0; i < 1000 && number.version() == first; ++i) sleep_for(10'000'000);
  EXPECT_NE(number.version(), first);
  EXPECT_GE(**number.get(), 2);
}

TEST(Renewed, AFailureKeepsWhatThereIsAndIsRemembered) {
  std::atomic<bool> fails = false;
  std::atomic<int> asked = 0;
  object::Renewed<int> number("a test", [&](const std::atomic<bool>&) -> Result<object::Lease<int>> {
    ++asked;
    if (fails) return fail(ErrorCode::kStorageUnreachable, "nobody is there");
    return object::Lease<int>{7, time(nullptr) + 2};
  });
  ASSERT_TRUE(number.get());
  fails = true;
  for (int i = 0; i < 1000 && number.trouble().empty(); ++i) sleep_for(10'000'000);
  EXPECT_EQ(number.trouble(), "nobody is there");
  EXPECT_EQ(**number.get(), 7);
  fails = false;
  for (int i = 0; i < 1000 && !number.trouble().empty(); ++i) sleep_for(10'000'000);
  EXPECT_EQ(number.trouble(), "");
}

TEST(Renewed, TheFirstFailureIsEverybodys) {
  int asked = 0;
  object::Renewed<int> number("a test", [&](const std::atomic<bool>&) -> Result<object::Lease<int>> {
    ++asked;
    return fail(ErrorCode::kStorageDenied, "no");
  });
  EXPECT_FALSE(number.get());
  EXPECT_FALSE(number.get());
  EXPECT_EQ(asked, 1);
  EXPECT_FALSE(object::Renewed<int>("known", 3).renew(1));
}

TEST(Renewed, DestroyingStopsAnAskingUnderWay) {
  std::atomic<int> asked = 0;
  {
    object::Renewed<int> number("a test", [&](const std::atomic<bool>& stop) -> Result<object::Lease<int>> {
      if (++asked == 1) return object::Lease<int>{1, time(nullptr) + 1};
      while (!stop) sleep_for(1'000'000);
      return fail(ErrorCode::kInterrupted, "stopped");
    });
    ASSERT_TRUE(number.get());
    for (int i = 0; i < 1000 && asked < 2; ++i) sleep_for(10'000'000);
  }
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace mlps::s3
