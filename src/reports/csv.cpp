#include "reports/csv.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "base/waiting.hpp"
#include "base/write_all.hpp"
#include "results/folder_writer.hpp"

namespace mlps::reports {
namespace {

using rules::Node;

constexpr const char* kSchema = "mlpstorage.csv/1";
constexpr Nanos kLockPauseNs = 50'000'000;
constexpr Nanos kLockNs = 10'000'000'000;
constexpr double kGiBytes = 1024.0 * 1024 * 1024;
constexpr double kNsToMs = 1e-6;

/// Says where a figure is in the records: the first of the paths that leads to one, times its factor. "a[].b" stands
/// for b of all items of a.
struct Source {
  std::string_view path;
  double factor = 1;
};
struct Column {
  std::string_view name;
  std::vector<Source> sources;
};

const std::vector<Column>& columns() {
  static const std::vector<Column> kColumns = {
      {"schema", {}},
      {"run_start_utc", {{"time.run_start_utc"}}},
      {"label", {{"invocation.label"}}},
      {"benchmark", {{"invocation.benchmark"}}},
      {"command", {{"invocation.command"}}},
      {"mode", {{"invocation.mode"}}},
      {"model", {{"invocation.model"}}},
      {"accelerator", {{"invocation.accelerator"}}},
      {"orgname", {{"invocation.orgname"}}},
      {"systemname", {{"invocation.systemname"}}},
      {"storage", {{"store.location"}}},
      {"processes", {}},
      {"ranks", {}},
      {"verdict", {{"verdict"}}},
      {"is_result", {}},
      {"exit_status", {{"invocation.exit_status"}}},
      {"error", {{"error.code"}}},
      {"warnings", {}},
      {"run_s", {{"time.run_s"}}},
      {"au_percent", {{"metrics.au.mean"}}},
      {"au_needed_percent", {{"metrics.au_threshold_percent"}}},
      {"samples_per_s", {{"metrics.throughput.mean"}}},
      {"read_bytes_per_s",
       {{"metrics.read_bytes_per_s"},
        {"read.metrics.gib_per_s", kGiBytes},
        {"results[].storage_read_gib_per_s", kGiBytes}}},
      {"wanted_bytes_per_s", {{"metrics.demand_bytes_per_s"}}},
      {"write_bytes_per_s", {{"write.metrics.gib_per_s", kGiBytes}, {"results[].storage_write_gib_per_s", kGiBytes}}},
      {"idle_storage_share", {{"metrics.storage_wait_share"}}},
      {"client_share", {{"metrics.client_share.training"}, {"write.metrics.client_share"}, {"client.share"}}},
      {"cached_share", {{"per_second.cached_share"}, {"read.metrics.cached_share"}}},
      {"read_p50_ms", {{"reading.latency.read.p50_ns", kNsToMs}, {"read.latency.part.p50_ns", kNsToMs}}},
      {"read_p99_ms", {{"reading.latency.read.p99_ns", kNsToMs}, {"read.latency.part.p99_ns", kNsToMs}}},
      {"read_max_ms", {{"reading.latency.read.max_ns", kNsToMs}, {"read.latency.part.max_ns", kNsToMs}}},
      {"write_p50_ms", {{"write.latency.part.p50_ns", kNsToMs}, {"latency.write.p50_ns", kNsToMs}}},
      {"write_p99_ms", {{"write.latency.part.p99_ns", kNsToMs}, {"latency.write.p99_ns", kNsToMs}}},
      {"write_max_ms", {{"write.latency.part.max_ns", kNsToMs}, {"latency.write.max_ns", kNsToMs}}},
      {"commit_p50_ms", {{"write.latency.commit.p50_ns", kNsToMs}, {"latency.commit.p50_ns", kNsToMs}}},
      {"commit_p99_ms", {{"write.latency.commit.p99_ns", kNsToMs}, {"latency.commit.p99_ns", kNsToMs}}},
      {"requests_per_s", {{"results[].requests_per_s"}}},
      {"good_requests_per_s", {{"results[].good_requests_per_s"}}},
      {"hit_rate", {{"results[].hit_rate"}}},
      {"entry_read_p95_ms", {{"results[].entry_read_p95_ms"}}},
      {"queries_per_s", {{"windows[].queries_per_s"}}},
      {"recall", {{"windows[].recall.mean"}}},
      {"query_p50_ms", {{"windows[].latency.median_ms"}}},
      {"query_p99_ms", {{"windows[].latency.p99_ms"}}},
      {"retries", {}},
      {"mlperf_train_mib_per_s", {{"metrics.nominal_mib_per_s.mean"}}},
      {"mlperf_write_gib_per_s", {{"write.metrics.original.io_mean_gib_per_s"}}},
      {"mlperf_read_gib_per_s", {{"read.metrics.original.io_mean_gib_per_s"}}},
      {"run_folder", {{"invocation.run_folder"}}},
      {"tool_version", {{"tool.version"}}},
      {"tool_commit", {{"tool.commit"}}},
  };
  return kColumns;
}

/// Returns a cell as RFC 4180 has it.
std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

std::string value_text(Node value, double factor) {
  if (value.is_number()) return fmt::format("{}", *value.number() * factor);
  return value.text_or("");
}

std::string text_at(Node record, const Source& source) {
  const size_t list = source.path.find("[].");
  if (list == std::string_view::npos) return value_text(record.at(source.path), source.factor);
  const Node items = record.at(source.path.substr(0, list));
  std::string text;
  bool known = false;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string one = value_text(items.item(i).at(source.path.substr(list + 3)), source.factor);
    known = known || !one.empty();
    text += (i > 0 ? ";" : "") + one;
  }
  return known ? text : "";
}

/// Returns the sum over the processes of the job; empty where one of them lacks the figure.
std::string sum_over_processes(Node record, std::string_view path) {
  const Node hosts = record["hosts"];
  double sum = 0;
  for (size_t i = 0; i < hosts.size(); ++i) {
    const auto value = hosts.item(i).at(path).number();
    if (!value) return "";
    sum += *value;
  }
  return hosts.size() > 0 ? fmt::format("{}", sum) : "";
}

/// Returns what a column holds that is no single figure of the record.
std::optional<std::string> special(std::string_view column, Node record) {
  if (column == "schema") return kSchema;
  if (column == "processes") return fmt::format("{}", record["hosts"].size());
  if (column == "ranks") return sum_over_processes(record, "ranks");
  if (column == "retries") return sum_over_processes(record, "part.retries");
  if (column == "warnings") return fmt::format("{}", record["warnings"].size());
  if (column == "is_result") {
    const bool counts = record["verdict"].text_or("") == "passed" && record["no_result_because"].size() == 0;
    return counts ? "yes" : "no";
  }
  return std::nullopt;
}

/// Returns what the record of a data set says beside the columns that others have, too.
std::string datagen_rate(Node record) {
  const auto bytes = record["bytes_written"].number(), seconds = record["seconds"].number();
  return bytes && seconds && *seconds > 0 ? fmt::format("{}", *bytes / *seconds) : "";
}

std::string header() {
  return join(csv_columns(), ",") + "\n";
}

Error other_columns(const std::string& file) {
  return {ErrorCode::kConfigInvalid,
          fmt::format("--csv {}: the file has other columns than this program's", file),
          {},
          "give another name; rows are appended only below the line of columns that this flag writes"};
}

/// Locks the file, so that others wait for its end.
Status lock(int descriptor, const std::string& file) {
  for (const Nanos until = now_ns() + kLockNs; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0;) {
    if (errno != EWOULDBLOCK && errno != EINTR) return fail(errno_error(errno, "--csv: lock " + file));
    if (now_ns() > until) {
      return fail(ErrorCode::kTimeout, fmt::format("--csv {}: another process has locked the file for 10 s", file));
    }
    sleep_for(kLockPauseNs);
  }
  return {};
}

/// Returns whether the file has the line of columns; false if it is empty. E102 if it has anything else.
Result<bool> has_header(int descriptor, const std::string& file) {
  const std::string wanted = header();
  std::string found(wanted.size(), '\0');
  const ssize_t got = ::pread(descriptor, found.data(), found.size(), 0);
  if (got < 0) return fail(errno_error(errno, "--csv: read " + file));
  if (got == 0) return false;
  if (found != wanted) return fail(other_columns(file));
  return true;
}

/// Returns the file, opened for reading and appending.
Result<Descriptor> open_csv(const std::string& file) {
  Descriptor opened(::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!opened.is_open()) return fail(errno_error(errno, "--csv: open " + file));
  return opened;
}

}  // namespace

