#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "workloads/schema.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::workloads {
namespace {

struct Rule {
  std::string_view key;
  ParamVerdict verdict;
  std::string_view reason;
};

constexpr std::string_view kAllowed = "the rules allow it in CLOSED";
constexpr std::string_view kOpenOnly = "the rules allow it in OPEN only";
constexpr std::string_view kByTool = "the tool sets it; it doesn't count";

constexpr std::array kRules = {
    Rule{"dataset.num_files_train", ParamVerdict::kClosed, kAllowed},
    Rule{"dataset.num_subfolders_train", ParamVerdict::kClosed, kAllowed},
    Rule{"dataset.data_folder", ParamVerdict::kClosed, kAllowed},
    Rule{"reader.read_threads", ParamVerdict::kClosed, kAllowed},
    Rule{"reader.computation_threads", ParamVerdict::kClosed, kAllowed},
    Rule{"reader.transfer_size", ParamVerdict::kClosed, kAllowed},
    Rule{"reader.prefetch_size", ParamVerdict::kClosed, kAllowed},
    Rule{"storage.storage_type", ParamVerdict::kClosed, kAllowed},
    Rule{"storage.storage_root", ParamVerdict::kClosed, kAllowed},
    Rule{"storage.storage_options.prefetch_window", ParamVerdict::kClosed, kAllowed},
    Rule{"checkpoint.checkpoint_folder", ParamVerdict::kClosed, kAllowed},
    Rule{"framework", ParamVerdict::kOpen, kOpenOnly},
    Rule{"dataset.format", ParamVerdict::kOpen, kOpenOnly},
    Rule{"dataset.num_samples_per_file", ParamVerdict::kOpen, kOpenOnly},
    Rule{"reader.data_loader", ParamVerdict::kOpen, kOpenOnly},
    Rule{"dataset.skip_listing", ParamVerdict::kIgnored, kByTool},
    Rule{"dataset.listing_validation_interval", ParamVerdict::kIgnored, kByTool},
    Rule{"dataset.num_files_generated", ParamVerdict::kIgnored, kByTool},
    Rule{"dataset.total_disk_bytes", ParamVerdict::kIgnored, kByTool},
    Rule{"storage.storage_options.storage_library", ParamVerdict::kIgnored, kByTool},
    Rule{"storage.storage_options.uri_scheme", ParamVerdict::kIgnored, kByTool},
    Rule{"storage.s3_force_path_style", ParamVerdict::kIgnored, kByTool},
};

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
  for (const Rule& rule : kRules) {
    if (rule.key == key) return {key, rule.verdict, std::string(rule.reason)};
  }
  if (std::find(kMoved.begin(), kMoved.end(), key) != kMoved.end()) {
    return {key, ParamVerdict::kInvalid,
            fmt::format("did you mean storage.storage_options.{}?", key.substr(key.find('.') + 1))};
  }
  std::vector<std::string> names;
  names.reserve(kRules.size());
  for (const Rule& rule : kRules) names.emplace_back(rule.key);
  const auto nearest = training_schema().knows(key) ? std::nullopt : nearest_name(key, names);
  return {key, ParamVerdict::kInvalid,
          nearest ? fmt::format("did you mean {}?", *nearest)
                  : "the rules allow it in neither CLOSED nor OPEN; --allow-invalid-params runs it all the same"};
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
