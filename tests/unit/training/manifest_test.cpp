#include "benchmarks/training/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "benchmarks/training/dataset.hpp"

namespace mlps::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using workloads::Override;
using workloads::TrainingWorkload;
using workloads::ValueSource;

TrainingWorkload load(const char* model, const char* accelerator,
                      std::initializer_list<std::pair<const char*, const char*>> params = {}) {
  std::vector<Override> overrides;
  for (const auto& [key, value] : params) overrides.push_back({key, value, ValueSource::kUserParams});
  auto workload = workloads::load_training_workload(model, accelerator, overrides);
  if (!workload) ADD_FAILURE() << render(workload.error());
  return workload ? *workload : TrainingWorkload{};
}

Manifest manifest_of(const TrainingWorkload& workload, uint64_t seed = 10) {
  return make_manifest(workload, seed, "0.1.0", "/results/x", 1783141240'000'000);
}

Manifest parsed(const std::string& text) {
  auto manifest = parse_manifest(text);
  if (!manifest) ADD_FAILURE() << render(manifest.error());
  return manifest ? *manifest : Manifest{};
}

// Section 4.3.
TEST(Manifest, TheOriginalsFieldsSortedAndOurs) {
  const std::string text = manifest_text(manifest_of(load("unet3d", "")));
  EXPECT_THAT(text, HasSubstr("{\n  \"created_at\": \"2026-07-04T05:00:40Z\",\n  \"dataset_format\": \"npz\",\n"
                              "  \"mlpstorage_cpp\": {\n    \"seed\": 10,\n    \"shape\": \"model=unet3d;"));
  EXPECT_THAT(text, HasSubstr("  },\n  \"mlpstorage_version\": \"0.1.0\",\n  \"model\": \"unet3d\",\n"
                              "  \"num_files_train\": 168,\n  \"num_samples_per_file\": 1,\n"
                              "  \"num_subfolders_train\": 0,\n  \"record_length_bytes\": 146600628,\n"
                              "  \"rules_edition\": \"3.0\",\n  \"schema_version\": 1,\n"
                              "  \"source_datagen_result_dir\": \"/results/x\"\n}\n"));
}

TEST(Manifest, ComesBackAsItWas) {
  const Manifest manifest = manifest_of(load("resnet50", "", {{"dataset.num_subfolders_train", "4"}}), UINT64_MAX);
  const Manifest back = parsed(manifest_text(manifest));
  EXPECT_EQ(back.model, "resnet50");
  EXPECT_EQ(back.num_files_train, 1024U);
  EXPECT_EQ(back.num_samples_per_file, 1251U);
  EXPECT_EQ(back.record_length_bytes, 114660.07);
  EXPECT_EQ(back.num_subfolders_train, 4U);
  EXPECT_EQ(back.dataset_format, "tfrecord");
  EXPECT_EQ(back.created_at, manifest.created_at);
  EXPECT_EQ(back.tool_version, "0.1.0");
  EXPECT_EQ(back.source_result_dir, "/results/x");
  EXPECT_EQ(back.rules_edition, "3.0");
  EXPECT_EQ(back.seed, UINT64_MAX);
  EXPECT_EQ(back.shape, manifest.shape);
}

TEST(Manifest, FluxHasARecordLengthThoughItsFileHasNone) {
  EXPECT_EQ(parsed(manifest_text(manifest_of(load("flux", "")))).record_length_bytes, 2164832);
}

TEST(Manifest, BytesThatAreNoTextStayJson) {
  Manifest manifest = manifest_of(load("unet3d", ""));
  manifest.source_result_dir = "/r\xff\"\n";
  EXPECT_EQ(parsed(manifest_text(manifest)).source_result_dir, "/r\xef\xbf\xbd\"\n");
}

