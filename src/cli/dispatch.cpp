#include "cli/dispatch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/version.hpp"
#include "cli/benchmark_command.hpp"
#include "cli/help.hpp"
#include "cli/history.hpp"
#include "cli/utilities.hpp"
#include "launch/job_control.hpp"
#include "world/launched_by.hpp"

namespace mlps::cli {
namespace {

// Whether this is one of several processes, and not the one that answers what is answered once.
bool is_silent(const Environment& environment) {
  const auto launched = world::launched_by(environment);
  return launched && *launched && (*launched)->index.value_or(0) != 0;
}

int report_once(const Error& error, const Environment& environment) {
  return is_silent(environment) ? exit_code(error.code) : report(error);
}

int say(const std::string& text, const Environment& environment) {
  if (!is_silent(environment)) fmt::print("{}", text);
  return kExitSuccess;
}

int rerun(const Resolution& resolution, const Invocation& invocation) {
  const Result<std::vector<std::string>> arguments = history_rerun_arguments(resolution, invocation);
  if (!arguments) return report_once(arguments.error(), invocation.environment);
  Invocation again = invocation;
  again.arguments = *arguments;
  return dispatch(again);
}

int run_resolved(const Resolution& resolution, const Invocation& invocation) {
  switch (resolution.word->leaf) {
    case kCheckpointDatasize:
    case kCheckpointRun:
    case kCheckpointConfigview:
    case kTrainingDatasize:
    case kTrainingDatagen:
    case kTrainingRun:
    case kTrainingConfigview:
      return benchmark_command(resolution, invocation);
    case kHistoryRerun:
      return rerun(resolution, invocation);
    default:
      // Done twice at once, it might also be done differently. What process 0 says of it decides.
      if (is_silent(invocation.environment)) return kExitSuccess;
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
    return say(full_help_text(), invocation.environment);
  }
  if (!arguments.empty() && arguments.front() == "--version") {
    return say(version_line() + "\n", invocation.environment);
  }
  if (!arguments.empty() && arguments.front() == kJoinWord) return join_command(invocation);
  const Resolution resolution = resolve(arguments);
  const bool explainable =
      resolution.kind == Resolution::Kind::kCommand || resolution.kind == Resolution::Kind::kIncomplete;
  if (resolution.wants_help && explainable) {
    return say(help_text(resolution), invocation.environment);
  }
  if (resolution.kind != Resolution::Kind::kCommand) {
    return report_once(resolution_error(resolution, arguments), invocation.environment);
  }
  return run_resolved(resolution, invocation);
}

}  // namespace mlps::cli
