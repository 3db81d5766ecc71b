#include "cli/manual.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/examples.hpp"
#include "cli/flag_help.hpp"
#include "cli/help.hpp"

namespace mlps::cli {
namespace {

/// Returns a line of text of which man(7) takes nothing for a command.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char character : text) {
    if (character == '\\') {
      result += "\\e";
    } else if (character == '-') {
      result += "\\-";
    } else {
      result += character;
    }
  }
  if (result.starts_with('.') || result.starts_with('\'')) result = "\\&" + result;
  return result;
}

/// Returns a paragraph with a tag: what is typed, and what it means.
std::string tagged(std::string_view tag, std::string_view text) {
  return fmt::format(".TP\n.B {}\n{}\n", escaped(tag), escaped(text));
}

/// Returns lines that keep their form.
std::string preformatted(std::string_view text) {
  std::string result = ".PP\n.nf\n";
  for (const std::string& line : split(text, "\n")) result += escaped(line) + "\n";
  return result + ".fi\n";
}

std::string command_section(const CommandSyntax& command) {
  std::string text = fmt::format(".SS \"{}\"\n{}\n", escaped(command.usage()), escaped(command.subcommand->text));
  if (!command.subcommand->details.empty()) text += preformatted(command.subcommand->details);
  for (const Flag* flag : sorted_flags(command)) {
    text += tagged(flag_form(*flag, Mode::kWhatif), flag_text(*flag) + flag_remarks(command, *flag));
  }
  return text;
}

constexpr size_t kExampleColumns = 72;  // a page of 80 without its margins

/// Returns the examples by topic, each after what it does.
std::string examples_section() {
  std::string text = ".SH EXAMPLES\n";
  std::string_view topic;
  for (const Example& example : examples()) {
    text += example.topic == topic ? ".PP\n" : fmt::format(".SS {}\n", escaped(example.topic));
    topic = example.topic;
    text += escaped(example.text) + ":\n" + preformatted(wrapped_command(example.line, kExampleColumns));
  }
  return text;
}

}  // namespace

std::string manual_page(const Grammar& grammar) {
  std::string text = fmt::format(".TH MLPSTORAGE 1 \"\" \"mlpstorage {}\" \"User Commands\"\n", version_text());
  text +=
      ".SH NAME\nmlpstorage \\- the MLPerf Storage workloads, on files and on object storage\n"
      ".SH SYNOPSIS\n.B mlpstorage\n.I word\\fR ... [\\fIflags\\fR]\n"
      ".SH DESCRIPTION\n"
      "Measures whether storage can feed AI: writes and reads checkpoints of models, feeds simulated accelerators "
      "with\n"
      "training data, moves the caches of inference, then checks the rules of MLPerf Storage and reports.\n"
      "Below, the mode is closed, open or whatif. Values come from, the strongest first: flag, \\-\\-config\\-file,\n"
      "environment, per\\-user file, default. Sizes are written 16MiB, 16M, 1.5GiB, or in bytes.\n"
      ".SH COMMANDS\n";
  for (const CommandSyntax& command : grammar.all_commands()) text += command_section(command);
  return text + ".SH EXIT STATUS\n" + escaped(trimmed(kExitCodes)) + "\n" + examples_section();
}

}  // namespace mlps::cli
