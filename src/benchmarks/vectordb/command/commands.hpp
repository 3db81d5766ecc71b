#pragma once

#include "flags/flags.hpp"

/// The commands of vectordb, as masks for the rows of its tables.
namespace mlps::cli::vectordb_commands {

inline constexpr CommandMask kDatasize = own_command(0);
inline constexpr CommandMask kDatagen = own_command(1);
inline constexpr CommandMask kRunCommand = own_command(2);
inline constexpr CommandMask kConfigview = own_command(3);
inline constexpr CommandMask kLoads = kDatasize | kDatagen | kConfigview;
inline constexpr CommandMask kSearches = kRunCommand | kConfigview;
inline constexpr CommandMask kReaches = kDatagen | kRunCommand | kConfigview;

}  // namespace mlps::cli::vectordb_commands
