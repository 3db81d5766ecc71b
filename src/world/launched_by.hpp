#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"

namespace mlps::world {

/// A launcher that started this process as one of several, as the environment tells.
struct Launched {
  std::string launcher;               ///< for people: "Open MPI's mpirun (OMPI_COMM_WORLD_SIZE)"
  std::optional<uint32_t> size;       ///< processes of the job, where the launcher says so
  std::optional<uint32_t> index;      ///< of this process
  std::vector<std::string> flavours;  ///< MPI libraries that can join this job, best first: "openmpi", "mpich"
};

/// Returns the launcher of this process; nothing for a process that no launcher started, or that a launcher started
/// alone: it runs as on one host. E501 for a launcher, of whatever kind, that started several processes but gives them
/// no way to find each other, and for variables that can't be understood. docs/multi-host.md lists the variables.
Result<std::optional<Launched>> launched_by(const Environment& environment);

}  // namespace mlps::world
