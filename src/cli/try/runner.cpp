#include "cli/try/runner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/child_process.hpp"
#include "base/log.hpp"
#include "base/stop_signals.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "base/waiting.hpp"
#include "base/write_all.hpp"

namespace mlps::cli {
namespace {

constexpr Nanos kLook = 200'000'000;
constexpr Nanos kShowEvery = 500'000'000;
constexpr Nanos kShowPlainEvery = 10'000'000'000;
// A command that was sized for a part of the time and takes twice as long as all, and half a minute, hangs.
constexpr double kHangsFactor = 2;
constexpr double kHangsSeconds = 30;

/// Returns the error that a command printed as JSON.
Error told_error(const rules::Document& printed, int exit_status) {
  const rules::Node error = printed["error"];
  Error told{ErrorCode::kCommandFailed, error["message"].text_or(fmt::format("it ended with status {}", exit_status)),
             error["details"].text_or(""), error["suggestion"].text_or("")};
  const std::string code = error["code"].text_or("");
  if (const auto number = parse_number<int>(code.empty() ? code : code.substr(1))) {
    if (code_name(static_cast<ErrorCode>(*number)) == code) told.code = static_cast<ErrorCode>(*number);
  }
  return told;
}

}  // namespace

TryRunner::TryRunner(const std::string& log_file, double seconds)
    : program_(binary_path()),
      log_(::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)),
      seconds_(seconds),
      signals_(stop_signals()) {
  pthread_sigmask(SIG_BLOCK, &signals_, &previous_);
  arrived_ = Descriptor(::signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK));
}

TryRunner::~TryRunner() {
  log::progress("");
  pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

double TryRunner::hangs_s() const {
  return kHangsSeconds + kHangsFactor * seconds_;
}

Status TryRunner::check_stop() {
  take_signals(-1, false);
  if (signals_seen_ == 0) return {};
  return fail(ErrorCode::kInterrupted, "interrupted by " + signal_name(last_signal_));
}

Result<rules::Document> TryRunner::run(std::vector<std::string> arguments, const std::string& what) {
  if (Status going = check_stop(); !going) return fail(going.error());
  arguments.emplace_back("--json");
  auto output = start_and_wait(arguments, what, false);
  if (Status going = check_stop(); !going) return fail(going.error());
  if (!output) return fail(output.error());
  if (output->late) {
    return fail(ErrorCode::kTimeout,
                fmt::format("{}: it was to take seconds, and has not ended after {:.0f} s", what, hangs_s()));
  }
  auto printed = rules::parse_json_document(output->text);
  const int status = WIFEXITED(output->status) ? WEXITSTATUS(output->status) : -1;
  if (status == kExitSuccess && printed) return std::move(*printed);
  if (printed) return fail(told_error(*printed, status));
  return fail(ErrorCode::kCommandFailed,
              WIFSIGNALED(output->status)
                  ? fmt::format("{}: the process was ended by signal {}", what, WTERMSIG(output->status))
                  : fmt::format("{}: status {}, and no answer", what, status));
}

Result<int> TryRunner::run_removal(const std::vector<std::string>& arguments) {
  const auto output = start_and_wait(arguments, "removing what was stored", true);
  if (!output) return fail(output.error());
  return WIFEXITED(output->status) ? WEXITSTATUS(output->status) : -1;
}

Result<TryRunner::Output> TryRunner::start_and_wait(const std::vector<std::string>& arguments, const std::string& what,
                                                    bool removal) {
  std::vector<std::string> command{program_};
  std::string shown = "mlpstorage";
  for (const std::string& argument : arguments) {
    command.push_back(argument);
    shown += " " + shell_quoted(argument);
  }
  if (log_.is_open()) (void)write_all(log_.get(), "$ " + shown + "\n", "write the log of try");
  log::write(LogLevel::kVerbose, shown);
  auto pipe = Pipe::make();
  if (!pipe) return fail(pipe.error());
  const auto child = start_child(command, {-1, pipe->write_end.get(), log_.get()});
  if (!child) return fail(child.error());
  pipe->write_end.close();
  return follow(*child, pipe->read_end, what, removal);
}

TryRunner::Output TryRunner::follow(pid_t child, const Descriptor& from, const std::string& what, bool removal) {
  Output output;
  const Nanos hangs = now_ns() + static_cast<Nanos>(hangs_s() * 1e9);
  for (bool open = true; open;) {
    std::array<pollfd, 2> watched{pollfd{from.get(), POLLIN, 0}, pollfd{arrived_.get(), POLLIN, 0}};
    (void)poll_until(watched, now_ns() + kLook);
    take_signals(child, removal);
    show(what);
    if (now_ns() > hangs && !output.late) {
      output.late = true;
      ::kill(-child, SIGKILL);
    }
    if (watched[0].revents == 0) continue;
    std::array<char, 65536> buffer;
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got > 0 && output.text.size() < rules::kMostDocumentBytes) {
      output.text.append(buffer.data(), static_cast<size_t>(got));
    }
    open = got > 0 || (got < 0 && errno == EINTR);
  }
  while (::waitpid(child, &output.status, 0) < 0 && errno == EINTR) {
  }
  return output;
}

// The first signal asks the command to stop in order, the second one ends it; a removal goes on until a third one.
void TryRunner::take_signals(pid_t child, bool removal) {
  signalfd_siginfo info{};
  while (::read(arrived_.get(), &info, sizeof info) == sizeof info) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (signals_seen_ > 0 && !asks_again(signal)) continue;
    ++signals_seen_;
    last_signal_ = signal;
    if (signals_seen_ == 1) {
      log::warning("{}: stopping, and removing what was stored", signal_name(signal));
      if (child > 0 && !removal) ::kill(-child, SIGINT);
    } else if (child > 0 && (!removal || gives_up())) {
      ::kill(-child, SIGKILL);
    }
  }
}

void TryRunner::show(const std::string& what) {
  const Nanos now = now_ns();
  if (now - shown_ns_ < (log::stderr_is_terminal() ? kShowEvery : kShowPlainEvery)) return;
  shown_ns_ = now;
  log::progress(fmt::format("{:.0f} of about {:.0f} s: {}", elapsed_s(), seconds_, what));
}

}  // namespace mlps::cli
