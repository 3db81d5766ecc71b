#include "cli/dispatch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "cli/checkpointing_execute.hpp"
#include "cli/checkpointing_parse.hpp"
#include "cli/help.hpp"
#include "cli/history.hpp"
#include "cli/results_dir.hpp"
#include "cli/summary.hpp"
#include "cli/training_execute.hpp"
#include "cli/training_parse.hpp"
#include "cli/utilities.hpp"
#include "cli/version.hpp"

namespace mlps::cli {
namespace {

// A command that only prints reads what the command line says; one that records needs a directory that is claimed.
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

/// From a parsed line to its execution: the same for every benchmark.
template <class Options>
int benchmark(Parsed<Options> parsed, const Invocation& invocation,
              int (*execute)(const Options&, const Environment&, const Stamp&)) {
  CommonOptions& common = parsed.options.common;
  common.argv = {"mlpstorage"};
  common.argv.insert(common.argv.end(), invocation.arguments.begin(), invocation.arguments.end());
  const bool records = parsed.options.records();
  if (parsed.errors.empty()) {
    if (Status status = claim_results_dir(common, records); !status) parsed.errors.push_back(std::move(status.error()));
  }
  if (!parsed.errors.empty()) return report(parsed.errors);

  log::configure({common.stream_log_level, common.color});
  announce(parsed, common, records);
  record_history(common, invocation.arguments);
  if (!common.quiet) {
    for (const std::string& line : run_summary(parsed.options, parsed.environment)) log::status("{}", line);
  }
  return execute(parsed.options, parsed.environment, invocation.start);
}

int checkpointing(const Resolution& resolution, const Invocation& invocation) {
  const std::span<const std::string> rest = std::span(invocation.arguments).subspan(resolution.rest);
  return benchmark(
      parse_checkpointing(*resolution.word, resolution.mode, rest, invocation.environment, invocation.program_folder),
      invocation, execute_checkpointing);
}

int training(const Resolution& resolution, const Invocation& invocation) {
  const std::span<const std::string> rest = std::span(invocation.arguments).subspan(resolution.rest);
  return benchmark(parse_training(*resolution.word, resolution.mode, resolution.model, rest, invocation.environment,
                                  invocation.program_folder),
                   invocation, execute_training);
}

int rerun(const Resolution& resolution, const Invocation& invocation) {
  const Result<std::vector<std::string>> arguments = history_rerun_arguments(resolution, invocation);
  if (!arguments) return report(arguments.error());
  Invocation again = invocation;
  again.arguments = *arguments;
  return dispatch(again);
}

int carry_out(const Resolution& resolution, const Invocation& invocation) {
  switch (resolution.word->leaf) {
    case kCheckpointDatasize:
    case kCheckpointRun:
    case kCheckpointConfigview:
      return checkpointing(resolution, invocation);
    case kTrainingDatasize:
    case kTrainingDatagen:
    case kTrainingRun:
    case kTrainingConfigview:
      return training(resolution, invocation);
    case kHistoryRerun:
      return rerun(resolution, invocation);
    default:
      return run_utility(resolution, invocation);
  }
}

bool asks_for(const std::vector<std::string>& arguments, std::initializer_list<std::string_view> words) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    return std::find(words.begin(), words.end(), argument) != words.end();
  });
}

}  // namespace

int dispatch(const Invocation& invocation) {
  const std::vector<std::string>& arguments = invocation.arguments;
  if (asks_for(arguments, {"--help_all", "--help-all"})) {
    fmt::print("{}", full_help_text());
    return kExitSuccess;
  }
  if (!arguments.empty() && arguments.front() == "--version") {
    fmt::print("{}\n", version_line());
    return kExitSuccess;
  }
  const Resolution resolution = resolve(arguments);
  const bool explainable =
      resolution.kind == Resolution::Kind::kCommand || resolution.kind == Resolution::Kind::kIncomplete;
  if (resolution.wants_help && explainable) {
    fmt::print("{}", help_text(resolution));
    return kExitSuccess;
  }
  if (resolution.kind != Resolution::Kind::kCommand) return report(resolution_error(resolution, arguments));
  return carry_out(resolution, invocation);
}

}  // namespace mlps::cli
