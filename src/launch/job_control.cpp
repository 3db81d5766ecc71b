#include "launch/job_control.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "base/waiting.hpp"

namespace mlps::cli {
namespace {

constexpr Nanos kSettingsLimitNs = 60'000'000'000;
constexpr size_t kMostBytes = size_t{64} << 20U;  // a workload file may be in it; no command line is longer

// Returns the next line of standard input, or nothing at its end. `rest` keeps what came behind the line.
Result<std::optional<std::string>> next_line(std::string& rest, Nanos deadline_ns) {
  for (;;) {
    if (const size_t end = rest.find('\n'); end != std::string::npos) {
      std::string line = rest.substr(0, end);
      rest.erase(0, end + 1);
      return line;
    }
    std::array<pollfd, 1> watched{pollfd{STDIN_FILENO, POLLIN, 0}};
    if (poll_until(watched, deadline_ns) == 0) {
      if (now_ns() < deadline_ns) continue;
      return fail(ErrorCode::kTimeout,
                  fmt::format("the settings of the job did not come within {:g} s", to_seconds(kSettingsLimitNs)), {},
                  "the launcher must connect its standard input with process 0");
    }
    std::array<char, 65536> buffer;
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "read what to do from standard input"));
    if (got == 0) return std::nullopt;
    rest.append(buffer.data(), static_cast<size_t>(got));
    if (rest.size() > kMostBytes) return fail(ErrorCode::kMpiCommunication, "the settings of the job have no end");
  }
}

constexpr std::string_view kVerdictText = "mlpstorage-job-ended ";
constexpr std::string_view kBegunText = "mlpstorage-job-begun\n";

}  // namespace

std::string verdict_line(int status) {
  return fmt::format("{}{}{}\n", kVerdictMark, kVerdictText, status);
}

std::optional<int> verdict_in(std::string_view line) {
  const size_t mark = line.find(kVerdictMark);
  if (mark == std::string_view::npos || !line.substr(mark + 1).starts_with(kVerdictText)) return std::nullopt;
  line.remove_prefix(mark + 1 + kVerdictText.size());
  int status = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), status);
  if (error != std::errc{} || end == line.data() || status < 0 || status > 255) return std::nullopt;
  return status;
}

std::string begun_line() {
  return kVerdictMark + std::string(kBegunText);
}

bool says_begun(std::string_view line) {
  const size_t mark = line.find(kVerdictMark);
  return mark != std::string_view::npos && line.substr(mark + 1) == kBegunText;
}

Result<JobSettings> receive_settings(std::string& behind) {
  const auto line = next_line(behind, now_ns() + kSettingsLimitNs);
  if (!line) return fail(line.error());
  if (!*line) {
    return fail(ErrorCode::kMpiCommunication, "the settings of the job did not come", {},
                fmt::format("'{}' is what a command with --hosts starts itself; the launcher must connect its standard "
                            "input with process 0",
                            kJoinWord));
  }
  return parse_settings(**line);
}

JobControl::JobControl(world::Failure& failure, std::string behind)
    : failure_(failure), received_(std::move(behind)), stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (!stop_.is_open()) {
    failure_.raise(errno_error(errno, "listen to the launcher"));
    return;
  }
  auto started =
      Threads::start(1, {"listeners to the launcher", {}, [&failure](Error error) { failure.raise(std::move(error)); }},
                     [this](size_t) { listen(); });
  if (started) {
    thread_ = std::move(*started);
  } else {
    failure_.raise(std::move(started.error()));
  }
}

JobControl::~JobControl() {
  const uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void JobControl::listen() {
  while (!handle_control_line()) {
    std::array<pollfd, 2> watched{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
    if (poll_until(watched, kNoDeadline) < 0) return;  // the destructor ends it
    if (watched[1].revents != 0) return;
    if (watched[0].revents == 0) continue;
    std::array<char, 256> buffer;
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      // Nobody reads what the launcher passes on any more, and launchers end when they can't; the record says it all.
      log::configure({LogLevel::kNone, ColorMode::kNever});
      failure_.raise({ErrorCode::kInterrupted, "the command that started this job is gone"});
      return;
    }
    received_.append(buffer.data(), static_cast<size_t>(got));
  }
}

// Returns true after the one control line that a command ever sends: that it was interrupted.
bool JobControl::handle_control_line() {
  const size_t end = received_.find('\n');
  if (end == std::string::npos || !received_.starts_with(kInterruptLine)) return false;
  const std::string signal = received_.substr(kInterruptLine.size(), end - kInterruptLine.size());
  failure_.raise({ErrorCode::kInterrupted,
                  fmt::format("interrupted by {}", signal),
                  {},
                  "run the command again; what was written by this run is not a complete result"});
  return true;
}

}  // namespace mlps::cli
