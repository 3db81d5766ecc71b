#include "world/launched_by.hpp"

#include <fmt/format.h>

#include <array>

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

/// The variables in which a launcher tells its processes the size of their job, where it does, and their numbers.
struct JobVariables {
  const char* launcher;
  const char* size;
  const char* index;
};

// Launchers, or parts of what they set, that lead no MPI library of ours to the other processes.
constexpr auto kStrangers = std::to_array<JobVariables>({
    {"HPE's PALS", nullptr, "PALS_RANKID"},
    {"Cray's ALPS", nullptr, "ALPS_APP_PE"},
    {"Flux", "FLUX_JOB_SIZE", "FLUX_TASK_RANK"},
    {"IBM's jsrun", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_RANK"},
    {"IBM's poe", "MP_PROCS", "MP_CHILD"},
    {"Platform MPI", "MPI_NRANKS", "MPI_RANKID"},
    {"MVAPICH's mpirun_rsh", "MPIRUN_NPROCS", "MPIRUN_RANK"},
    {"Horovod", "HOROVOD_SIZE", "HOROVOD_RANK"},
    {"torchrun", "WORLD_SIZE", "RANK"},
    {"Open MPI's mpirun", nullptr, "OMPI_COMM_WORLD_RANK"},
    {"MVAPICH's launcher", nullptr, "MV2_COMM_WORLD_RANK"},
    {"a PMI launcher", nullptr, "PMI_RANK"},
    {"a PMIx launcher", nullptr, "PMIX_RANK"},
    {"Slurm's srun", nullptr, "SLURM_PROCID"},
});

/// Returns nothing for a process that is alone by all that launchers tell; E501 for one that is one of several.
Found alone_or_refused(const Environment& environment) {
  for (const auto& [launcher, size_name, index_name] : kStrangers) {
    const auto index = number(environment, index_name);
    const auto size = size_name != nullptr ? number(environment, size_name) : std::optional<uint32_t>();
    for (const auto* read : {&index, &size}) {
      if (!*read) return fail(read->error());
    }
    const bool is_one_of_several = index->value_or(0) > 0 || size->value_or(1) > 1;
    if (!is_one_of_several) continue;
    const bool by_index = index->value_or(0) > 0;
    const char* name = by_index ? index_name : size_name;
    return fail(ErrorCode::kMpiNotAvailable,
                fmt::format("{}={}: {} started this process as one of several, and they have no way to run as one",
                            name, by_index ? **index : **size, launcher),
                {},
                fmt::format("start one process per host by an MPI launcher (mpirun, mpiexec, srun --mpi=pmix), or by "
                            "--hosts; for a run of this process alone: env -u {}{}{} mlpstorage ...",
                            index_name, size_name != nullptr ? " -u " : "", size_name != nullptr ? size_name : ""));
  }
  return std::optional<Launched>();
}

/// Returns the launcher whose job an MPI library of ours can join.
Found joinable(const Environment& environment) {
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

}  // namespace

Found launched_by(const Environment& environment) {
  Found found = joinable(environment);
  return found && !*found ? alone_or_refused(environment) : found;
}

}  // namespace mlps::world
