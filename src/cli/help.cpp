#include "cli/help.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/flag_help.hpp"
#include "cli/program_words.hpp"
#include "flags/text.hpp"

namespace mlps::cli {
namespace {

constexpr size_t kTextColumn = 34;
constexpr size_t kWidth = 100;

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
    (command.requires_flag(*flag) ? required : optional) += entry(flag_form(*flag, command.mode), flag_text(*flag));
  }
  if (!required.empty()) text += "\nRequired:\n" + required;
  if (!optional.empty()) text += "\nOptional:\n" + optional;
  return text + "\n" + std::string(kExitCodes);
}

std::string flag_reference(const CommandSyntax& command) {
  std::string text;
  for (const Flag* flag : sorted_flags(command)) {
    text += entry(flag_form(*flag, Mode::kWhatif), flag_text(*flag) + flag_remarks(command, *flag));
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
  std::string not_built;
  for (const auto& [path, word] : grammar.words_not_built()) not_built += entry(path, word->text);
  if (!not_built.empty()) text += "\nNot in this build yet:\n" + not_built;
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
