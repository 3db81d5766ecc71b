#include "storage/s3/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "tls_server.hpp"

namespace mlps::s3 {
namespace {

using storage::expand_template;
using storage::parse_endpoint;
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
  for (const char* bad : {"{2...1}", "{1.2}", "{1....2}", "{a...b}", "{1...2", "{1...1025}", "{1...32}{1...33}", "{}",
                          "{0...18446744073709551615}"}) {
    EXPECT_FALSE(expand_template(bad, "T")) << bad;
  }
  EXPECT_THAT(expand_template("{7...3}", "T").error().message, ::testing::AllOf(HasSubstr("7"), HasSubstr("3")));
}

TEST(Endpoints, BadOnesAreRefusedByName) {
  const char* bad[] = {"node:9000",   "ftp://h",       "http://",          "http://h:0",      "http://h:65536",
                       "http://h:x",  "http://h/a//b", "http://h?x",       "http://h#x",      "http://h h",
                       "s3://h:1/b/", "http://[::1",   "http://h\r\nX: y", "http://h:9000//", "http://a,b"};
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

// O22: what was an internal error, or had no hint.
TEST(Endpoints, ErrorsSayWhatIsMeant) {
  const auto refusal = [](const char* text) { return render(parse_endpoint(text, "AWS_ENDPOINT_URL").error()); };
  EXPECT_THAT(refusal("http://[127.0.0.1]:9"), HasSubstr("no IPv6 address between its brackets"));
  EXPECT_THAT(refusal("http://::1:9000"), HasSubstr("stands in brackets, as in http://[::1]:9000"));
  EXPECT_THAT(refusal("http://a:1,http://b:1"), HasSubstr("S3_ENDPOINT_URIS"));
  EXPECT_THAT(refusal("http://1.2.3.400"), HasSubstr("no valid IPv4 address"));
  EXPECT_THAT(refusal("http://h/a/../b"), HasSubstr("path"));
  EXPECT_FALSE(parse_endpoint(std::string_view("http://[::1\0]", 13), "V"));
}

TEST(Endpoints, MayHaveAPath) {
  const Settings settings = resolved({{"AWS_ENDPOINT_URL", "https://Gate.example/S3/v1/"}});
  EXPECT_EQ(settings.endpoints.front().path, "/S3/v1");
  EXPECT_EQ(urls(settings), std::vector<std::string>{"https://gate.example/S3/v1"});
  EXPECT_THAT(refused(with_keys({{"S3_ENDPOINT_URIS", "http://a/x,http://a/y"}})).message, HasSubstr("mixes paths"));
}

// O21
TEST(Endpoints, PaddingIsKeptAndManyAreTaken) {
  EXPECT_EQ(*expand_template("http://n{08...11}", "T"),
            (std::vector<std::string>{"http://n08", "http://n09", "http://n10", "http://n11"}));
  EXPECT_EQ(expand_template("n{001...2}", "T")->front(), "n001");
  EXPECT_EQ(*expand_template("http://n{08..11}", "T"), *expand_template("http://n{08...11}", "T"));
  const Settings settings = resolved({{"S3_ENDPOINT_TEMPLATE", "http://n{1...1024}:9000"}});
  EXPECT_EQ(settings.endpoints.size(), 1024U);
  EXPECT_THAT(describe(settings), ::testing::Contains(::testing::Pair(
                                      "endpoint", "http://n1:9000, ..., http://n1024:9000 (1024 endpoints)")));
}

TEST(Endpoints, OfAwsFollowTheRegion) {
  const auto url = [](Variables variables) { return urls(resolved(std::move(variables))).front(); };
  EXPECT_EQ(url({{"AWS_REGION", "cn-north-1"}}), "https://s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(url({{"AWS_REGION", "us-gov-west-1"}}), "https://s3.us-gov-west-1.amazonaws.com");
  EXPECT_EQ(url({{"AWS_USE_DUALSTACK_ENDPOINT", "true"}}), "https://s3.dualstack.us-east-1.amazonaws.com");
  EXPECT_EQ(url({{"AWS_USE_FIPS_ENDPOINT", "true"}, {"AWS_USE_DUALSTACK_ENDPOINT", "true"}}),
            "https://s3-fips.dualstack.us-east-1.amazonaws.com");
  EXPECT_THAT(refused(with_keys({{"AWS_USE_FIPS_ENDPOINT", "maybe"}})).message, HasSubstr("AWS_USE_FIPS_ENDPOINT"));
}

// O26
TEST(Endpoints, DirectoryBucketsHaveTheirZonesAndSessions) {
  const Location root(Scheme::kS3, "data--use1-az4--x-s3", "p");
  Settings settings = resolved({}, root);
  EXPECT_EQ(settings.endpoints.front().url(), "https://s3express-use1-az4.us-east-1.amazonaws.com");
  EXPECT_TRUE(settings.virtual_host && settings.express && settings.sessions);
  EXPECT_EQ(settings.credentials->source(), "environment, by sessions with the bucket");
  settings = resolved({{"AWS_ENDPOINT_URL", "http://h"}, {"AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "true"}}, root);
  EXPECT_EQ(settings.endpoint_source, "AWS_ENDPOINT_URL");
  EXPECT_TRUE(settings.express && !settings.sessions);
  EXPECT_EQ(refused(with_keys({}), Location(Scheme::kS3, "data--x-s3", "")).code, ErrorCode::kConfigInvalid);
}

// O16: what is outranked is told.
TEST(Endpoints, TwoPlacesAreToldOf) {
  const Settings settings =
      resolved({{"S3_ENDPOINT_URIS", "http://b"}, {"AWS_ENDPOINT_URL", "http://a"}, {"AWS_USE_FIPS_ENDPOINT", "true"}});
  EXPECT_EQ(
      settings.warnings,
      std::vector<std::string>{
          "AWS_ENDPOINT_URL, AWS_USE_FIPS_ENDPOINT has no effect: S3_ENDPOINT_URIS names the endpoint, http://b"});
  EXPECT_TRUE(resolved({{"S3_ENDPOINT_URIS", "http://a"}, {"AWS_ENDPOINT_URL", "http://a"}}).warnings.empty());
}

TEST(Endpoints, PasswordsAreRefusedAndNotRepeated) {
  const Error error = refused(with_keys({{"AWS_ENDPOINT_URL", "http://me:pass-word@h:1"}}));
  EXPECT_EQ(error.code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(render(error).find("pass-word"), std::string::npos);
}

TEST(Endpoints, MixedSchemesAndTooMany) {
  EXPECT_THAT(refused(with_keys({{"S3_ENDPOINT_URIS", "http://a,https://b"}})).message, HasSubstr("mixes"));
  std::string many;
  for (int i = 0; i < 1025; ++i) many += "http://n" + std::to_string(i) + ",";
  EXPECT_THAT(refused(with_keys({{"S3_ENDPOINT_URIS", many}})).message, HasSubstr("1025"));
  EXPECT_EQ(refused(with_keys({{"S3_ENDPOINT_URIS", " , "}})).code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(refused(with_keys({{"S3_ENDPOINT_FILE", "/nonexistent/list"}})).code, ErrorCode::kConfigFileNotFound);
}

TEST(Choices, RegionsCannotEndAHeaderLine) {
  EXPECT_EQ(refused(with_keys({{"AWS_REGION", "a\r\nb"}})).code, ErrorCode::kConfigInvalid);
}

TEST(Choices, DefaultsAndWords) {
  const Settings usual = resolved({{"AWS_ENDPOINT_URL", "http://h"}});
  EXPECT_FALSE(usual.sign_payload);
  EXPECT_EQ(usual.checksum, Checksum::kCrc32c);
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
  EXPECT_EQ(chosen.checksum, Checksum::kNone);
  EXPECT_TRUE(chosen.virtual_host);
  EXPECT_EQ(chosen.retry.max_attempts, 9U);
  EXPECT_EQ(chosen.region, "r1");
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"MLPSTORAGE_S3_PAYLOAD_SIGNING", "maybe"},
           {"MLPSTORAGE_S3_CHECKSUM", "md5"},
           {"AWS_S3_ADDRESSING_STYLE", "dns"},
           {"AWS_MAX_ATTEMPTS", "0"},
           {"AWS_REQUEST_CHECKSUM_CALCULATION", "never"},
           {"AWS_RESPONSE_CHECKSUM_VALIDATION", "never"},
           {"MLPSTORAGE_S3_SSE", "DES"},
           {"MLPSTORAGE_S3_STORAGE_CLASS", "a b"},
           {"MLPSTORAGE_S3_REQUEST_PAYER", "me"},
           {"MLPSTORAGE_S3_HEADERS", "no colon"},
           {"MLPSTORAGE_S3_HEADERS", "Authorization: x"},
           {"MLPSTORAGE_S3_HEADERS", "x-amz-server-side-encryption: AES256"},
           {"MLPSTORAGE_S3_SSE_C_KEY_FILE", "/nonexistent.key"},
           {"MLPSTORAGE_TLS_KEY", "/nonexistent.pem"},
           {"AWS_CA_BUNDLE", "/nonexistent.pem"}}) {
    EXPECT_THAT(refused(with_keys({{"AWS_ENDPOINT_URL", "http://h"}, {name, value}})).message, HasSubstr(name));
  }
}

// O11: the variables of the AWS tools, and ours above them.
TEST(Choices, Checksums) {
  const auto set = [](Variables variables) {
    variables.emplace("AWS_ENDPOINT_URL", "http://h");
    const Settings settings = resolved(std::move(variables));
    return std::pair(settings.checksum, settings.asks_checksum);
  };
  EXPECT_EQ(set({}), std::pair(Checksum::kCrc32c, true));
  EXPECT_EQ(set({{"AWS_REQUEST_CHECKSUM_CALCULATION", "WHEN_REQUIRED"}}), std::pair(Checksum::kNone, false));
  EXPECT_EQ(set({{"AWS_REQUEST_CHECKSUM_CALCULATION", "when_required"}, {"MLPSTORAGE_S3_CHECKSUM", "crc64nvme"}}),
            std::pair(Checksum::kCrc64nvme, true));
  EXPECT_EQ(set({{"AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required"}}), std::pair(Checksum::kCrc32c, false));
  const Variables google = {
      {"AWS_ACCESS_KEY_ID", "k"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"MLPSTORAGE_S3_CHECKSUM", "crc64nvme"}};
  const auto refused = resolve_settings(Location(Scheme::kGs, "b", ""), Environment(google));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConfigIncompatible);
}

// O31
TEST(Choices, FilesOfTlsAreReadBeforeAnyRequest) {
  const TemporaryFile empty(""), text("no certificate\n"),
      broken("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  for (const TemporaryFile* file : {&empty, &text, &broken}) {
    const Error error = refused(with_keys({{"AWS_CA_BUNDLE", file->path}}));
    EXPECT_EQ(error.code, ErrorCode::kConfigParse);
    EXPECT_THAT(error.message, ::testing::AllOf(HasSubstr("AWS_CA_BUNDLE"), HasSubstr(file->path)));
  }
  const test::TlsServer server("IP:127.0.0.1");
  EXPECT_EQ(resolved({{"AWS_CA_BUNDLE", server.certificate_file()}}).engine.ca_file, server.certificate_file());
  EXPECT_THAT(refused(with_keys({{"MLPSTORAGE_TLS_CERTIFICATE", server.certificate_file()}})).message,
              HasSubstr("holds no key"));
  const auto own = [&](const std::string& key) {
    return with_keys({{"MLPSTORAGE_TLS_CERTIFICATE", server.certificate_file()}, {"MLPSTORAGE_TLS_KEY", key}});
  };
  EXPECT_EQ(resolved(own(server.key_file())).engine.key_file, server.key_file());
  const test::TlsServer other("IP:127.0.0.1");
  EXPECT_THAT(refused(own(other.key_file())).message, HasSubstr("isn't that of the certificate"));
}

TEST(Choices, HeadersGoWithTheirRequests) {
  using object::CallKind;
  const TemporaryFile key(std::string(32, 'k'));
  const Settings settings = resolved({{"AWS_ENDPOINT_URL", "https://h"},
                                      {"MLPSTORAGE_S3_SSE_C_KEY_FILE", key.path},
                                      {"MLPSTORAGE_S3_STORAGE_CLASS", "STANDARD_IA"},
                                      {"MLPSTORAGE_S3_HEADERS", "X-Tenant:  a   b |x-amz-acl: private"}});
  const auto names = [&](CallKind kind) {
    std::vector<std::string> out;
    for (const FixedHeader& header : settings.headers.all) {
      if (header.goes_with(kind)) out.push_back(header.name + "=" + header.value);
    }
    return out;
  };
  const std::string front = "x-amz-server-side-encryption-customer-";
  const std::string bytes = "key=a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=";
  EXPECT_THAT(names(CallKind::kPutObject),
              ::testing::ElementsAre("x-amz-acl=private", front + "algorithm=AES256", front + bytes, ::testing::_,
                                     "x-amz-storage-class=STANDARD_IA", "x-tenant=a b"));
  EXPECT_THAT(names(CallKind::kListObjects), ::testing::ElementsAre("x-amz-acl=private", "x-tenant=a b"));
  EXPECT_THAT(names(CallKind::kGetObject), ::testing::Contains(front + bytes));
  for (const auto& [name, value] : describe(settings)) {
    EXPECT_EQ(value.find("a2tr"), std::string::npos) << name;
    EXPECT_EQ(value.find("private"), std::string::npos) << name;
  }
  EXPECT_EQ(refused(with_keys({{"MLPSTORAGE_S3_SSE_C_KEY_FILE", key.path}, {"MLPSTORAGE_S3_SSE", "AES256"}})).code,
            ErrorCode::kConfigIncompatible);
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
  EXPECT_TRUE(usual.google);
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
