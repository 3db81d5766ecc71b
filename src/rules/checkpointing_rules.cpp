#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.hpp"
#include "rules/evidence.hpp"
#include "rules/rule.hpp"
#include "workloads/checkpoint_workload.hpp"

/// Rules 4.3 to 4.6: what checkpointing ran, and with what. Those about its times are in checkpoint_gap.cpp.
namespace mlps::rules {
namespace {

constexpr double kSubsetRanks = 8;

// The folder is the user's; the tool itself writes the others.
const Names kFreeCheckpointParameters = {"checkpoint.checkpoint_folder", "checkpoint.num_checkpoints_write",
                                         "checkpoint.num_checkpoints_read", "checkpoint.mode",
                                         "model.parallelism.data"};

std::string model_of(const Leaf& leaf, const Workload& workload) {
  return leaf.args()["model"].text_or(workload.place.model);
}

// The definition that the program runs, so that limits of runs and of their judgement are the same.
const workloads::CheckpointWorkload* definition_of(const Workload& workload) {
  static const auto kDefinitions = [] {
    std::map<std::string, workloads::CheckpointWorkload> definitions;
    for (const std::string& model : workloads::checkpoint_models()) {
      if (auto found = workloads::load_checkpoint_workload(model, {})) definitions.emplace(model, std::move(*found));
    }
    return definitions;
  }();
  const auto found = kDefinitions.find(workload.place.model);
  return found == kDefinitions.end() ? nullptr : &found->second;
}

bool is_subset(const Leaf& leaf) {
  return leaf.args()["checkpoint_subset"].boolean().value_or(false) ||
         leaf.parameters().at("checkpoint.mode").text_or("") == "subset";
}

std::optional<double> ranks_of(const Leaf& leaf) {
  const auto given = leaf.args()["num_processes"].number();
  return given ? given : leaf.metadata["num_processes"].number();
}

void check_data_ratio(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const auto size = leaf->summary.at("metric.checkpoint_size_GB").number();
    const auto hosts = leaf->summary["num_hosts"].number();
    const auto memory = leaf->summary["host_memory_GB"].numbers();
    if (!size || !hosts || !memory || *hosts < 1) continue;
    double sum = 0;
    for (const double host : *memory) sum += host;
    if (*size / *hosts < 3 * sum / *hosts) {
      judge.add(summary_path(*leaf), "metric.checkpoint_size_GB",
                fmt::format("is {:.1f} GiB a host, less than three times its memory of {:.1f} GiB: reads may come from "
                            "the page cache",
                            *size / *hosts, sum / *hosts));
    }
  }
}

void check_fsync(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    if (!leaf->metadata.is_there()) continue;
    const Node fsync = leaf->parameters().at("checkpoint.fsync");
    if (fsync.boolean() != true)
      judge.add(metadata_path(*leaf), "parameters.checkpoint.fsync", fmt::format("is {}, not true", fsync.dump()));
  }
}

void check_model_named(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    if (!leaf->metadata.is_there()) continue;
    const std::string model = leaf->args()["model"].text_or("");
    const auto is_size = [&](const char* size) { return model.find(size) != std::string::npos; };
    if (!is_size("8b") && !is_size("70b") && !is_size("405b") && !is_size("1t")) {
      judge.add(metadata_path(*leaf), "args.model",
                fmt::format("is {}, none of 8b, 70b, 405b and 1t", leaf->args()["model"].dump()));
    }
  }
}

void check_accelerator_memory(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const auto size = leaf->summary.at("metric.checkpoint_size_GB").number();
    const auto ranks = leaf->summary["num_accelerators"].number();
    if (!size || !ranks) continue;
    double each = 80;
    if (judge.terms().edition == Edition::kAfter) {
      const std::string type = leaf->metadata["accelerator"].text_or(leaf->args()["accelerator_type"].text_or(""));
      each = type == "b200" ? 180 : type == "mi355" ? 288 : type == "h100" || type == "a100" ? 80 : 0;
      if (each == 0) {
        judge.add(metadata_path(*leaf), "accelerator",
                  "names no accelerator that the rules know; there are b200, mi355, h100, a100");
        continue;
      }
    }
    if (*ranks * each < *size) {
      judge.add(
          summary_path(*leaf), "num_accelerators",
          fmt::format("is {:g}: with {:g} GB each they can't hold a checkpoint of {:.1f} GiB", *ranks, each, *size));
    }
  }
}

