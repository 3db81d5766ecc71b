#pragma once

#include <string>

#include "flags/grammar.hpp"

namespace mlps::cli {

/// Returns the manual page in the language of man(7), made from the grammar: all commands, each with the flags it
/// takes.
std::string manual_page(const Grammar& grammar);

}  // namespace mlps::cli
