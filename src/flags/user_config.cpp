#include "flags/user_config.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/json.hpp"
#include "base/text.hpp"
#include "base/write_all.hpp"
#include "flags/text.hpp"
#include "flags/values.hpp"
#include "flags/yaml_values.hpp"

namespace mlps::cli {
namespace {

constexpr std::string_view kHeader =
    "# Defaults of mlpstorage for this user. Written by 'mlpstorage init' and 'mlpstorage config';\n"
    "# other keys are kept, comments are not.\n";

// nullopt: there is no file.
Result<std::optional<YAML::Node>> load(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  Result<YAML::Node> node = load_mapping(path, "per-user file");
  if (!node) return fail(std::move(node.error()));
  return std::optional<YAML::Node>(std::move(*node));
}

// Beside the file first, then in its place, so that nobody ever reads half of it.
Status store(const std::string& path, const YAML::Node& node) {
  const std::string folder = path.substr(0, path.rfind('/'));
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(errno_error(error.value(), "create " + folder));
  YAML::Emitter emitter;
  emitter << node;
  const std::string temporary = fmt::format("{}.tmp.{}", path, getpid());
  const std::string body = node.size() == 0 ? "" : std::string(emitter.c_str()) + "\n";
  Status status = write_file(temporary, std::string(kHeader) + body, O_TRUNC);
  if (status && std::rename(temporary.c_str(), path.c_str()) != 0) {
    status = fail(errno_error(errno, fmt::format("rename {} to {}", temporary, path)));
  }
  if (!status) unlink(temporary.c_str());
  return status;
}

std::string nearest_key(const Grammar& grammar, std::string_view key) {
  std::vector<std::string> names;
  for (const Flag* flag : grammar.user_flags()) names.push_back(key_name(*flag));
  return nearest(key, {names.begin(), names.end()});
}

Error rejected(std::string_view key) {
  return {ErrorCode::kConfigInvalid,
          fmt::format("per-user file: '{}' belongs to one command, not to the environment", key),
          {},
          fmt::format("remove it with: mlpstorage config unset {}", key)};
}

std::string variable_over(const Flag& flag, const Environment& environment) {
  return flag.variable.empty() || !environment.get(flag.variable) ? "" : std::string(flag.variable);
}

struct Row {
  std::string key;
  std::optional<std::string> value;
  std::string note;
};

std::vector<Row> rows_of(const Grammar& grammar, const std::optional<YAML::Node>& node,
                         const Environment& environment) {
  std::vector<Row> rows;
  for (const Flag* flag : grammar.user_flags()) {
    Row row{key_name(*flag), std::nullopt, ""};
    if (node && (*node)[row.key] && !(*node)[row.key].IsNull()) {
      const Result<std::vector<std::string>> values = yaml_values(*flag, (*node)[row.key]);
      if (values) row.value = join(*values, ",");
      if (!values) row.note = values.error().message;
    }
    if (const std::string variable = variable_over(*flag, environment); !variable.empty()) {
      row.note = fmt::format("environment {} wins", variable);
    }
    rows.push_back(std::move(row));
  }
  if (!node) return rows;
  for (const auto& entry : *node) {
    const std::string key = entry.first.Scalar();
    const Flag* flag = grammar.find_flag(key);
    if (flag != nullptr && flag->user_file) continue;
    rows.push_back({key, entry.second.IsScalar() ? entry.second.Scalar() : "...",
                    flag != nullptr ? "rejected: belongs to one command" : "unknown: ignored"});
  }
  return rows;
}

}  // namespace

Result<std::string> user_config_path(const Environment& environment) {
  const std::string file = "/mlpstorage/config.yaml";
  const std::optional<std::string> config = environment.get("XDG_CONFIG_HOME");
  if (config && config->front() == '/') return *config + file;
  const std::optional<std::string> home = environment.get("HOME");
  if (home) return *home + "/.config" + file;
  return fail(ErrorCode::kConfigMissing, "there is no per-user file: neither XDG_CONFIG_HOME nor HOME is set");
}

UserValues read_user_values(const Grammar& grammar, const Environment& environment) {
  UserValues result;
  const Result<std::string> path = user_config_path(environment);
  if (!path) return result;
  const Result<std::optional<YAML::Node>> node = load(*path);
  if (!node) {
    result.errors.push_back(node.error());
    return result;
  }
  if (!*node) return result;
  for (const auto& entry : **node) {
    const std::string key = entry.first.Scalar();
    const Flag* flag = grammar.find_flag(key);
    if (flag == nullptr || key.find('-') != std::string::npos) {
      const std::string near = nearest_key(grammar, key);
      result.warnings.push_back(fmt::format("{}: key '{}' is unknown, ignored{}", *path, key,
                                            near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near)));
      continue;
    }
    if (!flag->user_file) {
      result.errors.push_back(rejected(key));
      continue;
    }
    if (entry.second.IsNull()) continue;
    Result<std::vector<std::string>> values = yaml_values(*flag, entry.second);
    if (!values) {
      values.error().details = "from " + *path;
      result.errors.push_back(std::move(values.error()));
      continue;
    }
    if (flag->kind == FlagKind::kPath || flag->kind == FlagKind::kLocation) {
      for (std::string& value : *values) value = with_home(value, environment.get("HOME").value_or(""));
    }
    result.settings[std::string(flag->name)] = {std::move(*values), Source::kUserFile, "user file " + *path};
  }
  return result;
}

