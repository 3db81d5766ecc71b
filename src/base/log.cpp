#include "base/log.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "base/clock.hpp"

namespace mlps::log {
namespace {

struct FileCloser {
  void operator()(FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<FILE, FileCloser>;

struct Entry {
  LogLevel level;
  std::string line;
};

constexpr size_t kMaxBuffered = 20000;

struct State {
  std::mutex mutex;
  Settings settings;
  bool terminal = isatty(STDERR_FILENO) == 1;
  std::string progress_line;
  std::vector<Entry> earlier;  // kept until the run files are open
  std::vector<std::string> problems;
  File all;
  File errors;
};

State& state() {
  static State instance;
  return instance;
}

const char* name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kVerbose:
      return "VERBOSE";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kStatus:
      return "STATUS";
    case LogLevel::kWarning:
      return "WARNING";
    case LogLevel::kResult:
      return "RESULT";
    case LogLevel::kError:
      return "ERROR";
    case LogLevel::kNone:
      break;
  }
  return "?";
}

const char* color_of(LogLevel level) {
  switch (level) {
    case LogLevel::kStatus:
      return "\033[1;34m";
    case LogLevel::kWarning:
      return "\033[33m";
    case LogLevel::kResult:
      return "\033[32m";
    case LogLevel::kError:
      return "\033[1;31m";
    default:
      return "";
  }
}

bool is_problem(LogLevel level) {
  return level == LogLevel::kWarning || level == LogLevel::kError;
}

bool use_color(const State& s) {
  if (s.settings.color != ColorMode::kAuto) return s.settings.color == ColorMode::kAlways;
  const char* term = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  return s.terminal && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

void put_to_files(State& s, const Entry& entry) {
  for (FILE* file : {s.all.get(), is_problem(entry.level) ? s.errors.get() : nullptr}) {
    if (file == nullptr) continue;
    std::fputs(entry.line.c_str(), file);
    std::fputc('\n', file);
    std::fflush(file);
  }
}

void put_to_console(State& s, LogLevel level, const std::string& stamp, std::string_view message) {
  const char* color = use_color(s) ? color_of(level) : "";
  const char* reset = *color != '\0' ? "\033[0m" : "";
  std::string text;
  if (!s.progress_line.empty()) text += "\r\033[K";
  text += fmt::format("{}|{}{}{}: {}\n", stamp, color, name_of(level), reset, message);
  text += s.progress_line;
  std::fputs(text.c_str(), stderr);
}

}  // namespace

void configure(const Settings& settings) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.settings = settings;
}

void write(LogLevel level, std::string_view message) {
  State& s = state();
  const std::string stamp = log_stamp(Stamp::now().wall_us);
  const std::lock_guard lock(s.mutex);
  Entry entry{level, fmt::format("{}|{}: {}", stamp, name_of(level), message)};
  if (is_problem(level)) s.problems.emplace_back(message.substr(0, message.find('\n')));
  if (s.all != nullptr) {
    put_to_files(s, entry);
  } else if (s.earlier.size() < kMaxBuffered) {
    s.earlier.push_back(std::move(entry));
  }
  if (level >= s.settings.threshold) put_to_console(s, level, stamp, message);
}

Status open_run_files(const std::string& folder) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  const std::string path = folder + "/mlpstorage.log";
  s.all.reset(std::fopen(path.c_str(), "we"));
  if (s.all == nullptr) return fail(errno_error(errno, "create " + path));
  const std::string errors_path = folder + "/mlpstorage.errors.log";
  s.errors.reset(std::fopen(errors_path.c_str(), "we"));
  if (s.errors == nullptr) return fail(errno_error(errno, "create " + errors_path));
  for (const Entry& entry : s.earlier) put_to_files(s, entry);
  s.earlier.clear();
  return {};
}

void progress(std::string_view line) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (!s.terminal) {
    if (!line.empty()) std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
    return;
  }
  if (line.empty() && s.progress_line.empty()) return;
  s.progress_line = line;
  std::fprintf(stderr, "\r\033[K%s", s.progress_line.c_str());
  std::fflush(stderr);
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
