#include "storage/azure/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "location/azure_account.hpp"

namespace mlps::azure {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Values = std::map<std::string, std::string>;

const Location kRoot(Scheme::kAzure, "acct/box", "p");
constexpr char kKey[] = "aHVudGVyMg==";  // "hunter2"

Result<Settings> resolved(Values values, const Location& root = kRoot) {
  return resolve_settings(root, Environment(std::move(values)));
}

// A resolved setting as describe() shows it; the error's code and message where there is none.
std::string shown(const std::string& name, Values values, const Location& root = kRoot) {
  const auto settings = resolved(std::move(values), root);
  if (!settings) return code_name(settings.error().code) + " " + settings.error().message;
  for (const auto& [key, value] : describe(*settings)) {
    EXPECT_THAT(value, Not(HasSubstr("hunter2")));
    EXPECT_THAT(value, Not(HasSubstr(kKey)));
    if (key == name) return value;
  }
  return "not shown";
}

Error refusal(Values values, const Location& root = kRoot) {
  const auto settings = resolved(std::move(values), root);
  if (settings) {
    ADD_FAILURE() << "taken";
    return {};
  }
  EXPECT_FALSE(settings.error().suggestion.empty());
  EXPECT_THAT(render(settings.error()), Not(HasSubstr("hunter2")));
  return settings.error();
}

TEST(AzureEndpoint, WithoutASettingItIsThePublicCloud) {
  EXPECT_EQ(shown("endpoint", {{"AZURE_STORAGE_KEY", kKey}}), "https://acct.blob.core.windows.net");
  EXPECT_EQ(shown("endpoint source", {{"AZURE_STORAGE_KEY", kKey}}), "default");
}

TEST(AzureEndpoint, TheAccountIsAppendedWhereTheAddressLacksIt) {
  const auto endpoint = [](const std::string& text) {
    return shown("endpoint", {{"AZURE_STORAGE_KEY", kKey}, {"AZURE_STORAGE_ENDPOINT", text}});
  };
  EXPECT_EQ(endpoint("http://127.0.0.1:10000"), "http://127.0.0.1:10000/acct");
  EXPECT_EQ(endpoint("http://127.0.0.1:10000/"), "http://127.0.0.1:10000/acct");
  EXPECT_EQ(endpoint("http://127.0.0.1:10000/acct"), "http://127.0.0.1:10000/acct");
  EXPECT_EQ(endpoint("https://acct.blob.core.chinacloudapi.cn"), "https://acct.blob.core.chinacloudapi.cn");
  EXPECT_EQ(endpoint("https://h1,https://h2:8443"), "https://h1/acct, https://h2:8443/acct");
  EXPECT_THAT(endpoint("http://127.0.0.1:10000/other"), HasSubstr("E102"));
  EXPECT_THAT(endpoint("https://h1 http://h2"), HasSubstr("mixes"));
  EXPECT_THAT(endpoint("127.0.0.1:10000"), HasSubstr("E102"));
  EXPECT_THAT(endpoint(" , "), HasSubstr("names no endpoint"));
}

TEST(AzureEndpoint, TheSecondVariableCountsWithoutTheFirst) {
  EXPECT_EQ(shown("endpoint source", {{"AZURE_STORAGE_KEY", kKey}, {"AZURE_BLOB_ENDPOINT_URL", "http://h"}}),
            "AZURE_BLOB_ENDPOINT_URL");
}

TEST(AzureConnection, TheStringBringsEndpointAndKey) {
  const Values values = {{"AZURE_STORAGE_CONNECTION_STRING",
                          "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=aHVudGVyMg==;EndpointSuffix="
                          "core.usgovcloudapi.net"}};
  EXPECT_EQ(shown("endpoint", values), "https://acct.blob.core.usgovcloudapi.net");
  EXPECT_EQ(shown("authorised by", values), "account key of AZURE_STORAGE_CONNECTION_STRING");
  EXPECT_EQ(resolved(values)->key, "hunter2");
}

TEST(AzureConnection, NothingOfElsewhereIsMixedIn) {
  Values values = {{"AZURE_STORAGE_CONNECTION_STRING", "AccountName=acct;AccountKey=aHVudGVyMg=="},
                   {"AZURE_STORAGE_KEY", "b3RoZXI="},
                   {"AZURE_STORAGE_SAS_TOKEN", "sig=x"}};
  EXPECT_EQ(shown("authorised by", values), "account key of AZURE_STORAGE_CONNECTION_STRING");
  values["AZURE_STORAGE_ENDPOINT"] = "http://127.0.0.1:1";
  EXPECT_EQ(refusal(values).code, ErrorCode::kConfigIncompatible);
}

TEST(AzureConnection, OfAnotherAccountIsRefused) {
  const Error error = refusal({{"AZURE_STORAGE_CONNECTION_STRING", "AccountName=other;AccountKey=aHVudGVyMg=="}});
  EXPECT_EQ(error.code, ErrorCode::kConfigIncompatible);
  EXPECT_THAT(error.message, HasSubstr("other"));
}

TEST(AzureConnection, TheEmulatorNeedsNoOtherSetting) {
  const Location root(Scheme::kAzure, "devstoreaccount1/box", "");
  const Values string = {{"AZURE_STORAGE_CONNECTION_STRING", "UseDevelopmentStorage=true"}};
  EXPECT_EQ(shown("endpoint", string, root), "http://127.0.0.1:10000/devstoreaccount1");
  EXPECT_EQ(resolved(string, root)->authorisation, Authorisation::kSharedKey);
  const Values address = {{"AZURE_STORAGE_ENDPOINT", "http://127.0.0.1:10000"}};
  EXPECT_EQ(shown("authorised by", address, root), "account key of the emulator (published)");
}

TEST(AzureAuthorisation, TheKeyIsDecodedAndCheckedBeforeAnyRequest) {
  EXPECT_EQ(resolved({{"AZURE_STORAGE_KEY", kKey}})->key, "hunter2");
  EXPECT_EQ(resolved({{"AZURE_STORAGE_ACCOUNT_KEY", kKey}})->key, "hunter2");
  for (const char* bad : {"aHVudGVyMg==\n", " aHVudGVyMg==", "aHVudGVyMg", "hunter2!", "===="}) {
    const Error error = refusal({{"AZURE_STORAGE_KEY", bad}});
    EXPECT_EQ(error.code, ErrorCode::kConfigInvalid) << bad;
    EXPECT_THAT(error.message, HasSubstr("AZURE_STORAGE_KEY")) << bad;
  }
}

TEST(AzureAuthorisation, SasTokensAreCheckedBeforeAnyRequest) {
  const std::string token = "?sv=2021-12-02&se=2999-01-01T00%3A00%3A00Z&sp=racwdl&sig=hunter2%3D";
  EXPECT_EQ(shown("authorised by", {{"AZURE_STORAGE_SAS_TOKEN", token}}),
            "SAS token of AZURE_STORAGE_SAS_TOKEN, rights racwdl, until 2999-01-01T00:00:00Z");
  EXPECT_EQ(resolved({{"AZURE_STORAGE_SAS_TOKEN", token}})->sas, token.substr(1));
  EXPECT_THAT(refusal({{"AZURE_STORAGE_SAS_TOKEN", "sv=1&se=2020-01-01T00%3A00%3A00Z&sig=hunter2"}}).message,
              HasSubstr("ended at 2020-01-01T00:00:00Z"));
  for (const char* bad :
       {"sv=1&sp=r", "sig=", "https://acct.blob.core.windows.net/?sv=1&sig=hunter2", "sig=hunter2\n"}) {
    EXPECT_EQ(refusal({{"AZURE_STORAGE_SAS_TOKEN", bad}}).code, ErrorCode::kConfigInvalid) << bad;
  }
}

TEST(AzureAuthorisation, ATokenNeverTravelsInClear) {
  EXPECT_EQ(shown("authorised by", {{"AZURE_STORAGE_TOKEN", "hunter2"}}), "token of AZURE_STORAGE_TOKEN");
  EXPECT_EQ(refusal({{"AZURE_STORAGE_TOKEN", "hunter2"}, {"AZURE_STORAGE_ENDPOINT", "http://h"}}).code,
            ErrorCode::kConfigIncompatible);
  EXPECT_EQ(refusal({{"AZURE_STORAGE_TOKEN", "hunter2\r\nX: y"}}).code, ErrorCode::kConfigInvalid);
}

TEST(AzureAuthorisation, IdentitiesNeedTheirVariables) {
  const auto path = std::string(::testing::TempDir()) + "federated-token";
  std::ofstream(path) << "hunter2";
  Values values = {{"AZURE_FEDERATED_TOKEN_FILE", path}, {"AZURE_TENANT_ID", "t"}};
  EXPECT_THAT(refusal(values).message, HasSubstr("AZURE_CLIENT_ID is not set"));
  values["AZURE_CLIENT_ID"] = "c";
  EXPECT_EQ(shown("authorised by", values), "token of workload identity at https://login.microsoftonline.com");
  values["AZURE_AUTHORITY_HOST"] = "http://127.0.0.1:1";
  EXPECT_EQ(refusal(values).code, ErrorCode::kConfigInvalid);
  values = {{"AZURE_CLIENT_SECRET", "hunter2"}, {"AZURE_TENANT_ID", "t"}, {"AZURE_CLIENT_ID", "c"}};
  EXPECT_EQ(shown("authorised by", values), "token of service principal at https://login.microsoftonline.com");
  EXPECT_EQ(refusal({{"MLPSTORAGE_AZURE_AUTH", "workload"}}).code, ErrorCode::kConfigMissing);
}

TEST(AzureAuthorisation, WithoutAnythingTheMachinesIdentityIsAskedWhereATokenMayTravel) {
  EXPECT_EQ(shown("authorised by", {}), "token of managed identity of http://169.254.169.254");
  EXPECT_EQ(refusal({{"AZURE_STORAGE_ENDPOINT", "http://h"}}).code, ErrorCode::kConfigMissing);
}

TEST(AzureAuthorisation, AnonymousOnlyOnRequest) {
  EXPECT_EQ(shown("authorised by", {{"MLPSTORAGE_AZURE_AUTH", "anonymous"}}), "none (MLPSTORAGE_AZURE_AUTH=anonymous)");
}

TEST(AzureAuthorisation, TheChoiceIsHonouredOrRefused) {
  const Values two = {{"AZURE_STORAGE_KEY", kKey}, {"AZURE_STORAGE_SAS_TOKEN", "sig=hunter2"}};
  const auto with = [&](const char* word) {
    Values values = two;
    values["MLPSTORAGE_AZURE_AUTH"] = word;
    return shown("authorised by", values);
  };
  EXPECT_THAT(with("auto"), HasSubstr("account key"));
  EXPECT_THAT(with("sas"), HasSubstr("SAS token"));
  EXPECT_THAT(with("token"), HasSubstr("E101"));
  EXPECT_THAT(with("kerberos"), HasSubstr("E102"));
}

TEST(AzureTransfer, ChecksumAndCertificates) {
  EXPECT_EQ(shown("checksum", {{"AZURE_STORAGE_KEY", kKey}}), "crc64");
  const Values emulator = {{"AZURE_STORAGE_KEY", kKey}, {"AZURE_STORAGE_ENDPOINT", "http://127.0.0.1:10000"}};
  EXPECT_EQ(shown("checksum", emulator), "md5");
  EXPECT_EQ(shown("checksum", {{"AZURE_STORAGE_KEY", kKey}, {"MLPSTORAGE_AZURE_CHECKSUM", "md5"}}), "md5");
  EXPECT_THAT(shown("checksum", {{"AZURE_STORAGE_KEY", kKey}, {"MLPSTORAGE_AZURE_CHECKSUM", "sha1"}}),
              HasSubstr("E102"));
  EXPECT_EQ(resolved({{"AZURE_STORAGE_KEY", kKey}, {"AWS_CA_BUNDLE", "/nowhere"}}).error().code,
            ErrorCode::kConfigFileNotFound);
}

TEST(TokenAnswer, NumbersAndTextsAndWhatIsMissing) {
  const auto lease = parse_token_answer(R"({"access_token":"t","expires_in":3599,"token_type":"Bearer"})", 1000);
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->value, "t");
  EXPECT_EQ(lease->ends, 4599);
  EXPECT_EQ(parse_token_answer(R"({"access_token":"t","expires_in":"60"})", 1000)->ends, 1060);
  EXPECT_EQ(parse_token_answer(R"({"access_token":"t","expires_on":"5000"})", 1000)->ends, 5000);
  for (const char* bad :
       {"", "[]", "{}", R"({"access_token":"","expires_in":1})", R"({"access_token":"a\r\nb","expires_in":1})",
        R"({"access_token":"t"})", R"({"access_token":"t","expires_in":-1})", R"({"access_token":1,"expires_in":1})"}) {
    EXPECT_FALSE(parse_token_answer(bad, 1000)) << bad;
  }
}

}  // namespace
}  // namespace mlps::azure
