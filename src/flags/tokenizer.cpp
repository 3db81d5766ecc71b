#include "flags/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "flags/foreign_words.hpp"
#include "flags/text.hpp"
#include "location/location.hpp"

namespace mlps::cli {
namespace {

// Takes every following argument that is no flag.
bool is_greedy(const Flag& flag) {
  return flag.kind == FlagKind::kHosts || flag.kind == FlagKind::kPairs;
}

bool accumulates(const Flag& flag) {
  return is_greedy(flag) || flag.kind == FlagKind::kRepeated;
}

bool looks_like_flag(std::string_view text) {
  return text.size() > 1 && text[0] == '-' && std::isdigit(static_cast<unsigned char>(text[1])) == 0 && text[1] != '.';
}

class Tokenizer {
 public:
  explicit Tokenizer(const CommandSyntax& command) : command_(command) {}

  Tokens run(std::span<const std::string> arguments) {
    for (size_t i = 0; i < arguments.size(); ++i) {
      const std::string& argument = arguments[i];
      if (argument == "--") {
        tokens_.words.insert(tokens_.words.end(), arguments.begin() + static_cast<ptrdiff_t>(i) + 1, arguments.end());
        break;
      }
      if (looks_like_flag(argument)) {
        i += take_flag(argument, arguments.subspan(i + 1));
      } else if (list_ != nullptr) {
        add_value(*list_, argument);
      } else {
        tokens_.words.push_back(argument);
      }
    }
    return std::move(tokens_);
  }

 private:
  // Returns how many of the following arguments belong to the flag as its value.
  size_t take_flag(const std::string& argument, std::span<const std::string> following) {
    const size_t equals = argument.find('=');
    const bool has_value = equals != std::string::npos;
    const bool value_follows = !following.empty() && !looks_like_flag(following[0]);
    const Flag* flag = look_up(argument.substr(0, equals));
    if (flag == nullptr || !command_.has(*flag)) {
      if (flag != nullptr) add_error(not_available(*flag));
      // Its value goes with it, or it would be reported as a surplus word too. A storage word is none.
      const bool takes_value = flag == nullptr || flag->kind != FlagKind::kSwitch;
      return takes_value && !has_value && value_follows && !protocol_of(following[0]) ? 1 : 0;
    }
    list_ = nullptr;
    if (flag->kind == FlagKind::kSwitch) {
      add_value(*flag, has_value && equals + 1 < argument.size() ? argument.substr(equals + 1) : "true");
      return 0;
    }
    const std::string value = has_value ? argument.substr(equals + 1) : value_follows ? following[0] : std::string();
    if (value.empty()) {
      tokens_.without_value.push_back(flag);
      add_error({ErrorCode::kConfigInvalid,
                 fmt::format("{} needs a value", typed_name(*flag)),
                 {},
                 fmt::format("a value that begins with '-' is written {}=VALUE", typed_name(*flag))});
    } else {
      add_value(*flag, value);
      if (is_greedy(*flag)) list_ = flag;
    }
    return value_follows && !has_value ? 1 : 0;
  }

  void add_value(const Flag& flag, const std::string& value) {
    std::vector<std::string>& values = tokens_.settings[std::string(flag.name)].values;
    if (!accumulates(flag)) {
      if (!values.empty() && values[0] != value) {
        tokens_.warnings.push_back(
            fmt::format("{} is given twice: {} counts, {} doesn't", typed_name(flag), value, values[0]));
      }
      values.clear();
    }
    values.push_back(value);
  }

  void add_error(Error error) { tokens_.errors.push_back(std::move(error)); }

  // Returns the flag meant by "--name", a beginning of it, or "-xy"; nullptr with an error noted where there is none.
  const Flag* look_up(const std::string& typed) {
    if (!typed.starts_with("--")) {
      const Flag* flag = command_.find_short_flag(typed.substr(1));
      if (flag == nullptr) add_error(unknown(typed));
      return flag;
    }
    if (typed.find('_') == std::string::npos) {
      if (const Flag* exact = command_.find_flag(typed.substr(2))) return exact;
      if (const Flag* other = command_.grammar->find_flag(typed.substr(2))) return other;
    }
    std::vector<const Flag*> matches;
    for (const Flag* flag : command_.flags()) {
      if (command_.has(*flag) && typed_name(*flag).starts_with(typed)) matches.push_back(flag);
    }
    if (matches.size() == 1) return matches[0];
    add_error(matches.empty() || typed.size() < 3 ? unknown(typed) : ambiguous(typed, matches));
    return nullptr;
  }

