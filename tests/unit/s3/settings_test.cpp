#include "storage/s3/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

namespace mlps::s3 {
namespace {

using ::testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

const Location kRoot(Scheme::kS3, "bkt", "p");

Variables with_keys(Variables more) {
  more.emplace("AWS_ACCESS_KEY_ID", "id");
  more.emplace("AWS_SECRET_ACCESS_KEY", "hidden-secret");
  return more;
}

Settings resolved(Variables variables, const Location& root = kRoot) {
  auto settings = resolve_settings(root, Environment(with_keys(std::move(variables))));
  EXPECT_TRUE(settings) << render(settings.error());
  return settings.value_or(Settings{});
}

Error refused(Variables variables, const Location& root = kRoot) {
  auto settings = resolve_settings(root, Environment(std::move(variables)));
  EXPECT_FALSE(settings);
  return settings ? Error{} : settings.error();
}

std::vector<std::string> urls(const Settings& settings) {
  std::vector<std::string> out;
  for (const Endpoint& endpoint : settings.endpoints) out.push_back(endpoint.url());
  return out;
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    char name[] = "/tmp/mlps_s3_test_XXXXXX";
    close(mkstemp(name));
    path = name;
    std::ofstream(path) << content;
  }
  ~TemporaryFile() { unlink(path.c_str()); }
  std::string path;
};

TEST(Endpoints, FirstSourceWins) {
  const TemporaryFile file("# nodes\n\nhttp://f1:1\n  http://f2:2\n");
  Variables all = {{"S3_ENDPOINT_URIS", "http://u1:1, http://u2:2/ http://U3"},
                   {"S3_ENDPOINT_TEMPLATE", "http://t{1...2}:9000"},
                   {"S3_ENDPOINT_FILE", file.path},
                   {"AWS_ENDPOINT_URL_S3", "https://a3"},
                   {"AWS_ENDPOINT_URL", "https://a:8443"},
                   {"S3_ENDPOINT", "http://s"}};
  const std::pair<const char*, std::vector<std::string>> expected[] = {
      {"S3_ENDPOINT_URIS", {"http://u1:1", "http://u2:2", "http://u3"}},
      {"S3_ENDPOINT_TEMPLATE", {"http://t1:9000", "http://t2:9000"}},
      {"S3_ENDPOINT_FILE", {"http://f1:1", "http://f2:2"}},
      {"AWS_ENDPOINT_URL_S3", {"https://a3"}},
      {"AWS_ENDPOINT_URL", {"https://a:8443"}},
      {"S3_ENDPOINT", {"http://s"}},
  };
  for (const auto& [variable, list] : expected) {
    const Settings settings = resolved(all);
    EXPECT_EQ(urls(settings), list) << variable;
    EXPECT_EQ(settings.endpoint_source, variable);
    EXPECT_FALSE(settings.virtual_host);
    all.erase(variable);
  }
  const Settings aws = resolved({{"AWS_DEFAULT_REGION", "eu-central-1"}});
  EXPECT_EQ(urls(aws), std::vector<std::string>{"https://s3.eu-central-1.amazonaws.com"});
  EXPECT_TRUE(aws.virtual_host);
}

TEST(Endpoints, TemplatesMultiply) {
  const auto list = expand_template("http://r{1...2}n{9...11}:80", "T");
  ASSERT_TRUE(list);
  EXPECT_EQ(*list, (std::vector<std::string>{"http://r1n9:80", "http://r1n10:80", "http://r1n11:80", "http://r2n9:80",
                                             "http://r2n10:80", "http://r2n11:80"}));
  for (const char* bad :
       {"{2...1}", "{1..2}", "{a...b}", "{1...2", "{1...33}", "{1...8}{1...8}", "{}", "{0...18446744073709551615}"}) {
    EXPECT_FALSE(expand_template(bad, "T")) << bad;
  }
  EXPECT_THAT(expand_template("{7...3}", "T").error().message, ::testing::AllOf(HasSubstr("7"), HasSubstr("3")));
}

TEST(Endpoints, BadOnesAreRefusedByName) {
  const char* bad[] = {"node:9000",   "ftp://h",     "http://",          "http://h:0",      "http://h:65536",
                       "http://h:x",  "http://h/p",  "http://h?x",       "http://h#x",      "http://h h",
                       "s3://h:1/b/", "http://[::1", "http://h\r\nX: y", "http://h:9000//", "http://a,b"};
  for (const char* text : bad) {
    const auto endpoint = parse_endpoint(text, "AWS_ENDPOINT_URL");
    ASSERT_FALSE(endpoint) << text;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kConfigInvalid);
    EXPECT_THAT(endpoint.error().message, HasSubstr("AWS_ENDPOINT_URL"));
    EXPECT_EQ(endpoint.error().message.find('\n'), std::string::npos);
  }
  EXPECT_EQ(parse_endpoint("http://[::1]:9000", "V")->authority(), "[::1]:9000");
  EXPECT_EQ(parse_endpoint("https://H:443/", "V")->authority(), "h");
  EXPECT_EQ(parse_endpoint("http://h:443", "V")->authority(), "h:443");
}

