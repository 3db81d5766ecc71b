#include "flags/lex.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "flags/text.hpp"

namespace mlps::cli {
namespace {

bool is_greedy(const Flag& flag) {
  return flag.kind == FlagKind::kHosts || flag.kind == FlagKind::kPairs;
}

bool accumulates(const Flag& flag) {
  return flag.kind == FlagKind::kPairs || flag.kind == FlagKind::kRepeated;
}

bool looks_like_flag(std::string_view text) {
  return text.size() > 1 && text[0] == '-' && std::isdigit(static_cast<unsigned char>(text[1])) == 0 && text[1] != '.';
}

// Of one list flag. CLI11 treats far larger numbers, and options of unlimited size, in its own ways: it takes brackets
// off their values, for example.
constexpr int kMostWords = 1'000'000;

bool is_storage_word(std::string_view word) {
  return word == "file" || word == "object";
}

// First pass over a command line. CLI11 joins flags and values, but knows one-letter short forms only, stops at the
// first error, and lets a flag eat the next flag as its value; so this pass spells every flag in full, and keeps
// back, with an error each, those the second pass couldn't handle.
class Speller {
 public:
  Speller(const CommandWord& command, Mode mode) : command_(command), mode_(mode) {}

  void run(std::span<const std::string> arguments) {
    for (size_t i = 0; i < arguments.size(); ++i) {
      const std::string& argument = arguments[i];
      if (argument == "--") {
        words.insert(words.end(), arguments.begin() + static_cast<ptrdiff_t>(i) + 1, arguments.end());
        return;
      }
      if (!looks_like_flag(argument)) {
        line.push_back(argument);
        continue;
      }
      i += spell(argument, arguments.subspan(i + 1));
    }
  }

  std::vector<std::string> line;   // for CLI11
  std::vector<std::string> words;  // after "--"
  std::vector<Error> errors;
  std::vector<const Flag*> without_value;  // reported here; not to be reported as missing too

 private:
  // Returns how many of the following arguments it dealt with.
  size_t spell(const std::string& argument, std::span<const std::string> following) {
    const size_t equals = argument.find('=');
    const std::string typed = argument.substr(0, equals);
    const bool has_value = equals != std::string::npos;
    const bool value_follows = !following.empty() && !looks_like_flag(following[0]);
    const Flag* flag = look_up(typed);
    if (flag == nullptr || !is_available(*flag, command_.leaf, mode_)) {
      if (flag != nullptr) errors.push_back(not_available(*flag));
      // Its value goes with it, or it would be reported as a surplus word too. A storage word is none.
      const bool takes_value = flag == nullptr || flag->kind != FlagKind::kSwitch;
      return takes_value && !has_value && value_follows && !is_storage_word(following[0]) ? 1 : 0;
    }
    if (flag->kind == FlagKind::kSwitch) {
      line.push_back(typed_name(*flag) + (has_value ? argument.substr(equals) : ""));
      return 0;
    }
    const bool empty = has_value ? equals + 1 == argument.size() : value_follows && following[0].empty();
    if (empty || (!has_value && !value_follows)) {
      without_value.push_back(flag);
      errors.push_back({ErrorCode::kConfigInvalid,
                        fmt::format("{} needs a value", typed_name(*flag)),
                        {},
                        fmt::format("a value that begins with '-' is written {}=VALUE", typed_name(*flag))});
      return empty && !has_value ? 1 : 0;
    }
    line.push_back(typed_name(*flag) + (has_value ? argument.substr(equals) : ""));
    if (has_value) return 0;
    line.push_back(following[0]);
    return 1;
  }

  // The flag meant by "--name", a beginning of it, or "-xy"; nullptr with an error noted where there is none.
  const Flag* look_up(const std::string& typed) {
    if (typed.substr(0, 2) != "--") {
      const Flag* flag = find_short_flag(typed.substr(1));
      if (flag == nullptr) errors.push_back(unknown(typed));
      return flag;
    }
    if (const Flag* exact = find_flag(typed.substr(2)); exact != nullptr && typed.find('_') == std::string::npos) {
      return exact;
    }
    std::vector<const Flag*> matches;
    for (const Flag& flag : all_flags()) {
      if (is_available(flag, command_.leaf, mode_) && typed_name(flag).starts_with(typed)) matches.push_back(&flag);
    }
    if (matches.size() == 1) return matches[0];
    errors.push_back(matches.empty() || typed.size() < 3 ? unknown(typed) : ambiguous(typed, matches));
    return nullptr;
  }

  Error unknown(const std::string& typed) const {
    std::string suggestion = retired_flag_hint(typed);
    if (suggestion.empty()) {
      std::vector<std::string_view> names;
      for (const Flag& flag : all_flags()) {
        if (is_available(flag, command_.leaf, mode_)) names.push_back(flag.name);
      }
      const std::string near = nearest(typed.substr(std::min(typed.find_first_not_of('-'), typed.size())), names);
      suggestion = near.empty() ? advice() : fmt::format("did you mean --{}?", near);
    }
    return {ErrorCode::kConfigInvalid, fmt::format("unknown flag {}", typed), {}, std::move(suggestion)};
  }

