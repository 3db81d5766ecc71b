#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "benchmarks/training/compute_time.hpp"
#include "benchmarks/training/results/views.hpp"
#include "results/config_json.hpp"
#include "results/record_common.hpp"
#include "results/redact.hpp"
#include "results/text_table.hpp"

namespace mlps::results {
namespace {

using training::ReadPlan;
using training::RunPlan;
using workloads::TrainingWorkload;

constexpr size_t kPlanLabelWidth = 14;

size_t label_width(const TrainingDetails& details) {
  size_t width = kPlanLabelWidth;
  for (const auto& [name, value] : details.store_settings) width = std::max(width, name.size());
  return width;
}

std::string memory_text(uint32_t workers, uint32_t depth, uint64_t part_bytes, uint64_t buffer_bytes,
                        uint64_t budget_bytes) {
  return fmt::format("{} I/O workers x depth {} x part {} = {} of buffers (limit {})", workers, depth,
                     human_bytes(part_bytes), human_bytes(buffer_bytes), human_bytes(budget_bytes));
}

void add_head(const TrainingDetails& details, LabelledLines& lines) {
  if (details.mode.empty()) return;
  lines.add("mode", details.division.empty() ? details.mode
                                             : fmt::format("{} (as a submission: {})", details.mode, details.division));
}

void add_details(const TrainingDetails& details, LabelledLines& lines) {
  if (!details.location.empty()) lines.add("location", without_secrets(std::string_view(details.location)));
  if (!details.checkpoints.empty()) lines.add("checkpoints", without_secrets(std::string_view(details.checkpoints)));
  if (details.data_seed) lines.add("data seed", std::to_string(*details.data_seed));
  for (const auto& [name, value] : details.store_settings) lines.add(name, masked_value(name, value));
  if (!details.injected_fault.empty()) lines.add("fault", details.injected_fault);
}

/// Says what so many accelerators ask for when none waits, and how that comes about.
void add_demand(const TrainingWorkload& workload, uint64_t accelerators, LabelledLines& lines) {
  const double seconds = training::mean_seconds(workload.training.computation_time);
  const double sample = workload.dataset.record_bytes;
  const auto batch = static_cast<double>(workload.reader.batch_size), ranks = static_cast<double>(accelerators);
  if (!(seconds > 0)) return;
  lines.add("demand", fmt::format("{} ({} x {} x {} / {})", rate_text(ranks * batch * sample / seconds), figure(ranks),
                                  figure(batch), bytes_text(sample), time_text(seconds * 1e9)));
}

void add_steps(const TrainingWorkload& workload, const RunPlan& plan, LabelledLines& lines) {
  lines.add("accelerators",
            fmt::format("{}{}, compute {} per step, AU threshold {} %", plan.accelerators,
                        workload.accelerator.empty() ? "" : " x " + workload.accelerator,
                        training::describe(workload.training.computation_time), 100 * workload.metric.au));
  add_demand(workload, plan.accelerators, lines);
  lines.add("steps", fmt::format("{} x {} x {} per accelerator", counted(plan.epochs, "epoch", "epochs"),
                                 counted(static_cast<double>(plan.steps_per_epoch), "step", "steps"),
                                 counted(plan.batch_size, "sample", "samples")));
  if (plan.samples_unread > 0) {
    const char* why = workload.training.total_training_steps ? "beyond train.total_training_steps" : "in no full batch";
    lines.add("unread", fmt::format("{} samples per epoch: {}", grouped(plan.samples_unread), why));
  }
  lines.add("reads", bytes_text(plan.nominal_bytes_per_epoch) + " per epoch (samples x mean size)");
  if (!plan.eval_epochs.empty()) {
    lines.add("evaluation", fmt::format("{} files, {} steps, after epoch {}", grouped(plan.eval_files),
                                        grouped(plan.eval_steps), join(plan.eval_epochs, ", ")));
  }
  if (!plan.checkpoints.empty()) {
    lines.add("saves", fmt::format("{} of {}",
                                   counted(static_cast<double>(plan.checkpoints.size()), "checkpoint", "checkpoints"),
                                   human_bytes(workload.checkpointing.model_bytes)));
  }
}

void add_reads(const ReadPlan& reads, bool verify, LabelledLines& lines) {
  lines.add("memory",
            reads.buffers
                ? memory_text(reads.workers, reads.depth, reads.part_bytes, reads.buffer_bytes(), reads.budget_bytes)
                : fmt::format("{} I/O workers x depth {}; no bytes move through memory", reads.workers, reads.depth));
  lines.add("read-ahead",
            fmt::format("{} per accelerator ({} of {}, {}); {} in flight", human_bytes(reads.read_ahead_bytes),
                        counted(static_cast<double>(reads.read_ahead_extents), "read", "reads"),
                        bytes_text(reads.mean_extent_bytes), counted(reads.readers, "reader", "readers"),
                        counted(reads.in_flight, "read", "reads")));
  for (const std::string& remark : reads.remarks) lines.add("limit", remark);
  lines.add("verify", verify ? "every byte read" : "no");
}

Json details_json(const TrainingDetails& details) {
  Json json;
  json["mode"] = details.mode;
  json["division"] = details.division.empty() ? Json() : Json(details.division);
  json["location"] = details.location.empty() ? Json() : Json(without_secrets(std::string_view(details.location)));
  json["file_count_is"] = details.file_count_is.empty() ? Json() : Json(details.file_count_is);
  json["checkpoint_location"] =
      details.checkpoints.empty() ? Json() : Json(without_secrets(std::string_view(details.checkpoints)));
  json["verify"] = details.verify;
  json["data_seed"] = details.data_seed ? Json(*details.data_seed) : Json();
  json["store_settings"] = settings_json(details.store_settings);
  json["injected_fault"] = details.injected_fault.empty() ? Json() : Json(details.injected_fault);
  return json;
}

}  // namespace

std::string plan_table(const TrainingWorkload& workload, const RunPlan& plan, const std::optional<ReadPlan>& reads,
                       const TrainingDetails& details) {
  LabelledLines lines(label_width(details));
  lines.add("model", fmt::format("{} ({})", workload.model, workload.file_name));
  add_head(details, lines);
  lines.add("data set", fmt::format("{} {} {} of {}, {} per sample on average{}", grouped(plan.files),
                                    workloads::format_name(workload.dataset.format), plan.files == 1 ? "file" : "files",
                                    counted(static_cast<double>(plan.samples_per_file), "sample", "samples"),
                                    bytes_text(workload.dataset.record_bytes),
                                    details.file_count_is.empty() ? "" : "; " + details.file_count_is));
  add_steps(workload, plan, lines);
  if (reads) add_reads(*reads, details.verify, lines);
  add_details(details, lines);
  return "Plan\n" + lines.text();
}

std::string plan_json(const TrainingWorkload& workload, const RunPlan& plan, const std::optional<ReadPlan>& reads,
                      const TrainingDetails& details) {
  Json json;
  json["schema"] = kRunPlanSchema;
  json["model"] = workload.model;
  json["workload"] = workload.file_name;
  json["format"] = workloads::format_name(workload.dataset.format);
  json["record_bytes"] = workload.dataset.record_bytes;
  json["compute"] = training::describe(workload.training.computation_time);
  json["au_threshold"] = workload.metric.au;
  json.update(details_json(details));
  json["plan"] = run_plan_json(plan);
  json["read_plan"] = reads ? read_plan_json(*reads) : Json();
  json["configuration"] = values_json(workload.values);
  return compact_rows(json);
}

std::string plan_table(const DatagenPlan& plan, const TrainingDetails& details) {
  LabelledLines lines(label_width(details));
  lines.add("model", plan.model);
  add_head(details, lines);
  lines.add("data set",
            fmt::format("{} {} {} of {}{}", grouped(plan.files), plan.format, plan.files == 1 ? "file" : "files",
                        counted(static_cast<double>(plan.samples_per_file), "sample", "samples"),
                        plan.eval_files > 0 ? fmt::format(", {} of them in valid/", grouped(plan.eval_files)) : ""));
  lines.add("capacity", fmt::format("{}{} bytes ({}) needed", plan.sizes_vary ? "about " : "", grouped(plan.bytes),
                                    human_bytes(plan.bytes)));
  lines.add("memory", memory_text(plan.writes.workers, plan.writes.depth, plan.writes.part_bytes,
                                  plan.writes.buffer_bytes(), plan.writes.budget_bytes));
  add_details(details, lines);
  return "Plan\n" + lines.text();
}

std::string plan_json(const DatagenPlan& plan, const TrainingDetails& details) {
  Json json;
  json["schema"] = kDatagenPlanSchema;
  json["model"] = plan.model;
  json["format"] = plan.format;
  json["files"] = plan.files;
  json["eval_files"] = plan.eval_files;
  json["samples_per_file"] = plan.samples_per_file;
  json["expected_bytes"] = plan.bytes;
  json["sizes_vary"] = plan.sizes_vary;
  json["processes"] = plan.processes;
  json.update(details_json(details));
  json["write_plan"] = write_plan_json(plan.writes);
  return compact_rows(json);
}

std::string datasize_text(const DatasizeAnswer& answer) {
  const training::Datasize& size = answer.size;
  const double gib = static_cast<double>(size.total_bytes) / static_cast<double>(kGiB);
  std::string text =
      fmt::format("Data set of {} for {} accelerators\n", answer.workload.file_name, answer.request.accelerators);
  LabelledLines lines(kPlanLabelWidth);
  lines.add(
      "ruled by",
      size.memory_ruled()
          ? fmt::format("memory: {} times {} of client memory (500 steps per epoch need {} files)",
                        training::kMemoryMultiple, human_bytes(size.memory_bytes), grouped(size.files_by_steps))
          : fmt::format("steps: {} per epoch ({} times {} of client memory need {} files)", training::kMinStepsPerEpoch,
                        training::kMemoryMultiple, human_bytes(size.memory_bytes), grouped(size.files_by_memory)));
  add_demand(answer.workload, answer.request.accelerators, lines);
  lines.add("files", grouped(size.files));
  lines.add("subfolders", "0");
  lines.add("size", human_bytes(size.total_bytes));
  text += lines.text() + fmt::format("  Total disk space required: {:.2f} GB\n", gib) + "\nTo write it:\n  " +
          answer.datagen_command + "\n";
  if (size.advised_subfolders > 0) {
    text += fmt::format("\nWarning: more than {} files: the command spreads them over {} subfolders.\n",
                        grouped(training::kFilesPerSubfolder), size.advised_subfolders);
  }
  return text + fmt::format(
                    "\nNote: --num-processes only says how many processes write ({} as --max-accelerators here); any "
                    "number makes the same files.\n",
                    answer.request.accelerators);
}

std::string datasize_json(const DatasizeAnswer& answer) {
  const training::Datasize& size = answer.size;
  Json json;
  json["schema"] = kDatasizeSchema;
  json["mode"] = answer.mode;
  json["model"] = answer.workload.model;
  json["accelerator"] = answer.workload.accelerator;
  json["max_accelerators"] = answer.request.accelerators;
  json["client_hosts"] = answer.request.hosts;
  json["client_host_memory_gib"] = answer.request.client_host_memory_gib;
  json["measured_memory_bytes"] = answer.request.measured_memory_bytes;
  json["memory_bytes"] = size.memory_bytes;
  json["file_bytes"] = size.file_bytes;
  json["files_by_memory"] = size.files_by_memory;
  json["files_by_steps"] = size.files_by_steps;
  json["ruled_by"] = size.memory_ruled() ? "memory" : "steps";
  json["num_files_train"] = size.files;
  json["num_subfolders_train"] = 0;
  json["advised_subfolders_train"] = size.advised_subfolders;
  json["total_disk_bytes"] = size.total_bytes;
  json["total_gib"] = static_cast<double>(size.total_bytes) / static_cast<double>(kGiB);
  json["datagen_command"] = answer.datagen_command;
  return indented(json, 2);
}

}  // namespace mlps::results