constexpr const char* kOriginal =
    R"({"created_at": "2026-06-01T00:00:00Z", "dataset_format": null, "mlpstorage_version": "3.0.28", "model": "unet3d",
        "num_files_train": 7200, "num_samples_per_file": 1, "record_length_bytes": 146600628, "schema_version": 1,
        "source_datagen_result_dir": "x"})";

TEST(Manifest, OfTheOriginalIsRead) {
  const Manifest manifest = parsed(kOriginal);
  EXPECT_EQ(manifest.num_files_train, 7200U);
  EXPECT_EQ(manifest.num_subfolders_train, 0U);
  EXPECT_EQ(manifest.dataset_format, "");
  EXPECT_FALSE(manifest.seed);
  EXPECT_EQ(manifest.shape, "");
}

// The original stores values of --params as text and takes int() of them.
TEST(Manifest, NumbersMayBeText) {
  const Manifest manifest = parsed(
      R"({"dataset_format": "npz", "model": "unet3d", "num_files_train": "150", "num_samples_per_file": " 1 ",
          "num_subfolders_train": 4.0, "record_length_bytes": "146600628.5", "schema_version": "1"})");
  EXPECT_EQ(manifest.num_files_train, 150U);
  EXPECT_EQ(manifest.num_samples_per_file, 1U);
  EXPECT_EQ(manifest.num_subfolders_train, 4U);
  EXPECT_EQ(manifest.record_length_bytes, 146600628.5);
}

TEST(Manifest, HostileTextsAreErrorsThatNameTheField) {
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string text = kOriginal;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "no JSON object"},
      {"[]", "no JSON object"},
      {"{\"schema_version\": 1", "no JSON object"},
      {std::string(1'000'000, '['), "no JSON object"},
      {std::string(9'000'000, ' '), "9000000 bytes"},
      {"{}", "schema_version is missing"},
      {changed("\"schema_version\": 1", "\"schema_version\": 2"), "schema_version is 2; 1 is known"},
      {changed("\"schema_version\": 1", "\"schema_version\": 0"), "schema_version is not from 1"},
      {changed("\"schema_version\": 1", "\"schema_version\": \"one\""), "schema_version is no whole number"},
      {changed("7200", "\"7200 files\""), "num_files_train is no whole number"},
      {changed("7200", "\"\""), "num_files_train is no whole number"},
      {changed("7200", "\"-7\""), "num_files_train is no whole number"},
      {changed("\"unet3d\"", "7"), "model is no text"},
      {changed("\"model\": \"unet3d\",", ""), "model is missing"},
      {changed("7200", "-1"), "num_files_train is no whole number"},
      {changed("7200", "7200.5"), "num_files_train is no whole number"},
      {changed("7200", "true"), "num_files_train is no whole number"},
      {changed("7200", "0"), "num_files_train is not from"},
      {changed("7200", "18446744073709551615"), "num_files_train is not from"},
      {changed("7200", "1e400"), "no JSON object"},
      {changed("\"num_samples_per_file\": 1", "\"num_samples_per_file\": null"), "num_samples_per_file is missing"},
      {changed("146600628", "\"big\""), "record_length_bytes is no number"},
      {changed("146600628", "0"), "record_length_bytes is not from"},
      {changed("146600628", "1e300"), "record_length_bytes is not from"},
      {changed("\"dataset_format\": null", "\"dataset_format\": [1]"), "dataset_format is no text"},
      {changed("\"dataset_format\": null", "\"mlpstorage_cpp\": 5"), "mlpstorage_cpp is no object"},
      {changed("\"dataset_format\": null", "\"mlpstorage_cpp\": {\"seed\": 1}"), "shape is missing"},
      {changed("\"dataset_format\": null", "\"mlpstorage_cpp\": {\"seed\": -1, \"shape\": \"\"}"), "seed is no whole"},
      {changed("\"dataset_format\": null", "\"num_subfolders_train\": {}"), "num_subfolders_train is no whole number"},
  };
  for (const auto& [text, expected] : rows) {
    const auto manifest = parse_manifest(text);
    ASSERT_FALSE(manifest) << text.substr(0, 300);
    EXPECT_EQ(manifest.error().code, ErrorCode::kConfigInvalid);
    EXPECT_THAT(manifest.error().message, HasSubstr(expected));
    EXPECT_THAT(manifest.error().message, HasSubstr(kManifestName));
  }
}

