#include "workloads/checkpoint_workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "workloads/schema.hpp"
#include "workloads/value_text.hpp"
#include "workloads/workload_file.hpp"

namespace mlps::workloads {
namespace {

constexpr std::array<ModelRules, 4> kCheckpointModels = {
    {{"llama3-8b", 8, 8}, {"llama3-70b", 64, 8}, {"llama3-405b", 512, 256}, {"llama3-1t", 1024, 512}}};

// Values were checked when they were set, so the conversions below can't fail.
class CheckpointReader {
 public:
  explicit CheckpointReader(const Values& values) : values_(values) {}

  bool has(std::string_view key) const { return values_.count(std::string(key)) != 0; }
  const std::string& text(std::string_view key) const { return values_.at(std::string(key)).value; }
  bool flag(std::string_view key) const { return text(key) == "True"; }

  template <class Number>
  Number number(std::string_view key) const {
    return number_of<Number>(text(key)).value_or(0);
  }

  uint32_t datatype_bytes(std::string_view key) const {
    const std::string& name = text(key);
    if (name == "fp64") return 8;
    if (name == "fp32") return 4;
    return name == "int8" || name == "uint8" ? 1 : 2;
  }

 private:
  const Values& values_;
};

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
  const CheckpointReader read(values);
  CheckpointWorkload workload;
  workload.cli_name = rules.cli_name;
  workload.closed_processes = rules.closed_processes;
  workload.gpus_per_dp = rules.gpus_per_dp;
  TransformerShape& model = workload.model;
  model.name = read.text("model.name");
  model.num_layers = read.number<uint64_t>("model.num_layers");
  model.hidden_size = read.number<uint64_t>("model.transformer.hidden_size");
  model.ffn_hidden_size = read.number<uint64_t>("model.transformer.ffn_hidden_size");
  model.vocab_size = read.number<uint64_t>("model.transformer.vocab_size");
  model.num_attention_heads = read.number<uint64_t>("model.transformer.num_attention_heads");
  model.num_kv_heads = read.number<uint64_t>("model.transformer.num_kv_heads");
  model.model_dtype_bytes = read.datatype_bytes("model.model_datatype");
  model.optimizer_dtype_bytes = read.datatype_bytes("model.optimizer_datatype");
  if (Status good = check_shape(model); !good) return fail(good.error());
  workload.parallelism.tensor = read.number<uint32_t>("model.parallelism.tensor");
  workload.parallelism.pipeline = read.number<uint32_t>("model.parallelism.pipeline");
  workload.parallelism.zero_stage = read.number<uint32_t>("model.parallelism.zero_stage");
  if (read.has("model.parallelism.data") && read.text("model.parallelism.data") != "-1") {
    workload.data_parallel = read.number<uint32_t>("model.parallelism.data");
  }
  if (read.has("checkpoint.mode")) workload.subset_grid = read.text("checkpoint.mode") == "subset";
  workload.num_checkpoints_write = read.number<uint32_t>("checkpoint.num_checkpoints_write");
  workload.num_checkpoints_read = read.number<uint32_t>("checkpoint.num_checkpoints_read");
  workload.time_between_checkpoints_s = read.number<double>("checkpoint.time_between_checkpoints");
  workload.fsync = read.flag("checkpoint.fsync");
  workload.rank_sync = read.has("checkpoint.rank_sync") && read.flag("checkpoint.rank_sync");
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
    const auto nearest = nearest_name(model, checkpoint_models());
    return fail(ErrorCode::kConfigInvalid, fmt::format("unknown model \"{}\"", model.substr(0, 200)), {},
                fmt::format("{}legal are {}", nearest ? "did you mean " + *nearest + "? " : "",
                            join(checkpoint_models(), ", ")));
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
