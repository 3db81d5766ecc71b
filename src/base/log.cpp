#include "base/log.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/output.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "base/write_all.hpp"

namespace mlps::log {
namespace {

/// A log file of the run.
struct File {
  std::string path;
  Descriptor descriptor;

  Status open(std::string new_path) {
    path = std::move(new_path);
    descriptor = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!descriptor.is_open()) return fail(errno_error(errno, "create " + path));
    return {};
  }
};

struct Entry {
  LogLevel level;
  std::string line;  // with its line end
};

constexpr size_t kMaxBuffered = 20000;

struct State {
  std::mutex mutex;
  Settings settings;
  bool terminal = stderr_is_screen();
  std::string progress;        // as it is drawn, without what goes before it
  std::vector<Entry> earlier;  // those of before the log files were opened
  std::vector<std::string> problems;
  std::vector<Error> failures;
  bool files_are_open = false;
  std::string run_folder;
  File all;
  File errors;
};

State& state() {
  static State instance;
  return instance;
}

struct LevelLook {
  LogLevel level;
  const char* name;
  const char* color;
};
constexpr auto kLooks = std::to_array<LevelLook>({{LogLevel::kDebug, "DEBUG", ""},
                                                  {LogLevel::kVerbose, "VERBOSE", ""},
                                                  {LogLevel::kInfo, "INFO", ""},
                                                  {LogLevel::kStatus, "STATUS", "\033[1;34m"},
                                                  {LogLevel::kWarning, "WARNING", "\033[33m"},
                                                  {LogLevel::kResult, "RESULT", "\033[32m"},
                                                  {LogLevel::kError, "ERROR", "\033[1;31m"}});

const LevelLook& look_of(LogLevel level) {
  return *std::find_if(kLooks.begin(), kLooks.end() - 1, [&](const LevelLook& look) { return look.level == level; });
}

bool is_problem(LogLevel level) {
  return level == LogLevel::kWarning || level == LogLevel::kError;
}

constexpr std::string_view kEraseBelow = "\r\033[J";

/// Returns what draws lines of progress: each ends the line that was there, and the cursor goes back to the first, from
/// where all of them can be erased even if a terminal has wrapped them since, because it became narrower.
std::string drawing_of(std::string_view lines) {
  std::string text = "\r";
  size_t below = 0;
  for (const char c : lines) {
    if (c == '\n') {
      text += "\033[K\r\n";
      ++below;
    } else {
      text += c;
    }
  }
  text += "\033[K\033[J";
  return text + (below > 0 ? fmt::format("\r\033[{}A", below) : "\r");
}

void put_to_console(State& s, LogLevel level, const std::string& stamp, std::string_view message) {
  const char* color = stderr_has_color(s.settings.color) ? look_of(level).color : "";
  const char* reset = *color != '\0' ? "\033[0m" : "";
  std::string text;
  if (!s.progress.empty()) text += kEraseBelow;
  text += fmt::format("{}|{}{}{}: {}\n", stamp, color, look_of(level).name, reset, message);
  text += s.progress;
  print_error(text);
}

Entry entry_of(LogLevel level, const std::string& stamp, std::string_view message) {
  return {level, fmt::format("{}|{}: {}\n", stamp, look_of(level).name, message)};
}

// A file that can't be written gets no further lines, so that it ends where it was cut off; this is a warning, once for
// each, and lost output.
void put_to_files(State& s, const Entry& entry) {
  for (File* file : {&s.all, is_problem(entry.level) ? &s.errors : nullptr}) {
    if (file == nullptr || !file->descriptor.is_open()) continue;
    const Status written = write_all(file->descriptor.get(), entry.line, "write " + file->path);
    if (written) continue;
    file->descriptor.close();
    s.problems.push_back("the log of this run is not complete: " + written.error().message);
    note_lost_output(s.problems.back());
    const std::string stamp = log_stamp(Stamp::now().wall_us);
    put_to_console(s, LogLevel::kWarning, stamp, s.problems.back());
    put_to_files(s, entry_of(LogLevel::kWarning, stamp, s.problems.back()));
  }
}

}  // namespace

void configure(const Settings& settings) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.settings = settings;
}

void write(LogLevel level, std::string_view text) {
  State& s = state();
  const std::string message = terminal_text(text);
  const std::string stamp = log_stamp(Stamp::now().wall_us);
  const std::lock_guard lock(s.mutex);
  Entry entry = entry_of(level, stamp, message);
  if (is_problem(level)) s.problems.emplace_back(message.substr(0, message.find('\n')));
  if (s.files_are_open) {
    put_to_files(s, entry);
  } else if (s.earlier.size() < kMaxBuffered) {
    s.earlier.push_back(std::move(entry));
  }
  if (level >= s.settings.threshold) put_to_console(s, level, stamp, message);
}

Status open_run_files(const std::string& folder) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (Status status = s.all.open(folder + "/mlpstorage.log"); !status) return status;
  if (Status status = s.errors.open(folder + "/mlpstorage.errors.log"); !status) return status;
  s.files_are_open = true;
  s.run_folder = folder;
  for (const Entry& entry : s.earlier) put_to_files(s, entry);
  s.earlier.clear();
  return {};
}

std::string run_folder() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  return s.run_folder;
}

void progress(std::string_view lines) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (!s.terminal) {
    if (!lines.empty()) print_error(fmt::format("{}|PROGRESS: {}\n", log_stamp(Stamp::now().wall_us), lines));
    return;
  }
  if (lines.empty() && s.progress.empty()) return;
  s.progress = lines.empty() ? "" : drawing_of(lines);
  print_error(lines.empty() ? kEraseBelow : s.progress);
}

bool stderr_is_terminal() {
  return state().terminal;
}

std::vector<std::string> problems() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  return s.problems;
}

}  // namespace mlps::log

namespace mlps {

int report_failures(const std::vector<Error>& errors) {
  for (const Error& error : errors) log::error("{}", render(error));
  remember_failures(errors);
  return exit_code(errors.front().code);
}

void remember_failures(const std::vector<Error>& errors) {
  log::State& s = log::state();
  const std::lock_guard lock(s.mutex);
  s.failures.insert(s.failures.end(), errors.begin(), errors.end());
}

std::vector<Error> reported_failures() {
  log::State& s = log::state();
  const std::lock_guard lock(s.mutex);
  return s.failures;
}

}  // namespace mlps
