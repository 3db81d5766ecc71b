#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "world/launched_by.hpp"
#include "world/wire.hpp"

namespace mlps::world {

/// Returns the folders in which plug-ins are looked for, in order: the program's own, and lib/mlpstorage/mpi beside it.
std::vector<std::string> plugin_folders();

/// Returns the name and the version of the MPI library that joins this process to its job, in the library's own words;
/// empty where there is none. To be called after the processes have met.
std::string mpi_library();

/// Loads the first plug-in among launched.flavours that exists and can be loaded, initialises MPI (which waits for the
/// other processes) and checks that the job is as large as the launcher said. E501 says what is missing, and what to
/// install. To be called on the thread that will use the wire.
Result<std::unique_ptr<Wire>> open_mpi_wire(const Launched& launched, const std::vector<std::string>& folders);

}  // namespace mlps::world
