#include "location/azure_account.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "location/location.hpp"

namespace mlps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Environment with(std::map<std::string, std::string> values) {
  return Environment(std::move(values));
}

TEST(AzureConnectionString, KeyAndEndpoint) {
  const auto parsed = parse_azure_connection_string(
      "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=a+b/c==;EndpointSuffix=core.chinacloudapi.cn;");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->account, "acct");
  EXPECT_EQ(parsed->key, "a+b/c==");
  EXPECT_EQ(parsed->endpoint, "https://acct.blob.core.chinacloudapi.cn");
}

TEST(AzureConnectionString, NamesInAnyCaseAndOtherServicesAside) {
  const auto parsed = parse_azure_connection_string(
      " accountname = acct ; ACCOUNTKEY=k== ; QueueEndpoint=http://q ; BlobEndpoint=http://127.0.0.1:10000/acct ");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->key, "k==");
  EXPECT_EQ(parsed->endpoint, "http://127.0.0.1:10000/acct");
}

TEST(AzureConnectionString, TheEndpointNamesTheAccountWhereNothingElseDoes) {
  EXPECT_EQ(parse_azure_connection_string(
                "BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=?sv=1&sig=x")
                ->account,
            "acct");
  EXPECT_EQ(parse_azure_connection_string("BlobEndpoint=http://127.0.0.1:1/acct;SharedAccessSignature=sig=x")->account,
            "acct");
  EXPECT_EQ(parse_azure_connection_string("BlobEndpoint=https://acct.blob.x.net;SharedAccessSignature=?sig=x")->sas,
            "sig=x");
}

TEST(AzureConnectionString, TheEmulator) {
  const auto parsed = parse_azure_connection_string("UseDevelopmentStorage=true");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->account, kAzureEmulatorAccount);
  EXPECT_EQ(parsed->key, kAzureEmulatorKey);
  EXPECT_EQ(parsed->endpoint, "http://127.0.0.1:10000/devstoreaccount1");
  EXPECT_EQ(parse_azure_connection_string("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://h/")->endpoint,
            "http://h:10000/devstoreaccount1");
}

TEST(AzureConnectionString, RefusalsNameWhatIsWrongAndNoValue) {
  const std::pair<const char*, const char*> cases[] = {
      {"AccountName=acct;hunter2", "has no '='"},
      {"AccountName=acct;Hunter=hunter2", "is not known"},
      {"AccountName=acct;hunter2==", "is not known"},
      {"AccountName=acct;AccountName=b", "twice"},
      {"AccountKey=hunter2", "names no account"},
      {"BlobEndpoint=https://storage.example.com;AccountKey=hunter2", "names no account"},
      {"AccountName=acct;AccountKey=hunter2;SharedAccessSignature=hunter2", "only one can count"},
      {"AccountName=acct;DefaultEndpointsProtocol=ftp", "https or http"},
      {"UseDevelopmentStorage=false", "only be true"},
  };
  for (const auto& [text, reason] : cases) {
    const auto parsed = parse_azure_connection_string(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kConfigInvalid) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr(reason)) << text;
    EXPECT_THAT(render(parsed.error()), Not(HasSubstr("hunter2"))) << text;
  }
}

TEST(AzureAccount, OneOfTheVariablesNamesIt) {
  EXPECT_EQ(*azure_account(with({})), std::nullopt);
  EXPECT_EQ(*azure_account(with({{"AZURE_STORAGE_ACCOUNT", "a"}})), "a");
  EXPECT_EQ(*azure_account(with({{"AZURE_STORAGE_ACCOUNT_NAME", "a"}})), "a");
  EXPECT_EQ(*azure_account(with({{"AZURE_STORAGE_CONNECTION_STRING", "AccountName=a;AccountKey=k"}})), "a");
  EXPECT_EQ(azure_account(with({{"AZURE_STORAGE_ACCOUNT", "a"},
                                {"AZURE_STORAGE_CONNECTION_STRING", "AccountName=b;AccountKey=k"}}))
                .error()
                .code,
            ErrorCode::kConfigIncompatible);
}