void check_subset(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    if (!is_subset(*leaf)) continue;
    const bool is_8b = model_of(*leaf, workload).find("8b") != std::string::npos;
    const bool wants_8b = judge.terms().edition == Edition::kAfter;
    if (ranks_of(*leaf) != kSubsetRanks || is_8b != wants_8b) {
      judge.add(metadata_path(*leaf), "parameters.checkpoint.mode",
                fmt::format("is subset; the rules allow that for {} with 8 processes",
                            wants_8b ? "llama3-8b only," : "the models above 8b"));
    }
  }
}

void check_checkpoint_paths(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_separate_arguments(workload, {"checkpoint_folder"}, judge);
}
void check_checkpoint_file_systems(const Tree& tree, const Workload& workload, Judge& judge) {
  check_separation(tree, workload, judge);
}

void check_processes(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const auto* definition = definition_of(workload);
  if (definition == nullptr || workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    const auto ranks = ranks_of(*leaf);
    if (!ranks || *ranks == definition->closed_processes) continue;
    const bool subset_counts = judge.terms().edition != Edition::kAfter && is_subset(*leaf) && *ranks == kSubsetRanks;
    if (!subset_counts) {
      judge.add(
          metadata_path(*leaf), "args.num_processes",
          fmt::format("is {:g}; closed wants {} of {}", *ranks, definition->closed_processes, workload.place.model));
    }
  }
}

void check_per_host(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  // Undecided until version 4.0: the text of the rules takes 4, some versions of their checker want more.
  if (workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    const auto hosts = leaf->summary["num_hosts"].number();
    const auto ranks = leaf->summary["num_accelerators"].number();
    if (hosts && ranks && *hosts >= 1 && *ranks / *hosts < 4) {
      judge.add(summary_path(*leaf), "num_accelerators",
                fmt::format("is {:g} on {:g} hosts; closed wants at least 4 a host", *ranks, *hosts));
    }
  }
}

void check_open_scaling(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const auto* definition = definition_of(workload);
  if (definition == nullptr || workload.place.division != "open") return;
  const double unit = double{1} * definition->parallelism.tensor * definition->parallelism.pipeline;
  for (const Leaf* leaf : workload.of("run")) {
    const auto ranks = ranks_of(*leaf);
    if (ranks && (*ranks < 1 || std::fmod(*ranks, unit) != 0)) {
      judge.add(metadata_path(*leaf), "args.num_processes",
                fmt::format("is {:g}, no positive multiple of {:g}", *ranks, unit));
    }
  }
}

// Parameters of closed come from the definition of the model; its users choose the folder.
void check_closed_checkpoints(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const auto* definition = definition_of(workload);
  if (definition == nullptr || workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    const Node given = leaf->metadata["yaml_params"]["checkpoint"];
    for (const std::string& name : given.keys()) {
      const std::string key = "checkpoint." + name;
      const auto defined = definition->values.find(key);
      if (name == "checkpoint_folder" || defined == definition->values.end()) continue;
      const Node value = given[name];
      const std::string text = value.text() ? *value.text() : value.dump();
      if (lower(text) != lower(defined->second.value)) {
        judge.add(metadata_path(*leaf), "yaml_params." + key,
                  fmt::format("is {}; the model's definition has {}", text, defined->second.value));
      }
    }
    for (const std::string& key : leaf->metadata["override_parameters"].keys()) {
      if (is_one_of(kFreeCheckpointParameters, key) || key.starts_with("storage.")) continue;
      judge.add(metadata_path(*leaf), "override_parameters." + key,
                "may not be changed in closed, which leaves checkpoint.checkpoint_folder free");
    }
  }
}

using enum Example::Change;
constexpr std::string_view kMetadata =
    "closed/ORG/results/SYSTEM/checkpointing/llama3-8b/*/checkpointing_*_metadata.json";
constexpr std::string_view kSummary = "closed/ORG/results/SYSTEM/checkpointing/llama3-8b/*/summary.json";
constexpr std::string_view kAsleep = "never fires: the metadata say \"CLOSED\", version 3.0.46 looks for \"closed\"";

