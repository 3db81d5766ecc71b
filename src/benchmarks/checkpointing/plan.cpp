#include "benchmarks/checkpointing/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/numbers.hpp"

namespace mlps::checkpointing {
namespace {

using workloads::CheckpointWorkload;

// Far above any real run; keeps a slip of the keyboard from building a plan of gigabytes.
constexpr uint32_t kMostProcesses = 65536;

struct Grid {
  GridMode mode = GridMode::kDefault;
  uint32_t data_parallel = 0;
};

struct GridChoice {
  std::optional<Grid> grid;
  std::string reason;  ///< why there is none
};

// Fewer processes than CLOSED asks for means subset, unless checkpoint.mode says otherwise.
GridChoice choose_grid(const CheckpointWorkload& workload, uint32_t processes) {
  const uint64_t model_parallel = uint64_t{workload.parallelism.tensor} * workload.parallelism.pipeline;
  const bool fewer = processes < workload.closed_processes;
  if (workload.subset_grid.value_or(fewer)) {
    uint64_t data = 0;
    if (workload.data_parallel) {
      data = *workload.data_parallel;
    } else if (fewer) {
      data = workload.closed_processes / workload.gpus_per_dp;
    } else {
      return {std::nullopt, "checkpoint.mode=subset needs model.parallelism.data"};
    }
    if (data * model_parallel < processes) {
      return {std::nullopt, fmt::format("the subset's grid has only {} (tensor {} x pipeline {} x data {})",
                                        counted(static_cast<double>(data * model_parallel), "place"),
                                        workload.parallelism.tensor, workload.parallelism.pipeline, data)};
    }
    return {Grid{GridMode::kSubset, static_cast<uint32_t>(data)}, {}};
  }
  if (workload.data_parallel) {
    return {std::nullopt, "model.parallelism.data goes with checkpoint.mode=subset only"};
  }
  if (processes % model_parallel != 0) {
    return {std::nullopt, fmt::format("not a multiple of {} (tensor {} x pipeline {})", model_parallel,
                                      workload.parallelism.tensor, workload.parallelism.pipeline)};
  }
  return {Grid{GridMode::kDefault, static_cast<uint32_t>(processes / model_parallel)}, {}};
}

std::string nearest_process_counts(const CheckpointWorkload& workload, uint32_t processes) {
  std::string text;
  for (uint32_t lower = std::min(processes, kMostProcesses + 1); lower-- > 1;) {
    if (!choose_grid(workload, lower).grid) continue;
    text = fmt::format("{}", lower);
    break;
  }
  for (uint32_t higher = processes + 1; processes < kMostProcesses && higher <= kMostProcesses; ++higher) {
    if (!choose_grid(workload, higher).grid) continue;
    text += fmt::format("{}{}", text.empty() ? "" : " and ", higher);
    break;
  }
  return text.empty() ? "no process count fits these parameters" : "the nearest counts that fit: " + text;
}

Result<Grid> checked_grid(const CheckpointWorkload& workload, uint32_t processes) {
  const GridChoice choice = processes == 0               ? GridChoice{std::nullopt, "at least 1 is needed"}
                            : processes > kMostProcesses ? GridChoice{std::nullopt, "more than this build plans for"}
                                                         : choose_grid(workload, processes);
  if (choice.grid) return *choice.grid;
  return fail(ErrorCode::kConfigInvalid,
              fmt::format("{} {} fit {}: {}", processes, processes == 1 ? "process doesn't" : "processes don't",
                          workload.cli_name, choice.reason),
              {}, nearest_process_counts(workload, processes));
}

Status check_topology(const CheckpointWorkload& workload) {
  const auto& parallelism = workload.parallelism;
  if (workload.model.num_layers < parallelism.pipeline) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("model.num_layers={} is less than model.parallelism.pipeline={}", workload.model.num_layers,
                            parallelism.pipeline),
                {}, "every pipeline stage needs a layer");
  }
  if (parallelism.pipeline > 1 && parallelism.zero_stage == 3) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("model.parallelism.pipeline={} with model.parallelism.zero_stage=3", parallelism.pipeline),
                {}, "ZeRO 3 goes without pipeline parallelism: set pipeline to 1, or zero_stage to 1");
  }
  if (workload.num_checkpoints_write > 0 && workload.num_checkpoints_read > workload.num_checkpoints_write) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{} checkpoints to read, but only {} to write", workload.num_checkpoints_read,
                            workload.num_checkpoints_write),
                {}, "read at most what is written, or write none to read what an earlier run wrote");
  }
  return {};
}

