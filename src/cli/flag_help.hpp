#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "flags/grammar.hpp"

/// What help and the manual page say of a flag; all of it stands in the tables of flags.
namespace mlps::cli {

inline constexpr std::string_view kExitCodes =
    "Exit codes: 0 done, 1 rules verdict stops the run, 2 arguments, 3 not found or full, 4 permission,\n"
    "5 configuration file, 6 failure, 7 time-out, 8 interrupted.\n";

/// Returns the flags that the command has in some mode, by name.
std::vector<const Flag*> sorted_flags(const CommandSyntax& command);

/// The groups that help shows flags in.
inline constexpr std::array<std::string_view, 5> kFlagTopics = {"What", "Where", "How", "Hosts", "Output"};

/// Returns the index in kFlagTopics of what a flag is about: its kind and its name tell.
size_t flag_topic(const Flag& flag);

/// Returns how the flag is typed in this mode: "--limit, -n N".
std::string flag_form(const Flag& flag, Mode mode);

/// Returns what the flag means, its default, and its environment variable.
std::string flag_text(const Flag& flag);

/// Returns, each with a blank before it, in which modes the command has the flag and needs it, and whether it may stand
/// in the per-user file.
std::string flag_remarks(const CommandSyntax& command, const Flag& flag);

}  // namespace mlps::cli