std::string object_folder(std::string_view folder, std::map<std::string, std::string> values) {
  const auto location = checkpoint_location(folder, AccessProtocol::kObject, false, with(std::move(values)));
  return location ? location->to_string() : location.error().message;
}

TEST(AzureLocation, TheAccountMayComeFromAVariable) {
  const std::map<std::string, std::string> named = {{"AZURE_STORAGE_ACCOUNT", "acct"}};
  EXPECT_EQ(object_folder("az://box/p/q", named), "az://acct/box/p/q");
  EXPECT_EQ(object_folder("az://box", named), "az://acct/box");
  EXPECT_EQ(object_folder("AZURE://box/p", named), "az://acct/box/p");
  EXPECT_EQ(object_folder("az://acct/box/p", named), "az://acct/box/p");
  EXPECT_THAT(object_folder("az://acct", named), HasSubstr("no container"));
  EXPECT_THAT(object_folder("az://", named), HasSubstr("no storage account"));
  EXPECT_EQ(object_folder("az://acct/box/p", {}), "az://acct/box/p");
  EXPECT_EQ(object_folder("https://acct.blob.core.windows.net/box/p", {{"AZURE_STORAGE_ACCOUNT", "other"}}),
            "az://acct/box/p");
  EXPECT_EQ(object_folder("s3://box/p", {{"AZURE_STORAGE_CONNECTION_STRING", "nonsense"}}), "s3://box/p");
  EXPECT_THAT(object_folder("az://box/p", {{"AZURE_STORAGE_CONNECTION_STRING", "nonsense"}}),
              HasSubstr("AZURE_STORAGE_CONNECTION_STRING"));
}

TEST(AzureLocation, BareFoldersAndDataFoldersToo) {
  EXPECT_EQ(object_folder("box/p", {{"AZURE_STORAGE_ACCOUNT", "acct"}, {"STORAGE_URI_SCHEME", "az"}}),
            "az://acct/box/p");
  const DataFolder folder{"p", "unet3d", {"unet3d"}};
  const auto bucket =
      data_location(folder, AccessProtocol::kObject,
                    with({{"AZURE_STORAGE_ACCOUNT", "acct"}, {"STORAGE_URI_SCHEME", "az"}, {"BUCKET", "box"}}));
  ASSERT_TRUE(bucket);
  EXPECT_EQ(bucket->to_string(), "az://acct/box/p/unet3d");
  const auto both =
      data_location(folder, AccessProtocol::kObject, with({{"STORAGE_URI_SCHEME", "az"}, {"BUCKET", "acct/box"}}));
  EXPECT_EQ(both->to_string(), "az://acct/box/p/unet3d");
}

TEST(AzureLocation, TheAddressOfAnAccountIsALocation) {
  EXPECT_EQ(parse_location("https://Acct.blob.core.windows.net/box/p/")->to_string(), "az://acct/box/p");
  EXPECT_EQ(parse_location("HTTPS://acct.blob.core.windows.net/box")->bucket(), "acct/box");
  for (const char* text :
       {"https://acct.blob.core.windows.net/", "https://acct.blob.core.windows.net",
        "https://.blob.core.windows.net/box", "https://key:hunter2@acct.blob.core.windows.net/box",
        "https://acct.blob.core.windows.net:443/box", "http://acct.blob.core.windows.net/box/p",
        "https://acct.blob.core.chinacloudapi.cn/box", "https://evil.example.com/.blob.core.windows.net/x"}) {
    const auto location = parse_location(text);
    ASSERT_FALSE(location) << text;
    EXPECT_THAT(render(location.error()), Not(HasSubstr("hunter2"))) << text;
  }
  const auto sas = parse_location("https://acct.blob.core.windows.net/box/p?sv=1&sig=hunter2");
  ASSERT_FALSE(sas);
  EXPECT_THAT(render(sas.error()), Not(HasSubstr("hunter2")));
  EXPECT_THAT(sas.error().suggestion, HasSubstr("AZURE_STORAGE_SAS_TOKEN"));
}

}  // namespace
}  // namespace mlps
