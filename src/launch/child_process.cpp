#include "launch/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.hpp"
#include "base/waiting.hpp"

namespace mlps::cli {
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
  words.reserve(command.size() + 1);
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
  const Nanos deadline = now_ns() + limit_ns;
  std::string text;
  bool ended = false;
  while (!ended && now_ns() < deadline) {
    std::array<pollfd, 1> watched{pollfd{output->read_end.get(), POLLIN, 0}};
    if (poll_until(watched, deadline) <= 0) continue;
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(output->read_end.get(), buffer.data(), buffer.size());
    if (got > 0) text.append(buffer.data(), static_cast<size_t>(got));
    ended = got == 0 || (got < 0 && errno != EINTR);
  }
  ::kill(-*child, SIGKILL);
  while (::waitpid(*child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (ended) return text;
  return fail(ErrorCode::kTimeout,
              fmt::format("{} has not ended within {:g} s", join(command, " "), to_seconds(limit_ns)));
}

}  // namespace mlps::cli
