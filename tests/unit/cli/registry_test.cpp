#include "cli/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/dispatch.hpp"
#include "cli/help.hpp"
#include "scratch.hpp"
#include "toy_benchmark.hpp"

namespace mlps::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A benchmark that the program doesn't know.
class Toy : public ::testing::Test {
 protected:
  int run(std::vector<std::string> words) {
    return dispatch({std::move(words), scratch_.environment(), "", Stamp::now(), registry_});
  }
  std::vector<std::string> toy_run(const std::string& drops) const {
    return {"whatif", "toy", "run", "file", "--drops", drops, "-rd", scratch_.path("results"), "-sn", "s", "--quiet"};
  }

  const test::Scratch scratch_;
  const Registry registry_{{&test::kToy}};
};

TEST_F(Toy, IsExplainedWithItsOwnFlagAndTheSharedOnes) {
  const auto help = [&](std::vector<std::string> words) {
    return help_text(registry_.grammar(), registry_.grammar().resolve(words), 100);
  };
  EXPECT_THAT(help({"open"}), HasSubstr("toy                             rain\n"));
  const std::string text = help({"open", "toy", "run"});
  EXPECT_THAT(text, HasSubstr("Usage: mlpstorage open toy run <file|object> [flags]"));
  EXPECT_THAT(text, HasSubstr("--drops N                       Drops that fall."));
  EXPECT_THAT(text, HasSubstr("--seed N                        Seed of the weather."));
  EXPECT_THAT(text, HasSubstr("--io-workers N"));
  EXPECT_THAT(text, Not(HasSubstr("--timeseries-interval"))) << "it is not measured";
  EXPECT_THAT(full_help_text(registry_.grammar()), HasSubstr("<mode> toy run"));
}

TEST_F(Toy, MistakesAreFoundWithoutItsHelp) {
  EXPECT_EQ(run({"whatif", "toy", "rnu"}), kExitArguments);
  EXPECT_EQ(run({"whatif", "toy", "run", "file"}), kExitArguments);
  EXPECT_EQ(run(toy_run("10")), kExitArguments);
  EXPECT_FALSE(std::filesystem::exists(scratch_.path("results")));
}

TEST_F(Toy, RunsAndIsRecorded) {
  ASSERT_EQ(run({"init", "acme", scratch_.path("results")}), kExitSuccess);
  ASSERT_EQ(run(toy_run("3")), kExitSuccess);
  const std::filesystem::path parent = scratch_.path("results/whatif/acme/results/s/toy/rain");
  const std::filesystem::path folder = std::filesystem::directory_iterator(parent)->path();
  const std::string stamp = folder.filename();
  const auto metadata = nlohmann::json::parse(std::ifstream(folder / ("toy_" + stamp + "_metadata.json")));
  EXPECT_EQ(metadata["benchmark_type"], "toy");
  EXPECT_EQ(metadata["command"], "run");
  EXPECT_EQ(metadata["verdict"], "passed");
  EXPECT_EQ(metadata["num_processes"], 3);
  EXPECT_EQ(metadata["args"]["drops"], 3);
  EXPECT_TRUE(std::filesystem::exists(folder / results::kRecordFile));
  EXPECT_THAT(scratch_.read("results/.mlps/history"), HasSubstr("whatif toy run file --drops 3"));
}

// The program's own registry has what docs/command-line.md promises.
TEST(RegistryTest, KnowsItsBenchmarksByTheirGroups) {
  for (const CommandGroup* group : registry().grammar().groups()) {
    EXPECT_EQ(registry().find(group) != nullptr, !group->word.empty()) << group->word;
  }
}

}  // namespace
}  // namespace mlps::cli
