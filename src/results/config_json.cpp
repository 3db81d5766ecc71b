#include "results/config_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/version.hpp"
#include "results/redact.hpp"

namespace mlps::results {
namespace {

using workloads::Override;
using workloads::SourcedValue;
using workloads::ValueSource;

// Order of the top keys in the files of mlpstorage 3.0.
constexpr std::array<const char*, 8> kSections = {"model",  "framework", "workflow",   "dataset",
                                                  "reader", "train",     "checkpoint", "metric"};

void set_nested(Json& root, std::string_view dotted, Json value) {
  Json* node = &root;
  while (true) {
    const size_t dot = dotted.find('.');
    if (!node->is_object()) *node = Json::object();
    if (dot == std::string_view::npos) break;
    node = &(*node)[dotted.substr(0, dot)];
    dotted.remove_prefix(dot + 1);
  }
  (*node)[dotted] = std::move(value);
}

// The overrides in the order applied, and after them values the tool set while loading.
std::vector<Override> all_overrides(const RunContext& context) {
  std::vector<Override> all = context.overrides;
  for (const auto& [key, value] : context.values) {
    const bool listed = std::any_of(all.begin(), all.end(), [&key = key](const Override& o) { return o.key == key; });
    if (value.source != ValueSource::kWorkloadFile && !listed) all.push_back({key, value.value, value.source});
  }
  return all;
}

// The numbers that the tool derives are numbers in the files of mlpstorage 3.0. Everything else that it sets is text
// there ("10", "True"), as is what a user typed.
constexpr std::array<std::string_view, 7> kCountsOfTheTool = {
    "checkpoint.num_checkpoints_read", "checkpoint.num_checkpoints_write", "dataset.num_files_generated",
    "dataset.num_files_train",         "dataset.num_subfolders_train",     "dataset.total_disk_bytes",
    "model.parallelism.data"};

Json overridden_json(const Override& change) {
  std::string text = masked_value(change.key, change.value);
  const bool counts = change.source == ValueSource::kTool &&
                      std::find(kCountsOfTheTool.begin(), kCountsOfTheTool.end(), change.key) != kCountsOfTheTool.end();
  return counts ? yaml_scalar(text) : Json(std::move(text));
}

std::vector<std::string> task_overrides(const RunContext& context) {
  std::vector<std::string> tasks = {"workload=" + context.workload_name};
  for (const Override& change : all_overrides(context)) {
    tasks.push_back("++workload." + change.key + "=" + masked_value(change.key, change.value));
  }
  return tasks;
}

}  // namespace

Json args_json(const RunContext& context) {
  std::optional<Json> args = parse_json(context.args_json);
  if (!args || !args->is_object()) return Json::object();
  mask_secrets(*args);
  return *args;
}

Json parameters_json(const RunContext& context, bool typed_overrides) {
  Json nested = Json::object();
  for (const auto& [key, value] : context.values) set_nested(nested, key, yaml_scalar(masked_value(key, value.value)));
  if (!typed_overrides) {
    for (const Override& change : all_overrides(context)) {
      if (context.values.contains(change.key)) set_nested(nested, change.key, overridden_json(change));
    }
  }
  Json ordered = Json::object();
  for (const char* section : kSections) {
    if (const Json* found = nested.find(section)) ordered[section] = *found;
  }
  for (const auto& [key, value] : nested.members()) {
    if (ordered.find(key) == nullptr) ordered[key] = value;
  }
  return ordered;
}

Json override_parameters_json(const RunContext& context) {
  Json json = Json::object();
  for (const Override& change : all_overrides(context)) json[change.key] = overridden_json(change);
  return json;
}

Json values_json(const workloads::Values& values) {
  Json json = Json::object();
  for (const auto& [key, value] : values) {
    json[key] = {{"value", masked_value(key, value.value)}, {"source", workloads::source_name(value.source)}};
  }
  return json;
}

Json configuration_json(const RunContext& context) {
  Json overrides = Json::array();
  for (const Override& change : all_overrides(context)) {
    overrides.push_back({{"key", change.key},
                         {"value", masked_value(change.key, change.value)},
                         {"source", workloads::source_name(change.source)}});
  }
  return {{"values", values_json(context.values)}, {"overrides", std::move(overrides)}};
}

std::string config_yaml(const RunContext& context) {
  return yaml({{"workload", parameters_json(context, true)}});
}

std::string overrides_yaml(const RunContext& context) {
  return yaml(Json(task_overrides(context)));
}

std::string hydra_yaml(const RunContext& context) {
  const std::string dir = "hydra.run.dir=" + context.folder;
  Json hydra;
  hydra["run"] = {{"dir", context.folder}};
  hydra["mode"] = "RUN";
  hydra["output_subdir"] = "dlio_config";
  hydra["overrides"] = {{"hydra", {dir, "hydra.output_subdir=dlio_config", "hydra.mode=RUN"}},
                        {"task", task_overrides(context)}};
  hydra["job"] = {{"name", "mlpstorage"}, {"override_dirname", ""}, {"config_name", "config"}};
  hydra["runtime"] = {{"version", fmt::format("mlpstorage {} (build {})", context.tool_version, build_id())},
                      {"output_dir", context.folder},
                      {"choices", {{"workload", context.workload_name}}}};
  hydra["verbose"] = false;
  return yaml({{"hydra", hydra}});
}

}  // namespace mlps::results
