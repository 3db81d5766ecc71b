#include "workloads/training_workload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "workloads/checkpoint_workload.hpp"
#include "workloads/embedded.hpp"

namespace mlps::workloads {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TrainingWorkload load_training(std::string_view model, std::string_view accelerator,
                               const std::vector<Override>& overrides = {}) {
  auto workload = load_training_workload(model, accelerator, overrides);
  if (!workload) {
    ADD_FAILURE() << render(workload.error());
    return {};
  }
  return *workload;
}

double sum_of_bytes(const std::vector<Column>& columns, bool only_read) {
  return std::accumulate(columns.begin(), columns.end(), 0.0, [&](double sum, const Column& column) {
    return only_read && !column.read ? sum : sum + static_cast<double>(column.elements) * element_bytes(column.type);
  });
}

TEST(TrainingWorkload, RunParametersOfEveryPair) {
  struct Row {
    const char *model, *accelerator;
    DataFormat format;
    uint64_t files, samples;
    double bytes, stdev;
    uint64_t resize, batch;
    uint32_t threads, epochs;
    double seconds, au;
    Shuffle files_order;
  };
  constexpr auto kNpz = DataFormat::kNpz;
  constexpr auto kJpeg = DataFormat::kJpeg;
  constexpr auto kRecord = DataFormat::kTfrecord;
  constexpr auto kParquet = DataFormat::kParquet;
  constexpr auto kSeed = Shuffle::kSeed;
  constexpr auto kOff = Shuffle::kOff;
  const std::vector<Row> rows = {
      {"unet3d", "a100", kNpz, 168, 1, 146600628, 68341808, 2097152, 7, 4, 5, 0.636, 0.9, kSeed},
      {"unet3d", "h100", kNpz, 168, 1, 146600628, 68341808, 2097152, 7, 4, 5, 0.323, 0.9, kSeed},
      {"unet3d", "b200", kNpz, 7200, 1, 146600628, 68341808, 2097152, 7, 4, 5, 0.162, 0.9, kSeed},
      {"retinanet", "b200", kJpeg, 1170301, 1, 322957, 0, 0, 24, 8, 8, 0.04755, 0.85, kSeed},
      {"retinanet", "mi355", kJpeg, 1170301, 1, 322957, 0, 0, 36, 8, 8, 0.071325, 0.85, kSeed},
      {"retinanet", "h100", kJpeg, 1743042, 1, 153600, 51200, 0, 16, 8, 5, 0.180, 0.85, kSeed},
      {"retinanet", "a100", kJpeg, 1743042, 1, 153600, 51200, 0, 16, 8, 5, 0.210, 0.85, kSeed},
      {"resnet50", "a100", kRecord, 1024, 1251, 114660.07, 0, 150528, 400, 8, 5, 0.435, 0.9, kOff},
      {"resnet50", "h100", kRecord, 1024, 1251, 114660.07, 0, 150528, 400, 8, 5, 0.224, 0.9, kOff},
      {"cosmoflow", "a100", kRecord, 524288, 1, 2828486, 71311, 0, 1, 4, 5, 0.00551, 0.7, kSeed},
      {"cosmoflow", "h100", kRecord, 524288, 1, 2828486, 71311, 0, 1, 4, 5, 0.00350, 0.7, kSeed},
      {"dlrm", "b200", kParquet, 1024, 1536000, 761, 0, 0, 12288, 0, 2, 0.000375, 0.7, kSeed},
      {"dlrm", "mi355", kParquet, 1024, 1536000, 761, 0, 0, 18432, 4, 1, 0.0005625, 0.7, kSeed},
      {"dlrm", "h100", kNpz, 65536, 1, 512, 0, 0, 8192, 8, 1, 0.005, 0.7, kSeed},
      {"dlrm", "a100", kNpz, 65536, 1, 512, 0, 0, 8192, 8, 1, 0.007, 0.7, kSeed},
      {"dlrm_parquet", "h100", kParquet, 65536, 1, 512, 0, 0, 8192, 8, 1, 0.005, 0.7, kSeed},
      {"flux", "b200", kParquet, 4296, 288, 2164832, 0, 0, 48, 8, 1, 1.35, 0.9, kSeed},
      {"flux", "mi355", kParquet, 4296, 288, 2164832, 0, 0, 72, 8, 1, 2.025, 0.9, kSeed},
      {"flux", "h100", kJpeg, 1099776, 1, 307200, 102400, 0, 8, 8, 5, 0.850, 0.8, kSeed},
      {"flux", "a100", kJpeg, 1099776, 1, 307200, 102400, 0, 8, 8, 5, 1.100, 0.8, kSeed},
  };
  size_t pairs = 0;
  for (const std::string& model : training_models()) pairs += accelerators_of(model).size();
  EXPECT_EQ(rows.size(), pairs);
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.model) + "_" + row.accelerator);
    const TrainingWorkload workload = load_training(row.model, row.accelerator);
    EXPECT_EQ(workload.model, row.model);
    EXPECT_EQ(workload.accelerator, row.accelerator);
    EXPECT_EQ(workload.file_name, std::string(row.model) + "_" + row.accelerator);
    EXPECT_EQ(workload.dataset.format, row.format);
    EXPECT_EQ(workload.dataset.num_files_train, row.files);
    EXPECT_EQ(workload.dataset.num_files_eval, 0U);
    EXPECT_EQ(workload.dataset.num_samples_per_file, row.samples);
    EXPECT_EQ(workload.dataset.record_bytes, row.bytes);
    EXPECT_EQ(workload.dataset.record_bytes_stdev, row.stdev);
    EXPECT_EQ(workload.dataset.record_bytes_resize, row.resize);
    EXPECT_EQ(workload.dataset.num_subfolders_train, 0U);
    EXPECT_EQ(workload.reader.batch_size, row.batch);
    EXPECT_EQ(workload.reader.read_threads, row.threads);
    EXPECT_EQ(workload.reader.prefetch_size, row.threads == 0 ? 0U : 2U);
    EXPECT_EQ(workload.reader.file_shuffle, row.files_order);
    EXPECT_EQ(workload.training.epochs, row.epochs);
    EXPECT_EQ(workload.training.computation_time.kind, TimeDistribution::Kind::kConstant);
    EXPECT_EQ(workload.training.computation_time.first, row.seconds);
    EXPECT_EQ(workload.metric.au, row.au);
    EXPECT_EQ(workload.metric.exclude_start_steps, 1U);
    EXPECT_EQ(workload.metric.exclude_end_steps, 0U);
    EXPECT_TRUE(workload.train);
    EXPECT_FALSE(workload.generate_data);
    EXPECT_FALSE(workload.checkpoint);
    EXPECT_FALSE(workload.evaluation);
    const bool tensorflow = row.format == kRecord;
    EXPECT_EQ(workload.framework, tensorflow ? "tensorflow" : "pytorch");
    EXPECT_EQ(workload.data_loader, workload.framework);
  }
}

