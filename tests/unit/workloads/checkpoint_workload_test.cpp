#include "workloads/checkpoint_workload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workloads/embedded.hpp"

namespace mlps::workloads {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CheckpointWorkload load(std::string_view model, const std::vector<Override>& overrides = {}) {
  auto workload = load_checkpoint_workload(model, overrides);
  if (!workload) {
    ADD_FAILURE() << render(workload.error());
    return {};
  }
  return *workload;
}

Error refusal_of(const std::string& key, const std::string& value) {
  const auto workload = load_checkpoint_workload("llama3-8b", {{key, value, ValueSource::kUserParams}});
  if (workload) {
    ADD_FAILURE() << key << "=" << value << " was accepted";
    return {};
  }
  EXPECT_EQ(workload.error().code, ErrorCode::kConfigInvalid);
  EXPECT_FALSE(workload.error().suggestion.empty());
  return workload.error();
}

TEST(CheckpointWorkload, ModelsInOrder) {
  EXPECT_THAT(checkpoint_models(), ElementsAre("llama3-8b", "llama3-70b", "llama3-405b", "llama3-1t"));
}

TEST(CheckpointWorkload, ShapesOfTheFourModels) {
  struct Row {
    const char* cli_name;
    const char* name;
    uint64_t layers, hidden, ffn, heads, kv_heads;
    uint32_t tensor, pipeline, zero, closed, per_dp;
  };
  const std::vector<Row> rows = {
      {"llama3-8b", "llama_8b", 32, 4096, 14336, 32, 8, 1, 1, 3, 8, 8},
      {"llama3-70b", "llama_70b", 80, 8192, 28672, 128, 8, 8, 1, 3, 64, 8},
      {"llama3-405b", "llama_405b", 126, 16384, 53248, 128, 8, 8, 32, 1, 512, 256},
      {"llama3-1t", "llama_1t", 128, 25872, 98304, 192, 32, 8, 64, 1, 1024, 512},
  };
  for (const Row& row : rows) {
    const CheckpointWorkload workload = load(row.cli_name);
    EXPECT_EQ(workload.cli_name, row.cli_name);
    EXPECT_EQ(workload.model.name, row.name);
    EXPECT_EQ(workload.model.num_layers, row.layers) << row.name;
    EXPECT_EQ(workload.model.hidden_size, row.hidden) << row.name;
    EXPECT_EQ(workload.model.ffn_hidden_size, row.ffn) << row.name;
    EXPECT_EQ(workload.model.vocab_size, 128256U) << row.name;
    EXPECT_EQ(workload.model.num_attention_heads, row.heads) << row.name;
    EXPECT_EQ(workload.model.num_kv_heads, row.kv_heads) << row.name;
    EXPECT_EQ(workload.model.model_dtype_bytes, 2U) << row.name;
    EXPECT_EQ(workload.model.optimizer_dtype_bytes, 4U) << row.name;
    EXPECT_EQ(workload.parallelism.tensor, row.tensor) << row.name;
    EXPECT_EQ(workload.parallelism.pipeline, row.pipeline) << row.name;
    EXPECT_EQ(workload.parallelism.zero_stage, row.zero) << row.name;
    EXPECT_EQ(workload.closed_processes, row.closed) << row.name;
    EXPECT_EQ(workload.gpus_per_dp, row.per_dp) << row.name;
    EXPECT_EQ(workload.num_checkpoints_write, 10U) << row.name;
    EXPECT_EQ(workload.num_checkpoints_read, 10U) << row.name;
    EXPECT_EQ(workload.time_between_checkpoints_s, 5.0) << row.name;
    EXPECT_TRUE(workload.fsync) << row.name;
    EXPECT_FALSE(workload.rank_sync) << row.name;
    EXPECT_FALSE(workload.subset_grid) << row.name;
    EXPECT_FALSE(workload.data_parallel) << row.name;
    EXPECT_EQ(workload.values.at("checkpoint.checkpoint_folder").value, std::string("checkpoints/") + row.name);
    EXPECT_EQ(workload.values.at("framework").value, "pytorch") << row.name;
    EXPECT_EQ(workload.values.at("workflow.generate_data").value, "False") << row.name;
    EXPECT_EQ(workload.values.at("workflow.train").value, "False") << row.name;
    EXPECT_EQ(workload.values.at("workflow.checkpoint").value, "True") << row.name;
    EXPECT_EQ(workload.values.size(), 22U) << row.name;
  }
}

TEST(CheckpointWorkload, OverridesReachTheTypedMembersAndKeepTheirSource) {
  const CheckpointWorkload workload =
      load("llama3-8b", {{"checkpoint.num_checkpoints_write", "2", ValueSource::kTool},
                         {"checkpoint.num_checkpoints_read", "1", ValueSource::kUserParams},
                         {"checkpoint.time_between_checkpoints", "0.25", ValueSource::kUserParams},
                         {"checkpoint.fsync", "false", ValueSource::kUserParams},
                         {"checkpoint.rank_sync", "TRUE", ValueSource::kUserParams},
                         {"checkpoint.mode", "subset", ValueSource::kTool},
                         {"model.parallelism.data", "4", ValueSource::kTool},
                         {"checkpoint.checkpoint_folder", "s3://b/p/llama3-8b", ValueSource::kTool},
                         {"storage.storage_options.uri_scheme", "s3", ValueSource::kTool},
                         {"model.model_datatype", "fp32", ValueSource::kUserParams},
                         {"model.optimizer_datatype", "int8", ValueSource::kUserParams},
                         {"model.num_layers", "16", ValueSource::kUserParams}});
  EXPECT_EQ(workload.num_checkpoints_write, 2U);
  EXPECT_EQ(workload.num_checkpoints_read, 1U);
  EXPECT_EQ(workload.time_between_checkpoints_s, 0.25);
  EXPECT_FALSE(workload.fsync);
  EXPECT_TRUE(workload.rank_sync);
  EXPECT_EQ(workload.subset_grid, true);
  EXPECT_EQ(workload.data_parallel, 4U);
  EXPECT_EQ(workload.model.model_dtype_bytes, 4U);
  EXPECT_EQ(workload.model.optimizer_dtype_bytes, 1U);
  EXPECT_EQ(workload.model.num_layers, 16U);
  EXPECT_EQ(workload.values.at("checkpoint.fsync").value, "False");
  EXPECT_EQ(workload.values.at("checkpoint.fsync").source, ValueSource::kUserParams);
  EXPECT_EQ(workload.values.at("checkpoint.checkpoint_folder").value, "s3://b/p/llama3-8b");
  EXPECT_EQ(workload.values.at("checkpoint.checkpoint_folder").source, ValueSource::kTool);
  EXPECT_EQ(workload.values.at("storage.storage_options.uri_scheme").value, "s3");
  EXPECT_EQ(workload.values.at("model.name").source, ValueSource::kWorkloadFile);
}

TEST(CheckpointWorkload, TheLaterOverrideWins) {
  const CheckpointWorkload workload =
      load("llama3-8b", {{"checkpoint.num_checkpoints_write", "2", ValueSource::kUserParams},
                         {"checkpoint.num_checkpoints_write", "3", ValueSource::kTool}});
  EXPECT_EQ(workload.num_checkpoints_write, 3U);
  EXPECT_EQ(workload.values.at("checkpoint.num_checkpoints_write").source, ValueSource::kTool);
}

TEST(CheckpointWorkload, DataMinusOneIsAutomatic) {
  EXPECT_FALSE(load("llama3-8b", {{"model.parallelism.data", "-1", ValueSource::kUserParams}}).data_parallel);
  EXPECT_EQ(load("llama3-8b", {{"checkpoint.mode", "default", ValueSource::kUserParams}}).subset_grid, false);
}

TEST(CheckpointWorkload, UnknownKeysAreNamedWithTheNearest) {
  const Error close = refusal_of("checkpoint.num_checkpoint_write", "2");
  EXPECT_THAT(close.message, HasSubstr("unknown parameter \"checkpoint.num_checkpoint_write\""));
  EXPECT_THAT(close.suggestion, HasSubstr("checkpoint.num_checkpoints_write"));
  EXPECT_THAT(refusal_of("num_checkpoints_read", "2").suggestion, HasSubstr("checkpoint.num_checkpoints_read"));
  EXPECT_THAT(refusal_of("Checkpoint.Fsync", "True").suggestion, HasSubstr("checkpoint.fsync"));
  EXPECT_THAT(refusal_of("reader.prefetch_window_size", "2").suggestion, HasSubstr("configview"));
  for (const char* of_the_original : {"recovery_rank_shift", "randomize_tensor", "ksm", "type", "streaming"}) {
    const std::string key = std::string("checkpoint.") + of_the_original;
    EXPECT_THAT(refusal_of(key.c_str(), "1").message, HasSubstr("unknown parameter \"" + key))
        << "without effect there";
  }
  EXPECT_THAT(refusal_of("", "2").message, HasSubstr("unknown parameter \"\""));
  EXPECT_THAT(refusal_of("storage.", "2").message, HasSubstr("unknown parameter"));
  EXPECT_THAT(refusal_of("storage.a b", "2").message, HasSubstr("unknown parameter"));
  EXPECT_LT(refusal_of(std::string(1000000, 'x'), "2").message.size(), 300U);
}

TEST(CheckpointWorkload, ValuesAreCheckedWithTheKeyNamed) {
  const std::vector<std::pair<const char*, const char*>> bad = {
      {"checkpoint.num_checkpoints_write", "ten"},
      {"checkpoint.num_checkpoints_write", "-1"},
      {"checkpoint.num_checkpoints_write", "1.5"},
      {"checkpoint.num_checkpoints_write", " 2"},
      {"checkpoint.num_checkpoints_write", ""},
      {"checkpoint.num_checkpoints_write", "99999999999999999999"},
      {"checkpoint.time_between_checkpoints", "-1"},
      {"checkpoint.time_between_checkpoints", "nan"},
      {"checkpoint.time_between_checkpoints", "1e300"},
      {"checkpoint.time_between_checkpoints", "5s"},
      {"checkpoint.fsync", "maybe"},
      {"checkpoint.mode", "half"},
      {"checkpoint.mode", "default|subset"},
      {"checkpoint.checkpoint_folder", ""},
      {"model.parallelism.tensor", "0"},
      {"model.parallelism.data", "0"},
      {"model.parallelism.data", "-2"},
      {"model.parallelism.zero_stage", "4"},
      {"model.model_datatype", "fp8"},
      {"model.type", "resnet"},
      {"model.transformer.hidden_size", "1000000000000"},
      {"workflow.train", "True"},
      {"workflow.checkpoint", "False"},
      {"framework", "tensorflow"},
  };
  for (const auto& [key, value] : bad) {
    EXPECT_THAT(refusal_of(key, value).message, HasSubstr(std::string(key) + "=\"" + value + "\"")) << key;
  }
  EXPECT_THAT(refusal_of("model.model_datatype", "fp8").suggestion, HasSubstr("int8, uint8, fp16, bf16, fp32, fp64"));
  EXPECT_THAT(refusal_of("checkpoint.num_checkpoints_read", "x").suggestion, HasSubstr("from 0 to"));
}

TEST(CheckpointWorkload, HeadsThatDontFitAreRefused) {
  EXPECT_THAT(refusal_of("model.transformer.num_attention_heads", "5000").message, HasSubstr("hidden_size=4096"));
  EXPECT_THAT(refusal_of("model.transformer.num_kv_heads", "64").message, HasSubstr("num_attention_heads=32"));
}

TEST(CheckpointWorkload, UnknownModelsAreNamedWithTheLegalOnes) {
  const auto workload = load_checkpoint_workload("llama3-70", {});
  ASSERT_FALSE(workload);
  EXPECT_EQ(workload.error().code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(workload.error().message, HasSubstr("llama3-70"));
  EXPECT_THAT(workload.error().suggestion, HasSubstr("did you mean llama3-70b?"));
  EXPECT_THAT(workload.error().suggestion, HasSubstr("llama3-8b, llama3-70b, llama3-405b, llama3-1t"));
  EXPECT_FALSE(load_checkpoint_workload("../llama3_8b", {}));
  EXPECT_FALSE(load_checkpoint_workload("", {}));
}

// --- Texts of workload files -----------------------------------------------------------------------------------------

constexpr ModelRules kRules = {"llama3-8b", 8, 8};

ErrorCode code_of(const std::string& yaml, const std::string& expected) {
  const auto workload = parse_checkpoint_workload(kRules, yaml, {});
  if (workload) {
    ADD_FAILURE() << yaml << " was accepted";
    return ErrorCode::kInternal;
  }
  EXPECT_THAT(workload.error().message, HasSubstr(expected));
  return workload.error().code;
}

TEST(WorkloadFile, HostileTextsAreErrors) {
  EXPECT_EQ(code_of("", "not a map"), ErrorCode::kConfigParse);
  EXPECT_EQ(code_of("- a\n- b\n", "not a map"), ErrorCode::kConfigParse);
  EXPECT_EQ(code_of("model: [1, 2\n", "line"), ErrorCode::kConfigParse);
  EXPECT_EQ(code_of("model: *nowhere\n", "line"), ErrorCode::kConfigParse);
  EXPECT_EQ(code_of("model:\n\t name: x\n", "line"), ErrorCode::kConfigParse);
  EXPECT_EQ(code_of("{[a, b]: c}\n", "unknown parameter"), ErrorCode::kConfigInvalid);
  EXPECT_EQ(code_of("checkpoint:\n  fsync: [True]\n", "checkpoint.fsync"), ErrorCode::kConfigInvalid);
  EXPECT_EQ(code_of("checkpoint:\n  fsync:\n", "checkpoint.fsync"), ErrorCode::kConfigInvalid);
  EXPECT_EQ(code_of("framework: pytorch\nframework: pytorch\n", "framework is given twice"), ErrorCode::kConfigInvalid);
  EXPECT_EQ(code_of("checkpoint:\n  fsnyc: True\n", "checkpoint.fsnyc"), ErrorCode::kConfigInvalid);
  EXPECT_EQ(code_of("framework: pytorch\n", "no model.name"), ErrorCode::kConfigMissing);
}

TEST(WorkloadFile, EveryKeyOfTheFileIsNeeded) {
  std::string text;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name == "llama3_8b.yaml") text = file.text;
  }
  ASSERT_TRUE(parse_checkpoint_workload(kRules, text, {}));
  for (const char* key : {"num_layers", "zero_stage", "num_kv_heads", "num_checkpoints_read", "fsync", "framework"}) {
    const size_t at = text.find(std::string(key) + ":");
    ASSERT_NE(at, std::string::npos) << key;
    const size_t line = text.rfind('\n', at) + 1;
    std::string less = text;
    less.erase(line, text.find('\n', at) + 1 - line);
    EXPECT_EQ(code_of(less, key), ErrorCode::kConfigMissing) << key;
  }
}

}  // namespace
}  // namespace mlps::workloads
