#include "flags/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "flags/text.hpp"
#include "storage/setting_variables.hpp"

namespace mlps::cli {
namespace {

constexpr std::string_view kOwnPrefix = "MLPSTORAGE_";

/// Returns the variables that some part of the program reads, and those that have a warning of their own.
std::set<std::string_view> known_variables(const Grammar& grammar) {
  std::set<std::string_view> names(storage::kSettingVariables.begin(), storage::kSettingVariables.end());
  names.insert(storage::kCredentialVariables.begin(), storage::kCredentialVariables.end());
  for (const std::string_view name : storage::unread_variables()) names.insert(name);
  names.insert({"MLPS_DEBUG", "MPI_RUN_BIN", "MPI_EXEC_BIN", "NO_COLOR", "TERM", "HOME", "XDG_CONFIG_HOME"});
  for (const Flag* flag : grammar.user_flags()) names.insert({flag->variable, flag->retired});
  names.erase("");
  return names;
}

std::string hint(std::string_view name, const std::set<std::string_view>& known) {
  const std::string near = nearest(name, {known.begin(), known.end()});
  return near.empty() ? "" : fmt::format(" (did you mean {}?)", near);
}

/// Returns the path of the .env file that counts, or nothing.
std::string dotenv_path(const std::string& program_folder) {
  std::vector<std::string> candidates{"./.env"};
  if (!program_folder.empty()) candidates.push_back(program_folder + "/../.env");
  for (const std::string& path : candidates) {
    std::error_code ignored;
    // A folder of this name is somebody's Python environment.
    if (std::filesystem::exists(path, ignored) && !std::filesystem::is_directory(path, ignored)) return path;
  }
  return {};
}

/// Sorts the variables of a .env file into those that are added and those that have no effect.
class Dotenv {
 public:
  Dotenv(const std::string& path, const Grammar& grammar, ParseOutcome& outcome)
      : path_(path), known_(known_variables(grammar)), outcome_(outcome) {}

  void add(const Variables& variables) {
    std::set<std::string_view> seen;
    before_ = outcome_.environment;
    for (const auto& [name, value] : variables) {
      if (!seen.insert(name).second) {
        outcome_.warnings.push_back(fmt::format("{}: {} stands twice, the first one counts", path_, name));
        continue;
      }
      take(name, value);
    }
    note("adds", added_);
    note("holds what this program doesn't read:", unread_);
    note("holds what the environment outranks:", outranked_);
    note("holds what goes with variables that the environment sets, and is left out:", apart_);
  }

 private:
  void take(const std::string& name, const std::string& value) {
    if (!known_.contains(name)) {
      const std::string near = hint(name, known_);
      if (near.empty()) unread_.push_back(name);
      if (!near.empty()) outcome_.warnings.push_back(fmt::format("{}: nothing reads {}{}", path_, name, near));
    }
    const auto set = outcome_.environment.get(name);
    if (!set && is_apart(name)) {
      apart_.push_back(name);
    } else if (!set) {
      outcome_.environment.set(name, value);
      if (known_.contains(name)) added_.push_back(name);
    } else if (*set != value) {
      outranked_.push_back(name);
    }
  }

  /// Returns whether the environment itself sets one of the variables that belong together with this one: a token of
  /// this file doesn't go with keys from elsewhere, nor an endpoint in front of one.
  bool is_apart(const std::string& name) const {
    const auto together = storage::variables_together(name);
    return std::any_of(together.begin(), together.end(),
                       [this](std::string_view other) { return before_.get(other).has_value(); });
  }

  void note(std::string_view what, const std::vector<std::string>& names) {
    if (!names.empty()) outcome_.notes.push_back(fmt::format("{} {} {}", path_, what, join(names, ", ")));
  }

  const std::string& path_;
  const std::set<std::string_view> known_;
  ParseOutcome& outcome_;
  Environment before_;  // without what this file adds
  std::vector<std::string> added_, unread_, outranked_, apart_;
};

}  // namespace

std::vector<std::string> unknown_variables(const Environment& environment, const Grammar& grammar) {
  const std::set<std::string_view> known = known_variables(grammar);
  std::vector<std::string> warnings;
  for (const std::string& name : environment.names()) {
    if (!name.starts_with(kOwnPrefix) || known.contains(name)) continue;
    warnings.push_back(fmt::format("environment: nothing reads {}{}", name, hint(name, known)));
  }
  return warnings;
}

void add_dotenv(const std::string& program_folder, const Grammar& grammar, ParseOutcome& outcome) {
  const std::string path = dotenv_path(program_folder);
  if (path.empty()) return;
  const auto variables = read_variables(path);
  if (!variables) {
    outcome.errors.push_back(variables.error());
    return;
  }
  Dotenv(path, grammar, outcome).add(*variables);
}

std::vector<std::string> unread_dotenv(const std::string& program_folder, const CommandSyntax& command) {
  const std::string path = dotenv_path(program_folder);
  const auto variables = path.empty() ? Result<Variables>() : read_variables(path);
  if (!variables) return {};
  std::vector<std::string> warnings;
  for (const Flag* flag : command.flags()) {
    const bool stands = std::any_of(variables->begin(), variables->end(), [&](const auto& variable) {
      return !flag->variable.empty() && command.has(*flag) && variable.first == flag->variable;
    });
    if (!stands) continue;
    warnings.push_back(fmt::format("{}: {} has no effect: the file is read in object mode only; export it, or give {}",
                                   path, flag->variable, typed_name(*flag)));
  }
  return warnings;
}

}  // namespace mlps::cli