Status set_user_value(const Grammar& grammar, const Environment& environment, std::string_view key,
                      const std::vector<std::string>& values) {
  const Flag* flag = grammar.find_flag(key);
  if (flag == nullptr || !flag->user_file) {
    if (flag != nullptr) {
      return fail(ErrorCode::kConfigInvalid, fmt::format("'{}' can't be a default: it picks the workload", key), {},
                  fmt::format("give {} with the command", typed_name(*flag)));
    }
    const std::string near = nearest_key(grammar, key);
    return fail(ErrorCode::kConfigInvalid, fmt::format("unknown key '{}'", key), {},
                near.empty() ? "mlpstorage config show lists the keys" : fmt::format("did you mean '{}'?", near));
  }
  const bool list = flag->kind == FlagKind::kHosts || flag->kind == FlagKind::kRepeated;
  if (!list && values.size() != 1) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("'{}' takes one value, not {}", key, values.size()));
  }
  std::vector<std::string> stored = values;
  if (flag->kind == FlagKind::kHosts) {
    Result<std::vector<std::string>> hosts = parse_hosts(values);
    if (!hosts) return fail(std::move(hosts.error()));
    stored = std::move(*hosts);
  }
  for (const std::string& value : stored) {
    if (const Status status = check_value(*flag, Mode::kClosed, value); !status) return status;
  }
  const Result<std::string> path = user_config_path(environment);
  if (!path) return fail(path.error());
  const Result<std::optional<YAML::Node>> node = load(*path);
  if (!node) return fail(node.error());
  YAML::Node root = *node ? YAML::Clone(**node) : YAML::Node(YAML::NodeType::Map);
  if (list) {
    root[key_name(*flag)] = stored;
  } else {
    root[key_name(*flag)] = flag->kind == FlagKind::kSwitch ? lower(stored[0]) : stored[0];
  }
  return store(*path, root);
}

Status unset_user_value(const Grammar& grammar, const Environment& environment, std::string_view key) {
  const Result<std::string> path = user_config_path(environment);
  if (!path) return fail(path.error());
  const Result<std::optional<YAML::Node>> node = load(*path);
  if (!node) return fail(node.error());
  YAML::Node root = *node ? YAML::Clone(**node) : YAML::Node(YAML::NodeType::Map);
  if (!root.remove(std::string(key))) {
    const std::string near = nearest_key(grammar, key);
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}: there is no key '{}'", *path, key), {},
                near.empty() || near == key ? "mlpstorage config show lists what is set"
                                            : fmt::format("did you mean '{}'?", near));
  }
  return store(*path, root);
}

Result<std::string> show_user_values(const Grammar& grammar, const Environment& environment, bool json) {
  const Result<std::string> path = user_config_path(environment);
  if (!path) return fail(path.error());
  const Result<std::optional<YAML::Node>> node = load(*path);
  if (!node) return fail(node.error());
  const std::vector<Row> rows = rows_of(grammar, *node, environment);
  if (json) {
    Json keys = Json::object();
    for (const Row& row : rows) {
      keys[row.key] = {{"value", row.value ? Json(*row.value) : Json()}, {"note", row.note}};
    }
    const Json root = {{"path", *path}, {"exists", node->has_value()}, {"keys", std::move(keys)}};
    return root.dump(2) + "\n";
  }
  std::string text = fmt::format("{}{}\n", *path, *node ? "" : " (not there yet)");
  for (const Row& row : rows) {
    text += fmt::format("  {:<20} {}", row.key, row.value.value_or("[not set]"));
    if (!row.note.empty()) text += fmt::format("  ({})", row.note);
    text += '\n';
  }
  return text;
}

}  // namespace mlps::cli
