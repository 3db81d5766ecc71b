#include "cli/utilities.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/build_info.hpp"
#include "cli/completion.hpp"
#include "cli/history.hpp"
#include "cli/judgement_commands.hpp"
#include "cli/manual.hpp"
#include "cli/object_command.hpp"
#include "cli/program_words.hpp"
#include "cli/replay_command.hpp"
#include "cli/report_command.hpp"
#include "cli/results_dir.hpp"
#include "cli/runs_command.hpp"
#include "cli/submission_commands.hpp"
#include "cli/try/try_command.hpp"
#include "flags/layers.hpp"
#include "flags/user_config.hpp"
#include "flags/values.hpp"

namespace mlps::cli {
namespace {

// Holds the arguments of a utility: flags, and the user's words, whose number was checked.
struct Arguments {
  Settings settings;
  std::vector<std::string> words;
  std::vector<Error> errors;
};

Arguments read_arguments(const Resolution& resolution, const Invocation& invocation) {
  const CommandSyntax& command = resolution.command;
  const Subcommand& row = *command.subcommand;
  Tokens tokens = tokenize(command, std::span(invocation.arguments).subspan(resolution.rest));
  Arguments result{std::move(tokens.settings), std::move(tokens.words), std::move(tokens.errors)};
  const std::string usage = "usage: " + command.usage();
  if (result.words.size() < row.minimum_arguments) {
    result.errors.push_back(
        {ErrorCode::kConfigMissing, fmt::format("'{}' needs {}", row.word, row.arguments), {}, usage});
  } else if (result.words.size() > row.maximum_arguments) {
    result.errors.push_back(
        {ErrorCode::kConfigInvalid,
         fmt::format("unexpected word '{}' after '{}'", result.words[row.maximum_arguments], row.word),
         {},
         usage});
  }
  return result;
}

int init(const Resolution& resolution, const Arguments& arguments, const Environment& environment) {
  const Result<InitOutcome> outcome =
      init_results_dir(arguments.words[0], arguments.words.size() > 1 ? arguments.words[1] : std::string{},
                       *resolution.command.grammar, environment);
  if (!outcome) return report(outcome.error());
  print(fmt::format("{} {} for organisation '{}'.\n", outcome->path,
                    outcome->created ? "is initialised" : "was initialised before", arguments.words[0]));
  if (!outcome->recorded.empty()) {
    const std::string instead = outcome->replaced.empty() ? "" : fmt::format(" instead of {}", outcome->replaced);
    print(fmt::format("It is the default results directory now{} ({}).\n", instead, outcome->recorded));
  } else {
    print_error(fmt::format("warning: not recorded as the default results directory: {}\n", outcome->not_recorded));
  }
  return kExitSuccess;
}

int config_command(const Resolution& resolution, const Arguments& arguments, const Environment& environment) {
  const CommandSyntax& command = resolution.command;
  const Grammar& grammar = *command.grammar;
  if (command.is(kConfigShow | kConfigPath)) {
    const Result<std::string> text =
        command.is(kConfigShow) ? show_user_values(grammar, environment, arguments.settings.contains("json"))
                                : user_config_path(environment).map([](const auto& path) { return path + "\n"; });
    if (!text) return report(text.error());
    print(*text);
    return kExitSuccess;
  }
  const std::string& key = arguments.words[0];
  const Status status = command.is(kConfigSet) ? set_user_value(grammar, environment, key,
                                                                {arguments.words.begin() + 1, arguments.words.end()})
                                               : unset_user_value(grammar, environment, key);
  return status ? kExitSuccess : report(status.error());
}

// Returns the results directory whose history is meant, by flag and layers; it must be initialised.
Result<std::string> history_dir(const Resolution& resolution, const Environment& environment, Arguments& arguments) {
  LayerNotes layers = apply_layers(resolution.command, environment, arguments.settings);
  arguments.errors.insert(arguments.errors.end(), layers.errors.begin(), layers.errors.end());
  Reader reader(arguments.settings, resolution.command, arguments.errors);
  const std::string folder = reader.text("results-dir");
  reader.report_missing();
  if (!arguments.errors.empty()) return fail(arguments.errors.front());
  const Result<std::string> orgname = read_sentinel(folder);
  if (!orgname) return fail(orgname.error());
  return folder;
}

void print_entries(const std::vector<HistoryEntry>& entries, bool json) {
  if (json) {
    Json list = Json::array();
    for (const HistoryEntry& entry : entries) {
      list.push_back({{"id", entry.id},
                      {"timestamp", entry.stamp},
                      {"command", entry.command},
                      {"verdict", verdict_of(entry)},
                      {"exit_status", entry.exit_status ? Json(*entry.exit_status) : Json()},
                      {"folder", entry.folder.empty() ? Json() : Json(entry.folder)}});
    }
    return print(list.dump(2) + "\n");
  }
  std::string text;
  for (const HistoryEntry& entry : entries) {
    text += fmt::format("{} : {} : {} : {}{}{}\n", entry.id, entry.stamp, entry.command, verdict_of(entry),
                        entry.folder.empty() ? "" : ", ", entry.folder);
  }
  print(text);
}

int history_show(const Resolution& resolution, const Environment& environment, Arguments& arguments) {
  const Result<std::string> folder = history_dir(resolution, environment, arguments);
  if (!folder) return report(folder.error());
  Reader reader(arguments.settings, resolution.command, arguments.errors);
  const std::optional<uint64_t> id = reader.optional_integer("id");
  const std::optional<uint64_t> limit = reader.optional_integer("limit");
  const bool json = reader.on("json");
  if (!arguments.errors.empty()) return report(arguments.errors);
  Result<std::vector<HistoryEntry>> entries = read_history(*folder);
  if (!entries) return report(entries.error());
  if (id) std::erase_if(*entries, [&](const HistoryEntry& entry) { return entry.id != *id; });
  if (limit && entries->size() > *limit) {
    entries->erase(entries->begin(), entries->end() - static_cast<ptrdiff_t>(*limit));
  }
  if (entries->empty()) {
    return report({ErrorCode::kConfigInvalid, id ? fmt::format("history: there is no command with id {}", *id)
                                                 : fmt::format("history: nothing is recorded in {}", *folder)});
  }
  print_entries(*entries, json);
  return kExitSuccess;
}

int of_results_dir(const Resolution& resolution, const Environment& environment, Arguments& arguments) {
  const CommandSyntax& command = resolution.command;
  const Result<std::string> folder = history_dir(resolution, environment, arguments);
  if (!folder) return report(folder.error());
  if (command.is(kOfRuns)) return runs_command(command, arguments.settings, arguments.words, *folder);
  if (command.is(kStatus)) return status_command(command, arguments.settings, *folder);
  return submit_command(command, arguments.settings, *folder, *read_sentinel(*folder));
}

int object(const Resolution& resolution, const Environment& environment, const Arguments& arguments) {
  std::vector<Error> errors;
  Reader reader(arguments.settings, resolution.command, errors);
  const ObjectArguments object{.locations = arguments.words,
                               .op_log = reader.text("op-log"),
                               .recursive = reader.on("recursive"),
                               .abort = reader.on("abort"),
                               .json = reader.on("json")};
  if (!errors.empty()) return report(errors);
  const Status status = object_command(resolution.command, object, environment);
  return status ? kExitSuccess : report(status.error());
}

int try_in_one_process(const Resolution& resolution, const Invocation& invocation, const Arguments& arguments) {
  if (!invocation.launched) return report(invocation.launched.error());
  if (*invocation.launched) {
    return report({ErrorCode::kConfigIncompatible,
                   "try: a launcher (mpirun, srun) has started this process",
                   {},
                   "start it without: try is about one host"});
  }
  return try_command(resolution.command, invocation.environment, arguments.settings, arguments.words);
}

/// Prints what the program knows of itself: version, manual page, script for a shell.
int print_about_itself(const Resolution& resolution, const Arguments& arguments) {
  const CommandSyntax& command = resolution.command;
  Result<std::string> text;
  if (command.is(kCompletion)) {
    text = completion_script(arguments.words.front());
  } else if (command.is(kMan)) {
    text = manual_page(*command.grammar);
  } else {
    text = version_line() + "\n" + (arguments.settings.contains("build-info") ? build_info() : "");
  }
  if (!text) return report(text.error());
  print(*text);
  return kExitSuccess;
}

}  // namespace

int report(const std::vector<Error>& errors) {
  for (const Error& error : errors) print_error(render(error) + "\n");
  remember_failures(errors);
  return exit_code(errors.front().code);
}

int report(const Error& error) {
  return report(std::vector{error});
}

int run_utility(const Resolution& resolution, const Invocation& invocation) {
  Arguments arguments = read_arguments(resolution, invocation);
  if (!arguments.errors.empty()) return report(arguments.errors);
  const CommandSyntax& command = resolution.command;
  if (command.is(kInit)) return init(resolution, arguments, invocation.environment);
  if (command.is(kOfObject)) return object(resolution, invocation.environment, arguments);
  if (command.is(kReplay)) {
    return replay_command(command, invocation.environment, arguments.settings, arguments.words);
  }
  if (command.is(kHistoryShow)) return history_show(resolution, invocation.environment, arguments);
  if (command.is(kRulesList | kRulesExplain)) return rules_command(command, arguments.settings, arguments.words);
  if (command.is(kTry)) return try_in_one_process(resolution, invocation, arguments);
  if (command.is(kReport)) return report_command(command, arguments.settings, arguments.words);
  if (command.is(kReportgen)) return reportgen_command(command, invocation.environment, arguments.settings);
  if (command.is(kValidate)) return validate_command(command, arguments.settings, arguments.words);
  if (command.is(kOfRuns | kStatus | kSubmit)) return of_results_dir(resolution, invocation.environment, arguments);
  if (command.is(kCompare)) return compare_command(command, arguments.settings, arguments.words);
  if (command.is(kLockGenerate | kLockVerify)) return lockfile_command(command, arguments.settings);
  if (command.is(kCoverage)) return coverage_command(command, arguments.settings);
  if (command.is(kOfConfig)) return config_command(resolution, arguments, invocation.environment);
  return print_about_itself(resolution, arguments);
}

Result<std::vector<std::string>> history_rerun_arguments(const Resolution& resolution, const Invocation& invocation) {
  Arguments arguments = read_arguments(resolution, invocation);
  if (!arguments.errors.empty()) return fail(arguments.errors.front());
  const std::string& word = arguments.words[0];
  const std::optional<uint64_t> id = parse_number<uint64_t>(word);
  if (!id) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("history rerun: '{}' is not an id", word), {},
                "mlpstorage history show lists them");
  }
  const Result<std::string> folder = history_dir(resolution, invocation.environment, arguments);
  if (!folder) return fail(folder.error());
  return recorded_arguments(*folder, *id);
}

}  // namespace mlps::cli
