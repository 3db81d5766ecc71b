#include "flags/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/control_group.hpp"
#include "base/read_file.hpp"
#include "flags/effects.hpp"
#include "flags/layers.hpp"
#include "flags/text.hpp"
#include "flags/variables.hpp"
#include "storage/setting_variables.hpp"
#include "world/host_facts.hpp"

namespace mlps::cli {
namespace {

// The least --timeseries-interval: a sample costs some tenths of a millisecond.
constexpr double kShortestIntervalS = 0.01;

// The names of mlpstorage 3.0; no message has the level of the first three, of the two after DEBUG, and of CRITICAL.
constexpr auto kLogLevels = std::to_array<std::pair<std::string_view, LogLevel>>({
    {"PLAID", LogLevel::kDebug},
    {"LUDICROUS", LogLevel::kDebug},
    {"RIDICULOUS", LogLevel::kDebug},
    {"DEBUG", LogLevel::kDebug},
    {"VERBOSEST", LogLevel::kVerbose},
    {"VERBOSER", LogLevel::kVerbose},
    {"VERBOSE", LogLevel::kVerbose},
    {"INFO", LogLevel::kInfo},
    {"STATUS", LogLevel::kStatus},
    {"WARNING", LogLevel::kWarning},
    {"RESULT", LogLevel::kResult},
    {"ERROR", LogLevel::kError},
    {"CRITICAL", LogLevel::kNone},
});

LogLevel log_level(Reader& reader, const Environment& environment) {
  const std::string name = reader.choice("stream-log-level");
  const auto* row =
      std::find_if(kLogLevels.begin(), kLogLevels.end(), [&](const auto& known) { return known.first == name; });
  LogLevel level = row == kLogLevels.end() ? LogLevel::kInfo : row->second;
  if (reader.on("verbose")) level = std::min(level, LogLevel::kVerbose);
  const bool debug = reader.on("debug") || switch_value(environment.get("MLPS_DEBUG").value_or("")).value_or(false);
  return debug ? LogLevel::kDebug : level;
}

void read_common(Reader& reader, const Environment& environment, CommonOptions& common) {
  common.results_dir = reader.text("results-dir");
  common.results_dir_source = reader.origin("results-dir");
  common.systemname = reader.text("systemname");
  common.quiet = reader.on("quiet");
  common.dry_run = reader.on("dry-run");
  common.json = reader.on("json");
  common.stream_log_level = log_level(reader, environment);
  const std::string color = reader.choice("color");
  common.color = color == "always" ? ColorMode::kAlways : color == "never" ? ColorMode::kNever : ColorMode::kAuto;
  common.skip_validation = reader.on("skip-validation");
  common.skip_fs_separation_gate = reader.on("skip-fs-separation-gate");
  common.loops = reader.small("loops");
  common.allow_invalid_params = reader.on("allow-invalid-params");
  common.params = reader.pairs("params");
  common.label = reader.text("label");
  common.csv_file = reader.text("csv");
  common.live_json_file = reader.text("live-json");
  common.metrics_address = reader.text("metrics");
}

/// What a control group allows is all that this host can cache.
void read_client_memory(Reader& reader, BenchmarkOptions& options) {
  if (reader.given("client-host-memory-in-gb")) {
    options.client_host_memory_gib = reader.real("client-host-memory-in-gb");
    return;
  }
  options.client_host_memory_gib = to_gib(world::memory_of_host().total);
  options.client_host_memory_by = "this host's";
  const auto limit = memory_limit();
  if (!limit || to_gib(limit->limit_bytes) >= options.client_host_memory_gib) return;
  options.client_host_memory_gib = to_gib(limit->limit_bytes);
  options.client_host_memory_by = fmt::format("the limit of control group {}", limit->folder);
}

HostOptions read_hosts(Reader& reader) {
  HostOptions hosts;
  hosts.hosts = reader.hosts("hosts");
  hosts.exec_type = reader.choice("exec-type");
  hosts.mpi_bin = reader.text("mpi-bin");
  hosts.oversubscribe = reader.on("oversubscribe");
  hosts.allow_run_as_root = reader.on("allow-run-as-root");
  hosts.mpi_btl = reader.choice("mpi-btl");
  hosts.mpi_params = reader.list("mpi-params");
  return hosts;
}

std::optional<uint32_t> small_number(std::optional<uint64_t> value) {
  if (!value) return std::nullopt;
  return static_cast<uint32_t>(*value);
}

void check_io(const BenchmarkOptions& options, std::vector<Error>& errors) {
  const uint64_t part_bytes = options.io_part_bytes.value_or(kMiB);
  if (part_bytes % (4 * kKiB) != 0) {
    errors.push_back({ErrorCode::kConfigInvalid,
                      fmt::format("--io-part-size: {} is not a multiple of 4 KiB", part_bytes),
                      {},
                      "for example: --io-part-size 16MiB"});
  }
  if (options.io_memory_bytes < part_bytes) {
    errors.push_back({ErrorCode::kConfigInvalid,
                      fmt::format("--io-memory: {} hold no part of {}", human_bytes(options.io_memory_bytes),
                                  human_bytes(part_bytes)),
                      {},
                      "raise --io-memory or lower --io-part-size"});
  }
}

template <class Item>
void add(std::vector<Item> more, std::vector<Item>& all) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
}

void read_named_files(CommandLine& line) {
  for (const auto& [name, setting] : line.tokens.settings) {
    const Flag* flag = line.command.find_flag(name);
    if (flag == nullptr || !flag->names_file) continue;
    auto text = read_file(setting.values.back(), typed_name(*flag));
    if (text) {
      line.files[name] = std::move(*text);
    } else {
      line.errors.push_back(std::move(text.error()));
    }
  }
}

}  // namespace

