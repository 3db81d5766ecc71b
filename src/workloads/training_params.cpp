#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "workloads/schema.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::workloads {
namespace {

constexpr std::string_view kAllowed = "the rules allow it in CLOSED";

struct Rule {
  ParamVerdict verdict;
  std::string_view reason;
  std::vector<std::string> keys;
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> kRules = {
      {ParamVerdict::kClosed,
       kAllowed,
       {"dataset.num_files_train", "dataset.num_subfolders_train", "dataset.data_folder", "reader.read_threads",
        "reader.computation_threads", "reader.transfer_size", "reader.prefetch_size", "storage.storage_type",
        "storage.storage_root", "storage.storage_options.prefetch_window", "checkpoint.checkpoint_folder"}},
      {ParamVerdict::kOpen,
       "the rules allow it in OPEN only",
       {"framework", "dataset.format", "dataset.num_samples_per_file", "reader.data_loader"}},
      {ParamVerdict::kIgnored,
       "the tool sets it; it doesn't count",
       {"dataset.skip_listing", "dataset.listing_validation_interval", "dataset.num_files_generated",
        "dataset.total_disk_bytes", "storage.storage_options.storage_library", "storage.storage_options.uri_scheme",
        "storage.s3_force_path_style"}},
  };
  return kRules;
}

// Keys that are often written one level too high.
constexpr std::array<std::string_view, 3> kMoved = {"storage.storage_library", "storage.uri_scheme",
                                                    "storage.prefetch_window"};

ParamFinding judged(std::string_view model, const std::string& key) {
  if (key.starts_with("workflow")) {
    return {key, ParamVerdict::kIgnored, "the parameter rules leave out the workflow"};
  }
  if (key == "reader.odirect") {
    if (model == "unet3d") return {key, ParamVerdict::kClosed, std::string(kAllowed)};
    return {key, ParamVerdict::kInvalid, fmt::format("the rules allow it for unet3d only, not for {}", model)};
  }
  std::vector<std::string> names;
  for (const auto& [verdict, reason, keys] : rules()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) return {key, verdict, std::string(reason)};
    names.insert(names.end(), keys.begin(), keys.end());
  }
  if (std::find(kMoved.begin(), kMoved.end(), key) != kMoved.end()) {
    return {key, ParamVerdict::kInvalid,
            fmt::format("did you mean storage.storage_options.{}?", key.substr(key.find('.') + 1))};
  }
  const auto nearest = training_schema().knows(key) ? std::nullopt : nearest_name(key, names);
  return {key, ParamVerdict::kInvalid,
          nearest ? fmt::format("did you mean {}?", *nearest) : "the rules allow it in neither CLOSED nor OPEN"};
}

}  // namespace

std::vector<ParamFinding> judge_params(std::string_view model, const std::vector<Override>& overrides) {
  std::vector<ParamFinding> findings;
  for (const Override& change : overrides) {
    if (change.source == ValueSource::kUserParams) findings.push_back(judged(model, change.key));
  }
  return findings;
}

}  // namespace mlps::workloads
