#pragma once

#include <functional>
#include <memory>

#include "world/peer_group.hpp"
#include "world/transport.hpp"
#include "world/wire.hpp"

namespace mlps::world {

/// Opens the wire; runs on the MPI thread, which alone uses it. May wait for the other processes.
using OpenWire = std::function<Result<std::unique_ptr<Wire>>()>;

/// Starts the MPI thread: the one thread of a process that calls MPI, so that no two MPI calls of a process are ever
/// under way at once. Other threads hand it their requests. Returns when every process has introduced itself, or at the
/// latest after limits.start_ns. A start that failed shows as failure(), like anything later: E105 if the processes
/// don't run the same version, E202 or E503 if they don't come. The job ends then as any failed job does: close() and
/// end_job().
std::unique_ptr<Transport> start_mpi_thread(OpenWire open, const Introduction& me, const LinkLimits& limits = {});

}  // namespace mlps::world
