// What is shown is what is used: every variable that is documented, or sent to other hosts, changes the description of
// the store or the location, and no other variable is read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "storage/open.hpp"
#include "storage/setting_variables.hpp"
#include "tls_server.hpp"

namespace mlps::storage {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using Variables = std::map<std::string, std::string>;

/// A file that holds `text` until the test ends.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text) {
    char name[] = "/tmp/mlps_shown_test_XXXXXX";
    close(mkstemp(name));
    path = name;
    std::ofstream(path) << text;
  }
  ~TemporaryFile() { unlink(path.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path;
};

const Variables kKeys = {{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "hidden"}};
const Location kS3(Scheme::kS3, "bkt", "p");
const Location kGs(Scheme::kGs, "bkt", "p");
const Location kAz(Scheme::kAzure, "acct/box", "p");
const Location kDirectory(Scheme::kS3, "b--z1-az1--x-s3", "p");

SettingList shown(const Variables& variables, const Location& root = kS3) {
  const Environment environment(variables);
  const auto settings = describe_servers(root, environment);
  EXPECT_TRUE(settings) << render(settings.error());
  if (!settings) return {};
  // The description made for the summary is that of the store.
  EXPECT_EQ((*open_store(root, {}, environment))->describe(), *settings);
  return *settings;
}

Variables with(Variables more, const Variables& base = kKeys) {
  more.insert(base.begin(), base.end());
  return more;
}

/// A variable, and the setting that it changes.
struct Effect {
  std::string variable;
  std::string value;
  std::string setting;
  std::string shown;
  Location root = kS3;
};

const TemporaryFile& endpoint_file() {
  static const TemporaryFile file("http://f:1\n");
  return file;
}

const TemporaryFile& credentials_file() {
  static const TemporaryFile file(
      "[default]\naws_access_key_id=a\naws_secret_access_key=b\n[other]\naws_access_key_id=c\naws_secret_access_key="
      "d\n");
  return file;
}

const std::string& certificate_file() {
  static const test::TlsServer server("IP:127.0.0.1");
  return server.certificate_file();
}

std::vector<Effect> effects() {
  return {
      {"AWS_CA_BUNDLE", certificate_file(), "tls", "verified, CA file " + certificate_file()},
      {"AWS_DEFAULT_REGION", "eu-1", "region", "eu-1"},
      {"AWS_REGION", "eu-2", "region", "eu-2"},
      {"AWS_ENDPOINT_URL", "http://a:1", "endpoint", "http://a:1"},
      {"AWS_ENDPOINT_URL_S3", "http://b:1", "endpoint", "http://b:1"},
      {"S3_ENDPOINT", "http://c:1", "endpoint", "http://c:1"},
      {"S3_ENDPOINT_FILE", endpoint_file().path, "endpoint", "http://f:1"},
      {"S3_ENDPOINT_TEMPLATE", "http://n{1...2}:1", "endpoint", "http://n1:1, http://n2:1"},
      {"S3_ENDPOINT_URIS", "http://d:1,http://e:1", "endpoint", "http://d:1, http://e:1"},
      {"GCS_ENDPOINT_URL", "http://g:1", "endpoint", "http://g:1", kGs},
      {"STORAGE_EMULATOR_HOST", "h:1", "endpoint", "http://h:1", kGs},
      {"MLPSTORAGE_GCS_API", "json", "interface", "JSON (MLPSTORAGE_GCS_API)", kGs},
      {"MLPSTORAGE_GCS_CREDENTIALS", "none", "identity", "none", kGs},
      {"AZURE_STORAGE_ENDPOINT", "https://i", "endpoint", "https://i/acct", kAz},
      {"AZURE_BLOB_ENDPOINT_URL", "https://j/acct", "endpoint", "https://j/acct", kAz},
      {"MLPSTORAGE_AZURE_AUTH", "anonymous", "authorised by", "none (MLPSTORAGE_AZURE_AUTH=anonymous)", kAz},
      {"MLPSTORAGE_AZURE_CHECKSUM", "md5", "checksum", "md5", kAz},
      {"AWS_MAX_ATTEMPTS", "7", "max attempts", "7"},
      {"S3_LOAD_BALANCE_STRATEGY", "rank", "load balancing", "rank"},
      {"AWS_S3_ADDRESSING_STYLE", "path", "addressing", "path"},
      {"AWS_REQUEST_CHECKSUM_CALCULATION", "when_required", "checksum", "none"},
      {"AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required", "checksum", "crc32c, not asked back"},
      {"AWS_USE_DUALSTACK_ENDPOINT", "true", "endpoint", "https://s3.dualstack.us-east-1.amazonaws.com"},
      {"AWS_USE_FIPS_ENDPOINT", "true", "endpoint", "https://s3-fips.us-east-1.amazonaws.com"},
      {"MLPSTORAGE_S3_SSE", "AES256", "encryption", "AES256"},
      {"MLPSTORAGE_S3_SSE_KMS_KEY_ID", "k1", "encryption", "aws:kms, key k1"},
      {"MLPSTORAGE_S3_STORAGE_CLASS", "GLACIER_IR", "storage class", "GLACIER_IR"},
      {"MLPSTORAGE_S3_REQUEST_PAYER", "requester", "request payer", "requester"},
      {"MLPSTORAGE_S3_CHECKSUM", "none", "checksum", "none"},
      {"MLPSTORAGE_S3_CHECKSUM", "crc64nvme", "checksum", "crc64nvme"},
      {"MLPSTORAGE_PROXY", "p:3128", "proxy", "http://p:3128"},
      {"MLPSTORAGE_PROXY", "http://p", "proxy", "http://p:80", kAz},
      {"AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "true", "keys from", "environment", kDirectory},
      {"MLPSTORAGE_S3_PAYLOAD_SIGNING", "signed", "payload signing", "signed (SHA-256)"},
  };
}

TEST(ShownIsUsed, EveryVariableChangesTheDescription) {
  for (const Effect& effect : effects()) {
    SCOPED_TRACE(effect.variable);
    EXPECT_THAT(shown(kKeys, effect.root), Not(Contains(Pair(effect.setting, effect.shown))));
    EXPECT_THAT(shown(with({{effect.variable, effect.value}}), effect.root),
                Contains(Pair(effect.setting, effect.shown)));
  }
}

TEST(ShownIsUsed, CredentialsAreNamedByTheirSourceAlone) {
  for (const auto& [name, value] : shown(kKeys)) EXPECT_THAT(value, Not(HasSubstr("hidden"))) << name;
  EXPECT_THAT(shown(with({{"AWS_SESSION_TOKEN", "hidden"}})), Not(Contains(Pair(::testing::_, HasSubstr("hidden")))));
  const Variables file = {{"AWS_SHARED_CREDENTIALS_FILE", credentials_file().path}};
  EXPECT_THAT(shown(file), Contains(Pair("keys from", HasSubstr(credentials_file().path))));
  EXPECT_NE(shown(file), shown(with({{"AWS_PROFILE", "other"}}, file)));
}

// O18: with two endpoint variables, and with one that belongs to another kind of store.
TEST(ShownIsUsed, TheEndpointShownIsTheOneAsked) {
  const Variables both = with({{"AWS_ENDPOINT_URL_S3", "http://b:1"}, {"AWS_ENDPOINT_URL", "http://a:1"}});
  EXPECT_THAT(shown(both), Contains(Pair("endpoint", "http://b:1")));
  const auto store = open_store(kS3, {}, Environment(both));
  ASSERT_TRUE(store);
  EXPECT_THAT((*store)->endpoints(), ::testing::ElementsAre(Endpoint{false, "b", 1}));
  EXPECT_THAT(shown(both, kGs), Contains(Pair("endpoint", "https://storage.googleapis.com")));
  EXPECT_THAT(shown(kKeys), Contains(Pair("region", "us-east-1")));
}

TEST(ShownIsUsed, FoldersTakeTheirBucketAndScheme) {
  const auto data = [](const Variables& variables) {
    return data_location({"d", "m", {}}, AccessProtocol::kObject, Environment(variables))->to_string();
  };
  const auto checkpoint = [](const Variables& variables) {
    return checkpoint_location("b/c", AccessProtocol::kObject, false, Environment(variables))->to_string();
  };
  EXPECT_EQ(data({}), "s3://d/m");
  EXPECT_EQ(data({{"BUCKET", "b"}}), "s3://b/d/m");
  EXPECT_EQ(data({{"STORAGE_URI_SCHEME", "gs"}}), "gs://d/m");
  EXPECT_EQ(checkpoint({}), "s3://b/c");
  EXPECT_EQ(checkpoint({{"MLPSTORAGE_CHECKPOINT_URI_SCHEME", "gs"}}), "gs://b/c");
  for (const char* account : {"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"}) {
    EXPECT_EQ(checkpoint({{"STORAGE_URI_SCHEME", "az"}, {account, "a"}}), "az://a/b/c");
  }
}

TEST(ShownIsUsed, NoSettingIsWithoutATest) {
  std::set<std::string> tested = {"BUCKET", "STORAGE_URI_SCHEME", "MLPSTORAGE_CHECKPOINT_URI_SCHEME",
                                  "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME",
                                  // of the JSON interface alone: gcs/settings_test.cpp
                                  "GOOGLE_CLOUD_QUOTA_PROJECT",
                                  // of token services: credentials_test.cpp
                                  "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_SSO",
                                  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"};
  for (const Effect& effect : effects()) tested.insert(effect.variable);
  EXPECT_EQ(tested, std::set<std::string>(kSettingVariables.begin(), kSettingVariables.end()));
}

// Every variable in the table of docs/object-storage.md is a setting or is about credentials, and the reverse.
TEST(ShownIsUsed, TheDocumentedVariablesAreTheOnesRead) {
  std::stringstream text;
  text << std::ifstream(MLPS_SOURCE_FOLDER "docs/object-storage.md").rdbuf();
  const std::regex variable("`([A-Z][A-Z0-9_]{5,})`");
  std::set<std::string> documented;
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string names = line.substr(0, line.find('|', 1));
    for (std::sregex_iterator match(names.begin(), names.end(), variable), end; match != end; ++match) {
      documented.insert((*match)[1]);
    }
  }
  std::set<std::string> known(kCredentialVariables.begin(), kCredentialVariables.end());
  known.insert(kSettingVariables.begin(), kSettingVariables.end());
  EXPECT_EQ(documented, known);
}

TEST(UnreadVariables, AreAnsweredByWhatToUseInstead) {
  EXPECT_THAT(unread_variable_warnings(Environment(kKeys)), IsEmpty());
  EXPECT_THAT(
      unread_variable_warnings(Environment({{"STORAGE_LIBRARY", "x"}, {"S3DLIO_MULTIPART_PART_SIZE_MB", "64"}})),
      ::testing::UnorderedElementsAre(
          ::testing::AllOf(HasSubstr("STORAGE_LIBRARY"), HasSubstr("leave it out")),
          ::testing::AllOf(HasSubstr("S3DLIO_MULTIPART_PART_SIZE_MB"), HasSubstr("--io-part-size"))));
}

TEST(ShownIsUsed, FadviseModes) {
  for (const FadviseMode mode : {FadviseMode::kNone, FadviseMode::kSequential, FadviseMode::kDontNeed}) {
    EXPECT_EQ(fadvise_mode(fadvise_name(mode)), mode);
    StoreOptions options;
    options.fadvise = mode;
    const auto store = open_store(Location(Scheme::kFile, "", "/tmp"), options, Environment());
    ASSERT_TRUE(store);
    EXPECT_THAT((*store)->describe(), Contains(Pair("fadvise", std::string(fadvise_name(mode)))));
  }
  EXPECT_EQ(fadvise_mode("other"), std::nullopt);
}

}  // namespace
}  // namespace mlps::storage
