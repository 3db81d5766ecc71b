#include "session/execution.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/version.hpp"
#include "results/json_text.hpp"
#include "results/record_common.hpp"
#include "results/system_description.hpp"
#include "world/mpi/mpi_wire.hpp"

namespace mlps::cli {
namespace {

// Of the main thread alone.
std::function<std::optional<std::string>(const std::string& folder)> finished_run_use;

uint64_t answered_before = 0;  // bytes on stdout before this command, or this loop of it

/// Returns the snapshot of all options in the metadata, in the names of mlpstorage 3.0.
Json arguments_json(const BenchmarkOptions& options, uint32_t processes) {
  Json args;
  args["mode"] = mode_name(options.common.mode);
  args["benchmark"] = options.benchmark;
  args["model"] = options.model;
  args["command"] = options.command;
  args.update(options.arguments);
  args["client_host_memory_in_gb"] = options.client_host_memory_gib;
  args["num_processes"] = processes;
  args["results_dir"] = std::filesystem::absolute(options.common.results_dir).lexically_normal().string();
  if (const Json* words = args.find("mpi_params"); words != nullptr && words->is_array() && words->empty()) {
    args["mpi_params"] = nullptr;
  }
  if (args.find("num_client_hosts") == nullptr) {
    args["num_client_hosts"] = std::max<size_t>(options.hosts.hosts.size(), 1);
  }
  // Of mlpstorage 3.0, whose readers look for them: DLIO is no program of its own here.
  for (const char* key : {"dlio_bin_path", "stream_log_level"}) {
    if (args.find(key) == nullptr) args[key] = nullptr;
  }
  if (options.protocol) args["data_access_protocol"] = protocol_name(options);
  args["orgname"] = options.common.orgname;
  return args;
}

}  // namespace

void print_json(const CommonOptions& common, const std::string& json) {
  const auto value = common.loops > 1 ? results::parse_json(json) : std::nullopt;
  print(value ? value->dump() + "\n" : json);
}

void print_refusal(int status) {
  if (printed_bytes() > answered_before) return;
  Json json{{"verdict", status == exit_code(ErrorCode::kInterrupted) ? "interrupted" : "refused"}, {"error", nullptr}};
  Json errors = Json::array();
  for (const Error& error : reported_failures()) errors.push_back(results::error_json(error));
  if (!errors.empty()) json["error"] = errors.items().front();
  json["errors"] = std::move(errors);
  print(json.dump() + "\n");
}

void expect_answer() {
  answered_before = printed_bytes();
}

void prepare_process() {
  // Many ranks on files hold an open file each; the soft limit is often 1,024.
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);  // what is missing shows as EMFILE, with advice
}

std::string command_text(const BenchmarkOptions& options) {
  return fmt::format("mlpstorage {} {} {}", mode_name(options.common.mode), options.benchmark, options.command);
}

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

std::string configuration_text(const workloads::Values& values) {
  std::string text = fmt::format("{:<52}{:<28}{}\n", "key", "value", "source");
  for (const auto& [key, value] : values) {
    text += fmt::format("{:<52}{:<28}{}\n", key, value.value, workloads::source_name(value.source));
  }
  return text + "\n";
}

Status open_live(BenchmarkOptions& options) {
  const CommonOptions& common = options.common;
  if (!options.runs || common.dry_run) return {};
  live::Outputs::Settings settings;
  settings.one_line = common.quiet;
  settings.color = common.color;
  settings.live_json_file = common.live_json_file;
  settings.metrics_address = common.metrics_address;
  settings.about = {options.benchmark, options.command,   std::string(mode_name(common.mode)),
                    options.model,     common.systemname, common.label};
  auto opened = live::Outputs::open(std::move(settings));
  if (!opened) return fail(std::move(opened.error()));
  options.live = std::move(*opened);
  return {};
}

live::Show shows_progress(const BenchmarkOptions& options) {
  if (options.live == nullptr) return nullptr;
  return [live = options.live](const live::State& state) { live->show(state); };
}

