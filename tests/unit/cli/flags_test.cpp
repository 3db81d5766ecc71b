#include "flags/flags.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "flags/values.hpp"
#include "lines.hpp"

namespace mlps::cli {
namespace {

bool has(const std::string& mode, const char* name) {
  const CommandSyntax command = test::command(mode + " checkpointing run");
  return command.has(*command.find_flag(name));
}

// One meaning per letter: a short form never stands for two flags.
TEST(FlagTable, NamesAndShortFormsAreUnique) {
  std::map<std::string_view, std::string_view> shorts;
  for (const CommandSyntax& command : test::grammar().all_commands()) {
    std::set<std::string_view> names;
    for (const Flag* flag : command.flags()) {
      EXPECT_FALSE(flag->text.empty()) << flag->name;
      if (!command.is(flag->commands)) continue;
      EXPECT_TRUE(names.insert(flag->name).second) << command.text() << " " << flag->name;
      if (flag->short_name.empty()) continue;
      EXPECT_EQ(shorts.emplace(flag->short_name, flag->name).first->second, flag->name) << flag->short_name;
    }
  }
}

// The bits of a group are its own: another group's flag is never taken for one of this command's.
TEST(FlagTable, NoCommandHasTheOwnFlagsOfAnotherGroup) {
  const CommandSyntax run = test::command("whatif checkpointing run");
  const Flag* other = test::grammar().find_flag("read-ahead");
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(run.find_flag("read-ahead"), nullptr);
  EXPECT_FALSE(run.has(*other));
}

TEST(FlagTable, EveryAcceleratorHasItsMemory) {
  for (const std::string& name : choices_of(kAcceleratorTypeFlag, Mode::kWhatif)) {
    EXPECT_TRUE(accelerator_memory_gb(name)) << name;
  }
}

TEST(FlagTable, EveryDefaultIsALegalValue) {
  for (const CommandSyntax& command : test::grammar().all_commands()) {
    for (const Flag* flag : command.flags()) {
      if (flag->default_text.empty()) continue;
      for (const Mode mode : {Mode::kClosed, Mode::kOpen, Mode::kWhatif}) {
        EXPECT_TRUE(check_value(*flag, mode, flag->default_text)) << flag->name;
      }
    }
  }
}

TEST(FlagTable, ShortFormsAreTheOriginals) {
  const std::map<std::string, std::string> expected = {{"m", "model"},
                                                       {"np", "num-processes"},
                                                       {"cm", "client-host-memory-in-gb"},
                                                       {"cf", "checkpoint-folder"},
                                                       {"ncw", "num-checkpoints-write"},
                                                       {"ncr", "num-checkpoints-read"},
                                                       {"s", "hosts"},
                                                       {"et", "exec-type"},
                                                       {"rd", "results-dir"},
                                                       {"sn", "systemname"},
                                                       {"c", "config-file"},
                                                       {"p", "params"},
                                                       {"aip", "allow-invalid-params"},
                                                       {"at", "accelerator-type"},
                                                       {"dp", "dlio-bin-path"}};
  for (const auto& [short_name, name] : expected) {
    const Flag* flag = test::command("whatif checkpointing run").find_short_flag(short_name);
    ASSERT_NE(flag, nullptr) << short_name;
    EXPECT_EQ(flag->name, name);
  }
}

// The keys the original's per-user file may hold, all of them and no other.
TEST(FlagTable, PerUserKeysAreTheOriginals) {
  std::set<std::string> keys;
  for (const Flag* flag : test::grammar().user_flags()) keys.insert(key_name(*flag));
  const std::set<std::string> expected = {
      "results_dir",   "systemname", "data_dir",      "checkpoint_folder", "hosts",
      "mpi_bin",       "mpi_btl",    "oversubscribe", "allow_run_as_root", "mpi_params",
      "dlio_bin_path", "exec_type",  "color",         "stream_log_level"};
  EXPECT_EQ(keys, expected);
}

TEST(FlagTable, ClosedPinsWhatOnlyOpenAndWhatifMayChoose) {
  for (const char* name : {"params", "loops", "allow-invalid-params", "timeseries-interval", "skip-timeseries",
                           "max-timeseries-samples"}) {
    EXPECT_FALSE(has("closed", name)) << name;
    EXPECT_TRUE(has("open", name)) << name;
    EXPECT_TRUE(has("whatif", name)) << name;
  }
  for (const char* name : {"size-scale", "inject-fault"}) {
    EXPECT_FALSE(has("open", name)) << name;
    EXPECT_TRUE(has("whatif", name)) << name;
  }
}

TEST(FlagTable, AcceleratorsDependOnTheMode) {
  const Flag& flag = *test::command("whatif checkpointing run").find_flag("accelerator-type");
  EXPECT_EQ(choices_of(flag, Mode::kClosed), (std::vector<std::string>{"b200", "mi355"}));
  EXPECT_EQ(choices_of(flag, Mode::kWhatif), (std::vector<std::string>{"b200", "mi355", "h100", "a100"}));
}

}  // namespace
}  // namespace mlps::cli
