#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "benchmarks/training/dataset.hpp"
#include "benchmarks/training/manifest.hpp"
#include "workloads/columns.hpp"

namespace mlps::training {
namespace {

using workloads::DatasetSettings;
using workloads::TrainingWorkload;
using workloads::ValueSource;

constexpr const char* kRowGroup = "dataset.parquet.row_group_size";

using Shape = std::vector<std::pair<std::string, std::string>>;

// Keys of configuration files, so that a difference says what to change. No value holds ';' or '='.
Shape shape_of(const TrainingWorkload& workload, uint64_t seed) {
  const DatasetSettings& dataset = workload.dataset;
  std::vector<workloads::Column> columns = dataset.columns;
  for (workloads::Column& column : columns) column.read = false;  // decides no byte
  const bool parquet = dataset.format == workloads::DataFormat::kParquet;
  return {
      {"model", workload.model},
      {"dataset.format", std::string(workloads::format_name(dataset.format))},
      {"dataset.num_files_train", fmt::to_string(dataset.num_files_generated.value_or(dataset.num_files_train))},
      {"dataset.num_files_eval", fmt::to_string(dataset.num_files_eval)},
      {"dataset.num_samples_per_file", fmt::to_string(dataset.num_samples_per_file)},
      {"dataset.num_subfolders_train", fmt::to_string(dataset.num_subfolders_train)},
      {"dataset.num_subfolders_eval", fmt::to_string(dataset.num_subfolders_eval)},
      {"dataset.file_prefix", dataset.file_prefix},
      {"dataset.record_length_bytes", fmt::to_string(dataset.record_bytes)},
      {"dataset.record_length_bytes_stdev", fmt::to_string(dataset.record_bytes_stdev)},
      {"dataset.record_dims", fmt::format("[{}]", join(dataset.record_dims, ", "))},
      {"dataset.record_element_type", std::string(workloads::element_name(dataset.element_type))},
      {kRowGroup, parquet ? fmt::to_string(dataset.parquet_row_group_rows) : ""},
      {"dataset.parquet.columns", workloads::columns_text(columns)},
      {"seed", fmt::to_string(seed)},
  };
}

std::map<std::string, std::string, std::less<>> entries_of(std::string_view text) {
  std::map<std::string, std::string, std::less<>> entries;
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find(';'));
    const size_t equals = entry.find('=');
    if (equals != std::string_view::npos) {
      entries.emplace(std::string(entry.substr(0, equals)), std::string(entry.substr(equals + 1)));
    }
    text.remove_prefix(std::min(entry.size() + 1, text.size()));
  }
  return entries;
}

// Collects the settings in which a run and its data set differ.
class Differences {
 public:
  void add(std::string_view key, std::string_view run, std::string_view data) {
    if (run == data) return;
    texts_.push_back(fmt::format("{} is {}, but {} in the data set", key, shortened(run), shortened(data)));
    if (key != "model") params_.push_back(fmt::format("{}={}", key, shortened(run)));
  }
  bool empty() const { return texts_.empty(); }
  std::string text() const { return join(texts_, "; "); }
  std::string params() const { return join(params_, " "); }

 private:
  // Columns of DLRM fill pages.
  static std::string shortened(std::string_view value) {
    return value.size() <= 100 ? std::string(value) : fmt::format("{}...", value.substr(0, 100));
  }
  std::vector<std::string> texts_, params_;
};

Differences compare(const Manifest& manifest, const TrainingWorkload& workload, bool user_gave_subfolders) {
  const DatasetSettings& dataset = workload.dataset;
  Differences differences;
  differences.add("model", workload.model, manifest.model);
  if (dataset.record_bytes != manifest.record_length_bytes) {
    differences.add("dataset.record_length_bytes", fmt::to_string(dataset.record_bytes),
                    fmt::to_string(manifest.record_length_bytes));
  }
  differences.add("dataset.num_samples_per_file", fmt::to_string(dataset.num_samples_per_file),
                  fmt::to_string(manifest.num_samples_per_file));
  if (!manifest.dataset_format.empty()) {
    differences.add("dataset.format", workloads::format_name(dataset.format), manifest.dataset_format);
  }
  if (user_gave_subfolders) {
    differences.add("dataset.num_subfolders_train", fmt::to_string(dataset.num_subfolders_train),
                    fmt::to_string(manifest.num_subfolders_train));
  }
  // Those above, those a run takes over, and those only an evaluation asks for.
  std::vector<std::string_view> apart = {"model",
                                         "dataset.format",
                                         "dataset.num_files_train",
                                         "dataset.num_samples_per_file",
                                         "dataset.num_subfolders_train",
                                         "seed",
                                         "dataset.record_length_bytes"};
  if (!dataset.parquet_row_group_given) apart.push_back(kRowGroup);
  const auto theirs = entries_of(manifest.shape);
  for (const auto& [key, value] : shape_of(workload, 0)) {
    if (std::find(apart.begin(), apart.end(), key) != apart.end()) continue;
    if (!workload.evaluation && key.ends_with("_eval")) continue;
    if (const auto found = theirs.find(key); found != theirs.end()) differences.add(key, value, found->second);
  }
  return differences;
}