const std::vector<Rule>& rules_of_checkpointing() {
  static const std::vector<Rule> kRules = {
      {"4.3.1",
       "checkpointDataSizeRatio",
       "checkpointing",
       "A checkpoint is at least three times the memory of a host, per host.",
       kAlwaysWarning,
       "",
       {kSet, kSummary, "host_memory_GB", "[16.0]", "[160.0]"},
       &check_data_ratio},
      {"4.3.2",
       "checkpointFsyncVerification",
       "checkpointing",
       "Written files are synchronised: parameters.checkpoint.fsync is true.",
       kAlwaysError,
       "",
       {kSet, kMetadata, "parameters.checkpoint.fsync", "true", "false"},
       &check_fsync},
      {"4.3.3",
       "checkpointModelConfigurationReq",
       "checkpointing",
       "The model is llama3 8b, 70b, 405b or 1t.",
       kAlwaysError,
       "",
       {kSet, kMetadata, "args.model", "\"llama3-8b\"", "\"llama3\""},
       &check_model_named},
      {"4.3.4",
       "checkpointAggregateAcceleratorMemory",
       "checkpointing",
       "The accelerators together can hold the checkpoint: 80 GB each; after the round b200 180, mi355 288, h100 and "
       "a100 80.",
       kWarningInRound,
       "",
       {kSet, kSummary, "metric.checkpoint_size_GB", "97.9", "9790"},
       &check_accelerator_memory},
      {"4.3.5",
       "checkpointSubsetRunValidation",
       "checkpointing",
       "A subset has 8 processes; in the round of the models above 8b, after it of llama3-8b only.",
       kAlwaysError,
       "",
       {kSet, "open/ORG/results/SYSTEM/checkpointing/llama3-70b/*/checkpointing_*_metadata.json",
        "parameters.checkpoint.mode", "\"default\"", "\"subset\""},
       &check_subset},
      {"4.4.1",
       "checkpointPathArgs",
       "checkpointing",
       "The checkpoint folder and the results folder are given, and differ.",
       kAlwaysError,
       "",
       {kSet, kMetadata, "args.results_dir", "\"/results\"", "null"},
       &check_checkpoint_paths},
      {"4.4.2",
       "checkpointFilesystemCheck",
       "checkpointing",
       "With files, checkpoints and results lie on different file systems, and the run shows it.",
       kWarningInRound,
       "",
       {kSet, "closed/ORG/results/SYSTEM/checkpointing/llama3-8b/*/fs_separation.json", "same_filesystem", "false",
        "true"},
       &check_checkpoint_file_systems},
      {"4.6.1",
       "checkpointClosedMpiProcesses",
       "checkpointing",
       "closed has 8, 64, 512 and 1024 processes for 8b, 70b, 405b and 1t; until the end of the round a subset has 8.",
       kAlwaysError,
       "",
       {kSet, kMetadata, "args.num_processes", "8", "16"},
       &check_processes},
      {"4.6.2",
       "checkpointClosedAcceleratorsPerHost",
       "checkpointing",
       "closed has at least 4 accelerators a host.",
       kAlwaysError,
       kAsleep,
       {kSet, kSummary, "num_accelerators", "8", "3"},
       &check_per_host},
      {"4.6.3",
       "checkpointClosedCheckpointParameters",
       "checkpointing",
       "closed has the parameters of the model's definition; the checkpoint folder is free.",
       kAlwaysError,
       "looks at a key that no version of it writes",
       {kSet, kMetadata, "override_parameters", "{\"checkpoint.checkpoint_folder\": \"/mnt\"}",
        "{\"checkpoint.fsync\": \"False\"}"},
       &check_closed_checkpoints},
      {"4.6.4",
       "checkpointOpenSubmissionScaling",
       "checkpointing",
       "open has a positive multiple of the processes that hold one instance of the model.",
       kAlwaysError,
       kAsleep,
       {kSet, "open/ORG/results/SYSTEM/checkpointing/llama3-70b/*/checkpointing_*_metadata.json", "args.num_processes",
        "64", "65"},
       &check_open_scaling},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> checkpointing_rules() {
  return rules_of_checkpointing();
}

}  // namespace mlps::rules
