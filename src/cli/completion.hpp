#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "flags/grammar.hpp"

/// Completion of the command line in shells. The shell's script asks the program itself, so that words, flags and their
/// values stand in the grammar only.
namespace mlps::cli {

/// The first word of the command line by which a shell's script asks; the words typed so far follow.
inline constexpr std::string_view kCompleteWord = "complete-line";

/// Returns one line for each word that may follow `words`: the word, and after a tab what it means. A line that begins
/// with a tab says that names of files may follow, too. Empty where the words are no beginning of a command.
std::string completions(const Grammar& grammar, std::span<const std::string> words);

/// Returns the script that teaches a shell ("bash", "zsh" or "fish") to complete mlpstorage. E102 for another one.
Result<std::string> completion_script(std::string_view shell);

}  // namespace mlps::cli
