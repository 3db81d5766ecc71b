#include "cli/summary.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/text.hpp"
#include "base/version.hpp"

namespace mlps::cli {
namespace {

std::string row(std::string_view label, const std::optional<std::string>& value) {
  const bool set = value && !value->empty();
  return fmt::format("  {:<32}{}", label, set ? *value : "[not set]");
}

// "https://user:password@host" without what stands before '@'.
std::string without_user(std::string endpoint) {
  const size_t scheme = endpoint.find("://");
  const size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const size_t at = endpoint.rfind('@', endpoint.find('/', begin));
  if (at != std::string::npos && at >= begin) endpoint.erase(begin, at - begin + 1);
  return endpoint;
}

// Adds what is run, for whom, and into which folder.
void add_head(const BenchmarkOptions& options, std::vector<std::string>& lines) {
  const CommonOptions& common = options.common;
  lines.push_back(fmt::format("Run Configuration (mlpstorage {})", version_text()));
  lines.push_back(row("benchmark", options.benchmark));
  lines.push_back(row("command", options.command));
  lines.push_back(row("mode", std::string(mode_name(common.mode))));
  lines.push_back(row("model", options.model));
  lines.push_back(row("orgname", common.orgname));
  lines.push_back(row("systemname", common.systemname));
  lines.push_back(row("results_dir", common.results_dir));
}

void add_host_rows(const BenchmarkOptions& options, std::vector<std::string>& lines) {
  lines.push_back(row("accelerator_type", options.accelerator_type));
  const std::string& by = options.client_host_memory_by;
  lines.push_back(row("client_host_memory_in_gb", fmt::format("{:.4g}{}", options.client_host_memory_gib,
                                                              by.empty() ? "" : fmt::format(" ({})", by))));
  lines.push_back(row("hosts", join(options.hosts.hosts, ",")));
  lines.push_back(row("exec_type", options.hosts.exec_type));
  lines.push_back(row("mpi_bin", options.hosts.mpi_bin));
  lines.push_back(row("loops", std::to_string(options.common.loops)));
}

void add_environment(const Environment& environment, std::vector<std::string>& lines) {
  constexpr std::array kNames = {"MLPSTORAGE_RESULTS_DIR",       "MLPSTORAGE_SYSTEMNAME", "MLPSTORAGE_DATA_DIR",
                                 "MLPSTORAGE_CHECKPOINT_FOLDER", "MPI_RUN_BIN",           "MPI_EXEC_BIN"};
  lines.emplace_back("Environment");
  for (const char* name : kNames) lines.push_back(row(name, environment.get(name)));
}

/// Adds where the objects are and how their servers are reached, as the store that is opened next has it; nothing if it
/// can't be opened, which is said then.
void add_object_storage(const Location& location, const Environment& environment, std::vector<std::string>& lines) {
  const auto settings = storage::describe_servers(location, environment);
  if (!settings || settings->empty()) return;
  lines.emplace_back("Object Storage");
  lines.push_back(row("bucket", location.bucket()));
  lines.push_back(row("uri_scheme", std::string(scheme_name(location.scheme()))));
  for (const auto& [name, value] : *settings) lines.push_back(row(name, value));
  if (location.scheme() != Scheme::kS3) return;
  // "keys from" tells where the keys come from; where that is not the environment, these would look as if there were
  // none.
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}) {
    if (const auto value = environment.get(name))
      lines.push_back(row(lower(name), fmt::format("set, {} chars", value->size())));
  }
}

}  // namespace

std::string run_line(Command& command, const Environment& environment) {
  const BenchmarkOptions& options = command.options();
  std::string text = options.benchmark;
  if (!options.model.empty()) text += " " + options.model;
  text += " " + options.command;
  const uint32_t ranks = command.ranks().count;
  text += options.accelerator_type.empty() ? fmt::format(", {} {}", ranks, ranks == 1 ? "rank" : "ranks")
                                           : fmt::format(", {} x {}", ranks, options.accelerator_type);
  if (const auto location = command.folder(environment)) text += ", on " + location->to_string();
  return options.common.mode == Mode::kWhatif ? text + " (whatif: results can't be submitted to MLPerf)" : text;
}

std::vector<std::string> run_summary(Command& command, const Environment& environment) {
  const BenchmarkOptions& options = command.options();
  std::vector<std::string> lines{""};
  add_head(options, lines);
  for (const auto& [label, value] : command.summary_rows()) lines.push_back(row(label, without_user(value)));
  add_host_rows(options, lines);
  add_environment(environment, lines);
  if (options.protocol == AccessProtocol::kObject) {
    if (const auto location = command.folder(environment)) add_object_storage(*location, environment, lines);
  }
  lines.emplace_back("");
  return lines;
}

}  // namespace mlps::cli
