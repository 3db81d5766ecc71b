#include "storage/gcs/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "storage/gcs/gcs_store.hpp"
#include "test_key.hpp"

namespace mlps::gcs {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

using Set = std::map<std::string, std::string>;

const Location kRoot(Scheme::kGs, "bkt", "p");

Result<storage::SettingList> shown(Set variables) {
  variables.emplace("HOME", "/nowhere");
  return storage::describe_gcs_servers(kRoot, Environment(std::move(variables)));
}

TEST(GcsSettings, WhatIsSetDecidesTheInterface) {
  const auto api = [](Set variables) { return choose_api(Environment(std::move(variables)))->api; };
  EXPECT_EQ(api({}), Api::kJson);
  EXPECT_EQ(api({{"STORAGE_EMULATOR_HOST", "x:1"}, {"AWS_ACCESS_KEY_ID", "k"}}), Api::kJson);
  EXPECT_EQ(api({{"GOOGLE_APPLICATION_CREDENTIALS", "/f"}, {"AWS_ACCESS_KEY_ID", "k"}}), Api::kJson);
  EXPECT_EQ(api({{"MLPSTORAGE_GCS_CREDENTIALS", "none"}, {"AWS_ACCESS_KEY_ID", "k"}}), Api::kJson);
  EXPECT_EQ(api({{"AWS_ACCESS_KEY_ID", "k"}}), Api::kXml);
  EXPECT_EQ(api({{"AWS_PROFILE", "gcs"}}), Api::kXml);
  EXPECT_EQ(api({{"AWS_ACCESS_KEY_ID", "k"}, {"MLPSTORAGE_GCS_API", "json"}}), Api::kJson);
  EXPECT_EQ(api({{"STORAGE_EMULATOR_HOST", "x:1"}, {"MLPSTORAGE_GCS_API", "xml"}}), Api::kXml);
  const auto wrong = choose_api(Environment(Set{{"MLPSTORAGE_GCS_API", "grpc"}}));
  EXPECT_EQ(wrong.error().code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(wrong.error().suggestion, HasSubstr("json, xml"));
}

TEST(GcsSettings, AnEmulatorIsAskedWithoutCredentials) {
  const auto list = shown({{"STORAGE_EMULATOR_HOST", "127.0.0.1:4443"}});
  ASSERT_TRUE(list.has_value()) << list.error().message;
  EXPECT_THAT(*list, Contains(Pair("endpoint", "http://127.0.0.1:4443")));
  EXPECT_THAT(*list, Contains(Pair("endpoint source", "STORAGE_EMULATOR_HOST")));
  EXPECT_THAT(*list, Contains(Pair("interface", "JSON (STORAGE_EMULATOR_HOST)")));
  EXPECT_THAT(*list, Contains(Pair("identity", "none")));
}

TEST(GcsSettings, GoogleIsAskedWithTheMachinesOwnAccountWhenNothingIsSet) {
  const auto list = shown({});
  ASSERT_TRUE(list.has_value()) << list.error().message;
  EXPECT_THAT(*list, Contains(Pair("endpoint", "https://storage.googleapis.com")));
  EXPECT_THAT(*list, Contains(Pair("identity", "metadata server metadata.google.internal")));
  EXPECT_THAT(*shown({{"MLPSTORAGE_GCS_CREDENTIALS", "none"}}), Contains(Pair("identity", "none")));
  EXPECT_EQ(shown({{"MLPSTORAGE_GCS_CREDENTIALS", "anonymous"}}).error().code, ErrorCode::kConfigInvalid);
}

TEST(GcsSettings, HmacKeysAreShownAsTheXmlInterface) {
  const auto list = shown({{"AWS_ACCESS_KEY_ID", "GOOG1"}, {"AWS_SECRET_ACCESS_KEY", "very-secret"}});
  ASSERT_TRUE(list.has_value()) << list.error().message;
  EXPECT_THAT(*list, Contains(Pair("interface", "XML (HMAC keys)")));
}

TEST(GcsSettings, NoSecretIsShown) {
  const std::string path = ::testing::TempDir() + "gcs_key.json";
  std::ofstream(path) << nlohmann::json(
      {{"type", "service_account"}, {"client_email", "a@b"}, {"private_key", test::private_key()}});
  const auto list = shown({{"GOOGLE_APPLICATION_CREDENTIALS", path}, {"GOOGLE_CLOUD_QUOTA_PROJECT", "payer"}});
  ASSERT_TRUE(list.has_value()) << list.error().message;
  EXPECT_THAT(*list, Contains(Pair("identity", "service account a@b of " + path)));
  EXPECT_THAT(*list, Contains(Pair("quota project", "payer")));
  for (const auto& [name, value] : *list) EXPECT_THAT(value, ::testing::Not(HasSubstr("PRIVATE KEY"))) << name;
  EXPECT_EQ(shown({{"GOOGLE_APPLICATION_CREDENTIALS", path}, {"AWS_MAX_ATTEMPTS", "0"}}).error().code,
            ErrorCode::kConfigInvalid);
  remove(path.c_str());
}

}  // namespace
}  // namespace mlps::gcs
