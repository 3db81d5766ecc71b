#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.hpp"
#include "base/units.hpp"
#include "benchmarks/checkpointing/results/record_parts.hpp"
#include "benchmarks/checkpointing/results/views.hpp"
#include "results/redact.hpp"
#include "results/text_table.hpp"

namespace mlps::results {
namespace {

using checkpointing::CheckpointPlan;
using checkpointing::IoPlan;
using checkpointing::PlannedObject;
using checkpointing::RankPlan;

constexpr size_t kLabelWidth = 12;
constexpr size_t kMostClasses = 16;  // no legal grid of the four models has more; odd ones are cut, and say so

std::string exact(uint64_t bytes) {
  return bytes < kKiB ? fmt::format("{} bytes", bytes)
                      : fmt::format("{} bytes ({})", grouped(bytes), human_bytes(bytes));
}

// Neighbouring ranks that write the same amounts.
struct RankClass {
  const RankPlan* first = nullptr;
  uint32_t last_rank = 0;
};

bool same_shape(const RankPlan& a, const RankPlan& b) {
  return a.model_bytes == b.model_bytes && a.optimizer_bytes == b.optimizer_bytes &&
         a.objects.size() == b.objects.size();
}

std::vector<RankClass> rank_classes(const CheckpointPlan& plan) {
  std::vector<RankClass> classes;
  for (const RankPlan& rank : plan.ranks) {
    if (classes.empty() || !same_shape(*classes.back().first, rank)) classes.push_back({&rank, rank.rank});
    classes.back().last_rank = rank.rank;
  }
  return classes;
}

std::string layers_text(const RankPlan& rank) {
  const auto layers = std::count_if(rank.objects.begin(), rank.objects.end(),
                                    [](const PlannedObject& object) { return object.name.starts_with("layer_"); });
  if (layers > 0) return counted(static_cast<uint64_t>(layers), "layer");
  return rank.model_bytes > 0 ? "all layers" : "no layers";
}

std::string rank_rows(const CheckpointPlan& plan) {
  const std::vector<RankClass> classes = rank_classes(plan);
  std::vector<std::vector<std::string>> rows = {
      {"ranks", "count", "layers", "objects", "model bytes", "optimizer bytes", "bytes per rank", "size"}};
  for (const RankClass& group : classes) {
    if (rows.size() > kMostClasses) break;
    const RankPlan& rank = *group.first;
    const uint32_t count = group.last_rank - rank.rank + 1;
    rows.push_back({count == 1 ? fmt::format("{}", rank.rank) : fmt::format("{}-{}", rank.rank, group.last_rank),
                    grouped(count), layers_text(rank), grouped(rank.objects.size()), grouped(rank.model_bytes),
                    grouped(rank.optimizer_bytes), grouped(rank.total_bytes()), human_bytes(rank.total_bytes())});
  }
  std::string text = aligned_rows(rows, 4);
  if (classes.size() > kMostClasses) {
    text +=
        fmt::format("    ... and {} more groups of ranks; --json lists every rank\n", classes.size() - kMostClasses);
  }
  return text;
}

std::string grid_text(const workloads::CheckpointWorkload& workload, const CheckpointPlan& plan) {
  const workloads::Parallelism& grid = workload.parallelism;
  std::string text = fmt::format("{}, TP {} x PP {} x DP {}, ZeRO {}", counted(plan.processes, "process", "processes"),
                                 grid.tensor, grid.pipeline, plan.data_parallel, grid.zero_stage);
  if (plan.grid == checkpointing::GridMode::kSubset) {
    text += fmt::format("; subset: {} of {}", counted(plan.processes, "rank"), workload.closed_processes);
  }
  return text;
}

std::string memory_text(const IoPlan& io) {
  std::string text = fmt::format("{} x depth {} x part {} = {}", counted(io.workers, "worker"), io.depth,
                                 human_bytes(io.part_bytes), human_bytes(io.buffer_bytes()));
  if (io.budget_bytes > 0) text += fmt::format(" of I/O buffers (limit {})", human_bytes(io.budget_bytes));
  return text;
}

void add_details(const PlanDetails& details, LabelledLines& lines) {
  if (!details.location.empty()) lines.add("location", without_secrets(std::string_view(details.location)));
  if (details.payload) {
    std::string text = payload_mode_name(*details.payload);
    if (details.verify) text += *details.verify ? ", every byte read is verified" : ", not verified on reading";
    lines.add("payload", text);
  }
  for (const auto& [name, value] : details.store_settings) lines.add(name, masked_value(name, value));
  if (!details.injected_fault.empty()) lines.add("fault", details.injected_fault);
}

std::string phase_text(uint32_t checkpoints, uint64_t bytes) {
  return checkpoints == 0 ? "nothing" : counted(checkpoints, "checkpoint") + ", " + exact(bytes);
}

}  // namespace

std::string plan_table(const workloads::CheckpointWorkload& workload, const CheckpointPlan& plan,
                       const std::optional<IoPlan>& io, const PlanDetails& details) {
  size_t width = kLabelWidth;
  for (const auto& [name, value] : details.store_settings) width = std::max(width, name.size());
  LabelledLines head(width);
  head.add("model", fmt::format("{}, {} parameters", plan.model, grouped(plan.parameters)));
  if (!details.mode.empty()) head.add("mode", details.mode);
  head.add("grid", grid_text(workload, plan));
  if (plan.size_scale != 1.0) head.add("size scale", fmt::format("{} of every tensor", plan.size_scale));
  head.add("checkpoint",
           counted(static_cast<double>(plan.objects_per_checkpoint), "object") + ", " + exact(plan.checkpoint_bytes()));
  head.add("  model", exact(plan.model_bytes));
  head.add("  optimizer", exact(plan.optimizer_bytes));

  LabelledLines tail(width);
  tail.add("write", phase_text(plan.checkpoints_to_write, plan.bytes_to_write()));
  tail.add("read", phase_text(plan.checkpoints_to_read, plan.bytes_to_read()));
  tail.add("capacity", plan.bytes_to_write() == 0 ? "nothing is written" : exact(plan.bytes_to_write()) + " needed");
  if (plan.pause_seconds > 0) tail.add("pause", fmt::format("{} s before every checkpoint", plan.pause_seconds));
  if (io) tail.add("memory", memory_text(*io));
  add_details(details, tail);
  return "Plan\n" + head.text() + rank_rows(plan) + tail.text();
}

}  // namespace mlps::results
