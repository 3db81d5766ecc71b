#include "flags/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/read_file.hpp"
#include "flags/layers.hpp"
#include "flags/text.hpp"
#include "storage/setting_variables.hpp"
#include "world/host_facts.hpp"

namespace mlps::cli {
namespace {

// The least --timeseries-interval: a sample costs some tenths of a millisecond.
constexpr double kShortestIntervalS = 0.01;

LogLevel log_level(Reader& reader, const Environment& environment) {
  const std::string name = reader.choice("stream-log-level");
  LogLevel level = LogLevel::kInfo;
  if (name == "DEBUG") level = LogLevel::kDebug;
  if (name == "VERBOSE") level = LogLevel::kVerbose;
  if (name == "STATUS") level = LogLevel::kStatus;
  if (name == "WARNING") level = LogLevel::kWarning;
  if (name == "RESULT") level = LogLevel::kResult;
  if (name == "ERROR") level = LogLevel::kError;
  if (reader.on("verbose")) level = std::min(level, LogLevel::kVerbose);
  const bool debug = reader.on("debug") || lower(environment.get("MLPS_DEBUG").value_or("")) == "true";
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
  if (options.io_part_bytes % (4 * kKiB) != 0) {
    errors.push_back({ErrorCode::kConfigInvalid,
                      fmt::format("--io-part-size: {} is not a multiple of 4 KiB", options.io_part_bytes),
                      {},
                      "for example: --io-part-size 16MiB"});
  }
  if (options.io_memory_bytes < options.io_part_bytes) {
    errors.push_back({ErrorCode::kConfigInvalid,
                      fmt::format("--io-memory: {} hold no part of {}", human_bytes(options.io_memory_bytes),
                                  human_bytes(options.io_part_bytes)),
                      {},
                      "raise --io-memory or lower --io-part-size"});
  }
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

void add_dotenv(const std::string& program_folder, ParseOutcome& outcome) {
  const Result<std::string> path = load_dotenv(program_folder, outcome.environment);
  if (!path) {
    outcome.errors.push_back(path.error());
  } else if (!path->empty()) {
    outcome.notes.push_back(fmt::format("variables added from {}", *path));
  }
}

CommandLine read_line(const Resolution& resolution, std::span<const std::string> arguments,
                      const Environment& environment, const std::string& program_folder) {
  CommandLine line;
  line.environment = environment;
  line.command = resolution.command;
  line.model = resolution.model;
  line.tokens = tokenize(line.command, arguments);
  line.protocol = take_storage_word(line.command, line.tokens);
  line.errors = std::move(line.tokens.errors);
  if (line.protocol == AccessProtocol::kObject) add_dotenv(program_folder, line);
  LayerNotes layers = apply_layers(line.command, line.environment, line.tokens.settings);
  std::move(layers.errors.begin(), layers.errors.end(), std::back_inserter(line.errors));
  line.notes.insert(line.notes.end(), layers.filled.begin(), layers.filled.end());
  line.warnings = std::move(layers.warnings);
  if (line.protocol == AccessProtocol::kObject) {
    for (std::string& warning : storage::unread_variable_warnings(line.environment)) {
      line.warnings.push_back(std::move(warning));
    }
  }
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
  options.client_host_memory_is_default = !reader.given("client-host-memory-in-gb");
  options.client_host_memory_gib = options.client_host_memory_is_default ? to_gib(world::memory_of_host().total)
                                                                         : reader.real("client-host-memory-in-gb");
  options.accelerator_type = reader.choice("accelerator-type");
  options.o_direct = reader.on("o-direct");
  options.timeseries_interval_s = reader.real("timeseries-interval");
  options.skip_timeseries = reader.on("skip-timeseries");
  options.max_timeseries_samples = reader.small("max-timeseries-samples");
  options.verify = reader.on("verify");
  options.seed = reader.optional_integer("seed");
  options.io_workers = small_number(reader.optional_integer("io-workers"));
  options.io_depth = small_number(reader.optional_integer("io-depth"));
  options.io_part_bytes = reader.size("io-part-size");
  options.io_memory_bytes = reader.size("io-memory");
  options.io_memory_is_default = !reader.given("io-memory");
  options.fadvise = storage::fadvise_mode(reader.choice("fadvise")).value_or(storage::FadviseMode::kDontNeed);
  options.inject_fault = reader.text("inject-fault");
}

void finish_benchmark(Reader& reader, const CommandLine& line, BenchmarkOptions& options, ParseOutcome& outcome) {
  reader.report_missing(line.environment, line.tokens.without_value);
  check_io(options, outcome.errors);
  if (reader.given("verify-lockfile")) {
    // Ignoring it would let a run pass that the user wanted stopped.
    outcome.errors.push_back(
        {ErrorCode::kNotImplemented,
         "--verify-lockfile is not in this build yet",
         {},
         "leave it out: no packages stand beside this program; 'mlpstorage version' names the build"});
  }
  for (const Flag* flag : line.command.flags()) {
    if (flag->no_effect.empty() || !line.command.has(*flag) || !reader.given(flag->name)) continue;
    outcome.warnings.push_back(fmt::format("{} has no effect: {}", typed_name(*flag), flag->no_effect));
  }
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
