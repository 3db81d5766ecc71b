#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "with_params.hpp"

namespace mlps::workloads {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Kind = TimeDistribution::Kind;

TEST(TrainingParams, ReachTheTypedMembersAndKeepTheirSource) {
  const TrainingWorkload workload = with({{"dataset.num_files_train", "28000"},
                                          {"dataset.num_files_eval", "16"},
                                          {"dataset.num_files_generated", "30000"},
                                          {"dataset.num_subfolders_train", "10"},
                                          {"dataset.num_subfolders_eval", "2"},
                                          {"dataset.file_prefix", "vol"},
                                          {"dataset.record_element_type", "float32"},
                                          {"dataset.listing_validation_interval", "100"},
                                          {"dataset.keep_files", "false"},
                                          {"reader.batch_size_eval", "3"},
                                          {"reader.read_threads", "16"},
                                          {"reader.prefetch_size", "0"},
                                          {"reader.file_shuffle", "random"},
                                          {"reader.sample_shuffle", "off"},
                                          {"reader.odirect", "True"},
                                          {"storage.storage_options.prefetch_window", "128"},
                                          {"train.total_training_steps", "12"},
                                          {"train.seed", "7"},
                                          {"train.seed_change_epoch", "False"},
                                          {"evaluation.eval_after_epoch", "2"},
                                          {"workflow.evaluation", "true"},
                                          {"workflow.checkpoint", "True"},
                                          {"checkpoint.steps_between_checkpoints", "50"},
                                          {"output.metric.exclude_end_steps", "2"},
                                          {"metric.au", "0.5"}});
  EXPECT_EQ(workload.dataset.num_files_train, 28000U);
  EXPECT_EQ(workload.dataset.num_files_eval, 16U);
  EXPECT_EQ(workload.dataset.num_files_generated, 30000U);
  EXPECT_EQ(workload.dataset.num_subfolders_train, 10U);
  EXPECT_EQ(workload.dataset.num_subfolders_eval, 2U);
  EXPECT_EQ(workload.dataset.file_prefix, "vol");
  EXPECT_EQ(workload.dataset.element_type, ElementType::kFloat32);
  EXPECT_EQ(workload.dataset.listing_validation_interval, 100U);
  EXPECT_EQ(workload.reader.batch_size_eval, 3U);
  EXPECT_EQ(workload.reader.read_threads, 16U);
  EXPECT_EQ(workload.reader.prefetch_size, 0U);
  EXPECT_EQ(workload.reader.file_shuffle, Shuffle::kRandom);
  EXPECT_EQ(workload.reader.sample_shuffle, Shuffle::kOff);
  EXPECT_TRUE(workload.reader.odirect);
  EXPECT_EQ(workload.reader.prefetch_window, 128U);
  EXPECT_EQ(workload.training.total_training_steps, 12U);
  EXPECT_EQ(workload.training.seed, 7U);
  EXPECT_FALSE(workload.training.seed_change_epoch);
  EXPECT_EQ(workload.eval.eval_after_epoch, 2U);
  EXPECT_TRUE(workload.evaluation);
  EXPECT_TRUE(workload.checkpoint);
  EXPECT_EQ(workload.checkpointing.steps_between_checkpoints, 50U);
  EXPECT_EQ(workload.metric.exclude_end_steps, 2U);
  EXPECT_EQ(workload.metric.au, 0.5);
  EXPECT_EQ(workload.values.at("reader.odirect").value, "True");
  EXPECT_EQ(workload.values.at("reader.odirect").source, ValueSource::kUserParams);
  EXPECT_EQ(workload.values.at("reader.batch_size").source, ValueSource::kWorkloadFile);
}

TEST(TrainingParams, NoFileLookedUpIsNotTheSameAsNothingSaid) {
  EXPECT_EQ(with({{"dataset.listing_validation_interval", "0"}}).dataset.listing_validation_interval, 0U);
  EXPECT_EQ(with({{"train.epochs", "1"}}).dataset.listing_validation_interval, std::nullopt);
}

TEST(TrainingParams, MinusOneMeansNotGiven) {
  const TrainingWorkload workload =
      with({{"train.total_training_steps", "-1"}, {"checkpoint.steps_between_checkpoints", "-1"}});
  EXPECT_FALSE(workload.training.total_training_steps);
  EXPECT_FALSE(workload.checkpointing.steps_between_checkpoints);
}

// Section 5.7.
TEST(TrainingParams, TimesAsNumberMeanAndStdevOrType) {
  struct Case {
    std::vector<Override> overrides;
    Kind kind;
    double first, second;
  };
  const std::string key = "train.computation_time";
  const std::vector<Case> cases = {
      {user({{"train.computation_time", "0.5"}}), Kind::kConstant, 0.5, 0},
      {user({{"train.computation_time", "0"}}), Kind::kNone, 0, 0},
      {user({{"train.computation_time_stdev", "0.01"}}), Kind::kNormal, 0.162, 0.01},
      {user({{"train.computation_time.mean", "0.3"}}), Kind::kConstant, 0.3, 0},
      {user({{"train.computation_time.mean", "0.3"}, {"train.computation_time.stdev", "0.1"}}), Kind::kNormal, 0.3,
       0.1},
      {user({{"train.computation_time.type", "uniform"},
             {"train.computation_time.min", "0.1"},
             {"train.computation_time.max", "0.2"}}),
       Kind::kUniform, 0.1, 0.2},
      {user({{"train.computation_time.type", "gamma"},
             {"train.computation_time.shape", "2"},
             {"train.computation_time.scale", "0.1"}}),
       Kind::kGamma, 2, 0.1},
      {user({{"train.computation_time.type", "exponential"}, {"train.computation_time.scale", "0.1"}}),
       Kind::kExponential, 0.1, 0},
      {user({{"train.computation_time.type", "poisson"}, {"train.computation_time.lam", "2"}}), Kind::kPoisson, 2, 0},
      // The later form replaces the earlier one.
      {user({{"train.computation_time.mean", "0.3"},
             {"train.computation_time.stdev", "0.1"},
             {"train.computation_time", "0.2"}}),
       Kind::kConstant, 0.2, 0},
  };
  for (const Case& test : cases) {
    const auto workload = load_training_workload("unet3d", "b200", test.overrides);
    ASSERT_TRUE(workload) << render(workload.error());
    const TimeDistribution& time = workload->training.computation_time;
    EXPECT_EQ(time.kind, test.kind);
    EXPECT_EQ(time.first, test.first);
    EXPECT_EQ(time.second, test.second);
  }
  EXPECT_EQ(with({{"evaluation.eval_time", "0.1"}}).eval.eval_time.first, 0.1);
  EXPECT_EQ(with({{"reader.preprocess_time", "0.1"}}).reader.preprocess_time.first, 0.1);
}

TEST(TrainingParams, TimesAsMapsOfAFile) {
  const auto workload = parse_training_workload("own", "",
                                                "train:\n  computation_time: {mean: 0.5, stdev: 0.1}\n"
                                                "evaluation:\n  eval_time:\n    type: uniform\n    min: 1\n    max: 2\n"
                                                "reader:\n  preprocess_time: 0.1\n  preprocess_time_stdev: 0.2\n",
                                                {{"evaluation.eval_time", "3", ValueSource::kUserParams}});
  ASSERT_TRUE(workload) << render(workload.error());
  EXPECT_EQ(workload->training.computation_time.kind, Kind::kNormal);
  EXPECT_EQ(workload->training.computation_time.first, 0.5);
  EXPECT_EQ(workload->training.computation_time.second, 0.1);
  EXPECT_EQ(workload->eval.eval_time.kind, Kind::kConstant) << "the number replaces the map";
  EXPECT_EQ(workload->values.count("evaluation.eval_time.type"), 0U);
  EXPECT_EQ(workload->reader.preprocess_time.second, 0.2);
}

TEST(TrainingParams, TimesThatDontFitAreRefused) {
  EXPECT_THAT(training_refusal_of({{"train.computation_time.type", "uniform"}}).message,
              HasSubstr("needs train.computation_time.min"));
  EXPECT_THAT(training_refusal_of({{"train.computation_time.type", "poisson"},
                                   {"train.computation_time.lam", "1"},
                                   {"train.computation_time.mean", "1"}})
                  .message,
              HasSubstr("train.computation_time.mean doesn't go with"));
  EXPECT_THAT(training_refusal_of({{"train.computation_time.min", "1"}}).message,
              HasSubstr("needs train.computation_time.type"));
  EXPECT_THAT(training_refusal_of({{"train.computation_time.type", "uniform"},
                                   {"train.computation_time.min", "2"},
                                   {"train.computation_time.max", "1"}})
                  .message,
              HasSubstr("less than"));
  EXPECT_THAT(training_refusal_of({{"evaluation.eval_time_stdev", "1"}}).message, HasSubstr("a stdev without a mean"));
  EXPECT_THAT(training_refusal_of({{"train.computation_time", "-1"}}).suggestion, HasSubstr("seconds"));
}

TEST(TrainingParams, ValuesAreCheckedWithTheKeyNamed) {
  const std::vector<std::pair<const char*, const char*>> bad = {
      {"dataset.num_files_train", "0"},
      {"dataset.num_files_train", "many"},
      {"dataset.num_files_train", "99999999999999999999"},
      {"dataset.num_files_train", "1e3"},
      {"dataset.record_length_bytes", "0"},
      {"dataset.record_length_bytes", "nan"},
      {"dataset.record_length_bytes", "inf"},
      {"dataset.record_length_bytes_stdev", "-1"},
      {"dataset.format", "zarr"},
      {"dataset.record_dims", "[1, -1]"},
      {"dataset.record_dims", "[1, 2"},
      {"dataset.record_element_type", "float8"},
      {"dataset.file_prefix", ""},
      {"reader.batch_size", "0"},
      {"reader.file_shuffle", "maybe"},
      {"reader.odirect", "2"},
      {"train.total_training_steps", "0"},
      {"train.total_training_steps", "-2"},
      {"train.epochs", "0"},
      {"metric.au", "90"},
      {"framework", "jax"},
      {"checkpoint.steps_between_checkpoints", "0"},
      {"storage.storage_options.prefetch_window", "0"},
  };
  for (const auto& [key, value] : bad) {
    const Error error = training_refusal_of({{key, value}});
    EXPECT_EQ(error.code, ErrorCode::kConfigInvalid) << key;
    EXPECT_THAT(error.message, HasSubstr(std::string(key) + "=\"" + value + "\"")) << key;
    EXPECT_FALSE(error.suggestion.empty()) << key;
  }
}

TEST(TrainingParams, UnknownKeysAreNamedWithTheNearest) {
  EXPECT_THAT(training_refusal_of({{"reader.read_thread", "4"}}).suggestion, HasSubstr("reader.read_threads"));
  EXPECT_THAT(training_refusal_of({{"batch_size", "4"}}).suggestion, HasSubstr("reader.batch_size"));
  EXPECT_THAT(training_refusal_of({{"storage.storage_options.prefetch_windw", "4"}}).suggestion,
              HasSubstr("storage.storage_options.prefetch_window"));
  EXPECT_THAT(training_refusal_of({{"storage.prefetch_window", "4"}}).suggestion,
              HasSubstr("storage.storage_options.prefetch_window"));
  EXPECT_THAT(training_refusal_of({{"qqqqqqqqqqqqqqqqqqqqqqq", "4"}}).suggestion, HasSubstr("configview"));
}

TEST(TrainingParams, WhatIsntMadeIsSaid) {
  for (const char* format : {"hdf5", "hdf5_opt", "csv", "indexed_binary", "mmap_indexed_binary"}) {
    EXPECT_EQ(training_refusal_of({{"dataset.format", format}}).code, ErrorCode::kNotImplemented) << format;
  }
  const auto datagen = load_training_workload("unet3d", "", user({{"dataset.compression", "gzip"}}));
  ASSERT_FALSE(datagen);
  EXPECT_EQ(datagen.error().code, ErrorCode::kNotImplemented);
  EXPECT_EQ(training_refusal_of({{"dataset.parquet.partition_by", "a"}}).code, ErrorCode::kNotImplemented);
}

TEST(TrainingParams, SettingsThatDontFitTogetherAreRefused) {
  EXPECT_THAT(training_refusal_of({{"dataset.record_dims", "[4,4]"}}).message, HasSubstr("stdev"));
  EXPECT_THAT(training_refusal_of({{"dataset.file_prefix", "../x"}}).message, HasSubstr("file_prefix"));
  EXPECT_THAT(
      training_refusal_of({{"dataset.num_files_train", "9999999999"}, {"dataset.num_samples_per_file", "99999999"}})
          .message,
      HasSubstr("the data set would have"));
}

TEST(TrainingParams, DimsSayHowLongASampleIs) {
  const auto workload = parse_training_workload(
      "own", "", "dataset:\n  format: npy\n  record_dims: [3, 4, 5]\n  record_element_type: float64\n", {});
  ASSERT_TRUE(workload) << render(workload.error());
  EXPECT_THAT(workload->dataset.record_dims, ElementsAre(3, 4, 5));
  EXPECT_EQ(workload->dataset.record_bytes, 480);
}

TEST(TrainingParams, CredentialsStayOutOfResults) {
  const Error error = training_refusal_of({{"storage.storage_options.secret_access_key", "hunter2"}});
  EXPECT_THAT(render(error), HasSubstr("AWS_SECRET_ACCESS_KEY"));
  EXPECT_THAT(render(error), Not(HasSubstr("hunter2")));
}

TEST(TrainingParams, ProjectionNamesColumns) {
  const auto workload =
      load_training_workload("flux", "b200", user({{"storage.storage_options.columns", "mean,logvar"}}));
  ASSERT_TRUE(workload) << render(workload.error());
  EXPECT_THAT(workload->reader.columns, ElementsAre("mean", "logvar"));
  EXPECT_EQ(workload->values.at("storage.storage_options.columns").value, "[mean, logvar]");
  EXPECT_EQ(workload->dataset.record_bytes, 2164832) << "metrics count all columns";
  EXPECT_THAT(training_refusal_of({{"storage.storage_options.columns", "[meam]"}}, "flux").suggestion,
              HasSubstr("did you mean mean?"));
  EXPECT_THAT(training_refusal_of({{"storage.storage_options.columns", "[mean]"}}).message, HasSubstr("parquet only"));
}

// Widths of the columns, not those of the original's datasize (float16 as 4, int16 as 4).
TEST(TrainingParams, ColumnsMayBeGivenAsAnOverride) {
  const auto workload = load_training_workload(
      "flux", "b200",
      user({{"dataset.parquet.columns", "[{name: a, dtype: float16, size: 3}, {name: b}, {name: c, dtype: bool}]"},
            {"dataset.record_length_bytes", "100"}}));
  ASSERT_TRUE(workload) << render(workload.error());
  EXPECT_EQ(workload->dataset.record_bytes, 3 * 2 + 4 + 1);
  EXPECT_THAT(workload->notes, Contains(HasSubstr("a row of the columns has 11 bytes")));
  EXPECT_EQ(
      workload->values.at("dataset.parquet.columns").value,
      "[{name: a, dtype: float16, size: 3}, {name: b, dtype: float32, size: 1}, {name: c, dtype: bool, size: 1}]");
}

TEST(TrainingParams, HostileColumnsAreErrors) {
  for (const char* columns :
       {"x", "[", "{}", "[1]", "[{}]", "[{dtype: int8}]", "[{name: 'a b'}]", "[{name: a, size: 0}]",
        "[{name: a, size: 99999999999999}]", "[{name: a, dtype: string}]", "[{name: a}, {name: a}]",
        "[{name: a, colour: red}]", "[{name: a, read: maybe}]", "[{name: [a]}]", "&x [*x]"}) {
    EXPECT_THAT(training_refusal_of({{"dataset.parquet.columns", columns}}, "flux").message,
                HasSubstr("dataset.parquet.columns"))
        << columns;
  }
}

// Keys that other workloads use.
TEST(TrainingParams, OneThatThisWorkloadDoesNotUseIsAWarning) {
  const std::vector<std::pair<const char*, const char*>> rows = {
      {"checkpoint.epochs_between_checkpoints", "workflow.checkpoint is False"},
      {"evaluation.eval_after_epoch", "workflow.evaluation is False"},
      {"dataset.num_files_eval", "workflow.evaluation is False"},
      {"dataset.parquet.row_group_size", "dataset.format is not parquet"},
      {"reader.write_threads", "--io-workers"},
      {"dataset.keep_files", "no command removes"},
      {"workflow.generate_data", "'datagen' writes"},
      {"reader.data_loader", "one reader"}};
  for (const auto& [key, why] : rows) {
    const std::string name = key;
    const char* value = name == "dataset.keep_files"       ? "False"
                        : name == "workflow.generate_data" ? "True"
                        : name == "reader.data_loader"     ? "dali"
                                                           : "4";
    const auto workload = load_training_workload("unet3d", "b200", user({{key, value}}));
    ASSERT_TRUE(workload) << render(workload.error());
    EXPECT_THAT(workload->warnings, ElementsAre(HasSubstr(why))) << key;
  }
  EXPECT_THAT(with({{"workflow.checkpoint", "True"}, {"checkpoint.epochs_between_checkpoints", "4"}}).warnings,
              ElementsAre());
  const auto columns = load_training_workload("flux", "b200", user({{"dataset.record_length_bytes", "9"}}));
  ASSERT_TRUE(columns);
  EXPECT_THAT(columns->warnings, ElementsAre(HasSubstr("the columns say how long a sample is")));
}

TEST(TrainingParams, OneWithoutEffectIsAWarning) {
  const auto workload = load_training_workload("unet3d", "b200", user({{"dataset.skip_listing", "False"}}));
  ASSERT_TRUE(workload) << render(workload.error());
  EXPECT_THAT(workload->warnings, ElementsAre(HasSubstr("--params dataset.skip_listing=False has no effect: names")));
}

}  // namespace
}  // namespace mlps::workloads