// What our own datagen makes, our own run must be able to read.
TEST(TrainingWorkload, DatagenAndRunAgreeOnTheFiles) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> sets = {
      {"unet3d", {"a100", "h100", "b200"}}, {"retinanet", {"b200", "mi355"}}, {"resnet50", {"a100", "h100"}},
      {"cosmoflow", {"a100", "h100"}},      {"dlrm", {"b200", "mi355"}},      {"dlrm_parquet", {"h100"}},
      {"flux", {"b200", "mi355"}}};
  for (const auto& [model, accelerators] : sets) {
    const TrainingWorkload datagen = load_training(model, "");
    EXPECT_TRUE(datagen.generate_data);
    EXPECT_FALSE(datagen.train);
    EXPECT_EQ(datagen.file_name, model + "_datagen");
    for (const std::string& accelerator : accelerators) {
      SCOPED_TRACE(model + "_" + accelerator);
      const DatasetSettings run = load_training(model, accelerator).dataset;
      EXPECT_EQ(run.format, datagen.dataset.format);
      EXPECT_EQ(run.num_samples_per_file, datagen.dataset.num_samples_per_file);
      EXPECT_EQ(run.record_bytes, datagen.dataset.record_bytes);
      EXPECT_EQ(run.record_bytes_stdev, datagen.dataset.record_bytes_stdev);
      if (run.parquet_row_group_given) {
        EXPECT_EQ(run.parquet_row_group_rows, datagen.dataset.parquet_row_group_rows);
      }
      ASSERT_EQ(run.columns.size(), datagen.dataset.columns.size());
      for (size_t i = 0; i < run.columns.size(); ++i) {
        EXPECT_EQ(run.columns[i].name, datagen.dataset.columns[i].name);
        EXPECT_EQ(run.columns[i].type, datagen.dataset.columns[i].type);
        EXPECT_EQ(run.columns[i].elements, datagen.dataset.columns[i].elements);
      }
    }
  }
}