  // The flag that was probably meant isn't reported as missing, too.
  Error unknown(const std::string& typed) {
    std::string suggestion = retired_flag_hint(typed);
    if (suggestion.empty()) suggestion = foreign_hint(typed);
    if (suggestion.empty()) {
      std::vector<std::string_view> names;
      for (const Flag* flag : command_.flags()) {
        if (command_.has(*flag)) names.push_back(flag->name);
      }
      const std::string near = nearest(typed.substr(std::min(typed.find_first_not_of('-'), typed.size())), names);
      if (!near.empty()) tokens_.without_value.push_back(command_.find_flag(near));
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

  /// Returns what to do with a flag of another command: what stands for it here, if something does.
  std::string elsewhere(const Flag& flag) const {
    const std::string hint = foreign_hint(flag.name);
    return hint.empty() ? "leave it out; " + advice() : hint;
  }

  Error not_available(const Flag& flag) const {
    const std::string name = typed_name(flag);
    if (!command_.has_in_some_mode(flag)) {
      return {ErrorCode::kConfigInvalid,
              fmt::format("{} is not a flag of '{}'", name, command_.word()),
              {},
              elsewhere(flag)};
    }
    return {ErrorCode::kConfigInvalid,
            fmt::format("{} is not available in {} mode, only in {}", name, mode_name(command_.mode),
                        mode_names(command_.modes_of(flag))),
            {},
            "leave it out, or choose another mode as the first word"};
  }

  std::string advice() const { return fmt::format("'{} -h' lists the flags", command_.text()); }

  const CommandSyntax& command_;
  Tokens tokens_;
  const Flag* list_ = nullptr;  // that takes the arguments which follow
};

// Returns the storage word that a location among the values asks for, or a word near to one; else nothing.
std::string probable_word(const CommandSyntax& command, Tokens& tokens) {
  for (auto word = tokens.words.begin(); word != tokens.words.end(); ++word) {
    const std::string near = nearest(*word, {"file", "object"});
    if (near.empty()) continue;
    tokens.words.erase(word);  // said with this
    return near;
  }
  for (const auto& [name, setting] : tokens.settings) {
    const Flag* flag = command.find_flag(name);
    if (flag == nullptr || flag->kind != FlagKind::kLocation) continue;
    const std::string& where = setting.values.back();
    const auto location = parse_location(where);
    if (location && location->is_object_store()) return "object";
    if (location && location->is_file_system() && (where[0] == '/' || where.find("://") != std::string::npos))
      return "file";
  }
  return {};
}

// Returns the error for a missing word "file" or "object". If it was typed right after a list, which then took it, the
// error says so, and the word is removed from the list.
Error missing_storage_word(const CommandSyntax& command, Tokens& tokens) {
  const std::string_view word = command.word();
  const std::string probable = probable_word(command, tokens);
  Error error{ErrorCode::kConfigMissing,
              fmt::format("the word 'file' or 'object' is missing after '{}'", word),
              {},
              probable.empty() ? fmt::format("write: {} file ..., or: {} object ...", word, word)
                               : fmt::format("did you mean '{} {} ...'?", word, probable)};
  for (auto& [name, setting] : tokens.settings) {
    const Flag* flag = command.find_flag(name);
    if (flag == nullptr || !is_greedy(*flag) || !protocol_of(setting.values.back())) continue;
    const std::string taken = setting.values.back();
    error.message = fmt::format("the word '{}' was taken as a value of --{}", taken, name);
    error.suggestion = fmt::format("put it right after the command: {} {} ... --{} ...", word, taken, name);
    setting.values.pop_back();
  }
  return error;
}

}  // namespace

Tokens tokenize(const CommandSyntax& command, std::span<const std::string> arguments) {
  return Tokenizer(command).run(arguments);
}

std::optional<AccessProtocol> take_storage_word(const CommandSyntax& command, Tokens& tokens) {
  std::optional<AccessProtocol> protocol;
  const bool wanted = command.is(kOnStorage);
  if (wanted) {
    const auto found = std::find_if(tokens.words.begin(), tokens.words.end(),
                                    [](const std::string& word) { return protocol_of(word).has_value(); });
    if (found == tokens.words.end() && command.is(kFileUnlessSaid)) {
      protocol = AccessProtocol::kFile;
    } else if (found == tokens.words.end()) {
      tokens.errors.push_back(missing_storage_word(command, tokens));
    } else {
      protocol = protocol_of(*found);
      tokens.words.erase(found);
    }
  }
  for (const std::string& word : tokens.words) {
    const bool superfluous = !wanted && protocol_of(word);
    tokens.errors.push_back(
        {ErrorCode::kConfigInvalid,
         superfluous ? fmt::format("'{}' takes no '{}' word: sizes don't depend on it", command.word(), word)
                     : fmt::format("unexpected word '{}' after '{}'", word, command.word()),
         {},
         superfluous ? "leave it out" : "values belong right after their flag; lists are separated by commas"});
  }
  tokens.words.clear();
  return protocol;
}

}  // namespace mlps::cli
