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
#include "cli/utilities.hpp"
#include "cli/version.hpp"

namespace mlps::cli {
namespace {

// datasize and configview only read what the command line says; only a real run needs a directory that is claimed.
Status claim_results_dir(CheckpointingOptions& options) {
  if (options.common.results_dir.empty()) return {};
  Result<std::string> orgname = read_sentinel(options.common.results_dir);
  const bool needed = options.command == CheckpointingCommand::kRun && !options.common.dry_run;
  if (orgname) {
    options.common.orgname = std::move(*orgname);
  } else if (needed) {
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

void announce(const ParsedCheckpointing& parsed) {
  const CommonOptions& common = parsed.options.common;
  for (const std::string& warning : parsed.warnings) log::warning("{}", warning);
  if (!common.results_dir.empty()) log::status("results dir: {} ({})", common.results_dir, common.results_dir_source);
  for (const std::string& note : parsed.notes) log::status("{}", note);
  if (common.mode == Mode::kWhatif && parsed.options.command == CheckpointingCommand::kRun && !common.dry_run) {
    log::warning("whatif: this run is for real, but its result can't be submitted");
  }
}

int checkpointing(const Resolution& resolution, const Invocation& invocation) {
  const std::span<const std::string> arguments(invocation.arguments);
  ParsedCheckpointing parsed =
      parse_checkpointing(*resolution.word, resolution.mode, arguments.subspan(resolution.rest), invocation.environment,
                          invocation.program_folder);
  CheckpointingOptions& options = parsed.options;
  options.common.argv = {"mlpstorage"};
  options.common.argv.insert(options.common.argv.end(), arguments.begin(), arguments.end());
  if (parsed.errors.empty()) {
    if (Status status = claim_results_dir(options); !status) parsed.errors.push_back(std::move(status.error()));
  }
  if (!parsed.errors.empty()) return report(parsed.errors);

  log::configure({options.common.stream_log_level, options.common.color});
  announce(parsed);
  record_history(options.common, invocation.arguments);
  if (!options.common.quiet) {
    for (const std::string& line : run_summary(options, parsed.environment)) log::status("{}", line);
  }
  return execute_checkpointing(options, parsed.environment, invocation.start);
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
    case kDatasize:
    case kRun:
    case kConfigview:
      return checkpointing(resolution, invocation);
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
