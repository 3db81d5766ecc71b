#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "base/version.hpp"
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
  if (flag.kind != FlagKind::kChoice) return std::string(flag.value_name);
  return fmt::format("{{{}}}", join(choices_of(flag, mode), ","));
}

std::vector<const Flag*> sorted_flags(const CommandWord& word) {
  std::vector<const Flag*> flags;
  for (const Flag& flag : all_flags()) {
    if ((flag.leaves & word.leaf) != 0) flags.push_back(&flag);
  }
  std::sort(flags.begin(), flags.end(), [](const Flag* a, const Flag* b) { return a->name < b->name; });
  return flags;
}

std::string leaf_help(const CommandWord& word, const Resolution& resolution) {
  std::string text = fmt::format("Usage: {}\n\n{}\n", usage_of(word, mode_name(resolution.mode)), word.text);
  std::string required;
  std::string optional;
  for (const Flag* flag : sorted_flags(word)) {
    if (!is_available(*flag, word.leaf, resolution.mode)) continue;
    const bool needed = is_required(*flag, word.leaf, resolution.mode);
    (needed ? required : optional) += flag_entry(*flag, value_text(*flag, resolution.mode), "");
  }
  if (!required.empty()) text += "\nRequired:\n" + required;
  if (!optional.empty()) text += "\nOptional:\n" + optional;
  return text + "\n" + std::string(kExitCodes);
}

std::string words_help(const Resolution& resolution) {
  std::string text;
  const bool below_mode = resolution.parent.starts_with("MODE");
  for (const CommandWord* word :
       words_below(resolution.parent, below_mode ? std::optional(resolution.mode) : std::nullopt)) {
    text += entry(word->word, fmt::format("{}{}", word->text, word->built ? "" : " (not in this build yet)"));
  }
  return text;
}

std::string flag_reference(const CommandWord& word) {
  std::string text;
  for (const Flag* flag : sorted_flags(word)) {
    std::string remark;
    const ModeMask modes = modes_of(*flag, word.leaf);
    if (modes != kAllModes) remark += fmt::format(" Only {}.", mode_names(modes));
    if ((flag->required & word.leaf) != 0) {
      remark += flag->required_modes == kAllModes ? " Required."
                                                  : fmt::format(" Required in {}.", mode_names(flag->required_modes));
    }
    if (flag->user_file) remark += " Also in the per-user file.";
    text += flag_entry(*flag, value_text(*flag, Mode::kWhatif), remark);
  }
  return text;
}

}  // namespace

std::string help_text(const Resolution& resolution) {
  if (resolution.kind == Resolution::Kind::kCommand) return leaf_help(*resolution.word, resolution);
  const std::string words = resolution.words.empty() ? "" : fmt::format("{} ", join(resolution.words, " "));
  std::string text = fmt::format("Usage: mlpstorage {}<word> ...\n", words);
  if (resolution.words.empty()) {
    text += "\nThe MLPerf Storage workloads as one program, on files and on object storage.\n";
  } else {
    text += fmt::format("\n{}\n", resolution.word->text);
  }
  text += fmt::format("\nNext word:\n{}", words_help(resolution));
  if (resolution.words.empty()) {
    text += "\nFlags:\n" + entry("--version", "Print the version.") +
            entry("--help, -h", "After any word: explain it.") +
            entry("--help_all, --help-all", "Print the whole reference.") + "\n" + std::string(kExitCodes);
  }
  return text;
}

std::string full_help_text() {
  std::string text = version_line() + "\n\nCommands:\n";
  for (const CommandWord* word : all_leaves()) {
    text += fmt::format("  {}\n      {}\n", usage_of(*word, "<closed|open|whatif>"), word->text);
  }
  for (const CommandWord* word : all_leaves()) {
    const std::string flags = flag_reference(*word);
    if (!flags.empty()) text += fmt::format("\nFlags of {}:\n{}", usage_of(*word, "<mode>"), flags);
  }
  text +=
      "\nValues come from, the strongest first: flag, --config-file, environment, per-user file\n"
      "('mlpstorage config path'), default. Sizes: 16MiB, 16M, 1.5GiB, or bytes.\n\n";
  return text + std::string(kExitCodes);
}

}  // namespace mlps::cli
