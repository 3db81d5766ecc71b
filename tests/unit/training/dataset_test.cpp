#include "benchmarks/training/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "workloads/training_workload.hpp"

namespace mlps::training {
namespace {

using workloads::DatasetSettings;
using workloads::TrainingWorkload;

// height x width bytes: what jpeg files are.
class Square final : public formats::Format {
 public:
  uint64_t file_bytes(const formats::FileShape& shape) const override { return shape.height * shape.width; }
  uint32_t extent_count() const override { return 1; }
  uint64_t extent_samples(uint32_t) const override { return 1; }
  formats::Extent extent(const formats::FileShape& shape, uint32_t) const override { return {0, file_bytes(shape)}; }
  void fill(const formats::FileShape&, const payload::Source& source, uint64_t offset,
            std::span<std::byte> out) const override {
    source.fill(offset, out);
  }
};

const Square kSquare;

DatasetSettings settings_of(const char* model, const char* accelerator) {
  auto workload = workloads::load_training_workload(model, accelerator, {});
  if (!workload) ADD_FAILURE() << render(workload.error());
  return workload ? workload->dataset : DatasetSettings{};
}

Dataset train_of(const DatasetSettings& settings, uint64_t seed = kDefaultDataSeed) {
  return {settings, FileSet::kTrain, seed, kSquare};
}

TEST(Dataset, NamesArePaddedToTheDigitsOfTheTotal) {
  DatasetSettings settings = settings_of("unet3d", "b200");
  EXPECT_EQ(train_of(settings).name(0), "train/img_0000_of_7200.npz");
  EXPECT_EQ(train_of(settings).name(7199), "train/img_7199_of_7200.npz");
  settings.num_files_train = 10;
  EXPECT_EQ(train_of(settings).name(9), "train/img_09_of_10.npz");
  settings.num_files_train = 9;
  settings.num_files_generated = 12000;
  settings.file_prefix = "vol";
  EXPECT_EQ(train_of(settings).name(8), "train/vol_00008_of_12000.npz");
  EXPECT_EQ(train_of(settings).files(), 9U);
}

TEST(Dataset, TheEvaluationSetStartsAtZeroAgain) {
  DatasetSettings settings = settings_of("resnet50", "h100");
  settings.num_files_eval = 16;
  settings.num_files_generated = 2000;
  const Dataset eval(settings, FileSet::kEval, 1, kSquare);
  EXPECT_EQ(eval.name(0), "valid/img_00_of_16.tfrecord");
  EXPECT_EQ(eval.index_name(15), "index/valid/img_15_of_16.tfrecord.idx");
  EXPECT_EQ(eval.files(), 16U);
}

TEST(Dataset, SubfoldersFollowTheWriter) {
  DatasetSettings settings = settings_of("retinanet", "b200");
  settings.num_files_train = 1000;
  settings.num_subfolders_train = 1;
  EXPECT_EQ(train_of(settings).name(7), "train/img_0007_of_1000.jpeg") << "one subfolder is none";
  settings.num_subfolders_train = 10;
  EXPECT_EQ(train_of(settings).name(7), "train/07/img_0007_of_1000.jpeg") << "padded to the digits of 10";
  settings.num_subfolders_train = 9;
  EXPECT_EQ(train_of(settings).name(17), "train/8/img_0017_of_1000.jpeg");
  EXPECT_EQ(train_of(settings).index_name(17), "index/train/8/img_0017_of_1000.jpeg.idx");
}

TEST(Dataset, AppendedNamesKeepWhatWasThere) {
  std::string text = "unet3d/";
  train_of(settings_of("unet3d", "b200")).append_name(42, text);
  EXPECT_EQ(text, "unet3d/train/img_0042_of_7200.npz");
}

// The table of section 2.1: sides of constant sizes.
TEST(Dataset, SidesAreTheRootOfTheRecordLength) {
  const std::vector<std::tuple<const char*, const char*, uint64_t>> rows = {
      {"retinanet", "b200", 568}, {"resnet50", "h100", 338}, {"dlrm", "h100", 22}, {"dlrm_parquet", "h100", 22}};
  for (const auto& [model, accelerator, side] : rows) {
    const Dataset dataset = train_of(settings_of(model, accelerator));
    EXPECT_FALSE(dataset.sizes_vary());
    EXPECT_EQ(dataset.shape(3).height, side) << model;
    EXPECT_EQ(dataset.shape(3).width, side) << model;
  }
  EXPECT_EQ(train_of(settings_of("retinanet", "b200")).mean_file_bytes(), 322624);
  EXPECT_EQ(train_of(settings_of("retinanet", "b200")).expected_bytes(), uint64_t{322624} * 1170301);
}

// The same table: spread of both sides, and of the sizes that come of it.
TEST(Dataset, DrawnSidesHaveTheMeanAndSpreadOfTheSpec) {
  const std::vector<std::tuple<const char*, const char*, double, double, double>> rows = {
      {"unet3d", "b200", 12107, 2822.2, 48.97e6},
      {"retinanet", "h100", 391, 65.32, 36.4e3},
      {"flux", "h100", 554, 92.38, 72.9e3},
      {"cosmoflow", "h100", 1681, 21.2, 50.4e3}};
  constexpr uint64_t kFiles = 100'000;
  for (const auto& [model, accelerator, side, sigma, size_stdev] : rows) {
    SCOPED_TRACE(model);
    const Dataset dataset = train_of(settings_of(model, accelerator));
    ASSERT_TRUE(dataset.sizes_vary());
    double sum = 0, squares = 0, product = 0, bytes = 0, byte_squares = 0;
    for (uint64_t i = 0; i < kFiles; ++i) {
      const formats::FileShape shape = dataset.shape(i);
      const double h = static_cast<double>(shape.height) - side, w = static_cast<double>(shape.width) - side;
      sum += h + w;
      squares += h * h + w * w;
      product += h * w;
      const double size = static_cast<double>(shape.height * shape.width) - side * side;
      bytes += size;
      byte_squares += size * size;
    }
    const double mean = sum / (2 * kFiles);
    const double spread = std::sqrt(squares / (2 * kFiles) - mean * mean);
    EXPECT_NEAR(mean, -0.5, 5 * sigma / std::sqrt(2.0 * kFiles)) << "truncation takes half a unit";
    EXPECT_NEAR(spread / sigma, 1, 0.01);
    EXPECT_LT(std::abs(product / kFiles) / (sigma * sigma), 0.02) << "the sides are independent";
    const double byte_mean = bytes / kFiles;
    EXPECT_NEAR(std::sqrt(byte_squares / kFiles - byte_mean * byte_mean) / size_stdev, 1, 0.015);
  }
}

TEST(Dataset, SizesDependOnSeedSetAndIndexAlone) {
  DatasetSettings settings = settings_of("unet3d", "b200");
  settings.num_files_eval = 7200;
  const Dataset dataset = train_of(settings);
  settings.num_files_train = 100;
  const Dataset shorter = train_of(settings);
  const Dataset eval(settings, FileSet::kEval, kDefaultDataSeed, kSquare);
  const Dataset other = train_of(settings, 11);
  int like_eval = 0, like_other = 0, like_next = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    const uint64_t height = dataset.shape(i).height;
    EXPECT_EQ(shorter.shape(i).height, height);
    like_eval += eval.shape(i).height == height ? 1 : 0;
    like_other += other.shape(i).height == height ? 1 : 0;
    like_next += dataset.shape(i + 1).height == height ? 1 : 0;
  }
  EXPECT_LT(like_eval + like_other + like_next, 5);
}

TEST(Dataset, SidesAreAtLeastOne) {
  DatasetSettings settings;
  settings.record_bytes = 100;
  settings.record_bytes_stdev = 10'000;
  settings.num_files_train = 1000;
  const Dataset dataset = train_of(settings);
  uint64_t least = 1000;
  for (uint64_t i = 0; i < 1000; ++i) least = std::min({least, dataset.shape(i).height, dataset.shape(i).width});
  EXPECT_EQ(least, 1U);
}

TEST(Dataset, DimsOverrideTheSquare) {
  DatasetSettings settings;
  settings.record_dims = {3, 4, 5};
  EXPECT_EQ(train_of(settings).shape(0).height, 3U);
  EXPECT_EQ(train_of(settings).shape(0).width, 20U);
}

TEST(Dataset, TheMeanOfDrawnSizesIsTheirs) {
  DatasetSettings settings = settings_of("unet3d", "b200");
  settings.num_files_train = 3;
  const Dataset dataset = train_of(settings);
  EXPECT_DOUBLE_EQ(dataset.mean_file_bytes(),
                   static_cast<double>(dataset.file_bytes(0) + dataset.file_bytes(1) + dataset.file_bytes(2)) / 3);
  settings.num_files_train = 7200;
  EXPECT_NEAR(train_of(settings).mean_file_bytes() / 146.58e6, 1, 0.02);
}

TEST(Dataset, AnEmptySetHasNoBytes) {
  DatasetSettings settings = settings_of("unet3d", "b200");
  const Dataset eval(settings, FileSet::kEval, 1, kSquare);
  EXPECT_EQ(eval.files(), 0U);
  EXPECT_EQ(eval.expected_bytes(), 0U);
}

TEST(Dataset, ContentIsThePayloadOfTheName) {
  const Dataset dataset = train_of(settings_of("retinanet", "b200"));
  std::vector<std::byte> bytes(64), expected(64);
  dataset.content(5).fill(128, bytes);
  payload::Source(kDefaultDataSeed, "train/img_0000005_of_1170301.jpeg").fill(128, expected);
  EXPECT_EQ(bytes, expected);
}

}  // namespace
}  // namespace mlps::training
