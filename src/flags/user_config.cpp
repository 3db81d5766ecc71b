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

Result<const Flag*> flag_of_key(const Grammar& grammar, const std::string& key) {
  const std::string remove = fmt::format("remove it with: mlpstorage config unset {}", shell_quoted(key));
  const Flag* flag = key.find('-') == std::string::npos ? grammar.find_flag(key) : nullptr;
  if (flag == nullptr) return fail(unknown_key(key, grammar.user_flags(), remove));
  if (flag->user_file) return flag;
  return fail(ErrorCode::kConfigInvalid, fmt::format("'{}' belongs to one command, not to the environment", key), {},
              remove);
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
                    flag != nullptr ? "belongs to one command: stops every command" : "unknown: stops every command"});
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

LayerValues read_user_values(const Grammar& grammar, const Environment& environment) {
  LayerValues result;
  const Result<std::string> path = user_config_path(environment);
  if (!path) return result;
  const Result<std::optional<YAML::Node>> node = load(*path);
  if (!node) {
    result.errors.push_back(node.error());
    return result;
  }
  if (!*node) return result;
  result = file_values(**node, Source::kUserFile, "user file " + *path,
                       [&](const std::string& key) { return flag_of_key(grammar, key); });
  for (auto& [name, setting] : result.settings) {
    const FlagKind kind = grammar.find_flag(name)->kind;
    if (kind != FlagKind::kPath && kind != FlagKind::kLocation) continue;
    for (std::string& value : setting.values) value = with_home(value, environment.get("HOME").value_or(""));
  }
  return result;
}

namespace {

// Returns the words to be stored for a key, checked as the flag's are.
Result<std::vector<std::string>> checked_words(const Flag& flag, std::string_view key,
                                               const std::vector<std::string>& values) {
  const bool list = flag.kind == FlagKind::kHosts || flag.kind == FlagKind::kRepeated;
  if (!list && values.size() != 1) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("'{}' takes one value, not {}", key, values.size()));
  }
  if (flag.kind == FlagKind::kHosts) return parse_hosts(values);
  for (const std::string& value : values) {
    if (const Status status = check_value(flag, Mode::kClosed, value); !status) return fail(status.error());
  }
  if (flag.kind == FlagKind::kSwitch) return std::vector<std::string>{*switch_value(values[0]) ? "true" : "false"};
  return values;
}

// Returns the file as a mapping that may be changed, and its path.
Result<std::pair<std::string, YAML::Node>> load_to_change(const Environment& environment) {
  const Result<std::string> path = user_config_path(environment);
  if (!path) return fail(path.error());
  const Result<std::optional<YAML::Node>> node = load(*path);
  if (!node) return fail(node.error());
  return std::pair(*path, *node ? YAML::Clone(**node) : YAML::Node(YAML::NodeType::Map));
}

}  // namespace

Status set_user_value(const Grammar& grammar, const Environment& environment, std::string_view key,
                      const std::vector<std::string>& values) {
  const Flag* flag = grammar.find_flag(key);
  if (flag == nullptr) {
    return fail(unknown_key(std::string(key), grammar.user_flags(), "mlpstorage config show lists the keys"));
  }
  if (!flag->user_file) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("'{}' can't be a default: it picks the workload", key), {},
                fmt::format("give {} with the command", typed_name(*flag)));
  }
  const auto words = checked_words(*flag, key, values);
  if (!words) return fail(words.error());
  auto file = load_to_change(environment);
  if (!file) return fail(file.error());
  YAML::Node value = file->second[key_name(*flag)];
  if (flag->kind == FlagKind::kHosts || flag->kind == FlagKind::kRepeated) {
    value = *words;
  } else {
    value = words->front();
  }
  return store(file->first, file->second);
}

Status unset_user_value(const Grammar& grammar, const Environment& environment, std::string_view key) {
  auto file = load_to_change(environment);
  if (!file) return fail(file.error());
  if (file->second.remove(std::string(key))) return store(file->first, file->second);
  Error error = unknown_key(std::string(key), grammar.user_flags(), "mlpstorage config show lists what is set");
  error.message = fmt::format("{}: there is no key '{}'", file->first, key);
  return fail(std::move(error));
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
