#include "cli/benchmark_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "base/log.hpp"
#include "base/numbers.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/history.hpp"
#include "cli/report_command.hpp"
#include "cli/results_dir.hpp"
#include "cli/summary.hpp"
#include "cli/utilities.hpp"
#include "launch/job_control.hpp"
#include "launch/job_settings.hpp"
#include "launch/launch_job.hpp"
#include "reports/csv.hpp"
#include "results/lockfile.hpp"
#include "session/execution.hpp"
#include "session/placement.hpp"
#include "session/process_group.hpp"
#include "storage/op_log.hpp"

namespace mlps::cli {
namespace {

/// Returns the organisation of the results directory; whatif makes one that is not there, for a command that `begins`.
Result<std::string> owner_of_results(const CommonOptions& common, bool begins) {
  Result<std::string> owner = read_sentinel(common.results_dir);
  const bool is_free = !owner && owner.error().code == ErrorCode::kConfigMissing;
  if (is_free && common.mode == Mode::kWhatif) {
    const std::string path = std::filesystem::absolute(common.results_dir).lexically_normal().string();
    const Status made = make_results_dir(path, kNoOrganisation, common.dry_run || !begins);
    return made ? Result<std::string>(std::string(kNoOrganisation)) : fail(made.error());
  }
  if (owner && *owner == kNoOrganisation && common.mode != Mode::kWhatif) {
    return fail(
        ErrorCode::kConfigMissing,
        fmt::format("results directory {} belongs to no organisation: whatif or try has made it", common.results_dir),
        {}, "name another one: mlpstorage init <orgname> DIR, then --results-dir DIR");
  }
  return owner;
}

/// Finds the organisation of the results directory. A command that records, and the dry run of one, needs a directory
/// that is claimed, which only whatif claims itself; one that only prints takes any.
Status claim_results_dir(CommonOptions& common, bool runs, bool begins) {
  if (common.results_dir.empty()) return {};
  Result<std::string> owner = runs ? owner_of_results(common, begins) : read_sentinel(common.results_dir);
  if (owner) {
    common.orgname = std::move(*owner);
  } else if (runs) {
    return fail(std::move(owner.error()));
  }
  return {};
}

/// Records that a command begins, and returns its id; nothing where there is no history.
std::optional<uint64_t> record_begin(const CommonOptions& common, const std::vector<std::string>& arguments) {
  if (common.orgname.empty() || common.dry_run) return std::nullopt;
  const Result<uint64_t> id = append_history(common.results_dir, arguments);
  if (id) return *id;
  log::warning("this command is not in the history: {}", id.error().message);
  return std::nullopt;
}

void record_end(const CommonOptions& common, std::optional<uint64_t> id, int exit_status) {
  if (!id) return;
  if (const Status status = append_end(common.results_dir, *id, exit_status, log::run_folder()); !status) {
    log::warning("the end of this command is not in the history: {}", status.error().message);
  }
}

void announce(const ParseOutcome& parsed, const BenchmarkOptions& options) {
  const CommonOptions& common = options.common;
  if (!common.results_dir.empty()) {
    const std::string& source = common.results_dir_source;
    log::status("results in {} (from {})", common.results_dir, source == "flag" ? "--results-dir" : source);
  }
  for (const std::string& note : parsed.notes) log::status("{}", note);
  for (const auto& [key, value] : options.arguments.members()) {
    if (!value.is_null()) log::write(LogLevel::kVerbose, fmt::format("{}: {}", key, value.dump()));
  }
  log::write(LogLevel::kDebug, "arguments: " + options.arguments.dump());
}

/// Returns the file of this process's operation log: as typed, or in a job with its number before the ending.
std::string op_log_file(const std::string& typed, ProcessGroup& group) {
  if (group.is_alone()) return typed;
  const auto name = typed.rfind('/') + 1;  // 0 where there is none
  const auto ending = std::min(typed.find('.', name + 1), typed.size());
  return fmt::format("{}.{}{}", typed.substr(0, ending), group.transport().index(), typed.substr(ending));
}

/// Opens the operation log of this process, if the command keeps one.
Status open_op_log(BenchmarkOptions& options, ProcessGroup& group) {
  if (options.op_log_file.empty() || options.common.dry_run) return {};
  const std::string& host = group.transport().members()[group.transport().index()].host;
  auto log = storage::OpLog::open(op_log_file(options.op_log_file, group),
                                  fmt::format("{}:{}", host, group.transport().index()));
  if (!log) return fail(std::move(log.error()));
  options.op_log = std::move(*log);
  return {};
}

/// Ends the operation log, and returns the status of the process.
int close_op_log(BenchmarkOptions& options, ProcessGroup& group, int exit_status) {
  const std::shared_ptr<storage::OpLog> log = std::exchange(options.op_log, nullptr);
  if (log == nullptr) return exit_status;
  const Status closed = log->close();
  if (log->waited_ns() > 0) {
    log::warning(
        "I/O threads waited {} (together) for the writer of the operation log: the results are those of a "
        "slower client.",
        human_seconds(to_seconds(log->waited_ns())));
  }
  if (!closed) return exit_status == kExitSuccess ? report(closed.error()) : exit_status;
  log::status("operation log: {}, {}", op_log_file(options.op_log_file, group),
              counted(static_cast<double>(log->lines()), "request"));
  return exit_status;
}

/// Carries out one process's part of a command, from its parsed line on. Collective in a group.
int carry_out(ParsedCommand parsed, const std::vector<std::string>& arguments, const Stamp& start,
              ProcessGroup& group) {
  const BenchmarkOptions& options = parsed.command->options();
  CommonOptions& common = parsed.command->options().common;
  common.argv = {"mlpstorage"};
  common.argv.insert(common.argv.end(), arguments.begin(), arguments.end());
  std::vector<Error> problems;
  const Json* const lock = parsed.errors.empty() ? options.arguments.find("verify_lockfile") : nullptr;
  if (lock != nullptr && lock->text() != nullptr) {  // every host has its own libraries and kernel
    if (const Status held = results::verify_lock(*lock->text(), {}); !held) parsed.errors.push_back(held.error());
  }
  if (group.is_process0()) {
    log::configure({common.stream_log_level, common.color});
    for (const std::string& warning : parsed.warnings) log::warning("{}", warning);
    if (parsed.errors.empty()) announce(parsed, options);
    if (Status status = claim_results_dir(common, options.runs, parsed.errors.empty()); !status)
      problems.push_back(status.error());
    // Values that don't convert leave nothing that could be looked at further.
    if (!parsed.errors.empty()) std::move(problems.begin(), problems.end(), std::back_inserter(parsed.errors));
    if (group.is_alone() && !parsed.errors.empty()) return report(parsed.errors);
  }
  if (const auto status = group.check_consensus(parsed.errors)) return *status;
  std::optional<uint64_t> id;
  if (group.is_process0()) {
    id = record_begin(common, arguments);
    if (options.runs && !common.dry_run && !common.quiet)
      log::status("{}", run_line(*parsed.command, parsed.environment));
    const LogLevel level = shows_all(common) && !common.quiet ? LogLevel::kStatus : LogLevel::kVerbose;
    for (const std::string& line : run_summary(*parsed.command, parsed.environment)) log::write(level, line);
  }
  if (Status opened = open_op_log(parsed.command->options(), group); !opened) problems.push_back(opened.error());
  if (group.is_process0()) {
    leave_reports(options);
    const std::string& csv = options.common.csv_file;
    if (!csv.empty() && !common.dry_run) {
      if (Status fits = reports::check_csv(csv); !fits) problems.push_back(fits.error());
    }
    if (Status opened = open_live(parsed.command->options()); !opened) problems.push_back(opened.error());
  }
  int exit_status = parsed.command->execute({parsed.environment, start, group, problems});
  exit_status = close_op_log(parsed.command->options(), group, exit_status);
  record_end(common, id, exit_status);
  return exit_status;
}

/// The same, with an answer on stdout for one who asked for JSON, whatever became of the command.
int carry_out_and_answer(ParsedCommand parsed, const std::vector<std::string>& arguments, const Stamp& start,
                         ProcessGroup& group) {
  const bool answers = parsed.command->options().common.json && group.is_process0();
  const int status = carry_out(std::move(parsed), arguments, start, group);
  if (answers && status != kExitSuccess) print_refusal(status);
  return status;
}

/// Returns a warning for each flag of the launcher that was given for a command which no launcher starts.
std::vector<std::string> launcher_flags_without_effect(const CommandLine& line) {
  std::vector<std::string> warnings;
  for (const char* name : {"mpi-bin", "mpi-btl", "mpi-params", "allow-run-as-root"}) {
    const auto given = line.tokens.settings.find(name);
    if (given == line.tokens.settings.end() || given->second.source == Source::kUserFile) continue;
    warnings.push_back(fmt::format("--{} has no effect: no launcher is started on this host alone", name));
  }
  return warnings;
}

/// Starts the command on its hosts, in the process where it was typed, which takes no part in the run.
int launch(const Resolution& resolution, const CommandLine& line, const ParsedCommand& parsed,
           const Invocation& invocation) {
  const BenchmarkOptions& options = parsed.command->options();
  log::configure({options.common.stream_log_level, options.common.color});
  std::vector<Error> errors;
  const auto shares = planned_shares(options, parsed.command->ranks());
  if (!shares) errors.push_back(shares.error());
  const auto command = launcher_command(options.hosts, invocation.environment);
  if (!command) errors.push_back(command.error());
  const auto settings = make_job_settings(resolution, line, invocation.arguments, invocation.start);
  if (!errors.empty() || options.common.dry_run) {  // else the job says them
    for (const std::string& warning : parsed.warnings) log::warning("{}", warning);
  }
  if (!errors.empty()) {
    const int status = report_failures(errors);
    if (options.common.json) print_refusal(status);
    return status;
  }
  if (!options.common.dry_run) return run_launched(*command, settings);
  log::status("would start: {}", join(command->words, " "));
  for (const world::HostShare& share : *shares) {
    log::status("host {}: ranks {} to {}", share.host, share.first_rank, share.first_rank + share.ranks - 1);
  }
  ProcessGroup alone;
  return parsed.command->execute({parsed.environment, invocation.start, alone, {}});
}

/// Carries out a command as it was typed, without a launcher around it.
int from_here(const Benchmark& benchmark, const Resolution& resolution, const Invocation& invocation) {
  const std::span<const std::string> rest = std::span(invocation.arguments).subspan(resolution.rest);
  const CommandLine line = read_line(resolution, rest, invocation.environment, invocation.program_folder);
  ParsedCommand parsed = benchmark.parse(line);
  if (parsed.errors.empty() && line.command.is(kRuns) && needs_launcher(parsed.command->options().hosts)) {
    return launch(resolution, line, parsed, invocation);
  }
  if (line.command.is(kRuns)) {
    const std::vector<std::string> warnings = launcher_flags_without_effect(line);
    parsed.warnings.insert(parsed.warnings.end(), warnings.begin(), warnings.end());
  }
  ProcessGroup group;
  return carry_out_and_answer(std::move(parsed), invocation.arguments, invocation.start, group);
}

/// Settings, or all that is wrong with them.
using ResolvedSettings = tl::expected<JobSettings, std::vector<Error>>;

std::vector<Error> alone(Error error) {
  return {std::move(error)};
}

/// Returns the settings of a job whose processes a launcher started with the command itself.
ResolvedSettings typed_settings(const Resolution& resolution, const Invocation& invocation, ProcessGroup& group) {
  const std::span<const std::string> rest = std::span(invocation.arguments).subspan(resolution.rest);
  CommandLine line = read_line(resolution, rest, invocation.environment, invocation.program_folder);
  if (!line.tokens.settings.contains("hosts")) {
    Setting hosts{{}, Source::kTyped, "launcher"};
    for (const world::Member& member : group.transport().members()) {
      const bool known = std::find(hosts.values.begin(), hosts.values.end(), member.host) != hosts.values.end();
      if (!known) hosts.values.push_back(member.host);
    }
    line.tokens.settings["hosts"] = std::move(hosts);
  }
  if (!line.errors.empty()) return tl::unexpected(line.errors);
  return make_job_settings(resolution, line, invocation.arguments, invocation.start);
}

/// Takes part in a job whose processes have met: process 0's settings go to all, and everyone does its part.
int take_part(const ResolvedSettings& decided, const Invocation& invocation, ProcessGroup& group) {
  if (const auto status = group.check_consensus(decided ? std::vector<Error>() : decided.error())) return *status;
  std::string text = group.is_process0() ? settings_text(*decided) : std::string();
  if (const auto status = group.broadcast(text)) return *status;
  const Registry& registry = invocation.registry;
  const auto settings = parse_settings(text);
  auto line = settings.and_then([&](const JobSettings& known) {
    return line_of(known, registry.grammar(), invocation.environment, invocation.program_folder);
  });
  if (const auto status = group.check_consensus(line ? std::vector<Error>() : std::vector<Error>{line.error()}))
    return *status;
  const Benchmark& benchmark = *registry.find(line->command.group);
  return carry_out_and_answer(benchmark.parse(std::move(*line)), settings->arguments,
                              start_of(*settings, invocation.start), group);
}

/// Writes to the command that started this group, by way of the launcher.
void tell(const std::string& line) {
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

/// Carries out a command as one of several processes that a launcher (srun, mpiexec) started with the command itself.
int in_launched_job(const world::Launched& launched, const Resolution& resolution, const Invocation& invocation) {
  ProcessGroup group(launched);
  if (group.transport().failure().raised()) return group.end(group.failure_status());
  ResolvedSettings settings;  // process 0's
  if (group.is_process0()) settings = typed_settings(resolution, invocation, group);
  return group.end(take_part(settings, invocation, group));
}

}  // namespace

int benchmark_command(const Resolution& resolution, const Invocation& invocation) {
  const auto& launched = invocation.launched;
  if (!launched) return report(launched.error());
  if (*launched) {
    if (resolution.command.is(kRuns)) return in_launched_job(**launched, resolution, invocation);
    if (invocation.is_silent()) return kExitSuccess;  // what only answers a question is answered once
  }
  return from_here(*invocation.registry.find(resolution.command.group), resolution, invocation);
}

int join_command(const Invocation& invocation) {
  const auto& launched = invocation.launched;
  if (!launched) {
    const int status = report(launched.error());
    tell(verdict_line(status));
    return status;
  }
  std::optional<ProcessGroup> group;
  *launched ? group.emplace(**launched) : group.emplace();
  group->on_end([](int status) { tell(verdict_line(status)); });
  if (group->transport().failure().raised()) return group->end(group->failure_status());
  if (group->is_process0()) tell(begun_line());
  ResolvedSettings settings;  // process 0's
  std::optional<JobControl> control;
  if (group->is_process0()) {
    std::string behind;
    settings = receive_settings(behind).map_error(alone);
    if (settings) control.emplace(group->transport().failure(), std::move(behind));
  }
  const int status = take_part(settings, invocation, *group);
  control.reset();
  return group->end(status);
}

}  // namespace mlps::cli
