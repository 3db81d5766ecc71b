#include "world/launch.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace mlps::world {
namespace {

using Words = std::vector<std::string>;

void append(Words& words, std::initializer_list<const char*> more) {
  words.insert(words.end(), more.begin(), more.end());
}

std::string host_argument(const std::vector<Host>& hosts, const char* suffix) {
  Words names;
  for (const Host& host : hosts) names.push_back(host.name + suffix);
  return join(names, ",");
}

Words open_mpi_options(const LaunchRequest& request) {
  Words words;
  if (request.allow_run_as_root) words.push_back("--allow-run-as-root");
  if (request.oversubscribe) words.push_back("--oversubscribe");
  const bool has_file = !request.host_file.empty();
  words.insert(words.end(), {"-n", fmt::format("{}", request.hosts.size()), has_file ? "--hostfile" : "--host",
                             has_file ? request.host_file : host_argument(request.hosts, ":1")});
  // A process holds the threads of a whole host: by default mpirun would bind all of them to one core.
  append(words, {"--map-by", "ppr:1:node", "--bind-to", "none"});
  // By default mpirun kills the other processes when one dies, before they can say which, stop uploads and write
  // results. With --enable-recovery mpirun would return 0 whatever happened.
  append(words, {"--mca", "orte_abort_on_non_zero_status", "0"});
  if (request.mpi_btl != "auto") {
    // UCX and others would ignore the choice of a byte transfer layer.
    append(words, {"--mca", "pml", "ob1", "--mca", "btl"});
    words.push_back(request.mpi_btl + ",self");
  }
  return words;
}

Words hydra_options(const LaunchRequest& request) {
  // Hydra has no limit to lift for --oversubscribe and no objection to root.
  const bool has_file = !request.host_file.empty();
  Words words = {"-n", fmt::format("{}", request.hosts.size()), has_file ? "-f" : "-hosts",
                 has_file ? request.host_file : host_argument(request.hosts, "")};
  append(words, {"-ppn", "1", "-bind-to", "none"});
  // Hydra would send the whole environment, credentials included, to every host.
  append(words, {"-genvnone"});
  append(words, {"-disable-auto-cleanup"});
  return words;
}

Status check_request(LauncherKind kind, const LaunchRequest& request) {
  if (request.hosts.empty()) return fail(ErrorCode::kConfigInvalid, "--hosts: the list is empty");
  if (request.command.empty()) return fail(ErrorCode::kInternal, "no command to launch");
  if (request.mpi_btl == "auto") return {};
  if (request.mpi_btl != "vader" && request.mpi_btl != "tcp") {
    return fail(ErrorCode::kConfigInvalid, fmt::format("--mpi-btl '{}': one of auto, vader, tcp", request.mpi_btl));
  }
  if (kind == LauncherKind::kHydra) {
    return fail(
        ErrorCode::kConfigInvalid,
        fmt::format("--mpi-btl {}: only Open MPI knows it, and {} belongs to MPICH", request.mpi_btl, request.program),
        {}, "leave it out, or choose Open MPI's launcher with --mpi-bin");
  }
  if (request.mpi_btl == "vader" && request.hosts.size() > 1) {
    return fail(ErrorCode::kConfigInvalid, "--mpi-btl vader: shared memory can't join several hosts", {},
                "leave it out, or use --mpi-btl tcp");
  }
  return {};
}

}  // namespace

Result<LauncherKind> launcher_kind(std::string_view version_output) {
  for (const std::string_view mark : {"OpenRTE", "Open MPI", "PRRTE"}) {
    if (version_output.find(mark) != std::string_view::npos) return LauncherKind::kOpenMpi;
  }
  // Intel MPI and MVAPICH bring Hydra too.
  for (const std::string_view mark : {"HYDRA", "MPICH", "Intel(R) MPI"}) {
    if (version_output.find(mark) != std::string_view::npos) return LauncherKind::kHydra;
  }
  const std::string first_line(version_output.substr(0, std::min<size_t>(version_output.find('\n'), 200)));
  return fail(ErrorCode::kMpiNotAvailable, fmt::format("the launcher is of no known kind: '{}'", first_line), {},
              "use the mpirun of Open MPI or MPICH, or start mlpstorage under the site's own launcher (srun, mpiexec)");
}

std::string host_file_text(LauncherKind kind, const std::vector<Host>& hosts) {
  std::string text;
  for (const Host& host : hosts) text += host.name + (kind == LauncherKind::kOpenMpi ? " slots=1\n" : ":1\n");
  return text;
}

std::string launcher_program(const std::string& mpi_bin, const Environment& environment) {
  if (mpi_bin == "mpirun") return environment.get("MPI_RUN_BIN").value_or(mpi_bin);
  if (mpi_bin == "mpiexec") return environment.get("MPI_EXEC_BIN").value_or(mpi_bin);
  return mpi_bin;
}

Result<std::vector<std::string>> launch_command(LauncherKind kind, const LaunchRequest& request) {
  if (Status status = check_request(kind, request); !status) return fail(std::move(status.error()));
  Words words = {request.program};
  const Words options = kind == LauncherKind::kOpenMpi ? open_mpi_options(request) : hydra_options(request);
  words.insert(words.end(), options.begin(), options.end());
  for (const std::string& text : request.mpi_params) {
    const Result<Words> more = shell_split(text);
    if (!more)
      return fail(ErrorCode::kConfigInvalid, fmt::format("--mpi-params: {} in: {}", more.error().message, text));
    words.insert(words.end(), more->begin(), more->end());
  }
  words.insert(words.end(), request.command.begin(), request.command.end());
  return words;
}

}  // namespace mlps::world
