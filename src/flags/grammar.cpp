#include "flags/grammar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "flags/foreign_words.hpp"
#include "flags/text.hpp"

namespace mlps::cli {
namespace {

constexpr auto kModeWords = std::to_array<Subcommand>({
    {.word = "closed", .text = "benchmarks under the fixed rules of a submission"},
    {.word = "open", .text = "benchmarks with freer tuning"},
    {.word = "whatif", .text = "benchmarks without rules; they really run, but can't be submitted"},
});

std::optional<Mode> mode_so_far(const Resolution& resolution) {
  return resolution.parent.starts_with("MODE") ? std::optional(resolution.command.mode) : std::nullopt;
}

std::string joined(const std::string& parent, std::string_view word) {
  return parent.empty() || word.empty() ? parent + std::string(word) : fmt::format("{}/{}", parent, word);
}

std::string after(const Resolution& resolution) {
  return resolution.words().empty() ? "'mlpstorage'" : fmt::format("'{}'", join(resolution.words(), " "));
}

// "run file", for an example of a command of `group`.
std::string example_command(const CommandGroup& group) {
  for (const Subcommand& row : group.subcommands) {
    if ((row.command & kRuns) != 0) return fmt::format("{} file", row.word);
  }
  return {};
}

std::vector<std::string> words_with_placeholders(const std::string& parent, const Subcommand& last) {
  std::vector<std::string> words;
  for (const std::string& word : split(parent, "/")) {
    words.push_back(word == "MODE" ? "<mode>" : word == "MODEL" ? "<model>" : word);
  }
  words.emplace_back(last.word);
  return words;
}

const Flag* find_row(const CommandSyntax& command, auto&& matches) {
  const Flag* other = nullptr;
  for (const Flag* flag : command.flags()) {
    if (!matches(*flag)) continue;
    if (command.is(flag->commands)) return flag;
    if (other == nullptr) other = flag;
  }
  return other;
}

}  // namespace

std::vector<const Flag*> CommandSyntax::flags() const {
  std::vector<const Flag*> rows;
  for (const Flag& flag : shared_flags()) rows.push_back(&flag);
  for (const Flag& flag : group->flags) rows.push_back(&flag);
  return rows;
}

bool CommandSyntax::has_in_some_mode(const Flag& flag) const {
  const std::vector<const Flag*> rows = flags();
  return is(flag.commands) && std::find(rows.begin(), rows.end(), &flag) != rows.end();
}

const Flag* CommandSyntax::find_flag(std::string_view name) const {
  return find_row(*this, [&](const Flag& flag) { return is_named(flag, name); });
}

const Flag* CommandSyntax::find_short_flag(std::string_view short_name) const {
  if (short_name.empty()) return nullptr;
  return find_row(*this, [&](const Flag& flag) { return flag.short_name == short_name; });
}

std::string CommandSyntax::text() const {
  return fmt::format("mlpstorage {}", join(words, " "));
}

std::string CommandSyntax::usage() const {
  std::string usage = text();
  if (is(kOnStorage)) usage += " <file|object>";
  if (!subcommand->arguments.empty()) usage += fmt::format(" {}", subcommand->arguments);
  const std::vector<const Flag*> rows = flags();
  const bool has_flags = std::any_of(rows.begin(), rows.end(), [&](const Flag* row) { return is(row->commands); });
  return has_flags ? usage + " [flags]" : usage;
}

Grammar::Grammar(const CommandGroup& program, const std::vector<const CommandGroup*>& benchmarks) : groups_{&program} {
  groups_.insert(groups_.end(), benchmarks.begin(), benchmarks.end());
  for (const Subcommand& mode : kModeWords) entries_.push_back({"", &program, mode});
  for (const Subcommand& row : program.subcommands) entries_.push_back({std::string(row.parent), &program, row});
  for (const CommandGroup* group : benchmarks) {
    entries_.push_back({"MODE", group, {.word = group->word, .text = group->text}});
    const std::string parent = joined("MODE", group->word);
    for (const Subcommand& row : group->subcommands) entries_.push_back({joined(parent, row.parent), group, row});
  }
}

std::vector<const Grammar::Entry*> Grammar::below(std::string_view parent, std::optional<Mode> mode) const {
  std::vector<const Entry*> found;
  for (const Entry& entry : entries_) {
    const bool exists = !mode || (entry.word.modes & mode_bit(*mode)) != 0;
    if (entry.parent == parent && exists) found.push_back(&entry);
  }
  return found;
}

const Grammar::Entry* Grammar::find(std::string_view parent, std::string_view word, std::optional<Mode> mode) const {
  for (const Entry* entry : below(parent, mode)) {
    if (entry->word.word == word) return entry;
  }
  return nullptr;
}

// Returns the step that `entry` adds to the parent of the words below it: a placeholder where the grammar below is the
// same for all words of a kind.
std::string Grammar::step_below(const Entry& entry) const {
  if (entry.parent.empty() && mode_of(entry.word.word)) return "MODE";
  const bool is_model = entry.parent == joined("MODE", entry.group->word) && entry.word.command == kNoCommand;
  return is_model ? "MODEL" : std::string(entry.word.word);
}

Resolution Grammar::resolve(std::span<const std::string> arguments) const {
  Resolution result;
  result.command.grammar = this;
  result.wants_help = std::any_of(arguments.begin(), arguments.end(),
                                  [](const std::string& word) { return word == "-h" || word == "--help"; });
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "-h" || argument == "--help") continue;
    const Entry* entry = find(result.parent, argument, mode_so_far(result));
    if (entry == nullptr) {
      const bool is_flag = argument.starts_with('-');
      result.kind = is_flag ? Resolution::Kind::kFlagTooEarly : Resolution::Kind::kUnknown;
      result.offending = argument;
      return result;
    }
    result.command.group = entry->group;
    result.command.subcommand = &entry->word;
    result.command.words.push_back(argument);
    result.rest = i + 1;
    if (entry->word.command != kNoCommand) {
      result.kind = Resolution::Kind::kCommand;
      return result;
    }
    const std::string step = step_below(*entry);
    if (step == "MODE") result.command.mode = *mode_of(argument);
    if (step == "MODEL") result.model = argument;
    result.parent = joined(result.parent, step);
  }
  return result;
}

