#include "base/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "base/text.hpp"
#include "base/waiting.hpp"

namespace mlps {
namespace {

constexpr size_t kMostAnswer = size_t{1} << 20;
constexpr Nanos kLookAtStop = 100'000'000;
// A program that has closed its output may still be ending.
constexpr Nanos kEndsWithin = 2'000'000'000;
constexpr Nanos kEndsStep = 2'000'000;

/// What reading a child's output came to.
struct ChildOutput {
  std::string text;
  bool ended = false;  ///< closed by the child
  int status = 0;      ///< as waitpid() has it
};

/// Reads until the end of the output, `deadline`, `most_bytes` or `stop`, and kills what is left of the process group.
ChildOutput read_and_end(pid_t child, const Descriptor& from, Nanos deadline, size_t most_bytes,
                         const std::atomic<bool>& stop) {
  ChildOutput output;
  while (!output.ended && now_ns() < deadline && output.text.size() < most_bytes && !stop) {
    std::array<pollfd, 1> watched{pollfd{from.get(), POLLIN, 0}};
    if (poll_until(watched, std::min(deadline, now_ns() + kLookAtStop)) <= 0) continue;
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got > 0) output.text.append(buffer.data(), static_cast<size_t>(got));
    output.ended = got == 0 || (got < 0 && errno != EINTR);
  }
  for (const Nanos patience = std::min(deadline, now_ns() + kEndsWithin); output.ended && now_ns() < patience;) {
    siginfo_t end = {};
    if (::waitid(P_PID, static_cast<id_t>(child), &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == child) break;
    sleep_for(kEndsStep);
  }
  ::kill(-child, SIGKILL);
  while (::waitpid(child, &output.status, 0) < 0 && errno == EINTR) {
  }
  return output;
}

}  // namespace

Result<Pipe> Pipe::make() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(errno_error(errno, "make a pipe to the launcher"));
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

Result<pid_t> start_child(const std::vector<std::string>& command, const Streams& streams) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (streams.in >= 0) {
    posix_spawn_file_actions_adddup2(&actions, streams.in, STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  if (streams.out >= 0) posix_spawn_file_actions_adddup2(&actions, streams.out, STDOUT_FILENO);
  if (streams.err >= 0) posix_spawn_file_actions_adddup2(&actions, streams.err, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ, SIGCHLD}) sigaddset(&usual, signal);
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
  Error refused = errno_error(error, fmt::format("start {}", command.front()));
  if (error == EAGAIN)
    refused.suggestion = "raise the limit of processes (ulimit -u, or pids.max of the control group)";
  return fail(std::move(refused));
}

Result<std::string> output_of(const std::vector<std::string>& command, Nanos limit_ns) {
  auto output = Pipe::make();
  if (!output) return fail(std::move(output.error()));
  const auto child = start_child(command, {-1, output->write_end.get(), output->write_end.get()});
  if (!child) return fail(child.error());
  output->write_end.close();
  const std::atomic<bool> never = false;
  ChildOutput printed = read_and_end(*child, output->read_end, now_ns() + limit_ns, SIZE_MAX, never);
  if (printed.ended) return std::move(printed.text);
  return fail(ErrorCode::kTimeout,
              fmt::format("{} has not ended within {:g} s", join(command, " "), to_seconds(limit_ns)));
}

Result<std::string> answer_of(const std::vector<std::string>& command, Nanos limit_ns, const std::atomic<bool>& stop) {
  auto output = Pipe::make();
  if (!output) return fail(std::move(output.error()));
  const auto child = start_child(command, {-1, output->write_end.get(), -1});
  if (!child) return fail(child.error());
  output->write_end.close();
  ChildOutput printed = read_and_end(*child, output->read_end, now_ns() + limit_ns, kMostAnswer, stop);
  const std::string& program = command.front();
  if (stop) return fail(ErrorCode::kInterrupted, fmt::format("{}: the run is being stopped", program));
  if (printed.ended && WIFEXITED(printed.status) && WEXITSTATUS(printed.status) == 0) return std::move(printed.text);
  if (printed.text.size() >= kMostAnswer) {
    return fail(ErrorCode::kCommandFailed, fmt::format("{} prints more than 1 MiB", program));
  }
  if (!printed.ended) {
    return fail(ErrorCode::kTimeout, fmt::format("{} has not ended within {:g} s", program, to_seconds(limit_ns)));
  }
  const bool exited = WIFEXITED(printed.status);
  return fail(ErrorCode::kCommandFailed, fmt::format("{} ended with {} {}", program, exited ? "status" : "signal",
                                                     exited ? WEXITSTATUS(printed.status) : WTERMSIG(printed.status)));
}

}  // namespace mlps
