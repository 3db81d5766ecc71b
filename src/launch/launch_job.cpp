#include "launch/launch_job.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "launch/child_process.hpp"
#include "launch/job_control.hpp"
#include "launch/launcher_supervisor.hpp"
#include "results/redact.hpp"
#include "world/host_facts.hpp"
#include "world/host_list.hpp"
#include "world/launch.hpp"

namespace mlps::cli {
namespace {

constexpr Nanos kVersionLimitNs = 30'000'000'000;

Error no_launcher(const Error& error) {
  return {ErrorCode::kMpiNotAvailable,
          error.message,
          {},
          "install Open MPI or MPICH, name its launcher with --mpi-bin, or start mlpstorage under the site's own "
          "(srun, mpiexec)"};
}

/// The reason for which a launcher was ended before its job had told how it ended.
Error cut_short(const JobEnd& end, const std::string& launcher) {
  if (end.was_interrupted) {
    return {ErrorCode::kInterrupted,
            fmt::format("interrupted, and {} was ended before the job had said how it ended", launcher),
            {},
            "open uploads and partial files may be left; run the command again"};
  }
  return {ErrorCode::kHostUnreachable,
          fmt::format("{} has not brought the processes of all hosts together within {:g} s, and was ended", launcher,
                      to_seconds(kStartLimitNs)),
          {},
          "can it reach every host (try ssh), and is mlpstorage installed at the same path there?"};
}

/// Returns the job's own status, which it has explained, or reports what is known of a launcher that ended without it.
int status_of_job(const JobEnd& end, const std::string& launcher) {
  if (end.had_to_be_ended) {
    log::warning(
        "{} did not end by itself after the job had, and was ended: processes may be left on hosts it can't "
        "reach",
        launcher);
  }
  const bool is_clean = WIFEXITED(end.wait_status) && WEXITSTATUS(end.wait_status) == kExitSuccess;
  if (end.verdict && (*end.verdict != kExitSuccess || is_clean || end.had_to_be_ended)) return *end.verdict;
  if (!end.verdict && (end.was_interrupted || end.never_began)) return report_failures({cut_short(end, launcher)});
  const Error error{
      ErrorCode::kMpiCommunication,
      WIFEXITED(end.wait_status) ? fmt::format("{} ended with status {}", launcher, WEXITSTATUS(end.wait_status))
                                 : fmt::format("{} was killed by signal {}", launcher, WTERMSIG(end.wait_status)),
      end.verdict ? "the job had come to its end, but a process of it did not end well"
                  : "it could not start the job, or a process of the job was killed; what is known stands "
                    "above",
      {}};
  log::error("{}", render(error));
  return exit_code(error.code);
}

}  // namespace

bool needs_launcher(const HostOptions& hosts) {
  if (hosts.hosts.size() != 1) return true;
  const std::string name = hosts.hosts.front().substr(0, hosts.hosts.front().rfind(':'));
  return name != "127.0.0.1" && name != "localhost" && name != world::host_name();
}

Result<std::vector<std::string>> launcher_command(const HostOptions& hosts, const Environment& environment) {
  world::LaunchRequest request;
  auto parsed = world::parse_host_list(hosts.hosts);
  if (!parsed) return fail(parsed.error());
  request.hosts = std::move(*parsed);
  request.program = world::launcher_program(hosts.mpi_bin, environment);
  request.mpi_params = hosts.mpi_params;
  request.oversubscribe = hosts.oversubscribe;
  request.allow_run_as_root = hosts.allow_run_as_root;
  request.mpi_btl = hosts.mpi_btl;
  const std::string own_path = binary_path();  // right on every host where it is installed in the same place
  request.command = {own_path.empty() ? "mlpstorage" : own_path, std::string(kJoinWord)};
  const auto version = output_of({request.program, "--version"}, kVersionLimitNs);
  if (!version) return fail(no_launcher(version.error()));
  const auto kind = world::launcher_kind(*version);
  if (!kind) return fail(kind.error());
  return world::launch_command(*kind, request);
}

int run_launched(const std::vector<std::string>& command, const JobSettings& settings) {
  sigset_t signals, before;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  ::signal(SIGPIPE, SIG_IGN);
  Pipe control, errors;
  log::info("starting: {}", join(results::without_secrets(command), " "));
  const auto launcher = start_child(command, {control.read_end.get(), -1, errors.write_end.get()});
  if (!launcher) return report_failures({no_launcher(launcher.error())});
  control.read_end.close();
  errors.write_end.close();
  const JobEnd end =
      supervise_launcher(*launcher, control.write_end.get(), errors.read_end.get(), settings_text(settings) + "\n");
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return status_of_job(end, command.front());
}

}  // namespace mlps::cli
