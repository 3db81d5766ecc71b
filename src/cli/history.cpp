#include "cli/history.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <sstream>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "base/write_all.hpp"
#include "flags/options.hpp"
#include "results/redact.hpp"

namespace mlps::cli {
namespace {

std::string history_path(const std::string& results_dir) {
  return results_dir + "/.mlps/history";
}

std::string ends_path(const std::string& results_dir) {
  return results_dir + "/.mlps/history-ends";
}

// Adds to the entries how their commands ended: lines of "id,status,folder".
Status read_ends(const std::string& results_dir, std::vector<HistoryEntry>& entries) {
  std::error_code ignored;
  if (!std::filesystem::exists(ends_path(results_dir), ignored)) return {};
  const Result<std::string> text = read_file(ends_path(results_dir), "ends of the commands of the history", kGiB);
  if (!text) return fail(text.error());
  std::map<uint64_t, HistoryEntry*> by_id;
  for (HistoryEntry& entry : entries) by_id[entry.id] = &entry;
  std::istringstream file(*text);
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(','), second = line.find(',', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto id = parse_number<uint64_t>(std::string_view(line).substr(0, first));
    const auto status = parse_number<int>(std::string_view(line).substr(first + 1, second - first - 1));
    const auto entry = by_id.find(id.value_or(0));
    if (!status || entry == by_id.end()) continue;
    entry->second->exit_status = status;
    entry->second->folder = line.substr(second + 1);
  }
  return {};
}

std::optional<HistoryEntry> parse_line(const std::string& line) {
  const size_t first = line.find(',');
  const size_t second = first == std::string::npos ? first : line.find(',', first + 1);
  if (second == std::string::npos || second + 1 == line.size()) return std::nullopt;
  HistoryEntry entry;
  entry.id = parse_number<uint64_t>(std::string_view(line).substr(0, first)).value_or(0);
  if (entry.id == 0) return std::nullopt;
  entry.stamp = line.substr(first + 1, second - first - 1);
  entry.command = line.substr(second + 1);
  return entry;
}

}  // namespace

std::string recorded_command(const std::vector<std::string>& arguments) {
  std::string command = "mlpstorage";
  for (std::string& text : results::without_secrets(arguments)) {
    std::replace(text.begin(), text.end(), '\n', ' ');  // one entry is one line
    command += ' ' + shell_quoted(text);
  }
  return command;
}

std::string verdict_of(const HistoryEntry& entry) {
  if (!entry.exit_status) return "not ended";
  if (*entry.exit_status == 0) return entry.folder.empty() ? "done" : "passed";
  return fmt::format("{} (status {})", entry.folder.empty() ? "refused" : "failed", *entry.exit_status);
}

Result<uint64_t> append_history(const std::string& results_dir, const std::vector<std::string>& arguments) {
  const std::string path = history_path(results_dir);
  std::error_code error;
  std::filesystem::create_directories(results_dir + "/.mlps", error);
  if (error) return fail(errno_error(error.value(), "create " + results_dir + "/.mlps"));
  const Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file.is_open()) return fail(errno_error(errno, "open " + path));
  // Without the lock two commands could take one id; some network file systems have none, which is no reason to fail.
  flock(file.get(), LOCK_EX);
  const Result<std::vector<HistoryEntry>> entries = read_history(results_dir);
  if (!entries) return fail(entries.error());
  uint64_t last = 0;
  for (const HistoryEntry& entry : *entries) last = std::max(last, entry.id);
  const off_t size = lseek(file.get(), 0, SEEK_END);
  char final_byte = '\n';
  const bool cut = size > 0 && pread(file.get(), &final_byte, 1, size - 1) == 1 && final_byte != '\n';
  const std::string line = fmt::format("{}{},{},{}\n", cut ? "\n" : "", last + 1, run_stamp(Stamp::now().wall_us),
                                       recorded_command(arguments));
  if (Status written = write_all(file.get(), line, "append to " + path); !written) return fail(written.error());
  return last + 1;
}

Status append_end(const std::string& results_dir, uint64_t id, int exit_status, const std::string& folder) {
  const std::string path = ends_path(results_dir);
  const Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file.is_open()) return fail(errno_error(errno, "open " + path));
  return write_all(file.get(), fmt::format("{},{},{}\n", id, exit_status, folder), "append to " + path);
}

Result<std::vector<HistoryEntry>> read_history(const std::string& results_dir) {
  const std::string path = history_path(results_dir);
  std::vector<HistoryEntry> entries;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return entries;
  const Result<std::string> text = read_file(path, "history", kGiB);
  if (!text) return fail(text.error());
  std::istringstream file(*text);
  std::string line;
  while (std::getline(file, line)) {
    if (std::optional<HistoryEntry> entry = parse_line(line)) entries.push_back(std::move(*entry));
  }
  if (Status read = read_ends(results_dir, entries); !read) return fail(read.error());
  return entries;
}

Result<std::vector<std::string>> recorded_arguments(const std::string& results_dir, uint64_t id) {
  const Result<std::vector<HistoryEntry>> entries = read_history(results_dir);
  if (!entries) return fail(entries.error());
  const auto entry = std::find_if(entries->begin(), entries->end(), [&](const auto& one) { return one.id == id; });
  if (entry == entries->end()) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("history: there is no command with id {}", id), {},
                "mlpstorage history show lists them");
  }
  Result<std::vector<std::string>> words = shell_split(entry->command);
  const bool benchmark = words && words->size() > 1 && words->front() == "mlpstorage" && mode_of((*words)[1]);
  if (!benchmark) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("history: command {} is not a benchmark command", id),
                entry->command, "type it by hand");
  }
  if (entry->command.find(results::kMasked) != std::string::npos) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("history: a secret was left out of command {}", id),
                entry->command, "type it by hand, and give secrets by environment");
  }
  words->erase(words->begin());
  return words;
}

}  // namespace mlps::cli
