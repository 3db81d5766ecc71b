#include "cli/help.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/examples.hpp"
#include "cli/flag_help.hpp"
#include "cli/program_words.hpp"
#include "flags/foreign_words.hpp"
#include "flags/text.hpp"

namespace mlps::cli {
namespace {

constexpr size_t kTextColumn = 34;
constexpr size_t kNarrowTextColumn = 26;  // of screens with fewer than 90 columns
constexpr size_t kReferenceWidth = 100;

/// One entry: name in the left column, text right of it, broken into lines.
std::string entry(std::string_view name, std::string_view text, size_t width) {
  const size_t text_column = width < 90 ? kNarrowTextColumn : kTextColumn;
  std::string result = fmt::format("  {:<{}}", name, text_column - 2);
  size_t column = text_column;
  if (name.size() + 3 > text_column) {
    result = fmt::format("  {}\n{:{}}", name, "", text_column);
  }
  for (const std::string& word : split(text, " ")) {
    if (column + word.size() > width && column > text_column) {
      while (result.back() == ' ') result.pop_back();
      result += fmt::format("\n{:{}}", "", text_column);
      column = text_column;
    }
    result += word + " ";
    column += word.size() + 1;
  }
  result.back() = '\n';
  return result;
}

// A paragraph of a text: what stands before its words on the first line, and how far in the others begin.
struct Paragraph {
  std::string head;
  size_t hanging = 0;
  std::string words;

  std::string wrapped(size_t width) const {
    std::string text = head;
    size_t column = head.size();
    for (const std::string& word : split(words, " ")) {
      if (column > hanging && column + 1 + word.size() > width) {
        text += "\n" + std::string(hanging, ' ');
        column = hanging;
      } else if (column > hanging) {
        text += ' ';
        ++column;
      }
      text += word;
      column += word.size();
    }
    return text + "\n";
  }
};

/// Breaks a text anew, which is written in lines of a reader's width: lines without blanks before them are one
/// paragraph; "  <name>  words" is one of its own, with the lines that stand farther in. Commands stay whole.
std::string reflowed(std::string_view text, size_t width) {
  std::vector<Paragraph> paragraphs;
  bool goes_on = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t indent = std::min(line.find_first_not_of(' '), line.size());
    const bool is_more =
        goes_on && !line.empty() && (indent == 0) == (paragraphs.back().hanging == 0) && (indent == 0 || indent > 2);
    if (is_more) {
      paragraphs.back().words.append(" ").append(line.substr(indent));
      continue;
    }
    const size_t gap = indent == 0 ? std::string_view::npos : line.find("  ", indent);
    const size_t hanging = gap == std::string_view::npos ? indent : line.find_first_not_of(' ', gap);
    paragraphs.push_back({std::string(line.substr(0, hanging)), hanging, std::string(line.substr(hanging))});
    goes_on = !line.empty();
  }
  std::string result;
  for (const Paragraph& one : paragraphs) {
    const bool is_command = one.words.starts_with("mlpstorage ");
    result += is_command ? wrapped_command(one.words, width) + "\n" : one.wrapped(width);
  }
  return result;
}

std::string examples_block(const std::vector<std::string>& words, size_t width) {
  std::string text;
  for (const Example* example : examples_of(words)) {
    text += fmt::format("  # {}\n{}\n", example->text, wrapped_command(example->line, width));
  }
  return text.empty() ? text : "Examples:\n" + text + "\n";
}

// Returns, for 'config set' and 'config unset', the keys that may stand for <key>.
std::string keys_help(const CommandSyntax& command, size_t width) {
  if (command.group != &program_words() || !command.is(kConfigSet | kConfigUnset)) return {};
  std::string text = "\nKeys:\n";
  for (const Flag* flag : command.grammar->user_flags()) text += entry(key_name(*flag), flag->text, width);
  return text;
}

std::string command_help(const CommandSyntax& command, size_t width) {
  std::string text = examples_block(command.words, width);
  text += fmt::format("Usage: {}\n\n{}\n", command.usage(), command.subcommand->text);
  if (!command.subcommand->details.empty()) text += "\n" + reflowed(command.subcommand->details, width);
  text += keys_help(command, width);
  std::string required;
  std::array<std::string, kFlagTopics.size()> topics;
  std::vector<std::string> idle;
  for (const Flag* flag : sorted_flags(command)) {
    if (!command.has(*flag)) continue;
    if (!flag->no_effect.empty()) {
      idle.push_back(typed_name(*flag));
      continue;
    }
    std::string& topic = command.requires_flag(*flag) ? required : topics[flag_topic(*flag)];
    topic += entry(flag_form(*flag, command.mode), flag_text(*flag), width);
  }
  if (!required.empty()) text += "\nRequired:\n" + required;
  for (size_t i = 0; i < topics.size(); ++i) {
    if (!topics[i].empty()) text += fmt::format("\n{}:\n{}", kFlagTopics[i], topics[i]);
  }
  if (!idle.empty()) text += "\nAccepted for old scripts:\n" + entry(join(idle, ", "), "no effect", width);
  return text + "\n" + reflowed(kExitCodes, width);
}

std::string flag_reference(const CommandSyntax& command) {
  std::string text;
  for (const Flag* flag : sorted_flags(command)) {
    text += entry(flag_form(*flag, Mode::kWhatif), flag_text(*flag) + flag_remarks(command, *flag), kReferenceWidth);
  }
  return text;
}

// The words of the first screen by what people come for; what is not named stands at the end.
struct WordGroup {
  std::string_view title;
  std::string_view words;
};
constexpr auto kWordGroups = std::to_array<WordGroup>({
    {"Start here", "try examples help"},
    {"Measure", "closed open whatif"},
    {"Look at results", "runs report compare history reports"},
    {"Submit to MLPerf", "status validate rules submit lockfile rules-coverage"},
    {"Set up, and storage itself", "init config object replay"},
});

/// Returns the words that come next in groups, and those of no group last.
std::string grouped_words(const std::vector<const Subcommand*>& words, size_t width) {
  std::string text;
  std::vector<const Subcommand*> left = words;
  for (const WordGroup& group : kWordGroups) {
    text += fmt::format("{}:\n", group.title);
    for (const std::string& name : split(group.words, " ")) {
      const auto found = std::find_if(left.begin(), left.end(), [&](const auto* word) { return word->word == name; });
      if (found == left.end()) continue;
      if ((*found)->built) text += entry(name, (*found)->text, width);
      left.erase(found);
    }
    text += "\n";
  }
  text += "More:\n";
  for (const Subcommand* word : left) {
    if (word->built) text += entry(word->word, word->text, width);
  }
  return text;
}

std::string first_screen(const Grammar& grammar, const Resolution& resolution, size_t width) {
  std::string text =
      "Can this storage feed AI accelerators, and what limits it? Training, checkpoints, KV caches, vectors.\n\n";
  if (width < 104) text.replace(text.find("? ") + 1, 1, "\n");
  text +=
      "  mlpstorage try /mnt/data          a minute, nothing to prepare\n"
      "  mlpstorage examples               command lines to copy\n"
      "  mlpstorage help WORD              explains a word, a flag, a command\n\n";
  text += grouped_words(grammar.next_words(resolution), width);
  return text + "\nFlags:\n" + entry("--version, -V", "Print the version.", width) +
         entry("--help, -h", "After any word: explain it.", width) +
         entry("--help_all, --help-all", "Print the whole reference.", width) + "\n" + reflowed(kExitCodes, width);
}

/// Returns the rows of flags with this name, each with the commands that have it; texts that repeat stand once.
std::string flag_help(const Grammar& grammar, std::string_view name, size_t width) {
  std::vector<std::pair<std::string, std::string>> shown;  // text, commands
  for (const CommandSyntax& command : grammar.all_commands()) {
    for (const Flag* flag : sorted_flags(command)) {
      const bool meant = is_named(*flag, name) || (!flag->short_name.empty() && flag->short_name == name);
      if (!meant) continue;
      std::string text = entry(flag_form(*flag, Mode::kWhatif), flag_text(*flag), width);
      const auto known = std::find_if(shown.begin(), shown.end(), [&](const auto& one) { return one.first == text; });
      if (known == shown.end()) {
        shown.emplace_back(std::move(text), command.text());
      } else {
        known->second += ", " + command.text();
      }
    }
  }
  std::string text;
  for (const auto& [row, commands] : shown) text += row + entry("", "of " + commands, width);
  return text;
}

std::string commands_named(const Grammar& grammar, std::string_view name, size_t width) {
  std::string text;
  for (const CommandSyntax& command : grammar.all_commands()) {
    const bool meant = std::find(command.words.begin(), command.words.end(), name) != command.words.end();
    if (meant) text += entry(command.text(), command.subcommand->text, width);
  }
  return text;
}

}  // namespace