// The other accelerators' files are made with the --params their files name.
TEST(TrainingWorkload, DatagenOfAnotherFormatLeavesTheColumnsBehind) {
  const TrainingWorkload workload = load_training("dlrm", "",
                                                  {{"dataset.format", "npz", ValueSource::kUserParams},
                                                   {"dataset.num_files_train", "65536", ValueSource::kUserParams},
                                                   {"dataset.num_samples_per_file", "1", ValueSource::kUserParams},
                                                   {"dataset.record_length_bytes", "512", ValueSource::kUserParams}});
  EXPECT_THAT(workload.dataset.columns, IsEmpty());
  EXPECT_EQ(workload.dataset.record_bytes, 512);
}

// Section 1.4.
TEST(TrainingWorkload, ColumnsOfDlrm) {
  const DatasetSettings dataset = load_training("dlrm", "b200").dataset;
  ASSERT_EQ(dataset.columns.size(), 200U);
  EXPECT_EQ(dataset.columns.front().name, "feature_000");
  EXPECT_EQ(dataset.columns.back().name, "feature_199");
  std::map<ElementType, int> counts;
  int read = 0;
  for (const Column& column : dataset.columns) {
    ++counts[column.type];
    read += column.read ? 1 : 0;
    EXPECT_EQ(column.elements, 1U);
  }
  EXPECT_EQ(counts[ElementType::kFloat32], 56);
  EXPECT_EQ(counts[ElementType::kFloat16], 50);
  EXPECT_EQ(counts[ElementType::kFloat64], 49);
  EXPECT_EQ(counts[ElementType::kInt8], 45);
  EXPECT_EQ(read, 40);
  EXPECT_EQ(sum_of_bytes(dataset.columns, false), 761);
  EXPECT_EQ(sum_of_bytes(dataset.columns, true), 160);
  EXPECT_EQ(dataset.parquet_row_group_rows, 6144U);
}

// As in DLIO, which doesn't read the flags.
TEST(TrainingWorkload, AllColumnsAreReadUnlessSomeAreNamed) {
  const TrainingWorkload workload = load_training("dlrm", "b200");
  EXPECT_THAT(workload.reader.columns, IsEmpty());
  EXPECT_THAT(workload.notes, Contains(HasSubstr("dataset.parquet.read_mode=row_group has no effect: all columns")));
  EXPECT_EQ(workload.dataset.record_bytes, 761);
  const TrainingWorkload one =
      load_training("dlrm", "b200", {{"storage.storage_options.columns", "feature_000", ValueSource::kUserParams}});
  EXPECT_THAT(one.reader.columns, ElementsAre("feature_000"));
  EXPECT_THAT(load_training("flux", "b200").reader.columns, IsEmpty());
}

