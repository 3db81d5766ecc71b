#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "rules/evidence.hpp"
#include "rules/rule.hpp"
#include "workloads/training_workload.hpp"

/// Rules 3.3 to 3.6: what training ran, and with what. Those about its data set are in training_data_rules.cpp.
namespace mlps::rules {
namespace {

void check_utilization(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const double least = workload.place.model == "retinanet" ? 85 : 90;
  for (const Leaf* leaf : workload.of("run")) {
    const Node metric = leaf->summary["metric"];
    if (!leaf->summary.is_there()) continue;
    if (metric["train_au_meet_expectation"].text_or("") != "success") {
      judge.add(summary_path(*leaf), "metric.train_au_meet_expectation",
                fmt::format("is {}; the rules want \"success\", of the warm-up too",
                            metric["train_au_meet_expectation"].dump()));
    } else if (const auto mean = metric["train_au_mean_percentage"].number();
               judge.terms().edition == Edition::kAfter && !(mean && *mean >= least)) {
      judge.add(summary_path(*leaf), "metric.train_au_mean_percentage",
                fmt::format("is {}; the rules want at least {:g}", metric["train_au_mean_percentage"].dump(), least));
    }
  }
}

void check_accelerator_count(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const auto hosts = leaf->summary["num_hosts"].number();
    const auto accelerators = leaf->summary["num_accelerators"].number();
    if (hosts == 1.0 && accelerators && *accelerators < 4) {
      judge.add(summary_path(*leaf), "num_accelerators",
                fmt::format("is {:g} on the one host; the rules advise at least 4", *accelerators));
    }
  }
}

void check_client_limit(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    if (leaf->summary["num_hosts"].number() == 1.0 && leaf->args()["hosts"].size() > 1) {
      judge.add(metadata_path(*leaf), "args.hosts",
                fmt::format("names {} hosts; one of them ran", leaf->args()["hosts"].size()));
    }
  }
}

void check_even_accelerators(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const auto hosts = leaf->summary["num_hosts"].number();
    const auto accelerators = leaf->summary["num_accelerators"].number();
    if (hosts && accelerators && *hosts >= 1 && std::fmod(*accelerators, *hosts) != 0) {
      judge.add(summary_path(*leaf), "num_accelerators",
                fmt::format("is {:g}, no multiple of the {:g} hosts", *accelerators, *hosts));
    }
  }
}

void check_hosts_alike(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.of("run").empty()) return;
  const Leaf& leaf = *workload.of("run").front();
  const Node hosts = leaf.metadata.at("system_info.hosts");
  if (hosts.size() == 0) {
    return judge.add(Severity::kInfo, metadata_path(leaf), "system_info.hosts", "names no host: not judged");
  }
  for (const auto& [key, what] : {std::pair{"memory.total", "memory"}, std::pair{"cpu.num_cores", "cores"}}) {
    double least = 0;
    double most = 0;
    std::string smallest, largest;
    for (size_t i = 0; i < hosts.size(); ++i) {
      const auto value = hosts.item(i).at(key).number();
      if (!value || *value <= 0) continue;
      const std::string name = hosts.item(i)["hostname"].text_or("?");
      if (least == 0 || *value < least) std::tie(least, smallest) = std::tie(*value, name);
      if (*value > most) std::tie(most, largest) = std::tie(*value, name);
    }
    if (least > 0 && most / least > 1.5) {
      judge.add(metadata_path(leaf), "system_info.hosts",
                fmt::format("{} has {:.2f} times the {} of {}", largest, most / least, what, smallest));
    }
  }
}

void check_paths(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_separate_arguments(workload, {"data_dir"}, judge);
}
void check_file_systems(const Tree& tree, const Workload& workload, Judge& judge) {
  check_separation(tree, workload, judge);
}

// Judges the parameters that a user changed, by the same function that judges them before a run.
void check_parameters(const Workload& workload, std::string_view division, Judge& judge) {
  if (workload.place.division != division) return;
  for (const Leaf* leaf : workload.of("run")) {
    std::vector<workloads::Override> changes;
    for (const std::string& key : leaf->metadata["override_parameters"].keys()) {
      changes.push_back({key, {}, workloads::ValueSource::kUserParams});
    }
    for (const auto& finding : workloads::judge_params(workload.place.model, changes)) {
      const bool legal = finding.verdict == workloads::ParamVerdict::kClosed ||
                         finding.verdict == workloads::ParamVerdict::kIgnored ||
                         (division == "open" && finding.verdict == workloads::ParamVerdict::kOpen);
      if (!legal) judge.add(metadata_path(*leaf), "override_parameters." + finding.key, finding.reason);
    }
  }
}
void check_closed_parameters(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_parameters(workload, "closed", judge);
}
void check_open_parameters(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_parameters(workload, "open", judge);
}

