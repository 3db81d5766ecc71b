#include "workloads/checkpoint_workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "workloads/schema.hpp"
#include "workloads/value_reader.hpp"
#include "workloads/workload_file.hpp"

namespace mlps::workloads {
namespace {

constexpr std::array<ModelRules, 4> kCheckpointModels = {
    {{"llama3-8b", 8, 8}, {"llama3-70b", 64, 8}, {"llama3-405b", 512, 256}, {"llama3-1t", 1024, 512}}};

void read_datatype(const ValueReader& read, const std::string& key, uint32_t& bytes) {
  std::string name;
  read.text(key, name);
  bytes = name == "fp64" ? 8 : name == "fp32" ? 4 : name == "int8" || name == "uint8" ? 1 : 2;
}

Status check_shape(const TransformerShape& shape) {
  if (shape.num_attention_heads > shape.hidden_size) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("model.transformer.num_attention_heads={} exceeds model.transformer.hidden_size={}",
                            shape.num_attention_heads, shape.hidden_size),
                {}, "a head needs at least one element");
  }
  if (shape.num_kv_heads > shape.num_attention_heads) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("model.transformer.num_kv_heads={} exceeds model.transformer.num_attention_heads={}",
                            shape.num_kv_heads, shape.num_attention_heads),
                {}, "several attention heads share one key-value head, never the other way round");
  }
  return {};
}

Result<CheckpointWorkload> build(const ModelRules& rules, Values values) {
  for (const Key& key : checkpoint_schema().keys()) {
    if (key.required && values.count(std::string(key.name)) == 0) {
      return fail(ErrorCode::kConfigMissing, fmt::format("workload file of {}: no {}", rules.cli_name, key.name));
    }
  }
  const ValueReader read(values);
  CheckpointWorkload workload;
  workload.cli_name = rules.cli_name;
  workload.closed_processes = rules.closed_processes;
  workload.gpus_per_dp = rules.gpus_per_dp;
  TransformerShape& model = workload.model;
  read.text("model.name", model.name);
  read.number("model.num_layers", model.num_layers);
  read.number("model.transformer.hidden_size", model.hidden_size);
  read.number("model.transformer.ffn_hidden_size", model.ffn_hidden_size);
  read.number("model.transformer.vocab_size", model.vocab_size);
  read.number("model.transformer.num_attention_heads", model.num_attention_heads);
  read.number("model.transformer.num_kv_heads", model.num_kv_heads);
  read_datatype(read, "model.model_datatype", model.model_dtype_bytes);
  read_datatype(read, "model.optimizer_datatype", model.optimizer_dtype_bytes);
  if (Status good = check_shape(model); !good) return fail(good.error());
  read.number("model.parallelism.tensor", workload.parallelism.tensor);
  read.number("model.parallelism.pipeline", workload.parallelism.pipeline);
  read.number("model.parallelism.zero_stage", workload.parallelism.zero_stage);
  read.optional("model.parallelism.data", workload.data_parallel);
  if (const std::string* mode = read.find("checkpoint.mode")) workload.subset_grid = *mode == "subset";
  read.number("checkpoint.num_checkpoints_write", workload.num_checkpoints_write);
  read.number("checkpoint.num_checkpoints_read", workload.num_checkpoints_read);
  read.number("checkpoint.time_between_checkpoints", workload.time_between_checkpoints_s);
  read.flag("checkpoint.fsync", workload.fsync);
  read.flag("checkpoint.rank_sync", workload.rank_sync);
  workload.values = std::move(values);
  return workload;
}

}  // namespace

std::vector<std::string> checkpoint_models() {
  std::vector<std::string> names;
  names.reserve(kCheckpointModels.size());
  for (const ModelRules& model : kCheckpointModels) names.emplace_back(model.cli_name);
  return names;
}

Result<CheckpointWorkload> parse_checkpoint_workload(const ModelRules& rules, std::string_view yaml,
                                                     const std::vector<Override>& overrides) {
  auto file = read_workload_file(yaml, checkpoint_schema(), UnknownKeys::kRefused);
  if (!file) return fail(file.error());
  for (const Override& change : overrides) {
    auto value = checkpoint_schema().checked_value(change.key, change.value);
    if (!value) return fail(value.error());
    file->values[change.key] = SourcedValue{std::move(*value), change.source};
  }
  return build(rules, std::move(file->values));
}

Result<CheckpointWorkload> load_checkpoint_workload(std::string_view model, const std::vector<Override>& overrides) {
  const auto rules = std::find_if(kCheckpointModels.begin(), kCheckpointModels.end(),
                                  [&](const ModelRules& known) { return known.cli_name == model; });
  if (rules == kCheckpointModels.end()) {
    return fail(
        ErrorCode::kConfigInvalid, fmt::format("unknown model \"{}\"", model.substr(0, 200)), {},
        fmt::format("{}legal are {}", did_you_mean(model, checkpoint_models()), join(checkpoint_models(), ", ")));
  }
  std::string file_name(model);
  std::replace(file_name.begin(), file_name.end(), '-', '_');
  const auto text = embedded_text(file_name + ".yaml");
  if (!text) return fail(text.error());
  auto workload = parse_checkpoint_workload(*rules, *text, overrides);
  if (workload) workload->file_name = std::move(file_name);
  return workload;
}

}  // namespace mlps::workloads
