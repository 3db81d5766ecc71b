#include "benchmarks/vectordb/command/config_file.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/read_file.hpp"
#include "base/text.hpp"
#include "flags/yaml_values.hpp"

namespace mlps::cli {
namespace {

// What the files of mlpstorage 3.0 come to: their keys for inserts never reach its loader, so they are left out.
constexpr std::string_view kDefault = R"(
dataset: {collection_name: mlps_1m_1shards_1536dim_uniform, num_vectors: 1000000, dimension: 1536, num_shards: 1}
index: {index_type: DISKANN, metric_type: COSINE, index_params: {max_degree: 64, search_list_size: 200}}
workflow: {compact: true}
benchmark: {mode: timed, runtime: 60, batch_size: 1, recall_k: 10, search_limit: 10}
)";
constexpr std::string_view kTenMillion = R"(
dataset: {collection_name: mlps_10m_10shards_1536dim_uniform, num_vectors: 10000000, dimension: 1536, num_shards: 10}
index: {index_type: DISKANN, metric_type: COSINE, index_params: {max_degree: 64, search_list_size: 200}}
workflow: {compact: true}
)";
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kBuiltIn = {
    {{"default", kDefault}, {"10m", kTenMillion}}};

/// Keys whose flag has another name; the section is empty where any will do.
struct Alias {
  std::string_view section, key, flag;
};
constexpr auto kAliases = std::to_array<Alias>({{"", "collection_name", "collection"},
                                                {"", "collection", "collection"},
                                                {"", "efConstruction", "ef-construction"},
                                                {"", "efconstruction", "ef-construction"},
                                                {"", "MaxDegree", "max-degree"},
                                                {"", "SearchListSize", "search-list-size"},
                                                {"database", "database", "vdb-engine"},
                                                {"index", "index_type", "vdb-index"},
                                                {"benchmark", "mode", "benchmark-mode"}});
// Of mlpstorage 3.0, which has no use for them either.
constexpr std::array<std::string_view, 2> kUnused = {"max_receive_message_length", "max_send_message_length"};

struct Leaf {
  std::string section, key;
  YAML::Node value;
};

/// Numbers may be written as 1_000_000.
std::string without_underscores(std::string text) {
  const bool number = !text.empty() && text.find_first_not_of("0123456789_") == std::string::npos;
  if (number) std::erase(text, '_');
  return text;
}

constexpr int kDeepest = 4;

Status flatten(const std::string& section, const YAML::Node& node, int depth, std::vector<Leaf>& leaves) {
  if (depth > kDeepest) {
    return fail(ErrorCode::kConfigParse,
                fmt::format("section '{}' is nested more than {} levels deep", section, kDeepest));
  }
  for (const auto& entry : node) {
    if (!entry.first.IsScalar())
      return fail(ErrorCode::kConfigParse, fmt::format("section '{}': a key is no text", section));
    const std::string key = entry.first.Scalar();
    if (entry.second.IsMap()) {
      if (Status flat = flatten(section.empty() ? key : section, entry.second, depth + 1, leaves); !flat) return flat;
    } else {
      leaves.push_back({section, key, entry.second});
    }
  }
  return {};
}

bool same_value(const YAML::Node& one, const YAML::Node& other) {
  return one.IsScalar() && other.IsScalar() && one.Scalar() == other.Scalar();
}

/// Fails if a key stands twice in one section, with different values.
Status check_twice(const std::vector<Leaf>& leaves) {
  std::map<std::pair<std::string, std::string>, const Leaf*> seen;
  for (const Leaf& leaf : leaves) {
    const auto [place, is_new] = seen.try_emplace({leaf.section, leaf.key}, &leaf);
    if (is_new || same_value(place->second->value, leaf.value)) continue;
    return fail(ErrorCode::kConfigParse,
                fmt::format("key '{}' stands twice in section '{}', with different values", leaf.key, leaf.section), {},
                "keep one of them");
  }
  return {};
}

