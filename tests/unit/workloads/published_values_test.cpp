// Every value of every built-in definition of training, as the suite published it: none more, none less, none else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::workloads {
namespace {

using Table = std::map<std::string, std::string>;

// "key=value key=value ..."
Table table(std::string_view text) {
  Table values;
  for (const std::string& entry : split(text, " \n")) {
    const size_t equals = entry.find('=');
    values[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  return values;
}

constexpr const char* kRun = "workflow.generate_data=False workflow.train=True workflow.checkpoint=False ";
constexpr const char* kTrain = "workflow.generate_data=False workflow.train=True ";  // of v2.0
constexpr const char* kDatagen = "workflow.generate_data=True workflow.train=False workflow.checkpoint=False ";
constexpr const char* kTorch = "framework=pytorch reader.data_loader=pytorch ";
constexpr const char* kFlow = "framework=tensorflow reader.data_loader=tensorflow ";
constexpr const char* kFork = "reader.multiprocessing_context=fork ";
constexpr const char* kShuffled = "reader.file_shuffle=seed reader.sample_shuffle=seed ";

constexpr const char* kUnet3d =
    "model.name=unet3d model.type=cnn model.model_size=499153191 dataset.data_folder=data/unet3d/ dataset.format=npz "
    "dataset.num_samples_per_file=1 dataset.record_length_bytes=146600628 dataset.record_length_bytes_stdev=68341808 "
    "dataset.record_length_bytes_resize=2097152 ";
constexpr const char* kUnet3dRun =
    "reader.batch_size=7 reader.read_threads=4 train.epochs=5 metric.au=0.90 "
    "checkpoint.checkpoint_folder=checkpoints/unet3d checkpoint.checkpoint_after_epoch=5 "
    "checkpoint.epochs_between_checkpoints=2 ";
constexpr const char* kRetinanet =
    "model.name=retinanet model.type=cnn dataset.data_folder=data/retinanet/ dataset.format=jpeg "
    "dataset.num_samples_per_file=1 ";
constexpr const char* kDlrm =
    "model.name=dlrm dataset.data_folder=data/dlrm/ dataset.format=parquet dataset.num_files_train=1024 "
    "dataset.num_samples_per_file=1536000 dataset.record_length_bytes=761 dataset.compression=none "
    "dataset.parquet.row_group_size=6144 ";
constexpr const char* kFlux =
    "model.name=flux dataset.data_folder=data/flux/ dataset.format=parquet dataset.num_files_train=4296 "
    "dataset.num_samples_per_file=288 dataset.record_length=2164832 dataset.compression=none ";
constexpr const char* kResnet50 =
    "model.name=resnet50 model.type=cnn dataset.data_folder=data/resnet50/ dataset.format=tfrecord "
    "dataset.num_files_train=1024 dataset.num_samples_per_file=1251 dataset.record_length_bytes=114660.07 "
    "dataset.record_length_bytes_resize=150528 ";
constexpr const char* kCosmoflow =
    "model.name=cosmoflow dataset.data_folder=data/cosmoflow/ dataset.format=tfrecord dataset.num_files_train=524288 "
    "dataset.num_samples_per_file=1 dataset.record_length_bytes=2828486 dataset.record_length_bytes_stdev=71311 ";

std::string all(std::initializer_list<const char*> parts) {
  std::string text;
  for (const char* part : parts) text += part;
  return text;
}

// In `configs/dlio/workload/` of the suite's tree of July 2026, and of v2.0 where that has no such file.
const std::vector<std::pair<std::string, std::string>>& published() {
  static const std::vector<std::pair<std::string, std::string>> kFiles = {
      {"unet3d_a100", all({kRun, kTorch, kFork, kShuffled, kUnet3d, kUnet3dRun,
                           "dataset.num_files_train=168 train.computation_time=0.636"})},
      {"unet3d_h100", all({kRun, kTorch, kFork, kShuffled, kUnet3d, kUnet3dRun,
                           "dataset.num_files_train=168 train.computation_time=0.323"})},
      {"unet3d_b200", all({kRun, kTorch, kFork, kShuffled, kUnet3d, kUnet3dRun,
                           "dataset.num_files_train=7200 train.computation_time=0.162"})},
      {"unet3d_datagen", all({kDatagen, "framework=pytorch ", kUnet3d, "dataset.num_files_train=168"})},
      {"retinanet_b200", all({kRun, kTorch, kFork, kShuffled, kRetinanet,
                              "dataset.num_files_train=1170301 dataset.record_length_bytes=322957 reader.batch_size=24 "
                              "reader.read_threads=8 train.epochs=8 train.computation_time=0.04755 metric.au=0.85"})},
      {"retinanet_mi355",
       all({kRun, kTorch, kFork, kShuffled, kRetinanet,
            "dataset.num_files_train=1170301 dataset.record_length_bytes=322957 reader.batch_size=36 "
            "reader.read_threads=8 train.epochs=8 train.computation_time=0.071325 metric.au=0.85"})},
      {"retinanet_datagen", all({kDatagen, "framework=pytorch ", kRetinanet,
                                 "dataset.num_files_train=1170301 dataset.record_length_bytes=322957"})},
      {"dlrm_b200", all({kRun, kTorch, kFork, kDlrm,
                         "dataset.parquet.read_mode=row_group reader.file_shuffle=seed reader.batch_size=12288 "
                         "reader.read_threads=0 reader.prefetch_size=0 train.epochs=2 "
                         "train.computation_time=0.000375 metric.au=0.70"})},
      {"dlrm_mi355", all({kRun, kTorch, kFork, kDlrm,
                          "dataset.parquet.read_mode=row_group reader.file_shuffle=seed reader.batch_size=18432 "
                          "reader.read_threads=4 reader.prefetch_size=2 train.epochs=1 "
                          "train.computation_time=0.0005625 metric.au=0.70"})},
      {"dlrm_datagen", all({kDatagen, "framework=pytorch ", kDlrm, "dataset.parquet.use_s3dlio_gen=True"})},
      {"flux_b200", all({kRun, kTorch, kFork, kFlux,
                         "reader.file_shuffle=seed reader.batch_size=48 reader.read_threads=8 train.epochs=1 "
                         "train.computation_time=1.35 metric.au=0.90"})},
      {"flux_mi355", all({kRun, kTorch, kFork, kFlux,
                          "reader.file_shuffle=seed reader.batch_size=72 reader.read_threads=8 train.epochs=1 "
                          "train.computation_time=2.025 metric.au=0.90"})},
      {"flux_datagen", all({kDatagen, "framework=pytorch ", kFlux,
                            "dataset.parquet.row_group_size=48 dataset.parquet.use_s3dlio_gen=True"})},
      {"resnet50_a100", all({kTrain, kFlow, kResnet50,
                             "reader.batch_size=400 reader.read_threads=8 reader.computation_threads=8 "
                             "reader.dont_use_mmap=True train.epochs=5 train.computation_time=0.435 metric.au=0.90"})},
      {"resnet50_h100", all({kTrain, kFlow, kResnet50,
                             "reader.batch_size=400 reader.read_threads=8 reader.computation_threads=8 "
                             "reader.dont_use_mmap=True train.epochs=5 train.computation_time=0.224 metric.au=0.90"})},
      {"resnet50_datagen", all({kDatagen, "framework=tensorflow ", kResnet50})},
      {"cosmoflow_a100", all({kTrain, kFlow, kShuffled, kCosmoflow,
                              "reader.batch_size=1 reader.read_threads=4 reader.shuffle_size=2 train.epochs=5 "
                              "train.computation_time=0.00551 metric.au=0.70"})},
      {"cosmoflow_h100", all({kTrain, kFlow, kShuffled, kCosmoflow,
                              "reader.batch_size=1 reader.read_threads=4 reader.shuffle_size=2 train.epochs=5 "
                              "train.computation_time=0.00350 metric.au=0.70"})},
      {"cosmoflow_datagen", all({kDatagen, "framework=tensorflow ", kCosmoflow})},
  };
  return kFiles;
}

TEST(PublishedValues, AreThoseOfTheBuiltInDefinitions) {
  for (const auto& [name, expected] : published()) {
    const size_t bar = name.rfind('_');
    const std::string accelerator = name.substr(bar + 1) == "datagen" ? "" : name.substr(bar + 1);
    const auto workload = load_training_workload(name.substr(0, bar), accelerator, {});
    ASSERT_TRUE(workload) << name;
    Table values;
    for (const auto& [key, value] : workload->values) {
      if (key != "dataset.parquet.columns") values[key] = value.value;  // tested elsewhere
    }
    EXPECT_EQ(values, table(expected)) << name;
  }
}

}  // namespace
}  // namespace mlps::workloads
