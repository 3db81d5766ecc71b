#pragma once

#include <string>

#include "flags/command_tree.hpp"

/// Help texts, made from the command tree and the flag table.
namespace mlps::cli {

/// For the words understood so far: usage and the next words, or a command's arguments and flags.
std::string help_text(const Resolution& resolution);

/// Everything: all commands and all flags.
std::string full_help_text();

}  // namespace mlps::cli
