#include "flags/layers.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "base/text.hpp"
#include "flags/text.hpp"
#include "flags/user_config.hpp"
#include "flags/yaml_values.hpp"

namespace mlps::cli {
namespace {

// Fills what nothing stronger has given. `outranked` gets what says something else than a stronger layer.
void take(LayerValues layer, const CommandSyntax& command, Settings& settings, LayerNotes& notes,
          std::vector<std::string>& outranked) {
  std::move(layer.warnings.begin(), layer.warnings.end(), std::back_inserter(notes.warnings));
  std::move(layer.errors.begin(), layer.errors.end(), std::back_inserter(notes.errors));
  std::map<std::string, std::vector<std::string>> filled;
  for (auto& [name, setting] : layer.settings) {
    const Flag* flag = command.find_flag(name);
    if (flag == nullptr || !command.has(*flag)) continue;
    const auto [place, is_new] = settings.try_emplace(name, setting);
    if (is_new) {
      filled[setting.origin].push_back(key_name(*flag));
    } else if (setting.source == Source::kUserFile && name == "results-dir" && place->second.origin == "flag") {
      continue;  // the default that `init` has written, and that a flag is there to replace
    } else if (place->second.values != setting.values) {
      const std::string stronger = place->second.origin == "flag" ? typed_name(*flag) : place->second.origin;
      outranked.push_back(
          fmt::format("{}: '{}' has no effect, {} outranks it", setting.origin, key_name(*flag), stronger));
    }
  }
  for (const auto& [origin, keys] : filled) notes.filled.push_back(fmt::format("{}: {}", origin, join(keys, ", ")));
}

// Returns the flag of a key of a config file; nullptr with a warning for one that means nothing to the command.
Result<const Flag*> flag_of_key(const CommandSyntax& command, const std::string& key, const std::string& origin,
                                std::vector<std::string>& warnings) {
  // Which mode and benchmark run is typed; as flags both only narrow what utilities show.
  const bool is_key = key.find('-') == std::string::npos && key != "mode" && key != "benchmark";
  if (key == "config_file") {
    return fail(ErrorCode::kConfigInvalid, "a config file can't name another one ('config_file')", {},
                "remove the key, and give one --config-file with all values");
  }
  const Flag* own = is_key ? command.find_flag(key) : nullptr;
  const Flag* flag = own == nullptr && is_key ? command.grammar->find_flag(key) : own;
  if (flag == nullptr) {
    std::vector<const Flag*> flags = command.flags();
    std::erase_if(flags, [&](const Flag* row) { return !command.has(*row) || row->name == "config-file"; });
    return fail(unknown_key(
        key, flags, fmt::format("'{} -h' lists the flags; a key is a flag's name with underscores", command.text())));
  }
  if (!command.has_in_some_mode(*flag)) {
    warnings.push_back(fmt::format("{}: '{}' means nothing to '{}', skipped", origin, key, command.word()));
    return nullptr;
  }
  if (command.has(*flag)) return flag;
  return fail(ErrorCode::kConfigInvalid,
              fmt::format("{} is not available in {} mode, only in {}", key, mode_name(command.mode),
                          mode_names(command.modes_of(*flag))),
              {}, "remove the key, or choose another mode");
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
  take(file_values(*root, Source::kConfigFile, origin,
                   [&](const std::string& key) { return flag_of_key(command, key, origin, notes.warnings); }),
       command, settings, notes, notes.warnings);
}

// Returns what the variables of the command's flags say. An old name counts where the present one isn't set.
LayerValues environment_values(const CommandSyntax& command, const Environment& environment) {
  LayerValues layer;
  for (const Flag* flag : command.flags()) {
    if (flag->variable.empty() || !command.has(*flag)) continue;
    const std::optional<std::string> value = environment.get(flag->variable);
    const std::optional<std::string> old = flag->retired.empty() ? std::nullopt : environment.get(flag->retired);
    if (old) {
      layer.warnings.push_back(
          value ? fmt::format("{} has no effect: {} outranks it, its present name", flag->retired, flag->variable)
                : fmt::format("{} is an old name: rename it to {}", flag->retired, flag->variable));
    }
    const std::string origin = fmt::format("environment {}", value ? flag->variable : flag->retired);
    if (value || old) layer.settings[std::string(flag->name)] = {{value ? *value : *old}, Source::kEnvironment, origin};
  }
  return layer;
}

// whatif needs no preparation: its results go into a folder here, under this host's name.
LayerValues whatif_values(const CommandSyntax& command) {
  LayerValues layer;
  if (command.mode != Mode::kWhatif || !command.is(kOnStorage)) return layer;
  const std::string origin = "whatif";
  layer.settings["results-dir"] = {{std::string(kDefaultResultsDir)}, Source::kDefault, origin};
  layer.settings["systemname"] = {{system_name_of_host()}, Source::kDefault, origin};
  return layer;
}

}  // namespace

std::string system_name_of_host() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || !is_plain_name(name.data())) return "this-host";
  return name.data();
}

LayerNotes apply_layers(const CommandSyntax& command, const Environment& environment, Settings& settings) {
  LayerNotes notes;
  apply_config_file(command, settings, notes);
  // These two describe the environment of many commands: what a command says differently is no mistake.
  std::vector<std::string> outranked;
  take(environment_values(command, environment), command, settings, notes, outranked);
  take(read_user_values(*command.grammar, environment), command, settings, notes, outranked);
  std::move(outranked.begin(), outranked.end(), std::back_inserter(notes.filled));
  for (auto& [name, setting] : whatif_values(command).settings) settings.try_emplace(name, std::move(setting));
  return notes;
}

}  // namespace mlps::cli