std::vector<std::string> csv_columns() {
  std::vector<std::string> names;
  for (const Column& column : columns()) names.emplace_back(column.name);
  return names;
}

std::string csv_row(const rules::Document& record) {
  std::vector<std::string> cells;
  for (const Column& column : columns()) {
    std::string text = special(column.name, record.root()).value_or("");
    for (const Source& source : column.sources) {
      if (text.empty()) text = text_at(record.root(), source);
    }
    if (text.empty() && column.name == "write_bytes_per_s") text = datagen_rate(record.root());
    cells.push_back(cell(text));
  }
  return join(cells, ",") + "\n";
}

Status check_csv(const std::string& file) {
  const auto opened = open_csv(file);
  if (!opened) return fail(opened.error());
  const auto found = has_header(opened->get(), file);
  return found ? Status() : fail(found.error());
}

Status append_csv(const std::string& file, const std::string& folder) {
  const auto text = read_file(folder + "/" + results::kRecordFile, "record", rules::kMostDocumentBytes);
  if (!text) return fail(text.error());
  const auto record = rules::parse_json_document(*text);
  if (!record) return fail(record.error());
  const auto opened = open_csv(file);
  if (!opened) return fail(opened.error());
  if (Status locked = lock(opened->get(), file); !locked) return locked;
  const auto found = has_header(opened->get(), file);
  if (!found) return fail(found.error());
  std::string lines = *found ? "" : header();
  char last = '\n';
  const off_t size = ::lseek(opened->get(), 0, SEEK_END);
  if (size > 0 && ::pread(opened->get(), &last, 1, size - 1) == 1 && last != '\n') lines += '\n';  // edited by hand
  return write_all(opened->get(), lines + csv_row(*record), "--csv: write " + file);
}

}  // namespace mlps::reports
