#include <array>

#include "workloads/schema.hpp"

namespace mlps::workloads {
namespace {

constexpr std::string_view kDatatypes = "int8|uint8|fp16|bf16|fp32|fp64";

constexpr std::array<Key, 25> kCheckpointKeys = {{
    {"model.name", Kind::kText},
    {"model.type", Kind::kWord, "transformer"},
    {"model.num_layers", Kind::kCount, {}, 1, 4096},
    {"model.model_datatype", Kind::kWord, kDatatypes},
    {"model.optimizer_datatype", Kind::kWord, kDatatypes},
    {"model.parallelism.tensor", Kind::kCount, {}, 1, 65536},
    {"model.parallelism.pipeline", Kind::kCount, {}, 1, 4096},
    {"model.parallelism.data", Kind::kCountOrMinusOne, "automatic", 1, 65536, false},
    {"model.parallelism.zero_stage", Kind::kCount, {}, 0, 3},
    {"model.transformer.vocab_size", Kind::kCount, {}, 1, 16777216},
    {"model.transformer.hidden_size", Kind::kCount, {}, 1, 262144},
    {"model.transformer.ffn_hidden_size", Kind::kCount, {}, 1, 1048576},
    {"model.transformer.num_attention_heads", Kind::kCount, {}, 1, 262144},
    {"model.transformer.num_kv_heads", Kind::kCount, {}, 1, 262144},
    {"framework", Kind::kWord, "pytorch"},
    // This benchmark runs checkpoints only: any other workflow is refused rather than ignored.
    {"workflow.generate_data", Kind::kWord, "False"},
    {"workflow.train", Kind::kWord, "False"},
    {"workflow.checkpoint", Kind::kWord, "True"},
    {"checkpoint.checkpoint_folder", Kind::kText},
    {"checkpoint.time_between_checkpoints", Kind::kSeconds},
    {"checkpoint.num_checkpoints_write", Kind::kCount, {}, 0, 1000000},
    {"checkpoint.num_checkpoints_read", Kind::kCount, {}, 0, 1000000},
    {"checkpoint.fsync", Kind::kBool},
    {"checkpoint.rank_sync", Kind::kBool, {}, 0, 0, false},
    {"checkpoint.mode", Kind::kWord, "default|subset", 0, 0, false},
}};

}  // namespace

const Schema& checkpoint_schema() {
  static constexpr Schema kSchema(kCheckpointKeys, "storage.", "model, workflow, checkpoint and storage");
  return kSchema;
}

}  // namespace mlps::workloads
