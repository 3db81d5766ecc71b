#pragma once

#include <string>
#include <string_view>

#include "flags/command_line.hpp"

/// The YAML configurations of mlpstorage 3.0 for vector databases (--config).
namespace mlps::cli {

/// Fills the settings of `line` for the flags that nothing else has given from the configuration that --config names:
/// one that is built in, or a file. Adds errors (E103, E104 for what is no YAML and for keys that are no flag's) and
/// notes of what it filled.
void apply_vectordb_config(CommandLine& line);

/// Does the same with a text; `origin` names it. For tests, and for hostile input.
void apply_vectordb_text(std::string_view text, const std::string& origin, CommandLine& line);

}  // namespace mlps::cli
