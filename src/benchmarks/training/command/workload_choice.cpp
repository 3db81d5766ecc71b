#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "benchmarks/training/command/prepare.hpp"
#include "flags/flags.hpp"
#include "results/digests.hpp"

namespace mlps::cli {
namespace {

using workloads::Override;
using workloads::TrainingWorkload;
using workloads::ValueSource;

// A parameter may not say differently what flags decide.
Status check_params(const TrainingOptions& options) {
  for (const auto& [key, value] : options.common.params) {
    const bool is_type = key == "storage.storage_type";
    const bool object = options.protocol == AccessProtocol::kObject;
    const bool fits = value == (object ? "s3" : options.o_direct ? "direct_fs" : "local_fs");
    if (is_type && (fits || !options.protocol)) continue;
    if (!is_type && key != "storage.storage_root" && key != "dataset.data_folder") continue;
    return fail(ErrorCode::kConfigIncompatible, fmt::format("--params {}={} can't be honoured", key, value), {},
                "--data-dir alone says where the data set is, and the word file or object how it is reached");
  }
  return {};
}

// The datagen template has no accelerator: the data set is the same for all of them.
std::string accelerator_of(const TrainingOptions& options) {
  return options.which == TrainingCommand::kDatagen ? std::string() : options.accelerator_type;
}

// Returns the accelerators that a definition exists for and the mode allows.
std::string advice_on_pairs(const TrainingOptions& options) {
  const std::vector<std::string> allowed = choices_of(kAcceleratorTypeFlag, options.common.mode);
  std::vector<std::string> there;
  for (const std::string& name : workloads::accelerators_of(options.model)) {
    if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) there.push_back(name);
  }
  return fmt::format("{} mode has {} for {}", mode_name(options.common.mode), join(there, ", "), options.model);
}

// A replaced definition is told apart by its file and its text: sha256sum gives the same digits.
std::string name_of_own(const TrainingOptions& options) {
  return fmt::format("{}@sha256:{}", std::filesystem::path(options.workload_file).filename().string(),
                     results::sha256_hex(options.workload_text).substr(0, 16));
}

Result<TrainingWorkload> load_workload(const TrainingOptions& options, const std::vector<Override>& overrides) {
  if (options.workload_file.empty()) {
    auto workload = workloads::load_training_workload(options.model, accelerator_of(options), overrides);
    if (!workload && workload.error().code == ErrorCode::kConfigFileNotFound) {
      workload.error().suggestion = advice_on_pairs(options);
    }
    return workload;
  }
  auto workload =
      workloads::parse_training_workload(options.model, accelerator_of(options), options.workload_text, overrides);
  if (workload) workload->file_name = name_of_own(options);
  return workload;
}

}  // namespace

Result<ChosenWorkload> choose_workload(const TrainingOptions& options) {
  if (Status status = check_params(options); !status) return fail(status.error());
  ChosenWorkload chosen;
  for (const auto& [key, value] : options.common.params) {
    chosen.overrides.push_back({key, value, ValueSource::kUserParams});
  }
  auto workload = load_workload(options, chosen.overrides);
  if (!workload) return fail(workload.error());
  chosen.workload = std::move(*workload);
  return chosen;
}

Status add_overrides(const TrainingOptions& options, const std::vector<Override>& more, ChosenWorkload& chosen) {
  if (more.empty()) return {};
  chosen.overrides.insert(chosen.overrides.end(), more.begin(), more.end());
  auto workload = load_workload(options, chosen.overrides);
  if (!workload) return fail(workload.error());
  chosen.workload = std::move(*workload);
  return {};
}

}  // namespace mlps::cli
