#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/version.hpp"
#include "benchmarks/checkpointing/results/class_keys.hpp"
#include "benchmarks/training/results/class_keys.hpp"
#include "results/code_image.hpp"
#include "results/core_config.hpp"
#include "results/digests.hpp"
#include "results/folder_writer.hpp"
#include "results/provenance.hpp"
#include "sample.hpp"
#include "workloads/checkpoint_workload.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::results {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using sample::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::MatchesRegex;

RunContext context_of(const ClassKeys& keys, workloads::Values values) {
  RunContext context = sample::context("/r");
  context.class_keys = &keys;
  context.values = std::move(values);
  context.overrides.clear();
  return context;
}

std::string training_hash(const char* model, const char* accelerator) {
  const auto workload = workloads::load_training_workload(model, accelerator, {});
  return workload ? core_config(context_of(kTrainingClass, workload->values)).hash : workload.error().message;
}

std::string checkpoint_hash(const char* model, const char* data_parallel = nullptr) {
  auto workload = workloads::load_checkpoint_workload(model, {});
  if (!workload) return workload.error().message;
  if (data_parallel != nullptr) {
    workload->values["checkpoint.mode"] = {"subset", workloads::ValueSource::kTool};
    workload->values["model.parallelism.data"] = {data_parallel, workloads::ValueSource::kTool};
  }
  return core_config(context_of(kCheckpointClass, workload->values)).hash;
}

// The published classes of edition 3.0.
TEST(CoreConfig, HashesOfTheClosedWorkloadsAreThoseOfTheirClasses) {
  EXPECT_EQ(training_hash("unet3d", "b200"), "0d3ad0dec188becd");
  EXPECT_EQ(training_hash("retinanet", "b200"), "20c73f53486caba0");
  EXPECT_EQ(training_hash("retinanet", "mi355"), "66c43604eb650987");
  EXPECT_EQ(checkpoint_hash("llama3-8b"), "68df04b7240e3fb0");
  EXPECT_EQ(checkpoint_hash("llama3-70b"), "3c53fe70d64f91d4");
  EXPECT_EQ(checkpoint_hash("llama3-405b"), "7adcfa87a5c4c8e6");
  EXPECT_EQ(checkpoint_hash("llama3-1t"), "45fd627ad9dc5f4c");
}

TEST(CoreConfig, ASubsetIsAClassOfItsOwn) {
  EXPECT_EQ(checkpoint_hash("llama3-70b", "8"), "c48a92d225d70ce8");
  EXPECT_EQ(checkpoint_hash("llama3-405b", "2"), "7e9f853cebd52aa6");
  EXPECT_EQ(checkpoint_hash("llama3-1t", "2"), "0918b2db633242db");
}

TEST(CoreConfig, SpellingsOfAValueAreOneAndFreeParametersDontCount) {
  auto values = workloads::load_training_workload("unet3d", "b200", {})->values;
  values["reader.batch_size"] = {"7.0", workloads::ValueSource::kUserParams};
  values["workflow.train"] = {"true", workloads::ValueSource::kUserParams};
  values["dataset.num_files_train"] = {"99", workloads::ValueSource::kUserParams};
  values["checkpoint.checkpoint_folder"] = {"/elsewhere", workloads::ValueSource::kTool};
  RunContext context = context_of(kTrainingClass, values);
  context.overrides = {{"reader.batch_size", " 7.0 ", workloads::ValueSource::kUserParams}};
  EXPECT_EQ(core_config(context).hash, "0d3ad0dec188becd");
  context.overrides = {{"reader.batch_size", "8", workloads::ValueSource::kUserParams}};
  EXPECT_NE(core_config(context).hash, "0d3ad0dec188becd");
}

TEST(CodeImage, CanBeHashedAgainAndIsMadeOnce) {
  const TemporaryFolder root;
  ASSERT_TRUE(store_code_image(root.path()));
  ASSERT_TRUE(store_code_image(root.path()));
  const std::string pointer = code_image_pointer();
  EXPECT_THAT(pointer, MatchesRegex("md5-tree-v2:[0-9a-f]+"));
  EXPECT_EQ(pointer.size(), 44U);
  const std::string image = "code-images/code-" + pointer.substr(12, 8);
  EXPECT_TRUE(fs::exists(root.path() + "/code-images/.mlps-image-pool"));
  const ordered_json recorded = root.json(image + "/.code-hash.json");
  EXPECT_THAT(sample::keys_of(recorded),
              ElementsAre("hash", "algorithm", "captured_at", "mlpstorage_version", "git_sha"));
  EXPECT_EQ("md5-tree-v2:" + recorded["hash"].get<std::string>(), pointer);
  EXPECT_EQ(md5_hex("build.json" + root.text(image + "/build.json")), recorded["hash"]);
  EXPECT_EQ(root.json(image + "/build.json")["binary_id"], binary_id());
  size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(root.path() + "/code-images")) ++entries;
  EXPECT_EQ(entries, 2U);  // the mark and one image: nothing that was begun is left
}

TEST(CodeImage, OnlyRunsThatCanBeSubmittedPointToOne) {
  const TemporaryFolder root;
  RunContext context = sample::context(root.path());
  context.results_dir = root.path() + "/tree";
  for (const char* mode : {"whatif", "closed"}) {
    context.mode = mode;
    FolderWriter writer(root.path());
    write_origin(writer, context);
    ASSERT_TRUE(writer.status());
    EXPECT_EQ(fs::exists(root.path() + "/.mlps-code-image"), context.mode == "closed");
    const ordered_json stamp = root.json("provenance.json");
    EXPECT_EQ(stamp["tool"]["code_image"], context.mode == "closed" ? code_image_pointer() : "unknown");
  }
  EXPECT_EQ(root.text(".mlps-code-image"), code_image_pointer());
}

TEST(Provenance, HasTheKeysOfMlpstorage3AndNoNulls) {
  const ordered_json json = ordered_json::parse(provenance_text(context_of(kCheckpointClass, {})));
  EXPECT_THAT(sample::keys_of(json),
              ElementsAre("schema", "rules_edition", "layout_version", "tool", "dlio", "storage_library", "core_config",
                          "stamped_at", "stamped_by", "provenance"));
  EXPECT_EQ(json["schema"], "mlps-run-provenance/1");
  EXPECT_THAT(sample::keys_of(json["tool"]), ElementsAre("name", "version", "git_sha", "code_image"));
  EXPECT_THAT(sample::keys_of(json["core_config"]), ElementsAre("algorithm", "allowlist", "hash", "keys"));
  EXPECT_EQ(json["core_config"]["allowlist"], "checkpointing@1");
  EXPECT_EQ(json["provenance"].size(), 6U);
  EXPECT_EQ(json.dump().find("null"), std::string::npos);
}

}  // namespace
}  // namespace mlps::results
