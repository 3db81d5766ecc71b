#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "base/units.hpp"
#include "rules/rule.hpp"

/// Rules 3.1 to 3.3 about the data set of training.
namespace mlps::rules {
namespace {

constexpr uint64_t kStepsOfData = 500;
constexpr uint64_t kTimesMemory = 5;

void check_datasize_use(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    if (!leaf->metadata.is_there()) continue;
    for (const char* key : {"parameters", "parameters.dataset"}) {
      if (leaf->metadata.at(key).size() == 0) judge.add(metadata_path(*leaf), key, "is missing or empty");
    }
  }
}

// The files that memory and steps ask for at least; nothing where a run doesn't tell enough.
std::optional<double> files_needed(const Leaf& leaf) {
  const Node parameters = leaf.parameters();
  const auto batch = parameters.at("reader.batch_size").number();
  const auto samples = parameters.at("dataset.num_samples_per_file").number();
  const auto record = parameters.at("dataset.record_length_bytes").number();
  const auto memory = leaf.summary["host_memory_GB"].numbers();
  const auto accelerators = leaf.summary["num_accelerators"].number();
  if (!batch || !samples || !record || !memory || !accelerators || *samples <= 0 || *record <= 0) return std::nullopt;
  double bytes = 0;
  for (const double host : *memory) bytes += host * static_cast<double>(kGiB);
  const double by_bytes = std::ceil(kTimesMemory * bytes / (*samples * *record));
  const double by_steps = std::ceil(kStepsOfData * *accelerators * *batch / *samples);
  return std::max(by_bytes, by_steps);
}

void check_dataset_size(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const bool after = judge.terms().edition == Edition::kAfter;
  for (const Leaf* leaf : workload.of("run")) {
    const auto files = leaf->summary["num_files_train"].number();
    const auto needed = files_needed(*leaf);
    if (leaf->summary.is_there() && (!files || !needed)) {
      judge.add(
          Severity::kInfo, leaf->place.path, "",
          "not judged: num_files_train, num_accelerators, host_memory_GB, reader.batch_size, num_samples_per_file "
          "or record_length_bytes is missing");
    }
    // Before version 3.0.43 datasize rounded down; the round grants the one file.
    if (!files || !needed || *files >= *needed - (after ? 0 : 1)) continue;
    judge.add(summary_path(*leaf), "num_files_train",
              fmt::format("is {:g}; 5 times the memory of the hosts and 500 steps need {:g}", *files, *needed));
  }
}

std::optional<double> bytes_of(const Leaf& leaf) {
  const Node dataset = leaf.parameters()["dataset"];
  const auto files = dataset["num_files_train"].number();
  const auto samples = dataset["num_samples_per_file"].number();
  const auto record = dataset["record_length_bytes"].number();
  return files && samples && record ? std::optional(*files * *samples * *record) : std::nullopt;
}

void check_datagen_size(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const auto written = workload.of("datagen");
  const auto runs = workload.of("run");
  if (written.empty() || runs.empty()) return;
  const auto has = bytes_of(*written.front());
  const auto wants = bytes_of(*runs.front());
  if (has && wants && *has < *wants) {
    judge.add(metadata_path(*written.front()), "parameters.dataset.num_files_train",
              fmt::format("makes {:.0f} bytes; the first run has {:.0f}", *has, *wants));
  }
}

// Returns the leaf that belongs to a run: the one of its data folder; a single one belongs to every run.
const Leaf* partner_of(const Leaf& run, const std::vector<const Leaf*>& leaves, bool any_if_single) {
  if (any_if_single && leaves.size() == 1) return leaves.front();
  const auto folder = run.args()["data_dir"].text();
  for (const Leaf* leaf : leaves) {
    if (folder && leaf->args()["data_dir"].text() == folder) return leaf;
  }
  return nullptr;
}

// Judges the manifest of the data set that a run read, as far as its metadata name one.
void check_manifest_of(const Tree& tree, const Leaf& run, const std::vector<const Leaf*>& written, Judge& judge) {
  const auto name = run.metadata["datagen_manifest_file"].text();
  if (!name) {
    return judge.add(Severity::kWarning, metadata_path(run), "datagen_manifest_file",
                     "MANIFEST-ABSENT: nothing shows which data set was read");
  }
  Problems problems;
  const std::string path = joined(run.place.path, "datagen-manifest.json");
  const Document file = tree.json(path, problems);
  const Node manifest = file["manifest"];
  const auto files = manifest["num_files_train"].number();
  if (file["schema"].text_or("") != "mlps-datagen-manifest-snapshot/1" || !files) {
    return judge.add(path, "", "MANIFEST-MISSING: is missing, or no manifest");
  }
  if (file["overridden"].size() > 0) {
    judge.add(path, "overridden",
              fmt::format("MANIFEST-OVERRIDDEN: checks were waived: {}", file["overridden"].dump()));
  }
  const auto source = manifest["source_datagen_result_dir"].text();
  const auto is_source = [&](const Leaf* leaf) { return source && source->ends_with(leaf->place.name); };
  const auto origin = std::find_if(written.begin(), written.end(), is_source);
  if (source && origin == written.end()) {
    judge.add(path, "manifest.source_datagen_result_dir",
              fmt::format("MANIFEST-LINK: is {}, none of the datagens of this model", *source));
  } else if (source) {
    const auto count = (*origin)->metadata.at("parameters.dataset.num_files_train").number();
    if (count && *count != *files) {
      judge.add(path, "manifest.num_files_train",
                fmt::format("MANIFEST-COUNT: is {:g}; that datagen wrote {:g}", *files, *count));
    }
  }
  const auto read = run.summary["num_files_train"].number();
  if (read && *read > *files) {
    judge.add(summary_path(run), "num_files_train",
              fmt::format("MANIFEST-OVERRUN: is {:g}; the data set has {:g}", *read, *files));
  }
}

void check_data_match(const Tree& tree, const Workload& workload, Judge& judge) {
  const auto planned = workload.of("datasize");
  const auto written = workload.of("datagen");
  for (const Leaf* run : workload.of("run")) {
    const auto files = run->summary["num_files_train"].number();
    if (!files) continue;
    const std::string path = summary_path(*run);
    const auto compare = [&](std::string_view kind, const std::vector<const Leaf*>& leaves, bool single) {
      const std::string upper = kind == "datasize" ? "DATASIZE" : "DATAGEN";
      const Leaf* partner = partner_of(*run, leaves, single);
      if (partner == nullptr) {
        if (leaves.empty())
          return judge.add(run->place.path, "", fmt::format("{}-MISSING: there is no {}", upper, kind));
        return judge.add(metadata_path(*run), "args.data_dir",
                         fmt::format("DATADIR-MISMATCH: no {} has this folder", kind));
      }
      const auto count = partner->metadata.at("parameters.dataset.num_files_train").number();
      if (!count) {
        return judge.add(metadata_path(*partner), "parameters.dataset.num_files_train",
                         fmt::format("{}-MALFORMED: is missing or no number", upper));
      }
      if (kind == "datasize" && *files < *count) {
        judge.add(path, "num_files_train",
                  fmt::format("DATASIZE-UNDERRUN: is {:g}; datasize asked for {:g}", *files, *count));
      }
      if (kind == "datagen" && *files > *count) {
        judge.add(path, "num_files_train", fmt::format("DATAGEN-OVERRUN: is {:g}; datagen wrote {:g}", *files, *count));
      }
    };
    compare("datasize", planned, true);
    compare("datagen", written, false);
    if (judge.terms().edition == Edition::kAfter) check_manifest_of(tree, *run, written, judge);
  }
}

// A run of mlpstorage 3.0 on several hosts may leave a file of each host that saw the shared folder, named
// "<digits>__rank<N>__<host>.ok"; a run of this program refuses a folder that a host doesn't see (CAP-02).
void check_seen_by_all(const Tree& tree, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    if (!leaf->has_file(".fs_probe")) continue;
    const std::string folder = joined(leaf->place.path, ".fs_probe");
    Problems ignored;
    const std::vector<Entry> seen = tree.list(folder, ignored);
    const Node hosts = leaf->metadata.at("system_info.hosts");
    for (size_t i = 0; i < hosts.size(); ++i) {
      const std::string name = hosts.item(i)["hostname"].text_or("");
      const std::string end = fmt::format("__{}.ok", name);
      const bool is_there =
          std::any_of(seen.begin(), seen.end(), [&](const Entry& entry) { return entry.name.ends_with(end); });
      if (!name.empty() && !is_there) {
        judge.add(folder, "", fmt::format("has no file of {}: nothing shows that this host saw the data", name));
      }
    }
  }
}