// Section 1.5.
TEST(TrainingWorkload, ColumnsOfFluxSayHowLongASampleIs) {
  const TrainingWorkload workload = load_training("flux", "b200");
  ASSERT_EQ(workload.dataset.columns.size(), 5U);
  EXPECT_EQ(workload.dataset.columns[0].name, "t5_encodings");
  EXPECT_EQ(workload.dataset.columns[0].elements, 524328U);
  EXPECT_EQ(workload.dataset.record_bytes, 541208 * 4);
  EXPECT_EQ(workload.dataset.parquet_row_group_rows, 1024U);
  EXPECT_THAT(workload.notes, Contains(HasSubstr("dataset.record_length=2164832 has no effect")));
  EXPECT_THAT(workload.values.at("dataset.parquet.columns").value,
              HasSubstr("[{name: t5_encodings, dtype: float32, size: 524328}, {name: clip_encodings"));
}

TEST(TrainingWorkload, CheckpointsOfUnet3d) {
  const TrainingWorkload workload = load_training("unet3d", "b200");
  EXPECT_EQ(workload.checkpointing.folder, "checkpoints/unet3d");
  EXPECT_EQ(workload.checkpointing.checkpoint_after_epoch, 5U);
  EXPECT_EQ(workload.checkpointing.epochs_between_checkpoints, 2U);
  EXPECT_EQ(workload.checkpointing.model_bytes, 499153191U);
  EXPECT_FALSE(workload.checkpointing.steps_between_checkpoints);
  EXPECT_EQ(load_training("unet3d", "b200", {{"model.model_size_bytes", "77", ValueSource::kUserParams}})
                .checkpointing.model_bytes,
            77U);
  EXPECT_EQ(load_training("retinanet", "b200").checkpointing.model_bytes, 10240U);
}

TEST(TrainingWorkload, ModelsAndTheirAccelerators) {
  EXPECT_THAT(training_models(),
              ElementsAre("unet3d", "retinanet", "resnet50", "cosmoflow", "dlrm", "dlrm_parquet", "flux"));
  EXPECT_THAT(accelerators_of("unet3d"), ElementsAre("a100", "h100", "b200"));
  EXPECT_THAT(accelerators_of("retinanet"), ElementsAre("a100", "h100", "b200", "mi355"));
  EXPECT_THAT(accelerators_of("resnet50"), ElementsAre("a100", "h100"));
  EXPECT_THAT(accelerators_of("dlrm_parquet"), ElementsAre("h100"));
  EXPECT_THAT(accelerators_of("bert"), IsEmpty());
  const auto missing = load_training_workload("unet3d", "mi355", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kConfigFileNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("unet3d on \"mi355\""));
  EXPECT_THAT(missing.error().suggestion, HasSubstr("a100, h100, b200"));
  const auto unknown = load_training_workload("unet3", "b200", {});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kConfigFileNotFound);
  EXPECT_THAT(unknown.error().suggestion, HasSubstr("did you mean unet3d?"));
  EXPECT_FALSE(load_training_workload("../llama3", "8b", {}));
  EXPECT_FALSE(load_training_workload("llama3", "8b", {}));
  EXPECT_FALSE(load_training_workload("unet3d", "datagen/../../x", {}));
}

TEST(TrainingWorkload, EveryEmbeddedFileBelongsToAModel) {
  size_t files = checkpoint_models().size();
  for (const std::string& model : training_models()) {
    files += accelerators_of(model).size() + 1;  // and its datagen
    EXPECT_TRUE(load_training_workload(model, "", {})) << model;
  }
  EXPECT_EQ(embedded_files().size(), files);
}

// Shipped files have no key nobody knows.
TEST(TrainingWorkload, NotesOfShippedFilesNameReasons) {
  for (const std::string& model : training_models()) {
    for (const std::string& accelerator : accelerators_of(model)) {
      EXPECT_THAT(load_training(model, accelerator).warnings, IsEmpty()) << model << accelerator;
    }
  }
  EXPECT_THAT(load_training("unet3d", "b200").notes,
              ElementsAre(HasSubstr("reader.multiprocessing_context=fork has no effect: threads")));
}

}  // namespace
}  // namespace mlps::workloads