// --- Shape ----------------------------------------------------------------------------------------------------------

TEST(Shape, WhatDecidesBytesIsInItAndNothingElse) {
  const std::string shape = shape_text(load("dlrm", ""), 10);
  EXPECT_EQ(shape, shape_text(load("dlrm", "b200"), 10)) << "neither reading nor `read` flags decide bytes";
  EXPECT_NE(shape, shape_text(load("dlrm", ""), 11));
  for (const auto& change : std::vector<std::pair<const char*, const char*>>{
           {"dataset.num_files_train", "1025"},
           {"dataset.num_files_eval", "1"},
           {"dataset.num_samples_per_file", "7"},
           {"dataset.num_subfolders_train", "2"},
           {"dataset.file_prefix", "part"},
           {"dataset.format", "npz"},
           {"dataset.parquet.row_group_size", "1"},
           {"dataset.parquet.columns", "[{name: a, dtype: float64, size: 3}]"}}) {
    EXPECT_NE(shape, shape_text(load("dlrm", "", {change}), 10)) << change.first;
  }
  EXPECT_EQ(
      shape,
      shape_text(load("dlrm", "", {{"dataset.num_files_train", "1000"}, {"dataset.num_files_generated", "1024"}}), 10));
}

// --- Use (section 4.4) ----------------------------------------------------------------------------------------------

TEST(ManifestUse, NoManifestIsAWarning) {
  const ManifestUse use = use_manifest(std::nullopt, load("unet3d", "b200"), false, 1, false);
  ASSERT_EQ(use.findings.size(), 1U);
  EXPECT_EQ(use.findings[0].code, "MANIFEST-000");
  EXPECT_FALSE(use.findings[0].is_error);
  EXPECT_EQ(use.seed, kDefaultDataSeed);
  EXPECT_TRUE(use.foreign);
  EXPECT_THAT(use.overrides, IsEmpty());
}

TEST(ManifestUse, AFittingOneIsTakenOver) {
  const Manifest manifest = manifest_of(
      load("unet3d", "", {{"dataset.num_files_train", "30000"}, {"dataset.num_subfolders_train", "3"}}), 42);
  const ManifestUse use =
      use_manifest(manifest, load("unet3d", "b200", {{"dataset.num_files_train", "28000"}}), false, 28000, false);
  EXPECT_THAT(use.findings, IsEmpty());
  EXPECT_EQ(use.seed, 42U);
  EXPECT_FALSE(use.foreign);
  ASSERT_EQ(use.overrides.size(), 2U);
  EXPECT_EQ(use.overrides[0].key, "dataset.num_files_generated");
  EXPECT_EQ(use.overrides[0].value, "30000");
  EXPECT_EQ(use.overrides[0].source, ValueSource::kTool);
  EXPECT_EQ(use.overrides[1].key, "dataset.num_subfolders_train");
  EXPECT_EQ(use.overrides[1].value, "3");
}

// A key that says nothing new only makes a run INVALID by the original's rules.
TEST(ManifestUse, AsManyFilesAsGeneratedNeedNoKey) {
  const TrainingWorkload workload = load("unet3d", "b200", {{"dataset.num_files_train", "168"}});
  EXPECT_THAT(use_manifest(manifest_of(load("unet3d", "")), workload, false, 1, false).overrides, IsEmpty());
  EXPECT_THAT(use_manifest(parsed(kOriginal), load("unet3d", "b200"), false, 1, false).overrides, IsEmpty());
}