const Flag* flag_of(const CommandLine& line, const Leaf& leaf) {
  for (const Alias& alias : kAliases) {
    if (alias.key == leaf.key && (alias.section.empty() || alias.section == leaf.section)) {
      return line.command.find_flag(alias.flag);
    }
  }
  for (const Flag& flag : line.command.group->flags) {
    if (key_name(flag) == leaf.key || key_name(flag) == lower(leaf.key)) return &flag;
  }
  return nullptr;
}

/// One key has two meanings: vectors of an insert, and queries of a search.
bool is_of_other_command(const CommandLine& line, const Leaf& leaf) {
  if (leaf.key != "batch_size") return false;
  const bool searches = line.command.word() == "run";
  return searches ? leaf.section == "dataset" : leaf.section == "benchmark";
}

Status take_leaf(const Leaf& leaf, const std::string& origin, CommandLine& line, std::vector<std::string>& filled) {
  if (leaf.value.IsNull() || std::find(kUnused.begin(), kUnused.end(), leaf.key) != kUnused.end()) return {};
  const Flag* flag = flag_of(line, leaf);
  if (flag == nullptr) {
    std::vector<const Flag*> known;
    for (const Flag& row : line.command.group->flags) known.push_back(&row);
    Error error = unknown_key(leaf.key, known, "remove it; docs/vectordb.md lists the keys");
    error.code = ErrorCode::kConfigParse;
    return fail(std::move(error));
  }
  if (!line.command.has_in_some_mode(*flag) || !flag->no_effect.empty() || is_of_other_command(line, leaf)) return {};
  if (flag->name == "runtime" && line.tokens.settings.contains("queries")) {
    line.notes.push_back(fmt::format("{}: runtime doesn't count, --queries ends the run", origin));
    return {};
  }
  auto words = yaml_values(*flag, leaf.value);
  if (!words) return fail(std::move(words.error()));
  for (std::string& word : *words) word = without_underscores(std::move(word));
  const Setting setting{*words, Source::kConfigFile, origin};
  const auto [place, is_new] = line.tokens.settings.try_emplace(std::string(flag->name), setting);
  if (is_new) {
    filled.push_back(key_name(*flag));
  } else if (place->second.values != setting.values) {
    line.notes.push_back(fmt::format("{}: {} {} doesn't count, {} {} does", origin, leaf.key, join(*words, " "),
                                     place->second.origin, join(place->second.values, " ")));
  }
  return {};
}

}  // namespace

void apply_vectordb_text(std::string_view text, const std::string& origin, CommandLine& line) {
  std::vector<Leaf> leaves;
  const auto refuse = [&](Error error) {
    if (error.details.empty()) error.details = "from " + origin;
    line.errors.push_back(std::move(error));
  };
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    if (!root.IsMap()) return refuse({ErrorCode::kConfigParse, origin + " is no mapping of sections"});
    if (Status flat = flatten({}, root, 0, leaves); !flat) return refuse(flat.error());
    if (Status once = check_twice(leaves); !once) return refuse(once.error());
    std::vector<std::string> filled;
    for (const Leaf& leaf : leaves) {
      if (Status taken = take_leaf(leaf, origin, line, filled); !taken) refuse(taken.error());
    }
    if (!filled.empty()) line.notes.push_back(fmt::format("{}: {}", origin, join(filled, ", ")));
  } catch (const YAML::Exception& exception) {
    refuse({ErrorCode::kConfigParse, fmt::format("{}:{}: {}", origin, exception.mark.line + 1, exception.msg)});
  }
}

void apply_vectordb_config(CommandLine& line) {
  const auto given = line.tokens.settings.find("config");
  const std::string name = given == line.tokens.settings.end() ? "default" : given->second.values.back();
  for (const auto& [word, text] : kBuiltIn) {
    if (name == word || name == fmt::format("{}.yaml", word)) {
      std::vector<std::string> notes = line.notes;  // what everybody gets is nothing to be told
      apply_vectordb_text(text, fmt::format("configuration {}", word), line);
      line.notes = std::move(notes);
      return;
    }
  }
  auto text = read_file(name, "--config");
  if (!text) {
    text.error().suggestion = "built in are default and 10m; anything else is the path of a YAML file";
    line.errors.push_back(std::move(text.error()));
    return;
  }
  apply_vectordb_text(*text, "configuration " + name, line);
}

}  // namespace mlps::cli
