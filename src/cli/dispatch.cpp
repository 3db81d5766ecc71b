#include "cli/dispatch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/benchmark_command.hpp"
#include "cli/help.hpp"
#include "cli/history.hpp"
#include "cli/job_control.hpp"
#include "cli/utilities.hpp"
#include "cli/version.hpp"

namespace mlps::cli {
namespace {

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
    case kTrainingDatasize:
    case kTrainingDatagen:
    case kTrainingRun:
    case kTrainingConfigview:
      return benchmark_command(resolution, invocation);
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
  if (!arguments.empty() && arguments.front() == kJoinWord) return join_command(invocation);
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
