#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/program_words.hpp"
#include "flags/text.hpp"

namespace mlps::cli {
namespace {

constexpr size_t kTextColumn = 34;
constexpr size_t kWidth = 100;

constexpr std::string_view kExitCodes =
    "Exit codes: 0 done, 1 rules verdict stops the run, 2 arguments, 3 not found or full, 4 permission,\n"
    "5 configuration file, 6 failure, 7 time-out, 8 interrupted.\n";

// One entry: name in the left column, text right of it, broken into lines.
std::string entry(std::string_view name, std::string_view text) {
  std::string result = fmt::format("  {:<{}}", name, kTextColumn - 2);
  size_t column = kTextColumn;
  if (name.size() + 3 > kTextColumn) {
    result = fmt::format("  {}\n{:{}}", name, "", kTextColumn);
  }
  for (const std::string& word : split(text, " ")) {
    if (column + word.size() > kWidth && column > kTextColumn) {
      while (result.back() == ' ') result.pop_back();
      result += fmt::format("\n{:{}}", "", kTextColumn);
      column = kTextColumn;
    }
    result += word + " ";
    column += word.size() + 1;
  }
  result.back() = '\n';
  return result;
}

std::string flag_entry(const Flag& flag, std::string_view value, std::string_view remark) {
  std::string name = typed_name(flag);
  if (!flag.short_name.empty()) name += fmt::format(", -{}", flag.short_name);
  if (!value.empty()) name += fmt::format(" {}", value);
  std::string text(flag.text);
  if (!flag.default_text.empty()) text += fmt::format(" Default: {}.", flag.default_text);
  if (!flag.variable.empty()) text += fmt::format(" Environment: {}.", flag.variable);
  return entry(name, text + std::string(remark));
}

std::string value_text(const Flag& flag, Mode mode) {
  if (flag.kind == FlagKind::kSwitch) return {};
  if (flag.kind != FlagKind::kChoice || !flag.value_name.empty()) return std::string(value_word(flag));
  return fmt::format("{{{}}}", join(choices_of(flag, mode), ","));
}

// Returns the flags that the command has in some mode, by name.
std::vector<const Flag*> sorted_flags(const CommandSyntax& command) {
  std::vector<const Flag*> flags = command.flags();
  std::erase_if(flags, [&](const Flag* flag) { return !command.is(flag->commands); });
  std::sort(flags.begin(), flags.end(), [](const Flag* a, const Flag* b) { return a->name < b->name; });
  return flags;
}

// Returns, for 'config set' and 'config unset', the keys that may stand for <key>.
std::string keys_help(const CommandSyntax& command) {
  if (command.group != &program_words() || !command.is(kConfigSet | kConfigUnset)) return {};
  std::string text = "\nKeys:\n";
  for (const Flag* flag : command.grammar->user_flags()) text += entry(key_name(*flag), flag->text);
  return text;
}

std::string command_help(const CommandSyntax& command) {
  std::string text = fmt::format("Usage: {}\n\n{}\n", command.usage(), command.subcommand->text);
  if (!command.subcommand->details.empty()) text += fmt::format("\n{}", command.subcommand->details);
  text += keys_help(command);
  std::string required;
  std::string optional;
  for (const Flag* flag : sorted_flags(command)) {
    if (!command.has(*flag)) continue;
    (command.requires_flag(*flag) ? required : optional) += flag_entry(*flag, value_text(*flag, command.mode), "");
  }
  if (!required.empty()) text += "\nRequired:\n" + required;
  if (!optional.empty()) text += "\nOptional:\n" + optional;
  return text + "\n" + std::string(kExitCodes);
}

std::string flag_reference(const CommandSyntax& command) {
  std::string text;
  for (const Flag* flag : sorted_flags(command)) {
    std::string remark;
    const ModeMask modes = command.modes_of(*flag);
    if (modes != kAllModes) remark += fmt::format(" Only {}.", mode_names(modes));
    if (command.is(flag->required)) {
      remark += flag->required_modes == kAllModes ? " Required."
                                                  : fmt::format(" Required in {}.", mode_names(flag->required_modes));
    }
    if (flag->user_file) remark += " Also in the per-user file.";
    text += flag_entry(*flag, value_text(*flag, Mode::kWhatif), remark);
  }
  return text;
}

}  // namespace

std::string help_text(const Grammar& grammar, const Resolution& resolution) {
  if (resolution.kind == Resolution::Kind::kCommand) return command_help(resolution.command);
  const bool is_root = resolution.words().empty();
  std::string text =
      fmt::format("Usage: mlpstorage {}{}<word> ...\n", join(resolution.words(), " "), is_root ? "" : " ");
  text += fmt::format("\n{}\n\nNext word:\n",
                      is_root ? "The MLPerf Storage workloads as one program, on files and on object storage."
                              : resolution.command.subcommand->text);
  for (const Subcommand* word : grammar.next_words(resolution)) {
    if (word->built) text += entry(word->word, word->text);
  }
  if (is_root) {
    text += "\nFlags:\n" + entry("--version, -V", "Print the version.") +
            entry("--help, -h", "After any word: explain it.") +
            entry("--help_all, --help-all", "Print the whole reference.") + "\n" + std::string(kExitCodes);
  }
  return text;
}

std::string full_help_text(const Grammar& grammar) {
  std::string text = version_line() + "\n\nCommands:\n";
  const std::vector<CommandSyntax> commands = grammar.all_commands();
  for (const CommandSyntax& command : commands) {
    text += fmt::format("  {}\n      {}\n", command.usage(), command.subcommand->text);
  }
  text += "\nNot in this build yet:\n";
  for (const auto& [path, word] : grammar.words_not_built()) text += entry(path, word->text);
  for (const CommandSyntax& command : commands) {
    const std::string flags = flag_reference(command);
    if (!flags.empty()) text += fmt::format("\nFlags of {}:\n{}", command.usage(), flags);
  }
  text +=
      "\n<mode> is closed, open or whatif. Values come from, the strongest first: flag, --config-file, environment,\n"
      "per-user file ('mlpstorage config path'), default. Sizes: 16MiB, 16M, 1.5GiB, or bytes.\n\n";
  return text + std::string(kExitCodes);
}

}  // namespace mlps::cli
