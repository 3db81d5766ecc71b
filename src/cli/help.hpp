#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/environment.hpp"
#include "flags/grammar.hpp"

/// Help texts, made from the grammar, the flag tables and the examples.
namespace mlps::cli {

/// Returns the columns that help is laid out for, 60 to 120: those that COLUMNS says, else those of the terminal on
/// stdout, else 100.
size_t help_width(const Environment& environment);

/// Returns, for the words understood so far, examples, usage and the next words, or a command's arguments and flags.
std::string help_text(const Grammar& grammar, const Resolution& resolution, size_t width);

/// Returns what `words`, which lead to no command, mean elsewhere: a flag of some command, a command below several
/// benchmarks, a word of fio, elbencho, warp or of old versions. Nothing if they mean nothing.
std::string word_help_text(const Grammar& grammar, const std::vector<std::string>& words, size_t width);

/// Returns the whole reference: all commands, all flags, and the words that are not in this build yet.
std::string full_help_text(const Grammar& grammar);

/// Returns a command line as it can be copied, indented, with backslashes where it is broken.
std::string wrapped_command(std::string_view line, size_t width);

}  // namespace mlps::cli
