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

// The last override of a key wins. Unknown keys of the tool or the user are refused, those of a file only noted.
Status apply(Values& values, const Override& change) {
  auto value = training_schema().checked_value(change.key, change.value);
  if (!value) return fail(value.error());
  replace_other_form(values, change.key);
  values[change.key] = SourcedValue{std::move(*value), change.source};
  return {};
}

void note_keys_without_effect(TrainingWorkload& workload) {
  for (const auto& [key, value] : workload.values) {
    const Key* known = training_schema().find(key);
    if (known == nullptr || known->no_effect_as.empty()) continue;
    workload.notes.push_back(fmt::format("{}={} has no effect: {}", key, value.value, known->no_effect_as));
  }
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
  auto file = read_workload_file(yaml, training_schema(), UnknownKeys::kCollected);
  if (!file) return fail(file.error());
  TrainingWorkload workload;
  workload.model = model;
  workload.accelerator = accelerator;
  workload.file_name = file_name_of(model, accelerator);
  workload.values = std::move(file->values);
  for (const std::string& key : file->unknown) {
    workload.notes.push_back(fmt::format("the workload file's {} is unknown and has no effect", key));
  }
  for (const Override& change : overrides) {
    if (Status done = apply(workload.values, change); !done) return fail(done.error());
  }
  note_keys_without_effect(workload);
  if (Status done = build_typed(workload); !done) return fail(done.error());
  return workload;
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
  return parse_training_workload(model, accelerator, *text, overrides);
}

}  // namespace mlps::workloads
