#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "flags/flags.hpp"

/// The words of the command line. Each benchmark contributes its words and flags as a CommandGroup; the grammar puts
/// them together with the modes and with the words of the program itself.
namespace mlps::cli {

/// One word of the grammar, below the words that lead to it.
struct Subcommand {
  std::string_view parent = {};  ///< the words before it in its group, '/'-separated; any model is MODEL
  std::string_view word = {};
  std::string_view text = {};
  CommandMask command = kNoCommand;  ///< where the command is complete and flags follow: its own bit, and its traits
  std::string_view arguments = {};   ///< the words that the user supplies after it, for example "<orgname> [path]"
  unsigned minimum_arguments = 0;
  unsigned maximum_arguments = 0;
  ModeMask modes = kAllModes;     ///< below a mode: where the word exists
  std::string_view details = {};  ///< further lines of its help
};

/// Words and flags that belong together: those of one benchmark, or of the program itself.
struct CommandGroup {
  std::string_view word = {};  ///< the benchmark's, below the mode
  std::string_view text = {};
  std::span<const Subcommand> subcommands = {};  ///< below a benchmark's word, words that lead on are its models
  std::span<const Flag> flags = {};              ///< besides the shared ones
};

class Grammar;

/// One command in one mode, with what its line may hold. Refers to the grammar.
struct CommandSyntax {
  const Grammar* grammar = nullptr;
  const CommandGroup* group = nullptr;
  const Subcommand* subcommand = nullptr;
  Mode mode = Mode::kClosed;
  std::vector<std::string> words = {};  ///< that lead to it, its own the last; in the reference with placeholders

  std::string_view word() const { return subcommand->word; }
  bool is(CommandMask mask) const { return (subcommand->command & mask) != 0; }

  /// Returns the rows of its group, also those of other commands: shared ones first.
  std::vector<const Flag*> flags() const;
  /// Returns the row with this name that the command has, else one of its group's, else nullptr.
  const Flag* find_flag(std::string_view name) const;
  /// Returns the same for a short form.
  const Flag* find_short_flag(std::string_view short_name) const;
  ModeMask modes_of(const Flag& flag) const { return is(flag.any_mode) ? kAllModes : flag.modes; }
  /// Returns whether the command has the flag in some mode. Rows of other groups are never its own: their bits mean
  /// other commands.
  bool has_in_some_mode(const Flag& flag) const;
  /// Returns whether the command has the flag in its mode.
  bool has(const Flag& flag) const { return has_in_some_mode(flag) && (modes_of(flag) & mode_bit(mode)) != 0; }
  bool requires_flag(const Flag& flag) const {
    return has(flag) && is(flag.required) && (flag.required_modes & mode_bit(mode)) != 0;
  }

  /// Returns "mlpstorage closed checkpointing run".
  std::string text() const;
  /// Returns "mlpstorage closed checkpointing run <file|object> [flags]".
  std::string usage() const;
};

/// Tells how far the first words of a command line lead.
struct Resolution {
  enum class Kind {
    kCommand,      ///< `command` is complete; its arguments begin at index `rest`
    kIncomplete,   ///< the words end before a command is named
    kUnknown,      ///< `offending` is no word here
    kFlagTooEarly  ///< `offending` is a flag before the command is named
  };
  Kind kind = Kind::kIncomplete;
  CommandSyntax command = {};  ///< its subcommand is the last word understood, nullptr before the first
  std::string parent = {};     ///< of the words that could follow
  std::string model = {};      ///< where a word is one: "unet3d"
  std::string offending = {};
  size_t rest = 0;
  bool wants_help = false;  ///< -h or --help stands somewhere

  const std::vector<std::string>& words() const { return command.words; }  ///< as typed, those understood
};

/// Holds all words and flags. Immutable; keeps references to the groups.
class Grammar {
 public:
  Grammar(const CommandGroup& program, const std::vector<const CommandGroup*>& benchmarks);
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  const std::vector<const CommandGroup*>& groups() const { return groups_; }

  Resolution resolve(std::span<const std::string> arguments) const;
  /// Returns the error for a resolution of another kind than kCommand. It names the possible next words, the nearest
  /// one, and for forms of other versions the present one.
  Error explain(const Resolution& resolution) const;
  /// Returns the words that may follow, in the order of help.
  std::vector<const Subcommand*> next_words(const Resolution& resolution) const;
  /// Returns every command that takes flags, with placeholders for mode and model.
  std::vector<CommandSyntax> all_commands() const;

  /// Returns a row with this name (dashes or underscores) of any group, or nullptr.
  const Flag* find_flag(std::string_view name) const;
  /// Returns the rows whose flags may stand in the per-user file, each name once.
  std::vector<const Flag*> user_flags() const;

 private:
  struct Entry {
    std::string parent;  ///< with any mode as MODE, any model as MODEL; the root is empty
    const CommandGroup* group;
    Subcommand word;
  };
  const Entry* find(std::string_view parent, std::string_view word, std::optional<Mode> mode) const;
  std::vector<const Entry*> below(std::string_view parent, std::optional<Mode> mode) const;
  std::vector<std::string_view> names_below(const Resolution& resolution) const;
  std::string step_below(const Entry& entry) const;
  std::string present_form(const Resolution& resolution) const;

  std::vector<const CommandGroup*> groups_;  // the program's own first
  std::deque<Entry> entries_;                // commands refer to them
};

/// Returns what became of a flag of version 2.0; empty for any other text.
std::string retired_flag_hint(std::string_view flag);

}  // namespace mlps::cli