TEST(ManifestUse, RowGroupsAreTheDataSetsUnlessTheRunNamesThem) {
  const Manifest manifest = manifest_of(load("flux", ""));
  const ManifestUse use =
      use_manifest(manifest, load("flux", "b200", {{"dataset.num_files_train", "4296"}}), false, 1, false);
  EXPECT_THAT(use.findings, IsEmpty());
  ASSERT_EQ(use.overrides.size(), 1U);
  EXPECT_EQ(use.overrides[0].key, "dataset.parquet.row_group_size");
  EXPECT_EQ(use.overrides[0].value, "48");
  const TrainingWorkload other = load("flux", "b200", {{"dataset.parquet.row_group_size", "9"}});
  EXPECT_EQ(use_manifest(manifest, other, false, 1, false).findings[0].code, "MANIFEST-001");
}

TEST(ManifestUse, DatagenAndRunOfAllModelsFit) {
  for (const auto& [model, accelerator] : std::vector<std::pair<const char*, const char*>>{{"unet3d", "h100"},
                                                                                           {"retinanet", "mi355"},
                                                                                           {"resnet50", "a100"},
                                                                                           {"cosmoflow", "h100"},
                                                                                           {"dlrm", "mi355"},
                                                                                           {"dlrm_parquet", "h100"},
                                                                                           {"flux", "b200"}}) {
    const TrainingWorkload datagen = load(model, "");
    const ManifestUse use = use_manifest(parsed(manifest_text(manifest_of(datagen))),
                                         load(model, accelerator, {{"dataset.num_files_train", "5"}}), false, 1, false);
    EXPECT_THAT(use.findings, IsEmpty()) << model;
  }
}

TEST(ManifestUse, DifferencesAreReportedTogether) {
  const TrainingWorkload run = load("retinanet", "h100", {{"dataset.num_subfolders_train", "7"}});
  ManifestUse use =
      use_manifest(manifest_of(load("retinanet", "", {{"dataset.num_files_train", "1743042"}})), run, true, 1, false);
  ASSERT_EQ(use.findings.size(), 1U);
  EXPECT_EQ(use.findings[0].code, "MANIFEST-001");
  EXPECT_TRUE(use.findings[0].is_error);
  EXPECT_THAT(use.findings[0].message, HasSubstr("dataset.record_length_bytes is 153600, but 322957 in the data set"));
  EXPECT_THAT(use.findings[0].message, HasSubstr("dataset.record_length_bytes_stdev is 51200, but 0 in"));
  EXPECT_THAT(use.findings[0].message, HasSubstr("dataset.num_subfolders_train is 7, but 0 in"));
  EXPECT_THAT(use.findings[0].suggestion,
              HasSubstr("training retinanet datagen ... --params dataset.record_length_bytes=153600"));
  use = use_manifest(manifest_of(load("retinanet", "", {{"dataset.num_files_train", "1743042"}})), run, true, 1, true);
  EXPECT_FALSE(use.findings[0].is_error) << "whatif and --skip-validation";
}

TEST(ManifestUse, AnotherModelIsNamed) {
  const ManifestUse use = use_manifest(manifest_of(load("cosmoflow", "")), load("unet3d", "b200"), false, 1, false);
  EXPECT_THAT(use.findings[0].message, HasSubstr("model is unet3d, but cosmoflow in the data set"));
  EXPECT_THAT(use.findings[0].message, HasSubstr("dataset.format is npz, but tfrecord"));
  EXPECT_THAT(use.findings[0].suggestion, Not(HasSubstr("model=")));
}