uint64_t parameter_count(const workloads::TransformerShape& m) {
  const uint64_t h = m.hidden_size;
  const uint64_t f = m.ffn_hidden_size;
  const uint64_t dim_kv = h / m.num_attention_heads * m.num_kv_heads;
  const uint64_t layer = h + h * (h + 2 * dim_kv) + h * h + h + 2 * h * f + h * f;
  return 2 * m.vocab_size * h + h + m.num_layers * layer;
}

// Sizes of the tensors of the model, scaled one by one.
class Tensors {
 public:
  Tensors(const CheckpointWorkload& workload, const Grid& grid, double scale)
      : model_(workload.model),
        parallelism_(workload.parallelism),
        data_parallel_(grid.data_parallel),
        shards_(workload.parallelism.zero_stage == 3 ? grid.data_parallel : 1),
        scale_(scale) {}

  // Index 0 is the embedding, L + 1 the head, L + 2 the final norm. Divisions floor one after the other; norms are
  // held by every tensor rank.
  uint64_t layer_bytes(uint64_t index) const {
    const uint64_t h = model_.hidden_size;
    const uint64_t last = model_.num_layers;
    if (index == 0 || index == last + 1) return bytes(split(h * model_.vocab_size));
    if (index == last + 2) return bytes(h / shards_);
    const uint64_t f = model_.ffn_hidden_size;
    const uint64_t dim_kv = h / model_.num_attention_heads * model_.num_kv_heads;
    return 2 * bytes(h / shards_) + bytes(split(h * (h + 2 * dim_kv))) + bytes(split(h * h)) + bytes(split(2 * h * f)) +
           bytes(split(h * f));
  }

  // Three pairs of a shard of the parameters and one of 5h elements.
  uint64_t optimizer_bytes() const {
    const uint64_t model_parallel = uint64_t{parallelism_.tensor} * parallelism_.pipeline;
    const uint64_t ways = parallelism_.zero_stage == 0 ? model_parallel : model_parallel * data_parallel_;
    const uint64_t elements = scaled(parameter_count(model_) / ways) + scaled(5 * model_.hidden_size);
    return 3 * elements * model_.optimizer_dtype_bytes;
  }

 private:
  uint64_t split(uint64_t elements) const { return elements / parallelism_.tensor / shards_; }
  uint64_t bytes(uint64_t elements) const { return scaled(elements) * model_.model_dtype_bytes; }
  uint64_t scaled(uint64_t elements) const {
    if (scale_ == 1.0 || elements == 0) return elements;
    return std::max<uint64_t>(1, static_cast<uint64_t>(static_cast<double>(elements) * scale_));
  }

  const workloads::TransformerShape& model_;
  const workloads::Parallelism& parallelism_;
  uint64_t data_parallel_;
  uint64_t shards_;
  double scale_;
};

// The layers of a pipeline stage, first and one past the last: an even split, the first stages one more; the first
// stage also has the embedding, the last one head and final norm.
std::pair<uint64_t, uint64_t> layers_of(const CheckpointWorkload& workload, uint64_t stage) {
  const uint64_t stages = workload.parallelism.pipeline;
  const uint64_t each = workload.model.num_layers / stages;
  const uint64_t longer = workload.model.num_layers % stages;
  uint64_t first = 1 + stage * each + std::min(stage, longer);
  uint64_t end = first + each + (stage < longer ? 1 : 0);
  if (stage == 0) first = 0;
  if (stage == stages - 1) end += 2;
  return {first, end};
}

// Objects without a byte are not written, as in DLIO.
void add_object(RankPlan& rank, std::string name, uint64_t size_bytes) {
  if (size_bytes > 0) rank.objects.push_back({std::move(name), size_bytes});
}

void add_model_objects(RankPlan& rank, const CheckpointWorkload& workload, const Tensors& tensors, uint32_t place) {
  const uint32_t zero = workload.parallelism.zero_stage;
  if (zero != 3 && rank.data_rank != 0) return;
  const auto [first, end] = layers_of(workload, rank.pipeline_rank);
  const bool per_layer = (zero == 1 || zero == 2) && workload.parallelism.pipeline > 1;
  for (uint64_t layer = first; layer < end; ++layer) {
    const uint64_t size = tensors.layer_bytes(layer);
    rank.model_bytes += size;
    if (per_layer) add_object(rank, fmt::format("layer_{}-model_{}_model_states.pt", layer, place), size);
  }
  if (per_layer) return;
  add_object(rank,
             zero == 1 || zero == 2 ? fmt::format("model_{}_model_states.pt", place)
                                    : fmt::format("zero_pp_rank_{}_mp_rank_{}_model_states.pt", rank.data_rank, place),
             rank.model_bytes);
}

