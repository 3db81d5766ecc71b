#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "benchmarks/training/command/prepare.hpp"
#include "flags/flags.hpp"
#include "results/digests.hpp"
#include "workloads/schema.hpp"

namespace mlps::cli {
namespace {

using workloads::Override;
using workloads::TrainingWorkload;
using workloads::ValueSource;

bool agrees(const TrainingOptions& options, const std::string& key, const std::string& value) {
  if (key == "dataset.data_folder") return value == options.data_dir;
  if (key != "storage.storage_type") return false;
  const bool object = options.protocol == AccessProtocol::kObject;
  return !options.protocol || value == (object ? "s3" : options.o_direct ? "direct_fs" : "local_fs");
}

// Returns everything that is wrong with --params: keys and values that can't be, and those that say differently what
// flags decide.
std::vector<Error> check_params(const TrainingOptions& options) {
  std::vector<Error> errors;
  for (const auto& [key, value] : options.common.params) {
    const bool decided = key == "storage.storage_type" || key == "storage.storage_root" || key == "dataset.data_folder";
    if (decided && !agrees(options, key, value)) {
      errors.push_back({ErrorCode::kConfigIncompatible,
                        fmt::format("--params {}={} can't be honoured", key, value),
                        {},
                        "--data-dir alone says where the data set is, and the word file or object how it is reached"});
    } else if (const auto legal = workloads::training_schema().checked_value(key, value); !legal) {
      errors.push_back(legal.error());
    }
  }
  return errors;
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
  if (!workload && workload.error().details.empty()) workload.error().details = "in " + options.workload_file;
  return workload;
}

}  // namespace

Prepared<ChosenWorkload> choose_workload(const TrainingOptions& options) {
  if (auto errors = check_params(options); !errors.empty()) return tl::unexpected(std::move(errors));
  ChosenWorkload chosen;
  for (const auto& [key, value] : options.common.params) {
    chosen.overrides.push_back({key, value, ValueSource::kUserParams});
  }
  auto workload = load_workload(options, chosen.overrides);
  if (!workload) return failed(workload);
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