std::vector<const Subcommand*> Grammar::next_words(const Resolution& resolution) const {
  std::vector<const Subcommand*> words;
  for (const Entry* entry : below(resolution.parent, mode_so_far(resolution))) words.push_back(&entry->word);
  return words;
}

std::vector<std::string_view> Grammar::names_below(const Resolution& resolution) const {
  std::vector<std::string_view> names;
  for (const Subcommand* word : next_words(resolution)) names.push_back(word->word);
  return names;
}

std::vector<CommandSyntax> Grammar::all_commands() const {
  std::vector<CommandSyntax> commands;
  for (const Entry& entry : entries_) {
    if (entry.word.command == kNoCommand) continue;
    commands.push_back(
        {this, entry.group, &entry.word, Mode::kWhatif, words_with_placeholders(entry.parent, entry.word)});
  }
  return commands;
}

const Flag* Grammar::find_flag(std::string_view name) const {
  for (const CommandGroup* group : groups_) {
    for (const Flag* flag : CommandSyntax{this, group}.flags()) {
      if (is_named(*flag, name)) return flag;
    }
  }
  return nullptr;
}

std::vector<const Flag*> Grammar::user_flags() const {
  std::vector<const Flag*> flags;
  for (const CommandGroup* group : groups_) {
    for (const Flag* flag : CommandSyntax{this, group}.flags()) {
      const bool is_new =
          std::none_of(flags.begin(), flags.end(), [&](const Flag* known) { return known->name == flag->name; });
      if (flag->user_file && is_new) flags.push_back(flag);
    }
  }
  return flags;
}

