#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace mlps {

/// The levels and numbers of mlpstorage 3.0. RESULT is above WARNING by number but does not report a problem.
enum class LogLevel : int {
  kDebug = 10,
  kVerbose = 19,
  kInfo = 20,
  kStatus = 25,
  kWarning = 30,
  kResult = 35,
  kError = 40,
  kNone = 100  ///< only as a threshold: suppresses all
};

enum class ColorMode { kAuto, kAlways, kNever };

/// Diagnostics of the process: on stderr as `YYYY-MM-DD HH:MM:SS|LEVEL: message`, and, once the run folder exists, in
/// its `mlpstorage.log` (all levels) and `mlpstorage.errors.log` (WARNING and ERROR), including earlier lines. Also
/// keeps the live progress line on stderr apart from messages. Thread-safe by a mutex, so not for the data path. Never
/// writes to stdout.
namespace log {

struct Settings {
  LogLevel threshold = LogLevel::kInfo;  ///< for stderr
  ColorMode color = ColorMode::kAuto;
};
void configure(const Settings& settings);

void write(LogLevel level, std::string_view message);

template <class... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
  write(LogLevel::kInfo, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void status(fmt::format_string<Args...> text, Args&&... args) {
  write(LogLevel::kStatus, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> text, Args&&... args) {
  write(LogLevel::kWarning, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> text, Args&&... args) {
  write(LogLevel::kError, fmt::format(text, std::forward<Args>(args)...));
}

/// Starts writing `folder`/mlpstorage.log and mlpstorage.errors.log, beginning with everything logged so far. A file
/// that can't be written later is cut off there, which is a warning in problems() and lost output (base/output.hpp).
Status open_run_files(const std::string& folder);

/// Returns the folder of the last open_run_files(); empty before it.
std::string run_folder();

/// Shows `line` as the live progress line if stderr is a terminal, else writes it as a plain line. An empty line
/// removes it. The caller limits the rate.
void progress(std::string_view line);
bool stderr_is_terminal();

/// Returns the first lines of all WARNING and ERROR messages so far, for the recap at the end and the record.
std::vector<std::string> problems();

}  // namespace log

/// Logs every failure, one after the other, and returns the process status, which the first one decides.
int report_failures(const std::vector<Error>& errors);

/// Remembers errors that were shown in another way than by report_failures().
void remember_failures(const std::vector<Error>& errors);
/// Returns all errors that were reported or remembered, for those who ask for JSON.
std::vector<Error> reported_failures();

}  // namespace mlps
