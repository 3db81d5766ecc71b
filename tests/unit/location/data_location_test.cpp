// The truth table of data_location(): what a training command's --data-dir means, by mode, form and variables.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "location/location.hpp"

namespace mlps {
namespace {

using Variables = std::map<std::string, std::string>;

DataFolder data_folder_of(const std::string& data_dir, const std::string& model = "unet3d") {
  return {data_dir, model, {"unet3d", "retinanet", "dlrm", "dlrm_parquet"}};
}

std::string located(const DataFolder& folder, AccessProtocol protocol, const Variables& variables = {}) {
  const auto location = data_location(folder, protocol, Environment(variables));
  return location ? location->to_string() : code_name(location.error().code);
}

std::string file(const std::string& data_dir, const std::string& model = "unet3d") {
  return located(data_folder_of(data_dir, model), AccessProtocol::kFile);
}

std::string direct(const std::string& data_dir) {
  DataFolder folder = data_folder_of(data_dir);
  folder.o_direct = true;
  return located(folder, AccessProtocol::kFile);
}

std::string object(const std::string& data_dir, const Variables& variables = {}) {
  return located(data_folder_of(data_dir), AccessProtocol::kObject, variables);
}

TEST(DataLocation, FileModeTakesPaths) {
  EXPECT_EQ(file("/mnt/data"), "/mnt/data/unet3d");
  EXPECT_EQ(file("/mnt/data/"), "/mnt/data/unet3d");
  EXPECT_EQ(file("data"), (std::filesystem::current_path() / "data/unet3d").string());
  EXPECT_EQ(file("file:///mnt/data"), "/mnt/data/unet3d");
  EXPECT_EQ(file("null://"), "null://unet3d");
}

TEST(DataLocation, TheModelsNameStandsOnce) {
  EXPECT_EQ(file("/mnt/data/unet3d"), "/mnt/data/unet3d");
  EXPECT_EQ(file("/mnt/data/retinanet"), "/mnt/data/retinanet");  // as the original: whoever names one means it
  EXPECT_EQ(file("/mnt/data/dlrm_parquet", "dlrm"), "/mnt/data/dlrm_parquet");
  EXPECT_EQ(file("/mnt/unet3d/data"), "/mnt/unet3d/data/unet3d");
  EXPECT_EQ(file("/mnt/my-unet3d"), "/mnt/my-unet3d/unet3d");
  EXPECT_EQ(object("s3://bucket/unet3d"), "s3://bucket/unet3d");
}

TEST(DataLocation, ODirectIsAWayToOpenFiles) {
  EXPECT_EQ(direct("/mnt/data"), "direct:///mnt/data/unet3d");
  EXPECT_EQ(file("direct:///mnt/data"), "direct:///mnt/data/unet3d");
  EXPECT_EQ(direct("null://"), "E105");
  DataFolder folder = data_folder_of("s3://bucket/a");
  folder.o_direct = true;
  EXPECT_EQ(located(folder, AccessProtocol::kObject), "E105");
}

TEST(DataLocation, FileModeLooksAtNoVariable) {
  const Variables variables = {{"BUCKET", "b"}, {"STORAGE_URI_SCHEME", "s3"}};
  EXPECT_EQ(located(data_folder_of("/mnt/data"), AccessProtocol::kFile, variables), "/mnt/data/unet3d");
}

TEST(DataLocation, BareObjectFoldersAreBelowBucketOrBeginWithTheirs) {
  EXPECT_EQ(object("bucket/data"), "s3://bucket/data/unet3d");
  EXPECT_EQ(object("bucket"), "s3://bucket/unet3d");
  EXPECT_EQ(object("data", {{"BUCKET", "b"}}), "s3://b/data/unet3d");
  EXPECT_EQ(object("bucket/data", {{"BUCKET", "b"}}), "s3://b/bucket/data/unet3d");
  EXPECT_EQ(object("data", {{"BUCKET", "b"}, {"STORAGE_URI_SCHEME", "gs"}}), "gs://b/data/unet3d");
  EXPECT_EQ(object("data", {{"BUCKET", "b"}, {"MLPSTORAGE_CHECKPOINT_URI_SCHEME", "gs"}}), "s3://b/data/unet3d");
  EXPECT_EQ(object("data", {{"BUCKET", "b"}, {"STORAGE_URI_SCHEME", "file"}}), "E102");
}

TEST(DataLocation, QualifiedObjectFoldersWin) {
  EXPECT_EQ(object("s3://bucket/data", {{"BUCKET", "b"}, {"STORAGE_URI_SCHEME", "gs"}}), "s3://bucket/data/unet3d");
  EXPECT_EQ(object("null://"), "null://unet3d");
}

TEST(DataLocation, ContradictionsAreRefused) {
  EXPECT_EQ(file("s3://bucket/data"), "E105");
  EXPECT_EQ(object("/mnt/data"), "E105");
  EXPECT_EQ(object("./data"), "E105");
  EXPECT_EQ(object("direct:///mnt/data"), "E105");
  EXPECT_EQ(object(""), "E101");
  EXPECT_EQ(file(""), "E101");
}

}  // namespace
}  // namespace mlps