// Returns the present form of words of older versions, or of the manual page of mlpstorage 3.0; else nothing.
std::string Grammar::present_form(const Resolution& resolution) const {
  const std::string& offending = resolution.offending;
  if (resolution.parent.empty() && find("MODE", offending, std::nullopt) != nullptr) {
    return fmt::format("the mode goes first: mlpstorage closed {} ... (or open, or whatif)", offending);
  }
  for (const Entry& entry : entries_) {
    if (!resolution.parent.empty() || entry.word.word != offending || !entry.parent.starts_with("MODE/")) continue;
    return fmt::format("mode and benchmark go first: mlpstorage closed {} ...", entry.group->word);
  }
  const CommandGroup* group = resolution.command.group;
  if (group == nullptr || resolution.parent != joined("MODE", group->word)) return retired_flag_hint(offending);
  const auto model =
      std::find_if(group->flags.begin(), group->flags.end(), [](const Flag& flag) { return flag.name == "model"; });
  if (model != group->flags.end()) {
    const std::vector<std::string> models = choices_of(*model, Mode::kWhatif);
    if (std::find(models.begin(), models.end(), offending) != models.end()) {
      return fmt::format("the model is a flag here: {} {} --model {} ...", join(resolution.words(), " "),
                         example_command(*group), offending);
    }
  }
  if (find(resolution.parent, offending, Mode::kWhatif) != nullptr) {
    return fmt::format("'{}' is available in whatif mode only", offending);
  }
  if (find(joined(resolution.parent, "MODEL"), offending, std::nullopt) != nullptr) {
    return fmt::format("the model goes before the command: {} {} {} ...", join(resolution.words(), " "),
                       below(resolution.parent, std::nullopt).front()->word.word, offending);
  }
  return retired_flag_hint(offending);
}

Error Grammar::explain(const Resolution& resolution) const {
  const std::string next = join(names_below(resolution), ", ");
  const std::string pointer = "-h after any word explains it, --help_all prints everything";
  const auto or_else = [](std::string text, std::string other) { return text.empty() ? std::move(other) : text; };
  switch (resolution.kind) {
    case Resolution::Kind::kIncomplete:
      return {ErrorCode::kConfigMissing,
              fmt::format("incomplete command: after {} comes one of: {}", after(resolution), next),
              {},
              pointer};
    case Resolution::Kind::kUnknown: {
      const std::string near = nearest(resolution.offending, names_below(resolution));
      const std::string hint = near.empty() ? pointer : fmt::format("did you mean '{}'?", near);
      return {
          ErrorCode::kConfigInvalid,
          fmt::format("unknown word '{}': after {} comes one of: {}", resolution.offending, after(resolution), next),
          {},
          or_else(or_else(present_form(resolution), foreign_hint(resolution.offending)), hint)};
    }
    case Resolution::Kind::kFlagTooEarly:
      return {ErrorCode::kConfigInvalid,
              fmt::format("{}: flags go after the command; after {} comes one of: {}", resolution.offending,
                          after(resolution), next),
              {},
              or_else(present_form(resolution), "flags go after the command word")};
    case Resolution::Kind::kCommand:
      break;
  }
  return {ErrorCode::kInternal, fmt::format("'{}' is complete", join(resolution.words(), " "))};
}

std::string retired_flag_hint(std::string_view flag) {
  if (flag == "--what-if") {
    return "the old flag --what-if is now --dry-run; the mode 'whatif' is something else: it really runs";
  }
  if (flag == "--closed" || flag == "--open") {
    return fmt::format("the mode is the first word now: mlpstorage {} ...", flag.substr(2));
  }
  // Of the programs that mlpstorage 3.0 starts.
  constexpr std::array<std::pair<std::string_view, const char*>, 6> kOfOthers = {{
      {"--enable-latency-tracing",
       "latencies of operations and of entries are in every mlpstorage_record.json; --op-log FILE has each request"},
      {"--io-trace-log", "--io-trace FILE writes the same columns, of a real run"},
      {"--validation-trace",
       "replay the trace with --trace FILE: its hit rate is in the record, and 'datasize' counts it"},
      {"--use-burst-trace", "--trace FILE replays BurstGPT's requests"},
      {"--burst-trace-path", "--trace FILE replays BurstGPT's requests"},
      {"--dataset-path", "--trace FILE replays ShareGPT's conversations"},
  }};
  for (const auto& [name, instead] : kOfOthers) {
    if (flag == name) return instead;
  }
  return {};
}

}  // namespace mlps::cli
