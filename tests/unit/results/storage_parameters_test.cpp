#include "results/storage_parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlps::results {
namespace {

using ::testing::ElementsAre;

/// A store with the root and the settings that a test wants, which holds nothing.
class PlacedStore : public storage::Store {
 public:
  PlacedStore(Location root, storage::SettingList settings = {})
      : place_(std::move(root)), settings_(std::move(settings)) {}
  const Location& root() const override { return place_; }
  storage::StoreTraits traits() const override { return {}; }
  Result<std::unique_ptr<storage::Session>> open_session(unsigned) override {
    return fail(ErrorCode::kInternal, "none");
  }
  std::unique_ptr<storage::Object> object(storage::ObjectSpec) override { return nullptr; }
  storage::SettingList describe() const override { return settings_; }

 private:
  Location place_;
  storage::SettingList settings_;
};

std::vector<std::string> parameters_of(const storage::Store& store, const std::string& folder = {}) {
  std::vector<std::string> lines;
  for (const workloads::Override& change : storage_parameters(store, folder)) {
    EXPECT_EQ(change.source, workloads::ValueSource::kTool);
    lines.push_back(change.key + "=" + change.value);
  }
  return lines;
}

TEST(StorageParameters, TellWhereTheBytesGo) {
  EXPECT_THAT(parameters_of(PlacedStore({Scheme::kFile, "", "/mnt/ck"})), ElementsAre());
  EXPECT_THAT(parameters_of(PlacedStore({Scheme::kNull, "", ""})), ElementsAre("storage.storage_type=null"));
  EXPECT_THAT(parameters_of(PlacedStore({Scheme::kDirect, "", "/mnt/ck"}), "/mnt/ck"),
              ElementsAre("storage.storage_type=direct_fs", "storage.storage_options.storage_library=mlpstorage",
                          "storage.storage_options.uri_scheme=direct", "storage.storage_root=/mnt/ck"));
  EXPECT_THAT(parameters_of(PlacedStore({Scheme::kS3, "bucket", "p"}, {{"addressing", "path"}})),
              ElementsAre("storage.storage_type=s3", "storage.storage_root=bucket",
                          "storage.storage_options.storage_library=mlpstorage", "storage.storage_options.uri_scheme=s3",
                          "storage.s3_force_path_style=true"));
  EXPECT_EQ(parameters_of(PlacedStore({Scheme::kGs, "bucket", "p"}, {{"addressing", "virtual"}})).size(), 4U);
}

TEST(StorageParameters, FoldersAsEachBenchmarkHasThem) {
  const Location object(Scheme::kS3, "bucket", "run/llama3-8b"), direct(Scheme::kDirect, "", "/mnt/d/unet3d"),
      file(Scheme::kFile, "", "/mnt/d/unet3d");
  EXPECT_EQ(checkpoint_folder_parameter(object), "bucket/run/llama3-8b");
  EXPECT_EQ(checkpoint_folder_parameter(direct), "/mnt/d/unet3d");
  EXPECT_EQ(checkpoint_folder_parameter(file), "/mnt/d/unet3d");
  EXPECT_EQ(data_folder_parameter(object), "s3://bucket/run/llama3-8b");
  EXPECT_EQ(data_folder_parameter(direct), "unet3d");  // below storage_root
  EXPECT_EQ(data_folder_parameter(file), "/mnt/d/unet3d");
}

TEST(StorageParameters, AUsersOwnValueStays) {
  workloads::Values values = {{"storage.storage_type", {"s3", workloads::ValueSource::kUserParams}}};
  set_tool_values({{"storage.storage_type", "null", workloads::ValueSource::kTool},
                   {"storage.storage_root", "b", workloads::ValueSource::kTool}},
                  values);
  EXPECT_EQ(values["storage.storage_type"].value, "s3");
  EXPECT_EQ(values["storage.storage_root"].value, "b");
}

}  // namespace
}  // namespace mlps::results
