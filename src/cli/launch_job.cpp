#include "cli/launch_job.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <ctime>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "cli/execution.hpp"
#include "cli/job_control.hpp"
#include "cli/launcher_output.hpp"
#include "results/redact.hpp"
#include "world/host_facts.hpp"
#include "world/host_list.hpp"
#include "world/launch.hpp"

namespace mlps::cli {
namespace {

// Of exit_code().
constexpr int kHighestStatus = 8;
// How long the launcher may take once the job has told its status: the processes wait for each other for 20 s.
constexpr Nanos kLauncherEndNs = 30'000'000'000;
constexpr int kPumpTurnMs = 100;

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) == 0) std::tie(read_end, write_end) = std::tie(ends[0], ends[1]);
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_read() { close_end(read_end); }
  void close_write() { close_end(write_end); }

 private:
  static void close_end(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
};

/// A child with `input`, `output` and `errors` in place of the standard ones (-1: none, ours, ours); in a process group
/// of its own, so that what is typed at the terminal reaches this process alone.
Result<pid_t> spawn(const std::vector<std::string>& command, int input, int output, int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (input >= 0) {
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  if (errors >= 0) posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD}) sigaddset(&usual, signal);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, words.front(), &actions, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return child;
  return fail(ErrorCode::kMpiNotAvailable, errno_error(error, fmt::format("start {}", command.front())).message, {},
              "install Open MPI or MPICH, name its launcher with --mpi-bin, or start mlpstorage under the site's own "
              "(srun, mpiexec)");
}

Result<std::string> version_of(const std::string& program) {
  Pipe output;
  const auto child = spawn({program, "--version"}, -1, output.write_end, output.write_end);
  if (!child) return fail(child.error());
  output.close_write();
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t got; (got = ::read(output.read_end, buffer.data(), buffer.size())) != 0;) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0) text.append(buffer.data(), static_cast<size_t>(got));
  }
  int status = 0;
  ::waitpid(*child, &status, 0);
  return text;
}

// This program, by a path that is right on every host where it is installed in the same place.
std::string own_path() {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<size_t>(length)) : std::string("mlpstorage");
}

void send(int pipe, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::write(pipe, text.data(), text.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;  // the launcher has ended: its status tells
    text.remove_prefix(static_cast<size_t>(sent));
  }
}

/// Passes on what the launcher says, in a thread of its own, and keeps what is said to this command.
class Pump {
 public:
  explicit Pump(int pipe) : pipe_(pipe), thread_([this] { run(); }) {}
  ~Pump() { stop(); }
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  /// After the end of the launcher: what has come is passed on; a child of it may still hold the pipe.
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::optional<int> status() {
    const std::lock_guard lock(mutex_);
    return output_.status();
  }

 private:
  void run() {
    std::array<char, 65536> buffer;
    for (;;) {
      pollfd watched{pipe_, POLLIN, 0};
      const int ready = ::poll(&watched, 1, kPumpTurnMs);
      if (ready == 0 && stopping_) break;
      if (ready <= 0) continue;
      const ssize_t got = ::read(pipe_, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      const std::lock_guard lock(mutex_);
      send(STDERR_FILENO, output_.take({buffer.data(), static_cast<size_t>(got)}));
    }
    const std::lock_guard lock(mutex_);
    send(STDERR_FILENO, output_.finish());
  }

  const int pipe_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  LauncherOutput output_;
  std::thread thread_;
};

/// Ends a launcher: politely the first time.
class Ending {
 public:
  explicit Ending(pid_t launcher) : launcher_(launcher) {}
  void push() { ::kill(-launcher_, std::exchange(signal_, SIGKILL)); }

 private:
  pid_t launcher_;
  int signal_ = SIGTERM;
};

/// Waits for the launcher, passing signals on. Its wait status.
int attend(pid_t launcher, int control, const sigset_t& signals, Pump& pump) {
  constexpr timespec kTurn{0, 200'000'000};
  bool asked = false;
  Ending ending(launcher);
  std::optional<Nanos> limit_ns;
  for (;;) {
    int status = 0;
    if (::waitpid(launcher, &status, WNOHANG) == launcher) return status;
    if (!limit_ns && pump.status()) limit_ns = now_ns() + kLauncherEndNs;
    if (limit_ns && now_ns() > *limit_ns) {
      log::warning("the job is over, but the launcher doesn't end: ending it");
      ending.push();
      limit_ns = now_ns() + kLauncherEndNs;
    }
    const int signal = ::sigtimedwait(&signals, nullptr, &kTurn);
    if (signal < 0 || signal == SIGCHLD) continue;
    const char* name = signal == SIGINT ? "SIGINT" : "SIGTERM";
    if (asked) {
      log::warning("{}: ending the launcher; uploads may stay open", name);
      ending.push();
      continue;
    }
    log::warning("{}: stopping on every host; once more ends the launcher at once, leaving open uploads behind", name);
    send(control, fmt::format("{}{}\n", kInterruptLine, name));
    asked = true;
  }
}

/// The status that the job has told, having explained it, or what is known of a launcher that ended in another way.
int status_of_job(int wait_status, std::optional<int> told, const std::string& launcher) {
  const int exit_status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
  if (told.value_or(0) != 0) return *told;
  if (told && exit_status == kExitSuccess) return kExitSuccess;
  if (exit_status > kJobStatusBase && exit_status <= kJobStatusBase + kHighestStatus) {
    return exit_status - kJobStatusBase;
  }
  const Error error{ErrorCode::kMpiCommunication,
                    exit_status >= 0 ? fmt::format("{} ended with status {}", launcher, exit_status)
                                     : fmt::format("{} was killed by signal {}", launcher, WTERMSIG(wait_status)),
                    exit_status == kExitSuccess
                        ? "but no process of the job came to its end; what is known stands above"
                        : "it could not start the job, or a process of the job was killed; what is known stands above",
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
  request.command = {own_path(), std::string(kJoinWord)};
  const auto version = version_of(request.program);
  if (!version) return fail(version.error());
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
  log::info("starting: {}", fmt::join(results::without_secrets(command), " "));
  const auto launcher = spawn(command, control.read_end, -1, errors.write_end);
  if (!launcher) return report_failures({launcher.error()});
  control.close_read();
  errors.close_write();
  Pump pump(errors.read_end);
  send(control.write_end, settings_text(settings) + "\n");
  const int status = attend(*launcher, control.write_end, signals, pump);
  pump.stop();
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return status_of_job(status, pump.status(), command.front());
}

}  // namespace mlps::cli