CommandLine read_line(const Resolution& resolution, std::span<const std::string> arguments,
                      const Environment& environment, const std::string& program_folder) {
  CommandLine line;
  line.environment = environment;
  line.command = resolution.command;
  line.model = resolution.model;
  line.tokens = tokenize(line.command, arguments);
  line.protocol = take_storage_word(line.command, line.tokens);
  line.errors = std::move(line.tokens.errors);
  line.warnings = std::move(line.tokens.warnings);
  const bool object = line.protocol == AccessProtocol::kObject;
  if (object) add_dotenv(program_folder, *line.command.grammar, line);
  add(unknown_variables(line.environment, *line.command.grammar), line.warnings);
  if (line.protocol == AccessProtocol::kFile) add(unread_dotenv(program_folder, line.command), line.warnings);
  LayerNotes layers = apply_layers(line.command, line.environment, line.tokens.settings);
  add(std::move(layers.errors), line.errors);
  add(std::move(layers.filled), line.notes);
  add(std::move(layers.warnings), line.warnings);
  // Like all that says how servers are reached, it is read from there, in every process of a job.
  const auto proxy = line.tokens.settings.find("proxy");
  if (proxy != line.tokens.settings.end()) line.environment.set("MLPSTORAGE_PROXY", proxy->second.values.back());
  if (object) add(storage::unread_variable_warnings(line.environment), line.warnings);
  read_named_files(line);
  return line;
}

void read_benchmark(Reader& reader, const CommandLine& line, BenchmarkOptions& options) {
  options.benchmark = line.command.group->word;
  options.command = line.command.word();
  options.runs = line.command.is(kRuns);
  options.common.mode = line.command.mode;
  options.protocol = line.protocol;
  read_common(reader, line.environment, options.common);
  options.hosts = read_hosts(reader);
  read_client_memory(reader, options);
  options.accelerator_type = reader.choice("accelerator-type");
  options.o_direct = reader.on("o-direct");
  options.timeseries_interval_s = reader.real("timeseries-interval");
  options.skip_timeseries = reader.on("skip-timeseries");
  options.max_timeseries_samples = reader.small("max-timeseries-samples");
  options.verify = reader.on("verify");
  options.seed = reader.optional_integer("seed");
  options.io_workers = small_number(reader.optional_integer("io-workers"));
  options.io_depth = small_number(reader.optional_integer("io-depth"));
  if (reader.given("io-part-size")) options.io_part_bytes = reader.size("io-part-size");
  options.io_memory_bytes = reader.size("io-memory");
  options.io_memory_is_default = !reader.given("io-memory");
  options.fadvise = storage::fadvise_mode(reader.choice("fadvise")).value_or(storage::FadviseMode::kDontNeed);
  options.storage_patience = std::chrono::seconds(reader.small("storage-patience"));
  options.op_log_file = reader.text("op-log");
  options.inject_fault = reader.text("inject-fault");
}

void finish_benchmark(Reader& reader, const CommandLine& line, BenchmarkOptions& options, ParseOutcome& outcome) {
  reader.report_missing(line.tokens.without_value);
  check_io(options, outcome.errors);
  add(flags_without_effect(line, options), outcome.warnings);
  const double interval_s = options.timeseries_interval_s;
  if (interval_s > 0 && interval_s < kShortestIntervalS) {  // what is no number above 0 was refused already
    outcome.errors.push_back({ErrorCode::kConfigInvalid,
                              fmt::format("--timeseries-interval: '{}' is not a number of seconds of {} or more",
                                          interval_s, kShortestIntervalS),
                              "samples cost processor time that the run would miss"});
  }
  if (outcome.errors.empty()) options.arguments = reader.arguments();
}

}  // namespace mlps::cli
