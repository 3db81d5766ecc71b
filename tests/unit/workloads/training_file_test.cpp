#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "with_params.hpp"

namespace mlps::workloads {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Kind = TimeDistribution::Kind;

ErrorCode code_of_training(const std::string& yaml) {
  const auto workload = parse_training_workload("own", "", yaml, {});
  if (workload) {
    ADD_FAILURE() << yaml << " was accepted";
    return ErrorCode::kInternal;
  }
  return workload.error().code;
}

TEST(TrainingFile, HostileTextsAreErrors) {
  EXPECT_EQ(code_of_training(""), ErrorCode::kConfigParse);
  EXPECT_EQ(code_of_training("- a\n"), ErrorCode::kConfigParse);
  EXPECT_EQ(code_of_training("reader: [1, 2\n"), ErrorCode::kConfigParse);
  EXPECT_EQ(code_of_training("reader: &r\n  a: *r\n"), ErrorCode::kConfigInvalid) << "an alias to itself";
  EXPECT_EQ(code_of_training("reader:\n  batch_size: [1]\n"), ErrorCode::kConfigInvalid);
  EXPECT_EQ(code_of_training("reader:\n  batch_size: 1\n  batch_size: 2\n"), ErrorCode::kConfigInvalid);
  EXPECT_EQ(code_of_training(std::string(100'000, '[')), ErrorCode::kConfigParse);
  std::string laughs = "a: &a {x: 1}\n";
  for (char level = 'b'; level < 'j'; ++level) {
    laughs += std::string(1, level) + ": &" + level + " {";
    for (char i = '0'; i <= '9'; ++i) laughs += std::string(i == '0' ? "" : ", ") + i + ": *" + char(level - 1);
    laughs += "}\n";
  }
  EXPECT_EQ(code_of_training(laughs), ErrorCode::kConfigInvalid);
}

TEST(TrainingFile, UnknownKeysAreNotedAndNullIsNotGiven) {
  const auto workload = parse_training_workload(
      "own", "", "reader:\n  batch_size: 4\n  transfer_size:\n  colour: red\nnews: {a: [1]}\n", {});
  ASSERT_TRUE(workload) << render(workload.error());
  EXPECT_EQ(workload->reader.batch_size, 4U);
  EXPECT_EQ(workload->values.count("reader.transfer_size"), 0U);
  EXPECT_THAT(workload->warnings, ElementsAre(HasSubstr("reader.colour is unknown"), HasSubstr("news.a is unknown")));
}

// What Hydra writes into dlio_config/config.yaml, and what stands beside.
TEST(TrainingFile, TheLevelOfAComposedConfigurationIsUnwrapped) {
  const char* sections = "dataset: {format: npz, num_files_train: 168}, reader: {batch_size: 7}";
  const auto wrapped =
      parse_training_workload("own", "", std::string("workload: {") + sections + "}\nother: {x: 1}\n", {});
  ASSERT_TRUE(wrapped) << render(wrapped.error());
  EXPECT_EQ(wrapped->dataset.format, DataFormat::kNpz);
  EXPECT_EQ(wrapped->dataset.num_files_train, 168U);
  EXPECT_EQ(wrapped->reader.batch_size, 7U);
  EXPECT_THAT(wrapped->warnings, ElementsAre(HasSubstr("other is unknown")));
}

TEST(TrainingFile, WithoutAnyKnownKeyIsAnError) {
  for (const char* text : {"{}", "workload: {}", "batchsize: 7\nepochs: 5\n", "benchmark: {dataset: {format: npz}}"}) {
    EXPECT_EQ(code_of_training(text), ErrorCode::kConfigParse) << text;
  }
  const auto flat = parse_training_workload("own", "", "batch_size: 7\n", {});
  ASSERT_FALSE(flat);
  EXPECT_THAT(flat.error().details, HasSubstr("the first is batch_size"));
  EXPECT_THAT(flat.error().suggestion, HasSubstr("did you mean reader.batch_size?"));
}

TEST(TrainingFile, AnUnknownKeyIsAWarningWithTheNearestName) {
  const auto workload =
      parse_training_workload("own", "", "reader: {batch_size: 2, batchsize: 7, prefetch_sise: 1}\n", {});
  ASSERT_TRUE(workload) << render(workload.error());
  EXPECT_THAT(workload->warnings, ElementsAre(HasSubstr("reader.batchsize is unknown and has no effect: did you mean "
                                                        "reader.batch_size?"),
                                              HasSubstr("did you mean reader.prefetch_size?")));
}

TEST(TrainingFile, ValuesThatNothingUsesAreNoReasonToRefuse) {
  const auto workload = parse_training_workload(
      "own", "",
      "dataset: {format: parquet, num_samples_per_file: 10, compression: gzip, data_gen_method: [1, 2],\n"
      "          parquet: {read_mode: default, columns: [{name: a}]}}\n"
      "reader: {transfer_size: none, shuffle_size: many, batch_size_eval: 0, odirect: 1, read_type: x}\n"
      "evaluation: {eval_time: 0.0, epochs_between_evals: 0, eval_after_epoch: 0}\n"
      "checkpoint: {epochs_between_checkpoints: 0}\n",
      {});
  ASSERT_TRUE(workload) << render(workload.error());
  EXPECT_TRUE(workload->reader.odirect);
  EXPECT_THAT(workload->warnings, Contains(HasSubstr("dataset.compression=gzip has no effect on a run")));
  EXPECT_THAT(workload->warnings,
              Contains(HasSubstr("dataset.data_gen_method (there is one generator); dataset.parquet.read_mode (all")));
  // Used, they are.
  for (const char* text : {"evaluation: {epochs_between_evals: 0}\nworkflow: {evaluation: yes}\n",
                           "reader: {batch_size_eval: 0}\nworkflow: {evaluation: on}\n",
                           "checkpoint: {checkpoint_after_epoch: 0}\nworkflow: {checkpoint: 1}\n",
                           "dataset: {compression: gzip}\nworkflow: {train: no, generate_data: yes}\n"}) {
    EXPECT_FALSE(parse_training_workload("own", "", text, {})) << text;
  }
}

TEST(TrainingFile, AnOldRecordLengthIsToldFromTheRightOne) {
  const auto old = parse_training_workload("own", "", "dataset: {format: npz, record_length: 1000}\n", {});
  ASSERT_TRUE(old) << render(old.error());
  EXPECT_EQ(old->dataset.record_bytes, 65536);
  EXPECT_THAT(old->warnings,
              Contains(HasSubstr("DLIO's default of 65536 bytes; the key is dataset.record_length_bytes")));
}

TEST(TrainingFile, AllFaultsAreReportedTogether) {
  const auto file =
      parse_training_workload("own", "", "reader: {batch_size: 0, read_threads: many}\ntrain: {epochs: 0}\n", {});
  ASSERT_FALSE(file);
  for (const char* fault :
       {"3 faults", "workload file: reader.batch_size=\"0\"", "reader.read_threads=\"many\"", "train.epochs"}) {
    EXPECT_THAT(file.error().message, HasSubstr(fault));
  }
  const Error params =
      training_refusal_of({{"train.epochs", "0"}, {"reader.foo", "3"}, {"dataset.num_files_train", "abc"}});
  EXPECT_EQ(params.code, ErrorCode::kConfigInvalid);
  for (const char* fault : {"train.epochs", "\"reader.foo\"", "dataset.num_files_train=\"abc\""}) {
    EXPECT_THAT(params.message, HasSubstr(fault));
  }
}

// Defaults of section 1.7.
TEST(TrainingFile, DefaultsAreTheOriginals) {
  const auto workload = parse_training_workload("own", "", "model: {name: x}\n", {});
  ASSERT_TRUE(workload) << render(workload.error());
  EXPECT_EQ(workload->framework, "tensorflow");
  EXPECT_TRUE(workload->train);
  EXPECT_FALSE(workload->generate_data);
  EXPECT_EQ(workload->dataset.format, DataFormat::kTfrecord);
  EXPECT_EQ(workload->dataset.num_files_train, 8U);
  EXPECT_EQ(workload->dataset.record_bytes, 65536);
  EXPECT_EQ(workload->reader.file_shuffle, Shuffle::kOff);
  EXPECT_EQ(workload->training.epochs, 1U);
  EXPECT_EQ(workload->training.seed, 123U);
  EXPECT_EQ(workload->training.computation_time.kind, Kind::kNone);
  EXPECT_EQ(workload->checkpointing.model_bytes, 10240U);
  EXPECT_EQ(workload->metric.au, 0.9);
}

TEST(TrainingRules, VerdictsOfTheParameters) {
  const std::vector<std::pair<const char*, ParamVerdict>> rows = {
      {"dataset.num_files_train", ParamVerdict::kClosed},
      {"dataset.num_subfolders_train", ParamVerdict::kClosed},
      {"dataset.data_folder", ParamVerdict::kClosed},
      {"reader.read_threads", ParamVerdict::kClosed},
      {"reader.computation_threads", ParamVerdict::kClosed},
      {"reader.transfer_size", ParamVerdict::kClosed},
      {"reader.prefetch_size", ParamVerdict::kClosed},
      {"reader.odirect", ParamVerdict::kClosed},
      {"storage.storage_type", ParamVerdict::kClosed},
      {"storage.storage_root", ParamVerdict::kClosed},
      {"storage.storage_options.prefetch_window", ParamVerdict::kClosed},
      {"checkpoint.checkpoint_folder", ParamVerdict::kClosed},
      {"framework", ParamVerdict::kOpen},
      {"dataset.format", ParamVerdict::kOpen},
      {"dataset.num_samples_per_file", ParamVerdict::kOpen},
      {"reader.data_loader", ParamVerdict::kOpen},
      {"dataset.skip_listing", ParamVerdict::kIgnored},
      {"dataset.listing_validation_interval", ParamVerdict::kIgnored},
      {"dataset.num_files_generated", ParamVerdict::kIgnored},
      {"dataset.total_disk_bytes", ParamVerdict::kIgnored},
      {"storage.storage_options.storage_library", ParamVerdict::kIgnored},
      {"storage.storage_options.uri_scheme", ParamVerdict::kIgnored},
      {"storage.s3_force_path_style", ParamVerdict::kIgnored},
      {"workflow.checkpoint", ParamVerdict::kIgnored},
      {"reader.batch_size", ParamVerdict::kInvalid},
      {"train.epochs", ParamVerdict::kInvalid},
      {"train.computation_time", ParamVerdict::kInvalid},
      {"storage.storage_library", ParamVerdict::kInvalid},
  };
  for (const auto& [key, verdict] : rows) {
    const auto findings = judge_params("unet3d", user({{key, "1"}}));
    ASSERT_EQ(findings.size(), 1U) << key;
    EXPECT_EQ(findings[0].key, key);
    EXPECT_EQ(findings[0].verdict, verdict) << key;
    EXPECT_FALSE(findings[0].reason.empty()) << key;
  }
}

TEST(TrainingRules, OdirectIsForUnet3dOnly) {
  EXPECT_EQ(judge_params("retinanet", user({{"reader.odirect", "True"}}))[0].verdict, ParamVerdict::kInvalid);
}

TEST(TrainingRules, KeysOneLevelTooHighAreRecognised) {
  for (const char* last : {"storage_library", "uri_scheme", "prefetch_window"}) {
    const std::string key = std::string("storage.") + last;
    const auto findings = judge_params("unet3d", user({{key.c_str(), "1"}}));
    EXPECT_EQ(findings[0].verdict, ParamVerdict::kInvalid);
    EXPECT_THAT(findings[0].reason, HasSubstr(std::string("did you mean storage.storage_options.") + last));
  }
}

TEST(TrainingRules, OnlyWhatTheUserGaveIsJudgedAndInOrder) {
  const auto findings = judge_params("unet3d", {{"train.epochs", "1", ValueSource::kTool},
                                                {"train.epochs", "2", ValueSource::kUserParams},
                                                {"framework", "pytorch", ValueSource::kUserParams}});
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].key, "train.epochs");
  EXPECT_EQ(findings[1].key, "framework");
  EXPECT_THAT(judge_params("unet3d", {}), IsEmpty());
}

TEST(TrainingFile, ASectionThatIsAValueIsAnErrorAndAnEmptyOneHasNoKeys) {
  const auto value = parse_training_workload("own", "", "dataset: {format: npz}\nreader: 5\ntrain: [1]\n", {});
  ASSERT_FALSE(value);
  EXPECT_THAT(value.error().message, HasSubstr("reader is a section of keys, not a value"));
  EXPECT_THAT(value.error().message, HasSubstr("train is a section"));
  const auto empty = parse_training_workload("own", "", "dataset: {format: npz}\nreader:\n", {});
  ASSERT_TRUE(empty) << render(empty.error());
  for (const std::string& warning : empty->warnings) EXPECT_EQ(warning.find("reader is unknown"), std::string::npos);
}

TEST(TrainingFile, ASecondDocumentIsNotLeftOutInSilence) {
  const auto two = parse_training_workload("own", "", "reader: {batch_size: 2}\n---\nreader: {batch_size: 3}\n", {});
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().code, ErrorCode::kConfigParse);
  EXPECT_TRUE(parse_training_workload("own", "", "---\nreader: {batch_size: 2}\n...\n", {}));
}

TEST(TrainingFile, ARefusalDoesNotHideUnknownKeys) {
  const std::vector<Override> wrong = {{"train.epochs", "0", ValueSource::kUserParams}};
  const std::vector<Override> none;
  for (const auto& [text, overrides] : {std::pair{"reader: {batch_size: 2}\nmetrc: {au: 0.9}\n", wrong},
                                        std::pair{"reader: {batch_size: -2}\nmetrc: {au: 0.9}\n", none}}) {
    const auto refused = parse_training_workload("own", "", text, overrides);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().details, HasSubstr("metrc.au is unknown"));
    EXPECT_THAT(refused.error().details, HasSubstr("metric.au"));
  }
}

}  // namespace
}  // namespace mlps::workloads
