#pragma once

#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "flags/grammar.hpp"

namespace mlps::cli {

/// What the line of an `object` command holds.
struct ObjectArguments {
  std::vector<std::string> locations;  ///< as typed
  std::string op_log = {};             ///< the file to keep an operation log in; empty: none is kept
  bool recursive = false;
  bool abort = false;
  bool json = false;
};

/// Carries out `object ls|stat|rm|cp|du|uploads` on any location, files included, with the client of the runs. A
/// location means one object, or with `recursive` (and for ls, du and uploads always) all that is below it as below a
/// folder. Prints what was asked for on stdout, and how far it is on stderr.
Status object_command(const CommandSyntax& command, const ObjectArguments& arguments, const Environment& environment);

}  // namespace mlps::cli
