#pragma once

#include <string>

#include "flags/grammar.hpp"

/// Help texts, made from the grammar and the flag tables.
namespace mlps::cli {

/// Returns, for the words understood so far, usage and the next words, or a command's arguments and flags.
std::string help_text(const Grammar& grammar, const Resolution& resolution);

/// Returns the whole reference: all commands, all flags, and the words that are not in this build yet.
std::string full_help_text(const Grammar& grammar);

}  // namespace mlps::cli
