#include "flags/user_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lines.hpp"
#include "scratch.hpp"

namespace mlps::cli {
namespace {

using test::Scratch;
using ::testing::HasSubstr;

constexpr const char* kFile = ".config/mlpstorage/config.yaml";

TEST(UserConfig, ItsPlaceFollowsTheVariables) {
  EXPECT_EQ(user_config_path(Environment(test::Variables{{"HOME", "/h"}})).value(),
            "/h/.config/mlpstorage/config.yaml");
  EXPECT_EQ(user_config_path(Environment(test::Variables{{"HOME", "/h"}, {"XDG_CONFIG_HOME", "/x"}})).value(),
            "/x/mlpstorage/config.yaml");
  EXPECT_EQ(user_config_path(Environment(test::Variables{{"HOME", "/h"}, {"XDG_CONFIG_HOME", "relative"}})).value(),
            "/h/.config/mlpstorage/config.yaml");
  EXPECT_FALSE(user_config_path(Environment()));
}

TEST(UserConfig, SetAndUnsetKeepTheOtherKeys) {
  const Scratch scratch;
  const Environment environment = scratch.environment();
  scratch.write(kFile, "someone_elses: {a: [1, 2]}\nsystemname: old\n");
  ASSERT_TRUE(set_user_value(test::grammar(), environment, "systemname", {"new"}));
  ASSERT_TRUE(set_user_value(test::grammar(), environment, "hosts", {"a,b:2", "c"}));
  ASSERT_TRUE(set_user_value(test::grammar(), environment, "oversubscribe", {"True"}));
  const LayerValues values = read_user_values(test::grammar(), environment);
  ASSERT_EQ(values.errors.size(), 1u);
  EXPECT_THAT(render(values.errors[0]), HasSubstr("mlpstorage config unset someone_elses"));
  EXPECT_THAT(values.settings.at("systemname").values, ::testing::ElementsAre("new"));
  EXPECT_THAT(values.settings.at("hosts").values, ::testing::ElementsAre("a", "b:2", "c"));
  EXPECT_THAT(values.settings.at("oversubscribe").values, ::testing::ElementsAre("true"));
  EXPECT_THAT(scratch.read(kFile), HasSubstr("someone_elses"));
  ASSERT_TRUE(unset_user_value(test::grammar(), environment, "systemname"));
  EXPECT_FALSE(read_user_values(test::grammar(), environment).settings.contains("systemname"));
  EXPECT_THAT(scratch.read(kFile), HasSubstr("someone_elses"));
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(scratch.path(".config/mlpstorage"))) {
    ++files;
  }
  EXPECT_EQ(files, 1u);  // nothing temporary stays behind
}

TEST(UserConfig, SetChecksAsTheFlagDoes) {
  const Scratch scratch;
  const Environment environment = scratch.environment();
  for (const auto& [key, value] : {std::pair{"mpi_btl", "carrier-pigeon"},
                                   {"systemname", "a/b"},
                                   {"hosts", "a:0"},
                                   {"oversubscribe", "maybe"},
                                   {"color", "red"},
                                   {"results_dir", ""}}) {
    const Status status = set_user_value(test::grammar(), environment, key, {value});
    ASSERT_FALSE(status) << key;
    EXPECT_EQ(status.error().code, ErrorCode::kConfigInvalid);
  }
  EXPECT_FALSE(set_user_value(test::grammar(), environment, "systemname", {"a", "b"}));
  EXPECT_THAT(set_user_value(test::grammar(), environment, "model", {"llama3-8b"}).error().suggestion,
              HasSubstr("--model"));
  EXPECT_THAT(set_user_value(test::grammar(), environment, "result_dir", {"/r"}).error().suggestion,
              HasSubstr("results_dir"));
  EXPECT_FALSE(std::filesystem::exists(scratch.path(kFile)));
}

TEST(UserConfig, UnsetRepairsAFileThatStopsEveryCommand) {
  const Scratch scratch;
  scratch.write(kFile, "model: llama3-8b\n");
  EXPECT_EQ(read_user_values(test::grammar(), scratch.environment()).errors.size(), 1u);
  ASSERT_TRUE(unset_user_value(test::grammar(), scratch.environment(), "model"));
  EXPECT_TRUE(read_user_values(test::grammar(), scratch.environment()).errors.empty());
  EXPECT_THAT(unset_user_value(test::grammar(), scratch.environment(), "hots").error().suggestion,
              HasSubstr("'hosts'"));
}

TEST(UserConfig, ADamagedFileIsNeverOverwritten) {
  const Scratch scratch;
  scratch.write(kFile, "a: [1\n");
  EXPECT_EQ(set_user_value(test::grammar(), scratch.environment(), "systemname", {"x"}).error().code,
            ErrorCode::kConfigParse);
  EXPECT_EQ(scratch.read(kFile), "a: [1\n");
}

TEST(UserConfig, ShowSaysWhatOutranksAndSpoils) {
  const Scratch scratch;
  scratch.write(kFile, "systemname: mine\nmodel: llama3-8b\nwhatever: 1\n");
  const Environment environment = scratch.environment({{"MLPSTORAGE_SYSTEMNAME", "env"}});
  const std::string text = show_user_values(test::grammar(), environment, false).value();
  EXPECT_THAT(text, HasSubstr("mine  (environment MLPSTORAGE_SYSTEMNAME wins)"));
  EXPECT_THAT(text, HasSubstr("[not set]"));
  EXPECT_THAT(text, HasSubstr("belongs to one command: stops every command"));
  EXPECT_THAT(text, HasSubstr("unknown: stops every command"));
  const auto json = nlohmann::json::parse(show_user_values(test::grammar(), environment, true).value());
  EXPECT_EQ(json["keys"]["systemname"]["value"], "mine");
  EXPECT_TRUE(json["keys"]["results_dir"]["value"].is_null());
}

}  // namespace
}  // namespace mlps::cli