TEST(Endpoints, PasswordsAreRefusedAndNotRepeated) {
  const Error error = refused(with_keys({{"AWS_ENDPOINT_URL", "http://me:pass-word@h:1"}}));
  EXPECT_EQ(error.code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(render(error).find("pass-word"), std::string::npos);
}

TEST(Endpoints, MixedSchemesAndTooMany) {
  EXPECT_THAT(refused(with_keys({{"S3_ENDPOINT_URIS", "http://a,https://b"}})).message, HasSubstr("mixes"));
  std::string many;
  for (int i = 0; i < 33; ++i) many += "http://n" + std::to_string(i) + ",";
  EXPECT_THAT(refused(with_keys({{"S3_ENDPOINT_URIS", many}})).message, HasSubstr("33"));
  EXPECT_EQ(refused(with_keys({{"S3_ENDPOINT_URIS", " , "}})).code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(refused(with_keys({{"S3_ENDPOINT_FILE", "/nonexistent/list"}})).code, ErrorCode::kConfigFileNotFound);
}

TEST(Credentials, MissingOnesAreNamed) {
  const Error none = refused({{"HOME", "/nonexistent"}});
  EXPECT_EQ(none.code, ErrorCode::kConfigMissing);
  EXPECT_THAT(none.message, HasSubstr("AWS_ACCESS_KEY_ID"));
  EXPECT_THAT(none.message, HasSubstr("AWS_SECRET_ACCESS_KEY"));
  const Error half = refused({{"AWS_ACCESS_KEY_ID", "id"}});
  EXPECT_EQ(half.code, ErrorCode::kConfigMissing);
  EXPECT_THAT(half.message, HasSubstr("AWS_SECRET_ACCESS_KEY isn't"));
}

TEST(Credentials, FromAProfile) {
  const TemporaryFile file(
      "[default]\naws_access_key_id = d\naws_secret_access_key=ds\n; note\n[ lab ]\nAWS_ACCESS_KEY_ID=l\n"
      "aws_secret_access_key = ls=x \naws_session_token = lt\n[half]\naws_access_key_id=h\n");
  Variables variables = {{"AWS_SHARED_CREDENTIALS_FILE", file.path}, {"AWS_ENDPOINT_URL", "http://h"}};
  auto settings = resolve_settings(kRoot, Environment(variables));
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->credentials.access_key, "d");
  variables["AWS_PROFILE"] = "lab";
  settings = resolve_settings(kRoot, Environment(variables));
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->credentials.access_key, "l");
  EXPECT_EQ(settings->credentials.secret_key, "ls=x");
  EXPECT_EQ(settings->credentials.session_token, "lt");
  variables["AWS_PROFILE"] = "half";
  EXPECT_THAT(refused(variables).message, HasSubstr("aws_secret_access_key"));
  variables["AWS_PROFILE"] = "absent";
  EXPECT_THAT(refused(variables).message, HasSubstr("[absent]"));
}

TEST(Credentials, ABrokenFileIsNotRepeated) {
  const TemporaryFile file("[default]\nsome-secret-without-equals\n");
  const Error error = refused({{"AWS_SHARED_CREDENTIALS_FILE", file.path}});
  EXPECT_EQ(error.code, ErrorCode::kConfigParse);
  EXPECT_THAT(error.message, HasSubstr(":2:"));
  EXPECT_EQ(render(error).find("some-secret"), std::string::npos);
}