size_t help_width(const Environment& environment) {
  winsize screen{};
  std::optional<size_t> columns = parse_number<uint32_t>(environment.get("COLUMNS").value_or(""));
  if (!columns && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &screen) == 0 && screen.ws_col > 0) columns = screen.ws_col;
  return std::clamp<size_t>(columns.value_or(kReferenceWidth), 60, 120);
}

std::string wrapped_command(std::string_view line, size_t width) {
  std::string text = "   ";
  size_t column = 3;
  for (const std::string& word : split(line, " ")) {
    if (column + 1 + word.size() + 2 > width && column > 10) {
      text += " \\\n       ";
      column = 7;
    }
    text += " " + word;
    column += 1 + word.size();
  }
  return text;
}

std::string help_text(const Grammar& grammar, const Resolution& resolution, size_t width) {
  if (resolution.kind == Resolution::Kind::kCommand) return command_help(resolution.command, width);
  if (resolution.words().empty()) return first_screen(grammar, resolution, width);
  std::string text = examples_block(resolution.words(), width);
  text += fmt::format("Usage: mlpstorage {} <word> ...\n\n{}\n\nNext word:\n", join(resolution.words(), " "),
                      resolution.command.subcommand->text);
  for (const Subcommand* word : grammar.next_words(resolution)) {
    if (word->built) text += entry(word->word, word->text, width);
  }
  return text;
}

std::string word_help_text(const Grammar& grammar, const std::vector<std::string>& words, size_t width) {
  if (words.size() != 1) return {};
  const std::string& typed = words.front();
  const std::string_view name = std::string_view(typed).substr(std::min(typed.find_first_not_of('-'), typed.size()));
  std::string text = flag_help(grammar, name, width) + commands_named(grammar, name, width);
  const std::string hint = foreign_hint(typed);
  if (!hint.empty()) text += entry(typed, hint, width);
  return text;
}

std::string full_help_text(const Grammar& grammar) {
  std::string text = version_line() + "\n\nCommands:\n";
  const std::vector<CommandSyntax> commands = grammar.all_commands();
  for (const CommandSyntax& command : commands) {
    text += fmt::format("  {}\n      {}\n", command.usage(), command.subcommand->text);
  }
  std::string not_built;
  for (const auto& [path, word] : grammar.words_not_built()) not_built += entry(path, word->text, kReferenceWidth);
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
