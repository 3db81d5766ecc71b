#include "launch/job_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "lines.hpp"
#include "scratch.hpp"
#include "storage/setting_variables.hpp"

namespace mlps::cli {
namespace {

using test::Scratch;
using ::testing::HasSubstr;
using ::testing::Not;

using Words = std::vector<std::string>;

class JobSettingsTest : public ::testing::Test {
 protected:
  // What a command typed here becomes on another host, whose own environment is `there`.
  Result<CommandLine> on_another_host(const Words& typed, const Environment& here, const Environment& there) {
    const Resolution resolution = test::grammar().resolve(typed);
    const CommandLine line = test::line_of_words(typed, here, "");
    EXPECT_TRUE(line.errors.empty()) << test::rendered(line.errors);
    const auto settings = make_job_settings(resolution, line, typed, {1, 2});
    text_ = settings_text(settings);
    const auto received = parse_settings(text_);
    EXPECT_TRUE(received);
    return line_of(*received, test::grammar(), there, "");
  }
  Scratch scratch_;
  std::string text_;
};

const Words kRun = {"whatif",
                    "checkpointing",
                    "run",
                    "file",
                    "--model",
                    "llama3-8b",
                    "--hosts",
                    "a:4,b:4",
                    "--num-processes",
                    "8",
                    "--checkpoint-folder",
                    "some/where",
                    "--results-dir",
                    "results",
                    "--systemname",
                    "s"};

TEST_F(JobSettingsTest, EveryProcessReadsTheSameOptions) {
  const auto line = on_another_host(kRun, scratch_.environment(), scratch_.environment());
  ASSERT_TRUE(line);
  const auto parsed = parse_checkpointing(*line);
  EXPECT_TRUE(parsed.errors.empty()) << test::rendered(parsed.errors);
  EXPECT_EQ(parsed.options.common.mode, Mode::kWhatif);
  EXPECT_EQ(parsed.options.protocol, AccessProtocol::kFile);
  EXPECT_EQ(parsed.options.num_processes, 8U);
  EXPECT_THAT(parsed.options.hosts.hosts, ::testing::ElementsAre("a:4", "b:4"));
}

TEST_F(JobSettingsTest, FoldersAreMeantWhereTheyWereTyped) {
  const auto line = on_another_host(kRun, scratch_.environment(), scratch_.environment());
  ASSERT_TRUE(line);
  const std::string here = std::filesystem::current_path();
  EXPECT_EQ(line->tokens.settings.at("checkpoint-folder").values.back(), here + "/some/where");
  EXPECT_EQ(line->tokens.settings.at("results-dir").values.back(), here + "/results");
}

TEST_F(JobSettingsTest, AnObjectFolderIsNoPath) {
  Words typed = kRun;
  typed[3] = "object";
  const auto line = on_another_host(typed, scratch_.environment(), scratch_.environment());
  ASSERT_TRUE(line);
  EXPECT_EQ(line->tokens.settings.at("checkpoint-folder").values.back(), "some/where");
}

TEST_F(JobSettingsTest, WhatTheLayersSaidIsKnownWithoutThem) {
  const auto here = scratch_.environment({{"MLPSTORAGE_SYSTEMNAME", "from-here"}});
  const auto there = scratch_.environment({{"MLPSTORAGE_SYSTEMNAME", "from-there"}});
  Words typed(kRun.begin(), kRun.end() - 2);
  const auto line = on_another_host(typed, here, there);
  ASSERT_TRUE(line);
  EXPECT_EQ(parse_checkpointing(*line).options.common.systemname, "from-here");
}

TEST_F(JobSettingsTest, StorageIsReachedAsProcessZeroSaysAndWithTheOwnCredentials) {
  const auto here = scratch_.environment({{"AWS_ENDPOINT_URL", "http://one:1"},
                                          {"AWS_ACCESS_KEY_ID", "id-of-here"},
                                          {"AWS_SECRET_ACCESS_KEY", "secret-of-here"}});
  const auto there = scratch_.environment(
      {{"AWS_ENDPOINT_URL", "http://other:1"}, {"AWS_REGION", "elsewhere"}, {"AWS_ACCESS_KEY_ID", "id-of-there"}});
  const auto line = on_another_host(kRun, here, there);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->environment.get("AWS_ENDPOINT_URL"), "http://one:1");
  EXPECT_FALSE(line->environment.get("AWS_REGION")) << "unset where the command was typed";
  EXPECT_EQ(line->environment.get("AWS_ACCESS_KEY_ID"), "id-of-there");
  EXPECT_THAT(text_, Not(HasSubstr("of-here")));
}

TEST_F(JobSettingsTest, AWorkloadFileTravelsWithItsText) {
  const std::string path = scratch_.write("own.yaml", "model: {name: own}\n");
  const Words typed = {"whatif", "training", "unet3d", "run", "file", "--workload-file", path, "--data-dir", "null://"};
  const auto line = on_another_host(typed, scratch_.environment(), scratch_.environment());
  ASSERT_TRUE(line);
  EXPECT_EQ(line->model, "unet3d");
  EXPECT_EQ(parse_training(*line).options.workload_text, "model: {name: own}\n");
}

TEST_F(JobSettingsTest, AnythingElseIsRefused) {
  for (const char* text : {"", "{", "[]", "{}", R"({"words": 1})", "null", R"({"words": ["whatif"]})"}) {
    const auto settings = parse_settings(text);
    ASSERT_FALSE(settings) << text;
    EXPECT_EQ(settings.error().code, ErrorCode::kMpiCommunication);
  }
  JobSettings no_command;
  no_command.words = {"whatif", "nothing"};
  EXPECT_FALSE(line_of(no_command, test::grammar(), Environment(), ""));
}

TEST(SettingVariables, HaveNoCredentialAmongThem) {
  EXPECT_THAT(storage::kSettingVariables, ::testing::Each(Not(::testing::AnyOfArray(storage::kCredentialVariables))));
}

// A variable that storage or location read must be known to be a setting or a credential.
TEST(SettingVariables, AreAllThatTheSourceReads) {
  std::set<std::string> known = {"HOME"};
  known.insert(storage::kSettingVariables.begin(), storage::kSettingVariables.end());
  known.insert(storage::kCredentialVariables.begin(), storage::kCredentialVariables.end());
  const std::regex variable(
      "\"((AWS_|AZURE_|CLOUDSDK_|IDENTITY_|S3_|GCE_|GCS_|GOOGLE_|STORAGE_|MLPSTORAGE_)[A-Z0-9_]+|BUCKET)\"");
  std::set<std::string> read;
  for (const char* floor : {"storage", "location"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(std::string(MLPS_SOURCE_FOLDER) + floor)) {
      if (entry.path().stem() == "setting_variables" || !entry.is_regular_file()) continue;
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      const std::string source = text.str();
      for (std::sregex_iterator match(source.begin(), source.end(), variable), end; match != end; ++match) {
        read.insert((*match)[1]);
      }
    }
  }
  EXPECT_GT(read.size(), 15U);
  // And what is known is read: nothing else would be shown or sent.
  known.erase("HOME");
  EXPECT_EQ(read, known);
}

}  // namespace
}  // namespace mlps::cli
