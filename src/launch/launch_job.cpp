#include "launch/launch_job.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/child_process.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/stop_signals.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "base/version.hpp"
#include "base/write_all.hpp"
#include "launch/job_control.hpp"
#include "launch/launcher_supervisor.hpp"
#include "results/redact.hpp"
#include "world/addresses.hpp"
#include "world/host_list.hpp"
#include "world/launch.hpp"

namespace mlps::cli {
namespace {

constexpr Nanos kVersionLimitNs = 30'000'000'000;
constexpr size_t kPerWord = sizeof(char*) + 1;
constexpr size_t kLongestWord = 128 << 10;
constexpr Nanos kResolveNs = 10'000'000'000;
constexpr size_t kLongestHostList = 16 << 10;  // a word of a command line has 128 KiB at most

Error no_launcher(const Error& error) {
  Error result{ErrorCode::kMpiNotAvailable, error.message, error.details, error.suggestion};
  if (error.code == ErrorCode::kPathNotFound) {
    result.suggestion =
        "install Open MPI or MPICH, name its launcher with --mpi-bin, or start mlpstorage under the site's own (srun, "
        "mpiexec)";
  }
  return result;
}

/// Returns E102 if two names stand for one host. A resolver that takes too long is not waited for.
Status check_names(const std::vector<world::Host>& hosts) {
  const Nanos deadline = now_ns() + kResolveNs;
  size_t looked_up = 0;
  Status checked = world::check_distinct(hosts, [&](const std::string& name) {
    if (now_ns() > deadline) return std::vector<std::string>();
    ++looked_up;
    return world::identity_of(name);
  });
  if (checked && looked_up < hosts.size()) {
    log::warning("--hosts: whether a host stands twice was looked up for {} of {} names only: the resolver is slow",
                 looked_up, hosts.size());
  }
  return checked;
}

/// Makes a file in memory, for the launcher to read: no longer list than this goes on its command line.
Result<Descriptor> host_file(world::LauncherKind kind, const std::vector<world::Host>& hosts) {
  Descriptor file(::memfd_create("hosts", 0));  // the launcher inherits it
  if (!file.is_open()) return fail(errno_error(errno, "make a file of the hosts"));
  if (Status written = write_all(file.get(), world::host_file_text(kind, hosts), "make a file of the hosts");
      !written) {
    return fail(std::move(written.error()));
  }
  return file;
}

/// Returns E102 for a command line that the system can't start.
Status check_length(const std::vector<std::string>& words) {
  size_t bytes = 0;
  for (char** variable = environ; *variable != nullptr; ++variable) bytes += std::strlen(*variable) + kPerWord;
  for (const std::string& word : words) bytes += word.size() + kPerWord;
  const auto longest = std::max_element(words.begin(), words.end(),
                                        [](const auto& one, const auto& other) { return one.size() < other.size(); });
  const auto most = static_cast<size_t>(::sysconf(_SC_ARG_MAX));
  if (bytes < most && longest->size() < kLongestWord) return {};
  return fail(
      ErrorCode::kConfigInvalid,
      fmt::format("the launcher's command line is too long: with the environment {} of {}, its longest word {} of {}",
                  human_bytes(bytes), human_bytes(most), human_bytes(longest->size()), human_bytes(kLongestWord)),
      {}, "shorten --mpi-params, or the environment");
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
    print_error(end.aftermath);
    log::warning(
        "{} did not end by itself after the job had, and was ended: processes may be left on hosts it can't "
        "reach",
        launcher);
  }
  const bool is_clean = WIFEXITED(end.wait_status) && WEXITSTATUS(end.wait_status) == kExitSuccess;
  if (end.verdict && (*end.verdict != kExitSuccess || is_clean || end.had_to_be_ended)) return *end.verdict;
  if (!end.verdict && (end.was_interrupted || end.never_began)) return report_failures({cut_short(end, launcher)});
  print_error(end.aftermath);
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
  return !world::is_this_host(name);
}

Result<LauncherCommand> launcher_command(const HostOptions& hosts, const Environment& environment) {
  world::LaunchRequest request;
  auto parsed = world::parse_host_list(hosts.hosts);
  if (!parsed) return fail(parsed.error());
  if (Status distinct = check_names(*parsed); !distinct) return fail(std::move(distinct.error()));
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
  LauncherCommand command;
  if (world::host_file_text(*kind, request.hosts).size() > kLongestHostList) {
    auto file = host_file(*kind, request.hosts);
    if (!file) return fail(std::move(file.error()));
    command.host_file = std::move(*file);
    request.host_file = fmt::format("/proc/self/fd/{}", command.host_file.get());
  }
  auto words = world::launch_command(*kind, request);
  if (!words) return fail(std::move(words.error()));
  command.words = std::move(*words);
  if (Status fits = check_length(command.words); !fits) return fail(std::move(fits.error()));
  return command;
}

int run_launched(const LauncherCommand& command, const JobSettings& settings) {
  sigset_t signals = stop_signals(), before;
  sigaddset(&signals, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  auto control = Pipe::make(), output = Pipe::make(), errors = Pipe::make();
  for (const auto* pipe : {&control, &output, &errors}) {
    if (!*pipe) return report_failures({pipe->error()});
  }
  log::info("starting: {}", join(results::without_secrets(command.words), " "));
  const auto launcher =
      start_child(command.words, {control->read_end.get(), output->write_end.get(), errors->write_end.get()});
  if (!launcher) return report_failures({no_launcher(launcher.error())});
  control->read_end.close();
  output->write_end.close();
  errors->write_end.close();
  const LauncherStreams streams{control->write_end.get(), output->read_end.get(), errors->read_end.get()};
  const JobEnd end = supervise_launcher(*launcher, streams, settings_text(settings) + "\n");
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return status_of_job(end, command.words.front());
}

}  // namespace mlps::cli
