#include "flags/layers.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.hpp"
#include "flags/text.hpp"
#include "flags/user_config.hpp"
#include "flags/yaml_values.hpp"

namespace mlps::cli {
namespace {

void note_filled(const std::string& origin, const std::vector<std::string>& keys, LayerNotes& notes) {
  if (!keys.empty()) notes.filled.push_back(fmt::format("{}: {}", origin, join(keys, ", ")));
}

std::string nearest_key(const std::string& key, const CommandSyntax& command) {
  std::vector<std::string> names;
  for (const Flag* flag : command.flags()) {
    if (command.has(*flag)) names.push_back(key_name(*flag));
  }
  return nearest(key, {names.begin(), names.end()});
}

void apply_config_file(const CommandSyntax& command, Settings& settings, LayerNotes& notes) {
  const auto given = settings.find("config-file");
  if (given == settings.end()) return;
  const std::string path = given->second.values.back();
  const Result<YAML::Node> root = load_mapping(path, "config file");
  if (!root) {
    notes.errors.push_back(root.error());
    return;
  }
  if (root->size() == 0) notes.warnings.push_back(fmt::format("config file {} is empty", path));
  const std::string origin = "config file " + path;
  std::vector<std::string> filled;
  for (const auto& entry : *root) {
    const std::string key = entry.first.Scalar();
    const Flag* own = command.find_flag(key);
    const Flag* flag = own != nullptr ? own : command.grammar->find_flag(key);
    if (flag == nullptr || flag->name == "config-file" || key.find('-') != std::string::npos) {
      const std::string near = nearest_key(key, command);
      notes.warnings.push_back(fmt::format("{}: unknown key '{}' skipped{}", origin, key,
                                           near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near)));
      continue;
    }
    if (!command.has_in_some_mode(*flag)) {
      notes.warnings.push_back(fmt::format("{}: '{}' means nothing to '{}', skipped", origin, key, command.word()));
      continue;
    }
    if (entry.second.IsNull() || settings.contains(flag->name)) continue;
    if (!command.has(*flag)) {
      notes.errors.push_back({ErrorCode::kConfigInvalid,
                              fmt::format("{} is not available in {} mode, only in {}", key, mode_name(command.mode),
                                          mode_names(command.modes_of(*flag))),
                              "from " + origin, "remove the key, or choose another mode"});
      continue;
    }
    Result<std::vector<std::string>> values = yaml_values(*flag, entry.second);
    if (!values) {
      values.error().details = "from " + origin;
      notes.errors.push_back(std::move(values.error()));
      continue;
    }
    if (values->empty()) continue;
    settings[std::string(flag->name)] = {std::move(*values), Source::kConfigFile, origin};
    filled.push_back(key);
  }
  note_filled(origin, filled, notes);
}

void apply_environment(const CommandSyntax& command, const Environment& environment, Settings& settings) {
  for (const Flag* flag : command.flags()) {
    if (flag->variable.empty() || !command.has(*flag) || settings.contains(flag->name)) continue;
    if (const std::optional<std::string> value = environment.get(flag->variable)) {
      const std::string origin = fmt::format("environment {}", flag->variable);
      settings[std::string(flag->name)] = {{*value}, Source::kEnvironment, origin};
    }
  }
}

void apply_user_file(const CommandSyntax& command, const Environment& environment, Settings& settings,
                     LayerNotes& notes) {
  UserValues values = read_user_values(*command.grammar, environment);
  notes.warnings.insert(notes.warnings.end(), values.warnings.begin(), values.warnings.end());
  notes.errors.insert(notes.errors.end(), values.errors.begin(), values.errors.end());
  std::vector<std::string> filled;
  std::string origin;
  for (auto& [name, setting] : values.settings) {
    const Flag* flag = command.find_flag(name);
    if (flag == nullptr || !command.has(*flag) || settings.contains(name)) continue;
    origin = setting.origin;
    filled.push_back(key_name(*flag));
    settings[name] = std::move(setting);
  }
  note_filled(origin, filled, notes);
}

}  // namespace

LayerNotes apply_layers(const CommandSyntax& command, const Environment& environment, Settings& settings) {
  LayerNotes notes;
  apply_config_file(command, settings, notes);
  apply_environment(command, environment, settings);
  apply_user_file(command, environment, settings, notes);
  return notes;
}

Result<std::string> load_dotenv(const std::string& program_folder, Environment& environment) {
  std::vector<std::string> candidates{"./.env"};
  if (!program_folder.empty()) candidates.push_back(program_folder + "/../.env");
  for (const std::string& path : candidates) {
    std::error_code ignored;
    // A folder of this name is somebody's Python environment.
    if (!std::filesystem::exists(path, ignored) || std::filesystem::is_directory(path, ignored)) continue;
    const Status status = environment.add_file(path);
    if (!status) return fail(status.error());
    return path;
  }
  return std::string{};
}

}  // namespace mlps::cli
