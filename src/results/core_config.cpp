#include "results/core_config.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "base/text.hpp"
#include "results/config_json.hpp"
#include "results/digests.hpp"

namespace mlps::results {
namespace {

constexpr size_t kHashDigits = 16;

/// Names the parameters of a class; a name that ends in '.' stands for all keys below it.
struct AllowList {
  std::string_view benchmark, name;
  std::span<const std::string_view> keys, left_out;
};
constexpr std::array<std::string_view, 22> kTrainingKeys = {"framework",
                                                            "metric.au",
                                                            "model.",
                                                            "workflow.",
                                                            "dataset.format",
                                                            "dataset.num_samples_per_file",
                                                            "dataset.record_length",
                                                            "dataset.record_length_bytes",
                                                            "dataset.record_length_bytes_resize",
                                                            "dataset.record_length_bytes_stdev",
                                                            "dataset.record_length_resize",
                                                            "dataset.record_length_stdev",
                                                            "reader.batch_size",
                                                            "reader.data_loader",
                                                            "reader.file_shuffle",
                                                            "reader.sample_shuffle",
                                                            "reader.shuffle_size",
                                                            "train.computation_time",
                                                            "train.computation_time_stdev",
                                                            "train.epochs",
                                                            "train.total_training_steps",
                                                            "checkpoint."};
constexpr std::array<std::string_view, 1> kNotOfTraining = {"checkpoint.checkpoint_folder"};
constexpr std::array<std::string_view, 4> kCheckpointKeys = {"framework", "model.", "workflow.", "checkpoint."};
constexpr std::array<std::string_view, 3> kNotOfCheckpointing = {
    "checkpoint.checkpoint_folder", "checkpoint.num_checkpoints_read", "checkpoint.num_checkpoints_write"};
constexpr std::array<AllowList, 2> kAllowLists = {
    {{"training", "training@1", kTrainingKeys, kNotOfTraining},
     {"checkpointing", "checkpointing@1", kCheckpointKeys, kNotOfCheckpointing}}};

bool allows(const AllowList& list, std::string_view key) {
  if (std::find(list.left_out.begin(), list.left_out.end(), key) != list.left_out.end()) return false;
  return std::any_of(list.keys.begin(), list.keys.end(), [&](std::string_view allowed) {
    return key == allowed || (allowed.ends_with('.') && key.starts_with(allowed));
  });
}

// Returns a value in the one spelling that all spellings of it have.
nlohmann::json canonical(const nlohmann::ordered_json& value) {
  if (value.is_array()) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& item : value) list.push_back(canonical(item));
    return list;
  }
  nlohmann::json scalar = value;
  if (value.is_string()) {
    const std::string text(trimmed(value.get<std::string>()));
    const std::string folded = lower(text);
    if (folded == "true" || folded == "false") return folded == "true";
    const Json read = yaml_scalar(text);
    const bool is_number = read.text() == nullptr && !read.is_null() && !read.is_boolean();
    if (!is_number) return text;
    scalar = nlohmann::json::parse(read.dump());
  }
  if (!scalar.is_number_float()) return scalar;
  const auto number = scalar.get<double>();
  const auto whole = static_cast<int64_t>(number);
  if (static_cast<double>(whole) == number) return whole;
  return number;
}

void collect(const AllowList& list, const nlohmann::ordered_json& node, const std::string& key, nlohmann::json& core) {
  if (node.is_object()) {
    for (const auto& [name, member] : node.items()) collect(list, member, key.empty() ? name : key + "." + name, core);
  } else if (allows(list, key)) {
    core[key] = canonical(node);
  }
}

}  // namespace

CoreConfig core_config(const RunContext& context) {
  CoreConfig config;
  const auto list = std::find_if(kAllowLists.begin(), kAllowLists.end(),
                                 [&](const AllowList& known) { return known.benchmark == context.benchmark; });
  config.allowlist = list == kAllowLists.end() ? "unknown" : std::string(list->name);
  if (list == kAllowLists.end()) return config;
  nlohmann::json core = nlohmann::json::object();
  collect(*list, nlohmann::ordered_json::parse(parameters_json(context, false).dump()), {}, core);
  if (core.empty()) return config;
  for (const auto& [key, value] : core.items()) config.keys.push_back(key);
  config.hash = sha256_hex(core.dump(-1, ' ', true)).substr(0, kHashDigits);
  return config;
}

}  // namespace mlps::results