  static Error ambiguous(const std::string& typed, const std::vector<const Flag*>& matches) {
    std::vector<std::string> names;
    names.reserve(matches.size());
    for (const Flag* match : matches) names.push_back(typed_name(*match));
    return {ErrorCode::kConfigInvalid,
            fmt::format("{} is the beginning of several flags: {}", typed, join(names, ", "))};
  }

  Error not_available(const Flag& flag) const {
    const std::string name = typed_name(flag);
    if ((flag.leaves & command_.leaf) == 0) {
      return {ErrorCode::kConfigInvalid,
              fmt::format("{} is not a flag of '{}'", name, command_.word),
              {},
              "leave it out; " + advice()};
    }
    return {ErrorCode::kConfigInvalid,
            fmt::format("{} is not available in {} mode, only in {}", name, mode_name(mode_),
                        mode_names(modes_of(flag, command_.leaf))),
            {},
            "leave it out, or choose another mode as the first word"};
  }

  std::string advice() const { return fmt::format("'{} -h' lists the flags", words_of(command_, mode_name(mode_))); }

  const CommandWord& command_;
  const Mode mode_;
};

// Second pass: CLI11 gives every flag its values and leaves the words.
void assign_values(const CommandWord& command, Mode mode, std::vector<std::string> line, Lexed& result) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  for (const Flag& flag : all_flags()) {
    if (!is_available(flag, command.leaf, mode)) continue;
    const std::string name = typed_name(flag);
    CLI::Option* option = flag.kind == FlagKind::kSwitch ? app.add_flag(name) : app.add_option(name);
    if (is_greedy(flag)) {
      option->expected(1, kMostWords);
    } else if (flag.kind != FlagKind::kSwitch) {
      option->expected(1);
    }
    option->multi_option_policy(is_greedy(flag) || accumulates(flag) ? CLI::MultiOptionPolicy::TakeAll
                                                                     : CLI::MultiOptionPolicy::TakeLast);
  }
  std::reverse(line.begin(), line.end());  // CLI11 takes arguments from the back
  try {
    app.parse(std::move(line));
  } catch (const CLI::Error& error) {
    result.errors.push_back({ErrorCode::kConfigInvalid, error.what(), {}, {}});
    return;
  }
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0) continue;
    const Flag* flag = find_flag(option->get_name().substr(2));
    std::vector<std::string> values = option->results();
    if (!is_greedy(*flag) && !accumulates(*flag)) values.erase(values.begin(), values.end() - 1);
    result.settings[std::string(flag->name)].values = std::move(values);
  }
  result.words = app.remaining();
}

}  // namespace

Lexed lex(const CommandWord& command, Mode mode, std::span<const std::string> arguments) {
  Speller speller(command, mode);
  speller.run(arguments);
  Lexed result;
  result.errors = std::move(speller.errors);
  result.without_value = std::move(speller.without_value);
  assign_values(command, mode, std::move(speller.line), result);
  result.words.insert(result.words.end(), speller.words.begin(), speller.words.end());
  return result;
}

std::optional<AccessProtocol> take_storage_word(const CommandWord& command, Lexed& lexed) {
  std::optional<AccessProtocol> protocol;
  if (command.storage_word) {
    const auto found = std::find_if(lexed.words.begin(), lexed.words.end(), is_storage_word);
    if (found != lexed.words.end()) {
      protocol = *found == "file" ? AccessProtocol::kFile : AccessProtocol::kObject;
      lexed.words.erase(found);
    } else {
      Error error{ErrorCode::kConfigMissing,
                  fmt::format("the word 'file' or 'object' is missing after '{}'", command.word)};
      error.suggestion = fmt::format("write: {} file ..., or: {} object ...", command.word, command.word);
      for (const std::string name : {"hosts", "params"}) {
        const auto setting = lexed.settings.find(name);
        if (setting == lexed.settings.end() || !is_storage_word(setting->second.values.back())) continue;
        const std::string word = setting->second.values.back();
        error.message = fmt::format("the word '{}' was taken as a value of --{}", word, name);
        error.suggestion = fmt::format("put it right after the command: {} {} ... --{} ...", command.word, word, name);
        setting->second.values.pop_back();
      }
      lexed.errors.push_back(std::move(error));
    }
  }
  for (const std::string& word : lexed.words) {
    const bool storage = is_storage_word(word) && !command.storage_word;
    lexed.errors.push_back(
        {ErrorCode::kConfigInvalid,
         storage ? fmt::format("'{}' takes no '{}' word: sizes don't depend on it", command.word, word)
                 : fmt::format("unexpected word '{}' after '{}'", word, command.word),
         {},
         storage ? "leave it out" : "values belong right after their flag; lists are separated by commas"});
  }
  lexed.words.clear();
  return protocol;
}

}  // namespace mlps::cli