TEST(ManifestUse, MoreFilesThanThereAreIsAnError) {
  const Manifest manifest = manifest_of(load("unet3d", "", {{"dataset.num_files_train", "28000"}}));
  const TrainingWorkload run = load("unet3d", "b200", {{"dataset.num_files_train", "30000"}});
  const ManifestUse use = use_manifest(manifest, run, false, 28000, false);
  ASSERT_EQ(use.findings.size(), 1U);
  EXPECT_EQ(use.findings[0].code, "MANIFEST-003");
  EXPECT_TRUE(use.findings[0].is_error);
  EXPECT_THAT(use.findings[0].message, HasSubstr("wants 30000 files, but the data set was generated with 28000"));
  EXPECT_THAT(use.findings[0].suggestion, HasSubstr("dataset.num_files_train=30000"));
  EXPECT_THAT(use.findings[0].suggestion, HasSubstr("or run with --params dataset.num_files_train=28000"));
  EXPECT_THAT(use.overrides, IsEmpty());
  EXPECT_THAT(use_manifest(manifest, run, false, 28001, false).findings[0].suggestion, Not(HasSubstr("or run with")));
  EXPECT_FALSE(use_manifest(manifest, run, false, 28000, true).findings[0].is_error);
}

TEST(ManifestUse, EvaluationFilesMatterToARunThatEvaluates) {
  const Manifest manifest = manifest_of(load("unet3d", "", {{"dataset.num_files_eval", "16"}}));
  EXPECT_THAT(use_manifest(manifest, load("unet3d", "h100"), false, 1, false).findings, IsEmpty());
  const ManifestUse use =
      use_manifest(manifest, load("unet3d", "h100", {{"workflow.evaluation", "True"}, {"dataset.num_files_eval", "8"}}),
                   false, 1, false);
  ASSERT_EQ(use.findings.size(), 1U);
  EXPECT_THAT(use.findings[0].message, HasSubstr("dataset.num_files_eval is 8, but 16"));
}

TEST(ManifestUse, AnOriginalsManifestIsComparedByItsFieldsOnly) {
  const ManifestUse use = use_manifest(parsed(kOriginal), load("unet3d", "b200"), false, 1, false);
  EXPECT_THAT(use.findings, IsEmpty());
  EXPECT_TRUE(use.foreign);
}

TEST(ManifestUse, UnknownKeysAreTold) {
  const Manifest manifest = parsed(std::string(kOriginal).insert(1, R"("num_file_train": 7, "colour": "red", )"));
  const ManifestUse use = use_manifest(manifest, load("unet3d", "b200"), false, 1, false);
  EXPECT_THAT(use.findings, IsEmpty());
  ASSERT_EQ(use.warnings.size(), 1U);
  EXPECT_THAT(use.warnings[0], HasSubstr("unknown and have no effect: colour, num_file_train"));
  EXPECT_THAT(use_manifest(manifest_of(load("unet3d", "")), load("unet3d", "h100"), false, 1, false).warnings,
              IsEmpty());
}

TEST(ManifestUse, OneThatContradictsItsShapeIsRefused) {
  Manifest manifest = manifest_of(load("unet3d", ""));
  manifest.num_files_train = 200;
  const ManifestUse use =
      use_manifest(manifest, load("unet3d", "h100", {{"dataset.num_files_train", "100"}}), false, 1, false);
  ASSERT_EQ(use.findings.size(), 1U);
  EXPECT_EQ(use.findings[0].code, "MANIFEST-001");
  EXPECT_TRUE(use.findings[0].is_error);
  EXPECT_THAT(use.findings[0].message, HasSubstr("contradicts its own shape: dataset.num_files_train is 200, but 168"));
}

TEST(ManifestUse, AShapeOfNonsenseIsNoDefect) {
  Manifest manifest = manifest_of(load("unet3d", ""));
  manifest.shape = ";;=;a;dataset.file_prefix=;=" + std::string(1000, ';');
  const ManifestUse use = use_manifest(manifest, load("unet3d", "h100"), false, 1, false);
  ASSERT_EQ(use.findings.size(), 1U);
  EXPECT_THAT(use.findings[0].message, HasSubstr("dataset.file_prefix is img, but  in"));
}

}  // namespace
}  // namespace mlps::training