RankPlan plan_rank(uint32_t index, const CheckpointWorkload& workload, const Tensors& tensors) {
  const auto& parallelism = workload.parallelism;
  const uint64_t model_parallel = uint64_t{parallelism.tensor} * parallelism.pipeline;
  const auto place = static_cast<uint32_t>(index % model_parallel);
  RankPlan rank;
  rank.rank = index;
  rank.tensor_rank = index % parallelism.tensor;
  rank.pipeline_rank = index / parallelism.tensor % parallelism.pipeline;
  rank.data_rank = static_cast<uint32_t>(index / model_parallel);
  add_model_objects(rank, workload, tensors, place);
  if (parallelism.zero_stage != 0 || rank.data_rank == 0) {
    rank.optimizer_bytes = tensors.optimizer_bytes();
    add_object(rank, fmt::format("zero_pp_rank_{}_mp_rank_{}_optim_states.pt", rank.data_rank, place),
               rank.optimizer_bytes);
  }
  return rank;
}

}  // namespace

Result<CheckpointPlan> make_plan(const CheckpointWorkload& workload, const PlanOptions& options) {
  if (!(options.size_scale > 0 && options.size_scale <= kMostSizeScale)) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("--size-scale {} is not legal", options.size_scale), {},
                fmt::format("give a number above 0 and up to {}", kMostSizeScale));
  }
  if (Status good = check_topology(workload); !good) return fail(good.error());
  const auto grid = checked_grid(workload, options.processes);
  if (!grid) return fail(grid.error());

  CheckpointPlan plan;
  plan.model = workload.cli_name;
  plan.grid = grid->mode;
  plan.processes = options.processes;
  plan.data_parallel = grid->data_parallel;
  plan.parameters = parameter_count(workload.model);
  plan.size_scale = options.size_scale;
  plan.checkpoints_to_write = workload.num_checkpoints_write;
  plan.checkpoints_to_read = workload.num_checkpoints_read;
  plan.pause_seconds = workload.time_between_checkpoints_s;
  plan.rank_sync = workload.rank_sync;
  const Tensors tensors(workload, *grid, options.size_scale);
  plan.ranks.reserve(options.processes);
  for (uint32_t rank = 0; rank < options.processes; ++rank) {
    plan.ranks.push_back(plan_rank(rank, workload, tensors));
    plan.model_bytes += plan.ranks.back().model_bytes;
    plan.optimizer_bytes += plan.ranks.back().optimizer_bytes;
    plan.objects_per_checkpoint += plan.ranks.back().objects.size();
  }
  uint64_t all = 0;
  const uint32_t most = std::max(plan.checkpoints_to_write, plan.checkpoints_to_read);
  if (__builtin_mul_overflow(plan.checkpoint_bytes(), uint64_t{most}, &all)) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{} checkpoints of {} bytes are more than can be counted", most, plan.checkpoint_bytes()),
                {}, "ask for fewer checkpoints");
  }
  return plan;
}

CheckpointPlan share_of(const CheckpointPlan& plan, uint32_t first, uint32_t count) {
  CheckpointPlan share = plan;
  share.ranks.assign(plan.ranks.begin() + first, plan.ranks.begin() + first + count);
  share.model_bytes = share.optimizer_bytes = share.objects_per_checkpoint = 0;
  for (const RankPlan& rank : share.ranks) {
    share.model_bytes += rank.model_bytes;
    share.optimizer_bytes += rank.optimizer_bytes;
    share.objects_per_checkpoint += rank.objects.size();
  }
  return share;
}

std::string step_folder(uint32_t checkpoint) {
  return fmt::format("global_epoch1_step{}", checkpoint);
}

std::string object_name(uint32_t checkpoint, const PlannedObject& object) {
  return fmt::format("{}/{}", step_folder(checkpoint), object.name);
}

std::string payload_name(const CheckpointPlan& plan, uint32_t checkpoint, const PlannedObject& object) {
  return fmt::format("{}/{}", plan.model, object_name(checkpoint, object));
}

}  // namespace mlps::checkpointing
