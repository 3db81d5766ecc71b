#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "world/launched_by.hpp"
#include "world/wire.hpp"

namespace mlps::world {

/// Where plug-ins are looked for, in this order: the program's own folder, and lib/mlpstorage beside it.
std::vector<std::string> plugin_folders();

/// Loads the first plug-in among launched.flavours that is there and loads, initialises MPI (which waits for the other
/// processes) and checks that the job is as large as the launcher said. E501 says what is missing, and what to install.
/// Call it on the thread that will use the wire.
Result<std::unique_ptr<Wire>> open_mpi_wire(const Launched& launched, const std::vector<std::string>& folders);

}  // namespace mlps::world
