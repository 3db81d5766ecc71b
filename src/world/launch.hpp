#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "world/host_list.hpp"

namespace mlps::world {

/// The families of launchers whose command lines differ.
enum class LauncherKind { kOpenMpi, kHydra };

/// Returns the family by the output of `mpirun --version`; E501 if it is of neither.
Result<LauncherKind> launcher_kind(std::string_view version_output);

/// Returns the program to run for --mpi-bin: MPI_RUN_BIN and MPI_EXEC_BIN replace the names mpirun and mpiexec; a path
/// or another name is taken as it is.
std::string launcher_program(const std::string& mpi_bin, const Environment& environment);

/// Returns the file of hosts that a launcher of this family reads, for one process on each.
std::string host_file_text(LauncherKind kind, const std::vector<Host>& hosts);

struct LaunchRequest {
  std::vector<Host> hosts;
  std::string host_file = {};      ///< path of a file with host_file_text(), in place of a list on the command line
  std::string program = "mpirun";  ///< as from launcher_program()
  std::vector<std::string> mpi_params;  ///< --mpi-params as given, each split like a shell would
  bool oversubscribe = false;
  bool allow_run_as_root = false;
  std::string mpi_btl = "auto";      ///< auto, vader or tcp
  std::vector<std::string> command;  ///< our own program, a path that is right on every host, and its arguments
};

/// Returns the argument vector that starts one process on each host. Ranks are threads inside, so slots and --npernode
/// shape the layout and never reach the launcher. No variable of this environment is forwarded: every host takes
/// credentials from its own. E102 for flags that this launcher can't honour, and for a quote that isn't closed.
Result<std::vector<std::string>> launch_command(LauncherKind kind, const LaunchRequest& request);

}  // namespace mlps::world
