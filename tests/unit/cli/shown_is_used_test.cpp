#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flags/layers.hpp"
#include "flags/user_config.hpp"
#include "lines.hpp"
#include "scratch.hpp"
#include "world/launch.hpp"

namespace mlps::cli {
namespace {

using test::Scratch;
using test::summary_of;
using ::testing::HasSubstr;

/// The names in the summary's section "Environment".
std::vector<std::string> shown_variables() {
  std::vector<std::string> names;
  bool inside = false;
  for (const std::string& line : summary_of(CheckpointingOptions())) {
    if (inside && !line.starts_with("  ")) break;
    if (inside) names.push_back(split(line, " ").front());
    inside = inside || line == "Environment";
  }
  return names;
}

/// The origins of what the layers fill of a flag, over all commands that have it.
std::vector<std::string> origins(std::string_view flag_name, const Environment& environment) {
  std::vector<std::string> found;
  for (const CommandSyntax& command : test::grammar().all_commands()) {
    const Flag* flag = command.find_flag(flag_name);
    if (flag == nullptr || !command.has(*flag)) continue;
    if (flag->variable.empty() && !flag->user_file) continue;  // it counts only where it is typed
    Settings settings;
    apply_layers(command, environment, settings);
    found.push_back(settings.contains(flag_name) ? settings.find(flag_name)->second.origin : "nothing");
  }
  return found;
}

TEST(ShownIsUsed, EveryVariableOfTheSummaryIsRead) {
  const std::vector<std::string> names = shown_variables();
  EXPECT_GE(names.size(), 5U);
  for (const std::string& name : names) {
    const Environment environment(test::Variables{{name, "/of/the/environment"}});
    if (name == "MPI_RUN_BIN" || name == "MPI_EXEC_BIN") {
      const char* plain = name == "MPI_RUN_BIN" ? "mpirun" : "mpiexec";
      EXPECT_EQ(world::launcher_program(plain, environment), "/of/the/environment") << name;
      continue;
    }
    std::vector<std::string> all;
    for (const Flag* flag : test::grammar().user_flags()) {
      if (flag->variable == name) all = origins(flag->name, environment);
    }
    EXPECT_FALSE(all.empty()) << name;
    EXPECT_THAT(all, ::testing::Each("environment " + name));
  }
}

TEST(ShownIsUsed, EveryKeyOfThePerUserFileIsRead) {
  for (const Flag* flag : test::grammar().user_flags()) {
    const Scratch scratch;
    const std::string value = flag->kind == FlagKind::kSwitch   ? "true"
                              : flag->kind == FlagKind::kChoice ? choices_of(*flag, Mode::kClosed).front()
                                                                : "value";
    const Environment environment = scratch.environment();
    ASSERT_TRUE(set_user_value(test::grammar(), environment, key_name(*flag), {value})) << flag->name;
    EXPECT_THAT(origins(flag->name, environment), ::testing::Each(HasSubstr("user file "))) << flag->name;
  }
}

TEST(ShownIsUsed, WhatHasNoEffectIsAnsweredWithAWarning) {
  const Scratch scratch;
  for (const CommandSyntax& command : test::grammar().all_commands()) {
    for (const Flag* flag : command.flags()) {
      if (!command.is(kOfBenchmark) || !command.has(*flag) || flag->no_effect.empty()) continue;
      std::vector<std::string> words = command.words;
      words[0] = "whatif";
      if (words[2] == "<model>") words[2] = "unet3d";
      words.push_back(typed_name(*flag) + (flag->kind == FlagKind::kSwitch ? "" : "=x"));
      CommandLine line = test::line_of_words(words, scratch.environment(), "");
      const Benchmark* benchmark = registry().find(line.command.group);
      const ParsedCommand parsed = benchmark->parse(std::move(line));
      const std::string text = typed_name(*flag) + " has no effect: " + std::string(flag->no_effect);
      EXPECT_THAT(parsed.warnings, ::testing::Contains(text));
    }
  }
}

}  // namespace
}  // namespace mlps::cli
