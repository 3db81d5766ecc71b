#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "flags/flags.hpp"
#include "flags/grammar.hpp"

namespace mlps::cli {

/// Where a value came from, the strongest first.
enum class Source { kTyped, kConfigFile, kEnvironment, kUserFile, kDefault };

struct Setting {
  std::vector<std::string> values;  ///< as text, none of them converted yet
  Source source = Source::kTyped;
  std::string origin = "flag";  ///< "flag", "config file X", "environment X", "user file X"
};

/// Settings by name of the flag, those that were given anywhere.
using Settings = std::map<std::string, Setting, std::less<>>;

/// Holds what one layer of settings says, and what is wrong with it.
struct LayerValues {
  Settings settings;
  std::vector<std::string> warnings;
  std::vector<Error> errors;
};

/// Holds the arguments after the words of a command, told apart.
struct Tokens {
  Settings settings;
  std::vector<std::string> words;               ///< that are no flag and no value
  std::vector<Error> errors;                    ///< all of them, in the order of the line
  std::vector<std::string> warnings = {};       ///< flags of which an earlier value doesn't count
  std::vector<const Flag*> without_value = {};  ///< named on the line, but no value followed
};

/// Tells flags, values and words apart. Long flags may be cut to an unambiguous beginning; of a repeated flag the last
/// value counts, which is a warning where they differ; lists grow. Errors name the flag, and the nearest one that the
/// command has.
Tokens tokenize(const CommandSyntax& command, std::span<const std::string> arguments);

/// Takes "file" or "object" out of `tokens.words` where the command wants it, and turns a missing or misplaced one, and
/// any surplus word, into errors.
std::optional<AccessProtocol> take_storage_word(const CommandSyntax& command, Tokens& tokens);

}  // namespace mlps::cli