using enum Example::Change;

const std::vector<Rule>& rules_of_training_data() {
  static const std::vector<Rule> kRules = {
      {"3.1.1",
       "trainingVerifyDatasizeUsage",
       "training",
       "The metadata of a run have the parameters of its data set.",
       kAlwaysError,
       "",
       {kSet, "closed/ORG/results/SYSTEM/training/unet3d/run/*/training_*_metadata.json", "parameters", "", "{}"},
       &check_datasize_use},
      {"3.1.2",
       "trainingRecalculateDatasetSize",
       "training",
       "The data set is at least five times the memory of all hosts and lasts for 500 steps.",
       kAlwaysError,
       "",
       {kSet, "closed/ORG/results/SYSTEM/training/unet3d/run/*/summary.json", "host_memory_GB", "[16.0]", "[1600.0]"},
       &check_dataset_size},
      {"3.2.1",
       "trainingDatagenMinimumSize",
       "training",
       "datagen makes at least as many bytes as the first run has.",
       kAlwaysError,
       "",
       {kSet, "closed/ORG/results/SYSTEM/training/unet3d/datagen/*/training_*_metadata.json",
        "parameters.dataset.record_length_bytes", "146600628", "1000"},
       &check_datagen_size},
      {"3.3.1",
       "trainingRunDataMatchesDatasize",
       "training",
       "A run has at least the files that datasize asked for and at most those that datagen wrote, in the same data "
       "folder; after the round, too, the manifest of its data set is of that datagen and wasn't waived.",
       {Severity::kWarning, Severity::kWarning, Severity::kError},
       "",
       {kSet, "closed/ORG/results/SYSTEM/training/unet3d/datasize/*/training_*_metadata.json",
        "parameters.dataset.num_files_train", "3500", "90000"},
       &check_data_match},
      {"3.3.5",
       "trainingDistributedDataAccessibility",
       "training",
       "All hosts of a run see the same data: where a run left what its hosts saw, there is a file of every one.",
       kAlwaysWarning,
       "only says that it doesn't look",
       {kRemove, "open/ORG/results/SYSTEM/training/unet3d/run/20260701_100200/.fs_probe/0123456789ab__rank1__b.ok"},
       &check_seen_by_all},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> training_data_rules() {
  return rules_of_training_data();
}

}  // namespace mlps::rules
