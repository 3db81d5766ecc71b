#pragma once

#include <string>
#include <vector>

#include "flags/command_line.hpp"

/// Environment variables, those of the process and those of a .env file.
namespace mlps::cli {

/// Returns one warning for each variable that is named as this program's are and that nothing reads.
std::vector<std::string> unknown_variables(const Environment& environment, const Grammar& grammar);

/// Adds the variables of the first of ./.env and `program_folder`/../.env to `outcome.environment`, those that are not
/// set there. Says which ones, and what of the file has no effect.
void add_dotenv(const std::string& program_folder, const Grammar& grammar, ParseOutcome& outcome);

/// Returns a warning for a .env file whose variables would count, were it read with this command.
std::vector<std::string> unread_dotenv(const std::string& program_folder, const CommandSyntax& command);

}  // namespace mlps::cli