TEST(Credentials, CannotEndAHeaderLine) {
  EXPECT_EQ(refused(with_keys({{"AWS_SESSION_TOKEN", "a\r\nX-Evil: 1"}})).code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(refused(with_keys({{"AWS_REGION", "a\r\nb"}})).code, ErrorCode::kConfigInvalid);
}

TEST(Choices, DefaultsAndWords) {
  const Settings usual = resolved({{"AWS_ENDPOINT_URL", "http://h"}});
  EXPECT_FALSE(usual.sign_payload);
  EXPECT_TRUE(usual.checksum);
  EXPECT_EQ(usual.retry.max_attempts, 5U);
  EXPECT_EQ(usual.region, "us-east-1");
  const Settings chosen = resolved({{"AWS_ENDPOINT_URL", "http://h"},
                                    {"AWS_REGION", "r1"},
                                    {"AWS_DEFAULT_REGION", "r2"},
                                    {"MLPSTORAGE_S3_PAYLOAD_SIGNING", "signed"},
                                    {"MLPSTORAGE_S3_CHECKSUM", "none"},
                                    {"AWS_S3_ADDRESSING_STYLE", "virtual"},
                                    {"AWS_MAX_ATTEMPTS", "9"}});
  EXPECT_TRUE(chosen.sign_payload);
  EXPECT_FALSE(chosen.checksum);
  EXPECT_TRUE(chosen.virtual_host);
  EXPECT_EQ(chosen.retry.max_attempts, 9U);
  EXPECT_EQ(chosen.region, "r1");
  for (const auto& [name, value] : Variables{{"MLPSTORAGE_S3_PAYLOAD_SIGNING", "maybe"},
                                             {"MLPSTORAGE_S3_CHECKSUM", "md5"},
                                             {"AWS_S3_ADDRESSING_STYLE", "dns"},
                                             {"AWS_MAX_ATTEMPTS", "0"},
                                             {"AWS_CA_BUNDLE", "/nonexistent.pem"}}) {
    EXPECT_THAT(refused(with_keys({{"AWS_ENDPOINT_URL", "http://h"}, {name, value}})).message, HasSubstr(name));
  }
}

TEST(Choices, VirtualHostsNeedNames) {
  EXPECT_EQ(refused(with_keys({{"AWS_ENDPOINT_URL", "http://10.0.0.1"}, {"AWS_S3_ADDRESSING_STYLE", "virtual"}})).code,
            ErrorCode::kConfigIncompatible);
  EXPECT_EQ(refused(with_keys({{"AWS_ENDPOINT_URL", "https://h"}, {"AWS_S3_ADDRESSING_STYLE", "virtual"}}),
                    Location(Scheme::kS3, "a.b", ""))
                .code,
            ErrorCode::kConfigIncompatible);
  EXPECT_FALSE(resolved({}, Location(Scheme::kS3, "a.b", "")).virtual_host);
}

TEST(Choices, GoogleCloudStorage) {
  const Location root(Scheme::kGs, "bkt", "");
  const Settings usual = resolved({{"AWS_ENDPOINT_URL", "http://not-for-gs"}}, root);
  EXPECT_EQ(urls(usual), std::vector<std::string>{"https://storage.googleapis.com"});
  EXPECT_EQ(usual.region, "auto");
  EXPECT_FALSE(usual.checksum);
  EXPECT_FALSE(usual.virtual_host);
  EXPECT_EQ(urls(resolved({{"STORAGE_EMULATOR_HOST", "localhost:4443"}}, root)),
            std::vector<std::string>{"http://localhost:4443"});
  EXPECT_EQ(urls(resolved({{"STORAGE_EMULATOR_HOST", "x:1"}, {"GCS_ENDPOINT_URL", "http://g:1"}}, root)),
            std::vector<std::string>{"http://g:1"});
}

TEST(Describe, TellsEverythingButSecrets) {
  const Settings settings = resolved({{"AWS_ENDPOINT_URL", "http://h:1"}, {"AWS_SESSION_TOKEN", "hidden-token"}});
  std::string all;
  for (const auto& [name, value] : describe(settings)) all += name + "=" + value + "\n";
  EXPECT_THAT(all, HasSubstr("endpoint=http://h:1\n"));
  EXPECT_THAT(all, HasSubstr("payload signing=unsigned\n"));
  EXPECT_THAT(all, HasSubstr("checksum=crc32c\n"));
  EXPECT_THAT(all, HasSubstr("http library=libcurl/"));
  EXPECT_EQ(all.find("hidden"), std::string::npos);
}

}  // namespace
}  // namespace mlps::s3
