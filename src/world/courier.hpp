#pragma once

#include <functional>
#include <memory>

#include "world/peers.hpp"
#include "world/transport.hpp"
#include "world/wire.hpp"

namespace mlps::world {

/// Opens the wire; runs on the courier thread, which alone uses it. May wait for the other processes.
using OpenWire = std::function<Result<std::unique_ptr<Wire>>()>;

/// Starts the courier: one thread that carries all messages between this process and the others, so that never more
/// than one MPI call is under way in a process. Others hand it their requests. Returns when every process has
/// introduced itself, or at the latest after limits.start_ns. A start that failed shows as failure(), like anything
/// later: E105 if the processes don't run the same version, E202 or E503 if they don't come. Its end is that of any
/// failed job, too: close() and end_job().
std::unique_ptr<Transport> start_courier(OpenWire open, const Introduction& me, const LinkLimits& limits = {});

}  // namespace mlps::world
