#include <fmt/format.h>

#include "base/text.hpp"
#include "rules/rule.hpp"

/// Rules 2.1.11 to 2.1.26: which folders and files the results of a workload have.
namespace mlps::rules {
namespace {

const Names kTrainingModels = {"unet3d", "retinanet"};
const Names kCheckpointModels = {"llama3-8b", "llama3-70b", "llama3-405b", "llama3-1t"};

void check_models(const Workload& workload, const Names& models, Judge& judge) {
  if (!is_one_of(models, workload.place.model)) {
    judge.add(workload.place.path, "",
              fmt::format("is no model of {}; there are {}", workload.place.family, join(models, ", ")));
  }
}
void check_training_models(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_models(workload, kTrainingModels, judge);
}
void check_checkpoint_models(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_models(workload, kCheckpointModels, judge);
}

void check_phases(const Tree& tree, const Workload& workload, Judge& judge) {
  const bool early = judge.terms().edition == Edition::kEarly;
  Names legal = {"datagen", "run"};
  if (!early) legal.emplace_back("datasize");
  for (const std::string_view phase : legal) {
    if (!tree.has(joined(workload.place.path, phase))) {
      judge.add(phase == "datasize" ? judge.terms().edition == Edition::kRound ? Severity::kWarning : Severity::kError
                                    : Severity::kError,
                workload.place.path, "", fmt::format("has no folder {}", phase));
    }
  }
  for (const std::string& name : workload.place.folders) {
    if (!is_one_of(legal, name)) {
      judge.add(Severity::kError, joined(workload.place.path, name), "",
                "is no phase of training; there are " + join(legal, ", "));
    }
  }
}

// Reports names that are no time, and another number of folders than the rules want.
void check_stamps(const Workload& workload, std::string_view command, size_t least, size_t most, Judge& judge) {
  const std::vector<const Leaf*> leaves = workload.of(command);
  for (const Leaf* leaf : leaves) {
    if (!is_run_name(leaf->place.name)) judge.add(leaf->place.path, "", "isn't named YYYYMMDD_HHMMSS");
  }
  if (leaves.size() >= least && leaves.size() <= most) return;
  const std::string wanted = least == most ? std::to_string(least) : fmt::format("{} or {}", least, most);
  judge.add(workload.place.path, "",
            fmt::format("has {} run folders of {}, the rules want {}", leaves.size(), command, wanted));
}

constexpr size_t kTrainingRuns = 6;
void check_datagen_stamps(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_stamps(workload, "datagen", 1, 1, judge);
}
void check_run_stamps(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_stamps(workload, "run", kTrainingRuns, kTrainingRuns, judge);
}
void check_checkpoint_stamps(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_stamps(workload, "run", 1, 2, judge);
}

void check_results_json(const Tree& tree, const std::string& folder, Judge& judge) {
  if (!tree.has(joined(folder, "results.json"))) {
    judge.add(folder, "", "has no results.json; 'mlpstorage reports reportgen' writes it");
  }
}
void check_training_results_json(const Tree& tree, const Workload& workload, Judge& judge) {
  check_results_json(tree, workload.place.path + "/run", judge);
}
void check_checkpoint_results_json(const Tree& tree, const Workload& workload, Judge& judge) {
  check_results_json(tree, workload.place.path, judge);
}

void check_leaf_files(const Workload& workload, std::string_view command, const Names& names, const Names& ends,
                      Judge& judge) {
  for (const Leaf* leaf : workload.of(command)) {
    for (const std::string_view name : names) {
      if (!leaf->has_file(name)) judge.add(leaf->place.path, "", fmt::format("has no {}", name));
    }
    for (const std::string_view end : ends) {
      if (end == "output.json" && judge.terms().skip_output_file) continue;
      if (!leaf->has_file_ending(end)) judge.add(leaf->place.path, "", fmt::format("has no file named *{}", end));
    }
  }
}
void check_datagen_files(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_leaf_files(workload, "datagen", {"training_datagen.stdout.log", "training_datagen.stderr.log", "dlio.log"},
                   {"_metadata.json"}, judge);
}
void check_run_files(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_leaf_files(workload, "run", {"training_run.stdout.log", "training_run.stderr.log", "dlio.log", "summary.json"},
                   {"output.json", "per_epoch_stats.json", "_metadata.json"}, judge);
}
void check_checkpoint_files(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_leaf_files(workload, "run",
                   {"checkpointing_run.stdout.log", "checkpointing_run.stderr.log", "dlio.log", "summary.json"},
                   {"output.json", "per_epoch_stats.json", "_metadata.json"}, judge);
}

void check_dlio_config(const Tree& tree, const Workload& workload, std::string_view command, Judge& judge) {
  const Names wanted = {"config.yaml", "hydra.yaml", "overrides.yaml"};
  for (const Leaf* leaf : workload.of(command)) {
    Problems ignored;
    const std::string folder = joined(leaf->place.path, "dlio_config");
    Names found;
    const std::vector<Entry> entries = tree.list(folder, ignored);
    for (const Entry& entry : entries) {
      if (entry.name.starts_with('.')) continue;
      found.push_back(entry.name);
      if (!is_one_of(wanted, entry.name)) judge.add(joined(folder, entry.name), "", "doesn't belong here");
    }
    for (const std::string_view name : wanted) {
      if (!is_one_of(found, name)) judge.add(folder, "", fmt::format("has no {}", name));
    }
  }
}
void check_datagen_config(const Tree& tree, const Workload& workload, Judge& judge) {
  check_dlio_config(tree, workload, "datagen", judge);
}
void check_run_config(const Tree& tree, const Workload& workload, Judge& judge) {
  check_dlio_config(tree, workload, "run", judge);
}

std::optional<double> duration_of(const Leaf& leaf) {
  const auto start = parse_moment(leaf.summary["start"].text_or(""));
  const auto end = parse_moment(leaf.summary["end"].text_or(""));
  return start && end && *end >= *start ? std::optional(*end - *start) : std::nullopt;
}

void check_run_gaps(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  std::optional<double> shortest;
  std::vector<const Leaf*> runs;
  for (const Leaf* leaf : workload.of("run")) {
    if (!is_run_name(leaf->place.name)) continue;
    runs.push_back(leaf);
    const std::optional<double> duration = duration_of(*leaf);
    if (duration && (!shortest || *duration < *shortest)) shortest = duration;
  }
  for (size_t i = 1; shortest && i < runs.size(); ++i) {
    const auto before = parse_moment(runs[i - 1]->place.name);
    const auto after = parse_moment(runs[i]->place.name);
    if (!before || !after || *after - *before < 2 * *shortest) continue;
    judge.add(runs[i]->place.path, "",
              fmt::format("begins {:.0f} s after the run before it; the rules allow less than {:.0f} s, "
                          "twice the shortest run",
                          *after - *before, 2 * *shortest));
  }
}

void check_checkpoint_gap(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const std::vector<const Leaf*> runs = workload.of("run");
  for (size_t i = 1; i < runs.size(); ++i) {
    const auto end = parse_moment(runs[i - 1]->summary["end"].text_or(""));
    const auto start = parse_moment(runs[i]->summary["start"].text_or(""));
    const auto before = duration_of(*runs[i - 1]);
    const auto after = duration_of(*runs[i]);
    if (!end || !start || !before || !after || *start - *end < std::max(*before, *after)) continue;
    judge.add(
        summary_path(*runs[i]), "start",
        fmt::format(
            "is {:.0f} s after the end of the run before it; the rules allow less than {:.0f} s, the longer of both",
            *start - *end, std::max(*before, *after)));
  }
}

using enum Example::Change;

const std::vector<Rule>& rules_of_workload_structure() {
  static const std::vector<Rule> kRules = {
      {"2.1.11",
       "trainingWorkloads",
       "training",
       "The models of training are unet3d and retinanet.",
       kAlwaysError,
       "",
       {kRename, "closed/ORG/results/SYSTEM/training/unet3d", {}, {}, "unet4d"},
       &check_training_models},
      {"2.1.12",
       "trainingPhases",
       "training",
       "A model of training has the phases datasize, datagen and run.",
       kWarningInRound,
       "",
       {kAdd, "closed/ORG/results/SYSTEM/training/unet3d/other/"},
       &check_phases},
      {"2.1.13",
       "datagenTimestamp",
       "training",
       "datagen/ holds one run folder, named YYYYMMDD_HHMMSS.",
       kAlwaysError,
       "",
       {kAdd, "closed/ORG/results/SYSTEM/training/unet3d/datagen/latest/"},
       &check_datagen_stamps},
      {"2.1.14",
       "datagenFiles",
       "training",
       "The run folder of a datagen has its logs and its metadata.",
       kAlwaysError,
       "",
       {kRemove, "closed/ORG/results/SYSTEM/training/unet3d/datagen/*/dlio.log"},
       &check_datagen_files},
      {"2.1.15",
       "datagenDlioConfig",
       "training",
       "dlio_config/ of a datagen holds config.yaml, hydra.yaml and overrides.yaml.",
       kAlwaysError,
       "",
       {kRemove, "closed/ORG/results/SYSTEM/training/unet3d/datagen/*/dlio_config/hydra.yaml"},
       &check_datagen_config},
      {"2.1.16",
       "runResultsJson",
       "training",
       "run/ of a model holds results.json.",
       kAlwaysError,
       "",
       {kRemove, "closed/ORG/results/SYSTEM/training/unet3d/run/results.json"},
       &check_training_results_json},
      {"2.1.17",
       "runTimestamps",
       "training",
       "run/ of a model holds six run folders, named YYYYMMDD_HHMMSS: a warm-up and five that count.",
       kAlwaysError,
       "",
       {kAdd, "closed/ORG/results/SYSTEM/training/unet3d/run/again/"},
       &check_run_stamps},
      {"2.1.18",
       "runTimestampGap",
       "training",
       "The runs follow each other: from start to start less than twice the shortest run.",
       kAlwaysError,
       "",
       {kRename, "closed/ORG/results/SYSTEM/training/unet3d/run/20260701_101000", {}, {}, "20260701_120000"},
       &check_run_gaps},
      {"2.1.19",
       "runFiles",
       "training",
       "A run folder of training has its logs, summary, metadata and the files of its ranks.",
       kAlwaysError,
       "",
       {kRemove, "closed/ORG/results/SYSTEM/training/unet3d/run/*/training_run.stderr.log"},
       &check_run_files},
      {"2.1.20",
       "runDlioConfig",
       "training",
       "dlio_config/ of a run holds config.yaml, hydra.yaml and overrides.yaml.",
       kAlwaysError,
       "",
       {kRemove, "closed/ORG/results/SYSTEM/training/unet3d/run/*/dlio_config/hydra.yaml"},
       &check_run_config},
      {"2.1.21",
       "checkpointingWorkloads",
       "checkpointing",
       "The models of checkpointing are the four of llama3.",
       kAlwaysError,
       "",
       {kRename, "closed/ORG/results/SYSTEM/checkpointing/llama3-8b", {}, {}, "llama3-9b"},
       &check_checkpoint_models},
      {"2.1.22",
       "checkpointingResultsJson",
       "checkpointing",
       "The folder of a model holds results.json.",
       kAlwaysError,
       "",
       {kRemove, "closed/ORG/results/SYSTEM/checkpointing/*/results.json"},
       &check_checkpoint_results_json},
      {"2.1.23",
       "checkpointingTimestamps",
       "checkpointing",
       "The folder of a model holds one or two run folders, named YYYYMMDD_HHMMSS.",
       kAlwaysError,
       "",
       {kAdd, "closed/ORG/results/SYSTEM/checkpointing/llama3-8b/again/"},
       &check_checkpoint_stamps},
      {"2.1.24",
       "checkpointingTimestampGap",
       "checkpointing",
       "Between the run that writes and the run that reads lies less time than the longer of both took.",
       kWarningInRound,
       "",
       {kSet, "open/ORG/results/SYSTEM/checkpointing/llama3-70b/20260706_100000/summary.json", "end",
        "\"2026-07-06T10:09:45.000000\"", "\"2026-07-06T10:00:06.000000\""},
       &check_checkpoint_gap},
      {"2.1.25",
       "checkpointingFiles",
       "checkpointing",
       "A run folder of checkpointing has its logs, summary, metadata and the files of its ranks.",
       kAlwaysError,
       "",
       {kRemove, "closed/ORG/results/SYSTEM/checkpointing/*/*/checkpointing_run.stderr.log"},
       &check_checkpoint_files},
      {"2.1.26",
       "checkpointingDlioConfig",
       "checkpointing",
       "dlio_config/ of a run holds config.yaml, hydra.yaml and overrides.yaml.",
       kAlwaysError,
       "",
       {kRemove, "closed/ORG/results/SYSTEM/checkpointing/*/*/dlio_config/hydra.yaml"},
       &check_run_config},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> workload_structure_rules() {
  return rules_of_workload_structure();
}

}  // namespace mlps::rules