std::optional<int> report_gates(const Result<gates::Report>& gates) {
  if (!gates) return report_failures({gates.error()});
  for (const std::string& warning : gates->warnings) log::warning("{}", warning);
  if (!gates->first_failure) return std::nullopt;
  // Only process 0 has the failures of all processes, and reports them.
  return gates->failures.empty() ? exit_code(gates->first_failure->code) : report_failures(gates->failures);
}

Result<results::RunFolder> begin_run_folder(const CommonOptions& common, results::RunFolderRequest request) {
  request.results_dir = common.results_dir;
  request.mode = mode_name(common.mode);
  request.orgname = common.orgname;
  request.systemname = common.systemname;
  auto folder = results::claim_run_folder(request);
  if (!folder) return folder;
  if (auto status = log::open_run_files(folder->path); !status) return fail(status.error());
  log::status("run folder: {}", folder->path);
  return folder;
}

Status check_system(const CommonOptions& common, std::vector<results::RunMember> members) {
  results::RunContext context;
  context.results_dir = common.results_dir;
  context.mode = mode_name(common.mode);
  context.orgname = common.orgname;
  context.systemname = common.systemname;
  context.members = std::move(members);
  return results::check_system_description(context);
}

void fill_context(const BenchmarkOptions& options, uint32_t processes, const results::RunFolder& folder,
                  std::vector<results::RunMember> members, results::RunContext& context) {
  const CommonOptions& common = options.common;
  context.args_json = arguments_json(options, processes).dump();
  context.tool_version = version_text();
  context.mpi_library = world::mpi_library();
  context.benchmark = options.benchmark;
  context.command = options.command;
  context.mode = mode_name(common.mode);
  context.orgname = common.orgname;
  context.systemname = common.systemname;
  context.label = common.label;
  context.model = options.model;
  context.argv = common.argv;
  context.protocol = protocol_name(options);
  context.run_datetime = folder.run_datetime;
  context.results_dir = common.results_dir;
  context.folder = folder.path;
  if (!options.accelerator_type.empty()) context.accelerator = options.accelerator_type;
  context.client_host_memory_gib = options.client_host_memory_gib;
  context.hosts = options.hosts.hosts;
  context.processes = processes;
  context.members = std::move(members);
}

results::RunOutcome outcome_of(const std::optional<Error>& error, results::HostFindings findings,
                               std::vector<std::optional<world::HostFacts>> host_ends) {
  if (error) log::error("{}", render(*error));
  results::RunOutcome outcome;
  outcome.exit_status = error ? exit_code(error->code) : kExitSuccess;
  outcome.warnings = log::problems();
  outcome.host_ends = std::move(host_ends);
  outcome.findings = std::move(findings);
  outcome.invocation_end = Stamp::now();
  return outcome;
}

void on_finished_run(std::function<std::optional<std::string>(const std::string& folder)> use) {
  finished_run_use = std::move(use);
}

int finish(const results::RunFolder& folder, const Status& written, const results::RunOutcome& outcome) {
  if (!written) {
    const int status = report_failures({written.error()});
    return outcome.exit_status == kExitSuccess ? status : outcome.exit_status;
  }
  log::status("results: {}", folder.path);
  return outcome.exit_status;
}

int show_and_finish(const CommonOptions& common, const results::RunFolder& folder, const Status& written,
                    const results::RunOutcome& outcome, const ResultTexts& texts) {
  std::optional<std::string> answer;
  if (written && finished_run_use) answer = finished_run_use(folder.path);
  if (!texts.shown) return finish(folder, written, outcome);
  if (common.json) {
    print_json(common, texts.json());
  } else {
    if (!answer || shows_all(common)) print(texts.tables());
    if (answer) {
      print(*answer);  // which names the folder
      return outcome.exit_status;
    }
  }
  return finish(folder, written, outcome);
}

}  // namespace mlps::cli
