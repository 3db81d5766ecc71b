#include "workloads/training_workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "workloads/embedded.hpp"
#include "workloads/schema.hpp"
#include "workloads/time_distribution.hpp"
#include "workloads/training_build.hpp"
#include "workloads/workload_file.hpp"

namespace mlps::workloads {
namespace {

constexpr std::array<std::string_view, 7> kTrainingModels = {"unet3d", "retinanet",    "resnet50", "cosmoflow",
                                                             "dlrm",   "dlrm_parquet", "flux"};
constexpr std::array<std::string_view, 4> kAccelerators = {"a100", "h100", "b200", "mi355"};

std::string file_name_of(std::string_view model, std::string_view accelerator) {
  std::string name = fmt::format("{}_{}", model, accelerator.empty() ? "datagen" : accelerator);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

bool is_embedded(std::string_view model, std::string_view accelerator) {
  return embedded_text(file_name_of(model, accelerator) + ".yaml").has_value();
}

// The last override of a key wins. Unknown keys of the tool or the user are refused.
Status apply(Values& values, const Override& change) {
  auto value = training_schema().checked_value(change.key, change.value);
  if (!value) return fail(value.error());
  replace_other_form(values, change.key);
  values[change.key] = SourcedValue{std::move(*value), change.source};
  return {};
}

// Returns why a key that other workloads use has no effect in this one; empty if it has.
std::string_view unused_here(const TrainingWorkload& workload, const std::string& key) {
  if (key.starts_with("checkpoint.") && !workload.checkpoint) return "workflow.checkpoint is False";
  const bool evaluates =
      key.starts_with("evaluation.") || key == "reader.batch_size_eval" || key == "dataset.num_files_eval";
  if (evaluates && workload.train && !workload.evaluation) return "workflow.evaluation is False";
  if (key.starts_with("dataset.parquet.") && workload.dataset.format != DataFormat::kParquet) {
    return "dataset.format is not parquet";
  }
  if (key.starts_with("dataset.record_") && !workload.dataset.columns.empty()) {
    return "the columns say how long a sample is";
  }
  const bool of_runs = key.starts_with("train.") || key.starts_with("metric.") || key.starts_with("evaluation.") ||
                       (key.starts_with("reader.") && key != "reader.odirect");
  const bool only_writes = workload.generate_data && !workload.train;
  if (of_runs && only_writes && workload.values.at(key).source == ValueSource::kUserParams) {
    return "'datagen' writes, and 'run' reads";
  }
  if (key == "dataset.keep_files" && workload.values.at(key).value == "False") return "no command removes a data set";
  if (key == "reader.write_threads") return "--io-workers sets the threads that write";
  if (key == "workflow.generate_data" && workload.generate_data && workload.train) {
    return "'datagen' writes data sets, 'run' reads them";
  }
  if (key == "reader.data_loader" && workload.data_loader != "pytorch" && workload.data_loader != "tensorflow") {
    return "there is one reader, of this program";
  }
  return {};
}

// Of the built-in definitions, and of the configuration that a run has left, they are notes: nobody chose them. Of what
// the user gave they are warnings.
void tell_keys_without_effect(TrainingWorkload& workload, bool own_file) {
  std::vector<std::string> of_file;
  for (const auto& [key, value] : workload.values) {
    const Key* known = training_schema().find(key);
    if (known == nullptr || value.source == ValueSource::kTool) continue;
    std::string_view why = known->no_effect_as;
    if (why.empty() && (own_file || value.source == ValueSource::kUserParams)) why = unused_here(workload, key);
    if (why.empty()) continue;
    std::string text = fmt::format("{}={} has no effect: {}", key, value.value, why);
    if (value.source == ValueSource::kUserParams) {
      workload.warnings.push_back("--params " + text);
    } else if (own_file) {
      of_file.push_back(fmt::format("{} ({})", key, why));
    } else {
      workload.notes.push_back(std::move(text));
    }
  }
  if (!of_file.empty()) {
    workload.warnings.push_back(fmt::format("the workload file has keys without effect: {}", join(of_file, "; ")));
  }
}

Result<TrainingWorkload> make_workload(std::string_view model, std::string_view accelerator, std::string_view yaml,
                                       const std::vector<Override>& overrides, bool own_file) {
  auto file = read_workload_file(yaml, training_schema(), UnknownKeys::kCollected);
  if (!file) return fail(file.error());
  TrainingWorkload workload;
  workload.model = model;
  workload.accelerator = accelerator;
  workload.file_name = file_name_of(model, accelerator);
  workload.values = std::move(file->values);
  workload.warnings = unknown_key_texts(file->unknown, training_schema());
  std::vector<Error> errors;
  for (const Override& change : overrides) {
    if (Status done = apply(workload.values, change); !done) errors.push_back(done.error());
  }
  if (!errors.empty()) return fail(with_unknown_keys(together(errors), file->unknown, training_schema()));
  if (Status done = build_typed(workload); !done) {
    return fail(with_unknown_keys(done.error(), file->unknown, training_schema()));
  }
  tell_keys_without_effect(workload, own_file && !file->is_record);
  return workload;
}

}  // namespace

std::vector<std::string> training_models() {
  return {kTrainingModels.begin(), kTrainingModels.end()};
}

std::vector<std::string> accelerators_of(std::string_view model) {
  std::vector<std::string> names;
  for (const std::string_view accelerator : kAccelerators) {
    if (is_embedded(model, accelerator)) names.emplace_back(accelerator);
  }
  return names;
}

Result<TrainingWorkload> parse_training_workload(std::string_view model, std::string_view accelerator,
                                                 std::string_view yaml, const std::vector<Override>& overrides) {
  return make_workload(model, accelerator, yaml, overrides, true);
}

Result<TrainingWorkload> load_training_workload(std::string_view model, std::string_view accelerator,
                                                const std::vector<Override>& overrides) {
  if (std::find(kTrainingModels.begin(), kTrainingModels.end(), model) == kTrainingModels.end()) {
    return fail(ErrorCode::kConfigFileNotFound, fmt::format("there is no model \"{}\"", model.substr(0, 200)), {},
                fmt::format("{}legal are {}", did_you_mean(model, training_models()), join(training_models(), ", ")));
  }
  const auto text = embedded_text(file_name_of(model, accelerator) + ".yaml");
  if (!text) {
    return fail(ErrorCode::kConfigFileNotFound,
                fmt::format("there is no definition of {} on \"{}\"", model, accelerator.substr(0, 200)), {},
                fmt::format("{} is defined for {}", model, join(accelerators_of(model), ", ")));
  }
  return make_workload(model, accelerator, *text, overrides, false);
}

}  // namespace mlps::workloads
