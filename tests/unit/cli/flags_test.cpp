#include "flags/flags.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "flags/command_tree.hpp"
#include "flags/values.hpp"

namespace mlps::cli {
namespace {

// One meaning per letter: a short form never stands for two flags.
TEST(FlagTable, NamesAndShortFormsAreUnique) {
  std::set<std::string_view> names;
  std::set<std::string_view> shorts;
  for (const Flag& flag : all_flags()) {
    EXPECT_TRUE(names.insert(flag.name).second) << flag.name;
    EXPECT_TRUE(flag.short_name.empty() || shorts.insert(flag.short_name).second) << flag.short_name;
    EXPECT_FALSE(flag.text.empty()) << flag.name;
  }
}

TEST(FlagTable, EveryDefaultIsALegalValue) {
  for (const Flag& flag : all_flags()) {
    if (flag.default_text.empty()) continue;
    for (const Mode mode : {Mode::kClosed, Mode::kOpen, Mode::kWhatif}) {
      EXPECT_TRUE(check_value(flag, mode, flag.default_text)) << flag.name;
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
    const Flag* flag = find_short_flag(short_name);
    ASSERT_NE(flag, nullptr) << short_name;
    EXPECT_EQ(flag->name, name);
  }
}

// The keys the original's per-user file may hold, all of them and no other.
TEST(FlagTable, PerUserKeysAreTheOriginals) {
  std::set<std::string> keys;
  for (const Flag& flag : all_flags()) {
    if (flag.user_file) keys.insert(key_name(flag));
  }
  const std::set<std::string> expected = {
      "results_dir",   "systemname", "data_dir",      "checkpoint_folder", "hosts",
      "mpi_bin",       "mpi_btl",    "oversubscribe", "allow_run_as_root", "mpi_params",
      "dlio_bin_path", "exec_type",  "color",         "stream_log_level"};
  EXPECT_EQ(keys, expected);
}

TEST(FlagTable, ClosedPinsWhatOnlyOpenAndWhatifMayChoose) {
  for (const char* name : {"params", "loops", "allow-invalid-params", "timeseries-interval", "skip-timeseries",
                           "max-timeseries-samples"}) {
    EXPECT_FALSE(is_available(*find_flag(name), kCheckpointRun, Mode::kClosed)) << name;
    EXPECT_TRUE(is_available(*find_flag(name), kCheckpointRun, Mode::kOpen)) << name;
    EXPECT_TRUE(is_available(*find_flag(name), kCheckpointRun, Mode::kWhatif)) << name;
  }
  for (const char* name : {"size-scale", "inject-fault"}) {
    EXPECT_FALSE(is_available(*find_flag(name), kCheckpointRun, Mode::kOpen)) << name;
    EXPECT_TRUE(is_available(*find_flag(name), kCheckpointRun, Mode::kWhatif)) << name;
  }
}

TEST(FlagTable, AcceleratorsDependOnTheMode) {
  const Flag& flag = *find_flag("accelerator-type");
  EXPECT_EQ(choices_of(flag, Mode::kClosed), (std::vector<std::string>{"b200", "mi355"}));
  EXPECT_EQ(choices_of(flag, Mode::kWhatif), (std::vector<std::string>{"b200", "mi355", "h100", "a100"}));
}

}  // namespace
}  // namespace mlps::cli
