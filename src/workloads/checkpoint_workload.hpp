#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "workloads/values.hpp"

namespace mlps::workloads {

/// Shape of a transformer, in the names of the workload files.
struct TransformerShape {
  std::string name;  ///< YAML model.name, e.g. "llama_8b"
  uint64_t num_layers = 0;
  uint64_t hidden_size = 0;
  uint64_t ffn_hidden_size = 0;
  uint64_t vocab_size = 0;
  uint64_t num_attention_heads = 0;
  uint64_t num_kv_heads = 0;
  uint32_t model_dtype_bytes = 0;      ///< per element: fp16 -> 2
  uint32_t optimizer_dtype_bytes = 0;  ///< fp32 -> 4
};

struct Parallelism {
  uint32_t tensor = 1;
  uint32_t pipeline = 1;
  uint32_t zero_stage = 0;  ///< 0, 1, 2 or 3
};

/// One checkpointing workload; not changed once loaded. The program uses the typed members. `values` holds the same
/// configuration flattened to dotted keys ("checkpoint.time_between_checkpoints"): every key of the file with the
/// overrides applied, and its source, for configview, dlio_config/ and the metadata.
struct CheckpointWorkload {
  std::string cli_name;   ///< "llama3-8b"; names also the folder below the checkpoint folder
  std::string file_name;  ///< "llama3_8b": of the built-in definition, without ".yaml"
  TransformerShape model;
  Parallelism parallelism;
  uint32_t closed_processes = 0;               ///< ranks that a closed run must have; see ModelRules
  uint32_t gpus_per_dp = 0;                    ///< accelerators of one data-parallel instance; see ModelRules
  std::optional<bool> subset_grid = {};        ///< checkpoint.mode, where given: subset (true) or default
  std::optional<uint32_t> data_parallel = {};  ///< model.parallelism.data, where given and not -1
  uint32_t num_checkpoints_write = 0;
  uint32_t num_checkpoints_read = 0;
  double time_between_checkpoints_s = 0;
  bool fsync = true;
  bool rank_sync = false;  ///< a barrier inside the timed interval
  Values values;
};

/// Returns "llama3-8b", "llama3-70b", "llama3-405b", "llama3-1t", in that order.
std::vector<std::string> checkpoint_models();

/// Loads the embedded definition of `model` and applies `overrides` in order (key, value, source; later wins).
/// Fails with E102 for an unknown model or an illegal key or value; the error names it, the nearest known key and the
/// legal values.
Result<CheckpointWorkload> load_checkpoint_workload(std::string_view model, const std::vector<Override>& overrides);

/// The limits of a model that its workload file does not hold; mlpstorage 3.0 keeps them in its table
/// LLM_ALLOWED_VALUES.
struct ModelRules {
  std::string_view cli_name;
  uint32_t closed_processes = 0;
  uint32_t gpus_per_dp = 0;
};

/// Loads the same from the text of a workload file. Fails with E104 if it is not YAML, E101 and E102 for its keys and
/// values.
Result<CheckpointWorkload> parse_checkpoint_workload(const ModelRules& rules, std::string_view yaml,
                                                     const std::vector<Override>& overrides);

}  // namespace mlps::workloads
