#include "cli/results_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flags/user_config.hpp"
#include "lines.hpp"
#include "scratch.hpp"

namespace mlps::cli {
namespace {

using test::Scratch;
using ::testing::HasSubstr;

class Init : public ::testing::Test {
 protected:
  Result<InitOutcome> init(const std::string& orgname, const std::string& path) {
    return init_results_dir(orgname, path, test::grammar(), scratch_.environment());
  }
  Scratch scratch_;
};

TEST_F(Init, CreatesTheSentinelAndRecordsTheDefault) {
  const auto outcome = init("Acme", scratch_.path("results/"));
  ASSERT_TRUE(outcome) << render(outcome.error());
  EXPECT_TRUE(outcome->created);
  EXPECT_EQ(outcome->path, scratch_.path("results"));
  const std::string text = scratch_.read("results/mlperf-results.yaml");
  EXPECT_THAT(text, HasSubstr("mlperf_results_version: 3\n"));
  EXPECT_THAT(text, HasSubstr("orgname: \"Acme\"\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("initialized_at: \"....-..-..T..:..:...00:00\"\n"));
  EXPECT_THAT(text, HasSubstr("initialized_by: \"mlpstorage "));
  EXPECT_EQ(read_sentinel(outcome->path).value(), "Acme");
  EXPECT_EQ(read_user_values(test::grammar(), scratch_.environment()).settings.at("results-dir").values.front(),
            outcome->path);
}

TEST_F(Init, WithoutAPathItIsBelowHome) {
  EXPECT_EQ(init("a", "").value().path, scratch_.path("mlpstorage-results"));
  EXPECT_FALSE(init_results_dir("a", "", test::grammar(), Environment()));
}

TEST_F(Init, AnEmptyFolderIsTakenAndTheSameNameIsWelcomeAgain) {
  std::filesystem::create_directories(scratch_.path("empty"));
  EXPECT_TRUE(init("a", scratch_.path("empty")).value().created);
  const std::string before = scratch_.read("empty/mlperf-results.yaml");
  EXPECT_FALSE(init("a", scratch_.path("empty")).value().created);
  EXPECT_EQ(scratch_.read("empty/mlperf-results.yaml"), before);
}

TEST_F(Init, RefusesWhatIsNotItsOwn) {
  ASSERT_TRUE(init("a", scratch_.path("taken")));
  EXPECT_THAT(init("b", scratch_.path("taken")).error().message, HasSubstr("'a' already"));
  EXPECT_EQ(init("a", scratch_.path("no/parent")).error().code, ErrorCode::kPathNotFound);
  const std::string file = scratch_.write("file", "x");
  EXPECT_THAT(init("a", file).error().message, HasSubstr("is a file"));
  for (const char* name : {"1", "2", "3", "4", "5", "6", ".hidden"}) scratch_.write(std::string("full/") + name, "");
  const Error full = init("a", scratch_.path("full")).error();
  EXPECT_THAT(full.message, HasSubstr("not empty"));
  EXPECT_THAT(full.details, HasSubstr(".hidden, 1, 2, 3, 4"));
  EXPECT_THAT(full.details, ::testing::Not(HasSubstr("6")));
  for (const char* name : {"", "a b", "..", "a/b"}) EXPECT_FALSE(init(name, scratch_.path("new"))) << name;
  EXPECT_FALSE(std::filesystem::exists(scratch_.path("new")));
}

TEST_F(Init, ADefaultThatCantBeRecordedIsNoFailure) {
  const std::string file = scratch_.write("notafolder", "");
  const auto outcome =
      init_results_dir("a", scratch_.path("r"), test::grammar(), Environment(test::Variables{{"HOME", file}}));
  ASSERT_TRUE(outcome) << render(outcome.error());
  EXPECT_EQ(outcome->recorded, "");
  EXPECT_FALSE(outcome->not_recorded.empty());
}

TEST_F(Init, ReadingTheSentinelNamesTheNextStep) {
  const Error missing = read_sentinel(scratch_.path("nothing")).error();
  EXPECT_EQ(missing.code, ErrorCode::kConfigMissing);
  EXPECT_THAT(missing.suggestion, HasSubstr("mlpstorage init <orgname> " + scratch_.path("nothing")));
  scratch_.write("bad/mlperf-results.yaml", "orgname: [x\n");
  EXPECT_EQ(read_sentinel(scratch_.path("bad")).error().code, ErrorCode::kConfigParse);
  scratch_.write("evil/mlperf-results.yaml", "orgname: ../../etc\n");
  EXPECT_EQ(read_sentinel(scratch_.path("evil")).error().code, ErrorCode::kConfigInvalid);
  scratch_.write("none/mlperf-results.yaml", "mlperf_results_version: 3\n");
  EXPECT_FALSE(read_sentinel(scratch_.path("none")));
  scratch_.write("python/mlperf-results.yaml", "mlperf_results_version: 1\norgname: acme\n");
  EXPECT_EQ(read_sentinel(scratch_.path("python")).value(), "acme");
}

}  // namespace
}  // namespace mlps::cli
