#include "cli/dispatch.hpp"

#include <algorithm>

#include "base/output.hpp"
#include "base/version.hpp"
#include "cli/benchmark_command.hpp"
#include "cli/completion.hpp"
#include "cli/examples.hpp"
#include "cli/help.hpp"
#include "cli/history.hpp"
#include "cli/program_words.hpp"
#include "cli/utilities.hpp"
#include "launch/job_control.hpp"

namespace mlps::cli {
namespace {

int report_once(const Error& error, const Invocation& invocation) {
  return invocation.is_silent() ? exit_code(error.code) : report(error);
}

int say(const std::string& text, const Invocation& invocation) {
  if (!invocation.is_silent()) print(text);
  return kExitSuccess;
}

int dispatch_other(const Invocation& invocation, std::vector<std::string> arguments) {
  Invocation other = invocation;
  other.arguments = std::move(arguments);
  return dispatch(other);
}

int rerun(const Resolution& resolution, const Invocation& invocation) {
  const Result<std::vector<std::string>> arguments = history_rerun_arguments(resolution, invocation);
  return arguments ? dispatch_other(invocation, *arguments) : report_once(arguments.error(), invocation);
}

// "help closed training" is "closed training -h"; "help iodepth" is looked up elsewhere.
int help(const Resolution& resolution, const Invocation& invocation) {
  std::vector<std::string> arguments(invocation.arguments.begin() + static_cast<ptrdiff_t>(resolution.rest),
                                     invocation.arguments.end());
  const Grammar& grammar = invocation.registry.grammar();
  const Resolution meant = grammar.resolve(arguments);
  if (!arguments.empty() && meant.kind != Resolution::Kind::kCommand && meant.kind != Resolution::Kind::kIncomplete) {
    const std::string text = word_help_text(grammar, arguments, help_width(invocation.environment));
    if (!text.empty()) return say(text, invocation);
  }
  arguments.emplace_back("-h");
  return dispatch_other(invocation, std::move(arguments));
}

int run_resolved(const Resolution& resolution, const Invocation& invocation) {
  const CommandSyntax& command = resolution.command;
  if (command.is(kOfBenchmark)) return benchmark_command(resolution, invocation);
  if (command.is(kHistoryRerun)) return rerun(resolution, invocation);
  if (command.is(kHelp)) return help(resolution, invocation);
  if (command.is(kExamples)) return say(examples_text(help_width(invocation.environment)), invocation);
  // Done twice at once, it might also be done differently. What process 0 says of it decides.
  return invocation.is_silent() ? kExitSuccess : run_utility(resolution, invocation);
}

bool asks_for(const std::vector<std::string>& arguments, std::initializer_list<std::string_view> words) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    return std::find(words.begin(), words.end(), argument) != words.end();
  });
}

}  // namespace

int dispatch(const Invocation& invocation) {
  const std::vector<std::string>& arguments = invocation.arguments;
  const Grammar& grammar = invocation.registry.grammar();
  if (asks_for(arguments, {"--help_all", "--help-all"})) return say(full_help_text(grammar), invocation);
  if (!arguments.empty() && (arguments.front() == "--version" || arguments.front() == "-V"))
    return say(version_line() + "\n", invocation);
  if (!arguments.empty() && arguments.front() == kJoinWord) return join_command(invocation);
  if (!arguments.empty() && arguments.front() == kCompleteWord)
    return say(completions(grammar, std::span(arguments).subspan(1)), invocation);
  const Resolution resolution = grammar.resolve(arguments);
  using enum Resolution::Kind;
  const bool explainable = resolution.kind == kCommand || resolution.kind == kIncomplete;
  const size_t width = help_width(invocation.environment);
  if (resolution.wants_help && explainable) return say(help_text(grammar, resolution, width), invocation);
  if (arguments.empty()) {  // the first screen, and the status of a command that is incomplete
    if (!invocation.is_silent()) print_error(help_text(grammar, resolution, width));
    return kExitArguments;
  }
  if (resolution.kind != kCommand) return report_once(grammar.explain(resolution), invocation);
  return run_resolved(resolution, invocation);
}

}  // namespace mlps::cli
