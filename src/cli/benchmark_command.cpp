#include "cli/benchmark_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"
#include "benchmarks/checkpointing/command/execute.hpp"
#include "benchmarks/checkpointing/command/parse.hpp"
#include "benchmarks/training/command/execute.hpp"
#include "benchmarks/training/command/parse.hpp"
#include "cli/history.hpp"
#include "cli/results_dir.hpp"
#include "cli/summary.hpp"
#include "cli/utilities.hpp"
#include "launch/job_control.hpp"
#include "launch/job_settings.hpp"
#include "launch/launch_job.hpp"
#include "session/execution.hpp"
#include "session/job.hpp"
#include "session/placement.hpp"

namespace mlps::cli {
namespace {

/// A command that only prints reads what the command line says; one that records needs a directory that is claimed.
Status claim_results_dir(CommonOptions& common, bool records) {
  if (common.results_dir.empty()) return {};
  Result<std::string> orgname = read_sentinel(common.results_dir);
  if (orgname) {
    common.orgname = std::move(*orgname);
  } else if (records && !common.dry_run) {
    return fail(std::move(orgname.error()));
  }
  return {};
}

void record_history(const CommonOptions& common, const std::vector<std::string>& arguments) {
  if (common.orgname.empty() || common.dry_run) return;
  if (const Status status = append_history(common.results_dir, arguments); !status) {
    log::warning("this command is not in the history: {}", status.error().message);
  }
}

void announce(const ParseOutcome& parsed, const CommonOptions& common, bool records) {
  for (const std::string& warning : parsed.warnings) log::warning("{}", warning);
  if (!common.results_dir.empty()) log::status("results dir: {} ({})", common.results_dir, common.results_dir_source);
  for (const std::string& note : parsed.notes) log::status("{}", note);
  if (common.mode == Mode::kWhatif && records && !common.dry_run) {
    log::warning("whatif: this run is for real, but its result can't be submitted");
  }
}

bool runs_on_hosts(Leaf leaf) {
  return leaf == kCheckpointRun || leaf == kTrainingDatagen || leaf == kTrainingRun;
}

/// Everything of a command that doesn't depend on which benchmark it is of.
template <class Options>
struct Benchmark {
  Parsed<Options> (*parse)(CommandLine);
  int (*execute)(const Options&, const Environment&, const Stamp&, Job&);
};
constexpr Benchmark<CheckpointingOptions> kCheckpointing{parse_checkpointing, execute_checkpointing};
constexpr Benchmark<TrainingOptions> kTraining{parse_training, execute_training};

/// One process's part of a command, from its parsed line on; collective in a job.
template <class Options>
int carry_out(const Benchmark<Options>& benchmark, Parsed<Options> parsed, const std::vector<std::string>& arguments,
              const Stamp& start, Job& job) {
  CommonOptions& common = parsed.options.common;
  common.argv = {"mlpstorage"};
  common.argv.insert(common.argv.end(), arguments.begin(), arguments.end());
  const bool records = parsed.options.records();
  if (job.leads()) {
    if (parsed.errors.empty()) {
      if (Status status = claim_results_dir(common, records); !status) parsed.errors.push_back(status.error());
    }
    if (job.is_alone() && !parsed.errors.empty()) return report(parsed.errors);
    log::configure({common.stream_log_level, common.color});
    if (parsed.errors.empty()) announce(parsed, common, records);
  }
  if (const auto status = job.agree(parsed.errors)) return *status;
  if (job.leads()) {
    record_history(common, arguments);
    if (!common.quiet) {
      for (const std::string& line : run_summary(parsed.options, parsed.environment)) log::status("{}", line);
    }
  }
  return benchmark.execute(parsed.options, parsed.environment, start, job);
}

/// In the process where the command was typed, if the hosts are others: nothing of the run happens here.
template <class Options>
int launch(const Benchmark<Options>& benchmark, const Resolution& resolution, const CommandLine& line,
           const Parsed<Options>& parsed, const Invocation& invocation) {
  const Options& options = parsed.options;
  log::configure({options.common.stream_log_level, options.common.color});
  std::vector<Error> errors;
  const auto shares = planned_shares(options);
  if (!shares) errors.push_back(shares.error());
  const auto command = launcher_command(options.hosts, invocation.environment);
  if (!command) errors.push_back(command.error());
  const auto settings = make_job_settings(resolution, line, invocation.arguments, invocation.start);
  if (!errors.empty()) return report_failures(errors);
  if (!options.common.dry_run) return run_launched(*command, settings);
  log::status("would start: {}", join(*command, " "));
  for (const world::HostShare& share : *shares) {
    log::status("host {}: ranks {} to {}", share.host, share.first_rank, share.first_rank + share.ranks - 1);
  }
  Job alone;
  return benchmark.execute(options, parsed.environment, invocation.start, alone);
}

/// A command as it was typed, without a launcher.
template <class Options>
int from_here(const Benchmark<Options>& benchmark, const Resolution& resolution, const Invocation& invocation) {
  const std::span<const std::string> rest = std::span(invocation.arguments).subspan(resolution.rest);
  const CommandLine line = read_line(resolution, rest, invocation.environment, invocation.program_folder);
  Parsed<Options> parsed = benchmark.parse(line);
  if (parsed.errors.empty() && runs_on_hosts(line.command->leaf) && needs_launcher(parsed.options.hosts)) {
    return launch(benchmark, resolution, line, parsed, invocation);
  }
  Job job;
  return carry_out(benchmark, std::move(parsed), invocation.arguments, invocation.start, job);
}

/// Settings, or all that is wrong with them.
using Settled = tl::expected<JobSettings, std::vector<Error>>;

std::vector<Error> alone(Error error) {
  return {std::move(error)};
}

/// The settings of a job whose processes a launcher started with the command itself.
Settled typed_settings(const Resolution& resolution, const Invocation& invocation, Job& job) {
  const std::span<const std::string> rest = std::span(invocation.arguments).subspan(resolution.rest);
  CommandLine line = read_line(resolution, rest, invocation.environment, invocation.program_folder);
  if (!line.lexed.settings.contains("hosts")) {
    Setting hosts{{}, Source::kTyped, "launcher"};
    for (const world::Member& member : job.transport().members()) {
      const bool known = std::find(hosts.values.begin(), hosts.values.end(), member.host) != hosts.values.end();
      if (!known) hosts.values.push_back(member.host);
    }
    line.lexed.settings["hosts"] = std::move(hosts);
  }
  if (!line.errors.empty()) return tl::unexpected(line.errors);
  return make_job_settings(resolution, line, invocation.arguments, invocation.start);
}

template <class Options>
int in_job(const Benchmark<Options>& benchmark, CommandLine line, const JobSettings& settings,
           const Invocation& invocation, Job& job) {
  return carry_out(benchmark, benchmark.parse(std::move(line)), settings.arguments,
                   start_of(settings, invocation.start), job);
}

/// A process of a job that has met the others: process 0's settings go to all, and everyone does its part.
int take_part(const Settled& decided, const Invocation& invocation, Job& job) {
  if (const auto status = job.agree(decided ? std::vector<Error>() : decided.error())) return *status;
  std::string text = job.leads() ? settings_text(*decided) : std::string();
  if (const auto status = job.share(text)) return *status;
  const auto settings = parse_settings(text);
  auto line = settings.and_then(
      [&](const JobSettings& known) { return line_of(known, invocation.environment, invocation.program_folder); });
  if (const auto status = job.agree(line ? std::vector<Error>() : std::vector<Error>{line.error()})) return *status;
  return (line->command->leaf & kCheckpointLeaves) != 0
             ? in_job(kCheckpointing, std::move(*line), *settings, invocation, job)
             : in_job(kTraining, std::move(*line), *settings, invocation, job);
}

/// To the command that started this job, by way of the launcher.
void tell(const std::string& line) {
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

/// As one of several that a launcher (srun, mpiexec) started with the command itself.
int in_launched_job(const world::Launched& launched, const Resolution& resolution, const Invocation& invocation) {
  Job job(launched);
  if (job.transport().failure().raised()) return job.end(job.failed());
  Settled settings;  // process 0's
  if (job.leads()) settings = typed_settings(resolution, invocation, job);
  return job.end(take_part(settings, invocation, job));
}

}  // namespace

int benchmark_command(const Resolution& resolution, const Invocation& invocation) {
  const auto launched = world::launched_by(invocation.environment);
  if (!launched) return report(launched.error());
  const Leaf leaf = resolution.word->leaf;
  if (*launched) {
    if (runs_on_hosts(leaf)) return in_launched_job(**launched, resolution, invocation);
    // What only answers a question is answered once.
    if ((*launched)->index.value_or(0) != 0) return kExitSuccess;
  }
  return (leaf & kCheckpointLeaves) != 0 ? from_here(kCheckpointing, resolution, invocation)
                                         : from_here(kTraining, resolution, invocation);
}

int join_command(const Invocation& invocation) {
  const auto launched = world::launched_by(invocation.environment);
  if (!launched) {
    const int status = report(launched.error());
    tell(verdict_line(status));
    return status;
  }
  std::optional<Job> job;
  *launched ? job.emplace(**launched) : job.emplace();
  job->report_end([](int status) { tell(verdict_line(status)); });
  if (job->transport().failure().raised()) return job->end(job->failed());
  if (job->leads()) tell(begun_line());
  Settled settings;  // process 0's
  std::optional<JobControl> control;
  if (job->leads()) {
    std::string behind;
    settings = receive_settings(behind).map_error(alone);
    if (settings) control.emplace(job->transport().failure(), std::move(behind));
  }
  const int status = take_part(settings, invocation, *job);
  control.reset();
  return job->end(status);
}

}  // namespace mlps::cli