// Our manifests say the main facts twice: for others, and in the shape.
Differences contradictions(const Manifest& manifest) {
  const auto shape = entries_of(manifest.shape);
  Differences differences;
  for (const auto& [key, value] :
       Shape{{"model", manifest.model},
             {"dataset.format", manifest.dataset_format},
             {"dataset.num_files_train", fmt::to_string(manifest.num_files_train)},
             {"dataset.num_samples_per_file", fmt::to_string(manifest.num_samples_per_file)},
             {"dataset.num_subfolders_train", fmt::to_string(manifest.num_subfolders_train)},
             {"dataset.record_length_bytes", fmt::to_string(manifest.record_length_bytes)}}) {
    const auto found = shape.find(key);
    // Of a set of more files, fewer may have been generated.
    const bool fewer = found != shape.end() && key == "dataset.num_files_train" &&
                       manifest.num_files_train <= parse_number<uint64_t>(found->second).value_or(0);
    if (found != shape.end() && !fewer) differences.add(key, value, found->second);
  }
  return differences;
}

ManifestFinding too_few_files(const Manifest& manifest, const TrainingWorkload& workload, uint64_t minimum_files,
                              bool lenient) {
  const uint64_t wanted = workload.dataset.num_files_train;
  const uint64_t there = manifest.num_files_train;
  std::string suggestion = fmt::format(
      "generate the data set anew: mlpstorage MODE training {} datagen ... --params dataset.num_files_train={}",
      workload.model, wanted);
  if (there >= minimum_files) {
    suggestion += fmt::format(
        "; or run with --params dataset.num_files_train={}, which is enough for the rules (at "
        "least {})",
        there, minimum_files);
  }
  return {"MANIFEST-003", !lenient,
          fmt::format("the run wants {} files, but the data set was generated with {}", wanted, there),
          std::move(suggestion)};
}

workloads::Override take(std::string key, uint64_t value) {
  return {std::move(key), fmt::to_string(value), ValueSource::kTool};
}

}  // namespace

std::string shape_text(const TrainingWorkload& workload, uint64_t seed) {
  std::string text;
  for (const auto& [key, value] : shape_of(workload, seed)) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ";", key, value);
  }
  return text;
}

ManifestUse use_manifest(const std::optional<Manifest>& manifest, const TrainingWorkload& workload,
                         bool user_gave_subfolders, uint64_t minimum_files, bool lenient) {
  ManifestUse use;
  use.seed = kDefaultDataSeed;
  use.foreign = !manifest || manifest->shape.empty();
  if (!manifest) {
    use.findings.push_back({"MANIFEST-000", false,
                            fmt::format("the data set has no manifest ({}): its number of files and format are taken "
                                        "to be those of the run, and sizes are those of the files",
                                        kManifestName),
                            "data sets of this program's datagen have one"});
    return use;
  }
  use.seed = manifest->seed.value_or(kDefaultDataSeed);
  if (!manifest->unknown.empty()) {
    use.warnings.push_back(fmt::format("the data set's {} has keys that are unknown and have no effect: {}",
                                       kManifestName, join(manifest->unknown, ", ")));
  }
  if (const Differences own = contradictions(*manifest); !own.empty()) {
    use.findings.push_back({"MANIFEST-001", !lenient,
                            fmt::format("{} contradicts its own shape: {}", kManifestName, own.text()),
                            "it was changed by hand: undo that, or give --skip-validation"});
  }
  const Differences differences = compare(*manifest, workload, user_gave_subfolders);
  if (!differences.empty()) {
    use.findings.push_back(
        {"MANIFEST-001", !lenient, fmt::format("the run doesn't fit the data set: {}", differences.text()),
         fmt::format("generate a data set that does: mlpstorage MODE training {} datagen ...{}{}", workload.model,
                     differences.params().empty() ? "" : " --params ", differences.params())});
  }
  if (workload.dataset.num_files_train > manifest->num_files_train) {
    use.findings.push_back(too_few_files(*manifest, workload, minimum_files, lenient));
    return use;
  }
  if (workload.dataset.num_files_train < manifest->num_files_train) {
    use.overrides.push_back(take("dataset.num_files_generated", manifest->num_files_train));
  }
  if (!user_gave_subfolders && manifest->num_subfolders_train > 0) {
    use.overrides.push_back(take("dataset.num_subfolders_train", manifest->num_subfolders_train));
  }
  const auto shape = entries_of(manifest->shape);
  if (const auto rows = shape.find(kRowGroup);
      !workload.dataset.parquet_row_group_given && rows != shape.end() && !rows->second.empty()) {
    use.overrides.push_back({kRowGroup, rows->second, ValueSource::kTool});
  }
  return use;
}

}  // namespace mlps::training