constexpr std::string_view kCaseTrap = "never fires: the metadata say \"CLOSED\", version 3.0.46 looks for \"closed\"";
using enum Example::Change;
constexpr std::string_view kRunMetadata = "closed/ORG/results/SYSTEM/training/unet3d/run/*/training_*_metadata.json";
constexpr std::string_view kRunSummary = "closed/ORG/results/SYSTEM/training/unet3d/run/*/summary.json";

const std::vector<Rule>& rules_of_training() {
  static const std::vector<Rule> kRules = {
      {"3.3.2",
       "trainingAcceleratorUtilizationCheck",
       "training",
       "Every run, the warm-up too, keeps its accelerators busy: train_au_meet_expectation is success; unet3d 90 %, "
       "retinanet 85 %.",
       kAlwaysError,
       "",
       {kSet, kRunSummary, "metric.train_au_meet_expectation", "\"success\"", "\"fail\""},
       &check_utilization},
      {"3.3.3",
       "trainingSingleHostSimulatedAccelerators",
       "training",
       "One host should simulate four accelerators or more.",
       kAlwaysWarning,
       "",
       {kSet, kRunSummary, "num_accelerators", "8", "2"},
       &check_accelerator_count},
      {"3.3.4",
       "trainingSingleHostClientLimit",
       "training",
       "A run of several hosts ran on them.",
       kAlwaysError,
       "",
       {kSet, kRunMetadata, "args.hosts", "[\"a\"]", "[\"a\", \"b\"]"},
       &check_client_limit},
      {"3.3.6",
       "trainingIdenticalAcceleratorsPerNode",
       "training",
       "Every host simulates as many accelerators as the others.",
       kAlwaysError,
       "",
       {kSet, "open/ORG/results/SYSTEM/training/unet3d/run/*/summary.json", "num_accelerators", "8", "7"},
       &check_even_accelerators},
      {"3.3.7",
       "trainingNodeCapabilityConsistency",
       "training",
       "No host has more than 1.5 times the memory or cores of another.",
       {Severity::kInfo, Severity::kInfo, Severity::kWarning},
       "",
       {kSet, kRunMetadata, "system_info.hosts", "",
        "[{\"hostname\": \"a\", \"memory\": {\"total\": 100}}, {\"hostname\": \"b\", \"memory\": {\"total\": 200}}]"},
       &check_hosts_alike},
      {"3.4.1",
       "trainingMlpstoragePathArgs",
       "training",
       "The data folder and the results folder are given, and differ.",
       kAlwaysError,
       "",
       {kSet, kRunMetadata, "args.results_dir", "\"/results\"", "null"},
       &check_paths},
      {"3.4.2",
       "trainingFilesystemCheck",
       "training",
       "With files, data and results lie on different file systems, and the run shows it.",
       kWarningInRound,
       "",
       {kSet, "closed/ORG/results/SYSTEM/training/unet3d/run/*/fs_separation.json", "same_filesystem", "false", "true"},
       &check_file_systems},
      {"3.6.2",
       "trainingClosedSubmissionParameters",
       "training",
       "closed changes only the parameters that the rules leave free there.",
       kAlwaysError,
       kCaseTrap,
       {kSet, kRunMetadata, "override_parameters", "{\"reader.read_threads\": \"8\"}",
        "{\"framework\": \"tensorflow\"}"},
       &check_closed_parameters},
      {"3.6.3",
       "trainingOpenSubmissionParameters",
       "training",
       "open changes only the parameters that the rules leave free there.",
       kAlwaysError,
       kCaseTrap,
       {kSet, "open/ORG/results/SYSTEM/training/unet3d/run/*/training_*_metadata.json", "override_parameters",
        "{\"framework\": \"tensorflow\"}", "{\"train.epochs\": \"1\"}"},
       &check_open_parameters},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> training_rules() {
  return rules_of_training();
}

}  // namespace mlps::rules
