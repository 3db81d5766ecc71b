#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "flags/flags.hpp"

namespace mlps::cli {

/// One word of the grammar, below the words that lead to it.
struct CommandWord {
  std::string_view parent = {};  ///< the words before it, '/'-separated; any mode is MODE, any training model MODEL
  std::string_view word = {};
  std::string_view text = {};
  Leaf leaf = kNoLeaf;              ///< set where the command is complete and flags follow
  bool built = true;                ///< false: a word of the original that this build doesn't have
  std::string_view arguments = {};  ///< what the user supplies after it, for example "<orgname> [path]"
  unsigned minimum_arguments = 0;
  unsigned maximum_arguments = 0;
  bool storage_word = false;   ///< "file" or "object" must follow
  ModeMask modes = kAllModes;  ///< below MODE: where the word exists
};

/// Words that may follow `parent` in `mode` (nothing: in any), in the order of help. "" is the root.
std::vector<const CommandWord*> words_below(std::string_view parent, std::optional<Mode> mode = std::nullopt);

/// Every command that takes flags.
std::vector<const CommandWord*> all_leaves();

/// What the first words of a command line name.
struct Resolution {
  enum class Kind {
    kCommand,      ///< `word` is a leaf; its arguments begin at index `rest`
    kIncomplete,   ///< the words end before a command is named; `word` is the last one, nullptr at the root
    kUnknown,      ///< `offending` is no word here
    kNotBuilt,     ///< `word` is known but not in this build
    kFlagTooEarly  ///< `offending` is a flag before the command is named
  };
  Kind kind = Kind::kIncomplete;
  const CommandWord* word = nullptr;
  std::string parent = {};              ///< of the words that could follow
  std::vector<std::string> words = {};  ///< as typed, those understood
  Mode mode = Mode::kClosed;            ///< where the first word is one
  std::string model = {};               ///< where a word is one: "unet3d"
  std::string offending = {};
  size_t rest = 0;
  bool wants_help = false;  ///< -h or --help stands somewhere
};

Resolution resolve(std::span<const std::string> arguments);

/// Why a resolution of another kind than kCommand can't be carried out: names the possible next words, the nearest
/// one, and for forms of older versions the present one.
Error resolution_error(const Resolution& resolution, std::span<const std::string> arguments);

/// What became of a flag of version 2.0; empty for any other text.
std::string retired_flag_hint(std::string_view flag);

/// "mlpstorage closed checkpointing run", "mlpstorage closed training <model> run".
std::string words_of(const CommandWord& word, std::string_view mode);

/// "mlpstorage closed checkpointing run <file|object> [flags]".
std::string usage_of(const CommandWord& word, std::string_view mode);

}  // namespace mlps::cli
