#include "world/launched_by.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace mlps::world {
namespace {

using Found = Result<std::optional<Launched>>;

// Returns nothing for an unset variable. One that is no number is an error: a job must not fall apart into single runs.
Result<std::optional<uint32_t>> number(const Environment& environment, const char* name) {
  const std::optional<std::string> text = environment.get(name);
  if (!text) return std::optional<uint32_t>();
  if (const auto value = parse_number<uint32_t>(*text)) return value;
  return fail(ErrorCode::kMpiNotAvailable, fmt::format("{}={} of the environment is not a number", name, *text), {},
              "it is set by MPI launchers; unset it if none started this process");
}

Found of_variables(const Environment& environment, std::string launcher, const char* size_name, const char* index_name,
                   std::vector<std::string> flavours) {
  const auto size = number(environment, size_name);
  if (!size) return fail(size.error());
  const auto index = number(environment, index_name);
  if (!index) return fail(index.error());
  if (*size && **size <= 1) return std::optional<Launched>();
  if (*size && *index && **index >= **size) {
    return fail(ErrorCode::kMpiNotAvailable,
                fmt::format("{}={} contradicts {}={}", index_name, **index, size_name, **size), {},
                "they are set by MPI launchers; unset them if none started this process");
  }
  return std::optional<Launched>({std::move(launcher), *size, *index, std::move(flavours)});
}

Found of_slurm(const Environment& environment) {
  const char* size_name = environment.get("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS";
  std::vector<std::string> flavours;
  if (environment.get("PMIX_RANK")) {
    flavours = {"openmpi", "mpich"};
  } else if (environment.get("PMI_RANK") || environment.get("PMI_FD") || environment.get("PMI_JOBID")) {
    flavours = {"mpich"};
  }
  Found found = of_variables(environment, fmt::format("Slurm's srun ({})", size_name), size_name, "SLURM_PROCID",
                             std::move(flavours));
  if (!found || !*found || !(*found)->flavours.empty()) return found;
  return fail(
      ErrorCode::kMpiNotAvailable,
      fmt::format("srun started {} processes, but gives them no way to find each other", (*found)->size.value_or(0)),
      {}, "start with srun --mpi=pmix (Open MPI) or srun --mpi=pmi2 (MPICH), one task per node");
}

}  // namespace

Found launched_by(const Environment& environment) {
  const auto set = [&](const char* name) { return environment.get(name).has_value(); };
  if (set("OMPI_COMM_WORLD_SIZE")) {
    return of_variables(environment, "Open MPI's mpirun (OMPI_COMM_WORLD_SIZE)", "OMPI_COMM_WORLD_SIZE",
                        "OMPI_COMM_WORLD_RANK", {"openmpi"});
  }
  if (set("MV2_COMM_WORLD_SIZE")) {
    return of_variables(environment, "MVAPICH's launcher (MV2_COMM_WORLD_SIZE)", "MV2_COMM_WORLD_SIZE",
                        "MV2_COMM_WORLD_RANK", {"mpich"});
  }
  // Hydra inside a Slurm job sets both; its own are the nearer ones.
  const bool hydra = set("HYDI_CONTROL_FD") || set("HYDRA_CONTROL_FD") || set("MPI_LOCALNRANKS");
  if (set("SLURM_STEP_ID") && set("SLURM_PROCID") && !hydra) return of_slurm(environment);
  if (set("PMI_SIZE")) {
    return of_variables(environment, "a PMI launcher such as MPICH's mpiexec (PMI_SIZE)", "PMI_SIZE", "PMI_RANK",
                        {"mpich"});
  }
  if (set("PMIX_RANK")) {
    return of_variables(environment, "a PMIx launcher (PMIX_RANK)", "PMIX_SIZE", "PMIX_RANK", {"openmpi", "mpich"});
  }
  return std::optional<Launched>();
}

}  // namespace mlps::world
