#include "flags/layers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lines.hpp"
#include "scratch.hpp"

namespace mlps::cli {
namespace {

using test::has_error;
using test::rendered;
using test::Scratch;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class Layers : public ::testing::Test {
 protected:
  ParsedCheckpointing parse(std::vector<std::string> flags, std::map<std::string, std::string> variables = {},
                            const std::string& mode = "open") {
    std::vector<std::string> line = {mode, "checkpointing", "run", "file", "-m", "llama3-8b", "-np", "8", "-cm", "64"};
    line.insert(line.end(), flags.begin(), flags.end());
    return parse_checkpointing(
        test::line_of_words(line, scratch_.environment(std::move(variables)), scratch_.path("bin")));
  }
  void user_file(const std::string& text) { scratch_.write(".config/mlpstorage/config.yaml", text); }
  std::string config_file(const std::string& text) { return scratch_.write("values.yaml", text); }

  Scratch scratch_;
};

TEST_F(Layers, TheStrongerLayerWinsAndIsNamed) {
  user_file("results_dir: /user\nsystemname: user\ncheckpoint_folder: /user/ckpt\nmpi_btl: tcp\n");
  const std::string file = config_file("results_dir: /file\nsystemname: file\n");
  const auto parsed = parse({"-c", file, "-rd", "/typed"}, {{"MLPSTORAGE_RESULTS_DIR", "/env"},
                                                            {"MLPSTORAGE_SYSTEMNAME", "env"},
                                                            {"MLPSTORAGE_CHECKPOINT_FOLDER", "/env/ckpt"}});
  EXPECT_TRUE(parsed.errors.empty()) << rendered(parsed.errors);
  EXPECT_EQ(parsed.options.common.results_dir, "/typed");
  EXPECT_EQ(parsed.options.common.results_dir_source, "flag");
  EXPECT_EQ(parsed.options.common.systemname, "file");
  EXPECT_EQ(parsed.options.checkpoint_folder, "/env/ckpt");
  EXPECT_EQ(parsed.options.hosts.mpi_btl, "tcp");
  EXPECT_THAT(parsed.notes, ::testing::Contains(HasSubstr("values.yaml: systemname")));
  EXPECT_EQ(parse({}, {{"MLPSTORAGE_RESULTS_DIR", "/env"}}).options.common.results_dir_source,
            "environment MLPSTORAGE_RESULTS_DIR");
}

TEST_F(Layers, ThePerUserFileFillsWhatIsLeft) {
  user_file(
      "results_dir: ~/results\nsystemname: sys\ncheckpoint_folder: ~/ckpt\nhosts: [a, 'b:2']\n"
      "oversubscribe: true\nmpi_params: ['-x A', '-x B']\n");
  const auto parsed = parse({});
  EXPECT_TRUE(parsed.errors.empty()) << rendered(parsed.errors);
  EXPECT_EQ(parsed.options.common.results_dir, scratch_.path("results"));
  EXPECT_THAT(parsed.options.common.results_dir_source, HasSubstr("user file "));
  EXPECT_EQ(parsed.options.checkpoint_folder, scratch_.path("ckpt"));
  EXPECT_THAT(parsed.options.hosts.hosts, ElementsAre("a", "b:2"));
  EXPECT_TRUE(parsed.options.hosts.oversubscribe);
  EXPECT_THAT(parsed.options.hosts.mpi_params, ElementsAre("-x A", "-x B"));
}

TEST_F(Layers, TheConfigFileTakesEveryFlagOfTheCommand) {
  const std::string file = config_file(
      "results_dir: /r\nsystemname: s\ncheckpoint_folder: s3://b\nnum_checkpoints_write: 3\nverify: true\nloops: 2\n"
      "params:\n  checkpoint.a: 1\n  b: x=y\nhosts: 'h1, h2'\nmodel: llama3-1t\naccelerator_type: null\n");
  const auto parsed = parse({"--config-file", file});
  EXPECT_TRUE(parsed.errors.empty()) << rendered(parsed.errors);
  EXPECT_EQ(parsed.options.num_checkpoints_write, 3u);
  EXPECT_TRUE(parsed.options.verify);
  EXPECT_EQ(parsed.options.common.loops, 2u);
  EXPECT_THAT(parsed.options.common.params, ElementsAre(Pair("checkpoint.a", "1"), Pair("b", "x=y")));
  EXPECT_THAT(parsed.options.hosts.hosts, ElementsAre("h1", "h2"));
  EXPECT_EQ(parsed.options.model, "llama3-8b");  // typed
  EXPECT_TRUE(parsed.warnings.empty());
}

TEST_F(Layers, UnknownKeysOfTheConfigFileAreSkippedWithAWarning) {
  const std::string file = config_file("result_dir: /r\nlimit: 3\nmode: open\n");
  const auto parsed = parse({"-c", file, "-rd", "/r", "-sn", "s", "-cf", "/c"});
  EXPECT_TRUE(parsed.errors.empty()) << rendered(parsed.errors);
  EXPECT_THAT(parsed.warnings,
              ElementsAre(HasSubstr("did you mean 'results_dir'?"), HasSubstr("'limit' means nothing to 'run'"),
                          HasSubstr("unknown key 'mode'")));
}

TEST_F(Layers, ConfigFileValuesOfTheWrongShapeAreErrors) {
  const std::string file = config_file(
      "verify: 1\nnum_checkpoints_read: [1, 2]\nio_depth: true\nnum_checkpoints_write: ten\nhosts: []\n"
      "params: {a: {b: c}}\n");
  const auto parsed = parse({"-c", file, "-rd", "/r", "-sn", "s", "-cf", "/c"});
  for (const char* text : {"verify: needs true or false", "num_checkpoints_read: needs one plain value",
                           "io_depth: needs one plain value", "--num-checkpoints-write: 'ten'",
                           "hosts: needs at least one element", "params: needs a mapping of dotted keys"}) {
    EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, text)) << text << "\n" << rendered(parsed.errors);
  }
  EXPECT_EQ(parsed.errors.size(), 6u) << rendered(parsed.errors);
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "from config file " + file));
}

TEST_F(Layers, AKeyTheModeHasNotIsAnErrorNotAFallback) {
  const auto parsed = parse({"-c", config_file("loops: 2\n"), "-rd", "/r", "-sn", "s", "-cf", "/c"}, {}, "closed");
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "loops is not available in closed mode"));
}

TEST_F(Layers, ConfigFilesThatCantBeUsed) {
  const std::vector<std::string> rest = {"-rd", "/r", "-sn", "s", "-cf", "/c"};
  const auto errors = [&](const std::string& path) {
    std::vector<std::string> flags = rest;
    flags.insert(flags.end(), {"-c", path});
    return parse(flags).errors;
  };
  EXPECT_TRUE(has_error(errors(scratch_.path("nothing.yaml")), ErrorCode::kConfigFileNotFound, "nothing.yaml"));
  EXPECT_TRUE(has_error(errors(config_file("a: [1")), ErrorCode::kConfigParse, "values.yaml:"));
  EXPECT_TRUE(has_error(errors(config_file("- a\n- b\n")), ErrorCode::kConfigParse, "not a mapping"));
  EXPECT_FALSE(errors(scratch_.path()).empty());  // a folder
  EXPECT_TRUE(errors(config_file("")).empty());
}

TEST_F(Layers, PerUserKeysThatPickTheWorkloadStopTheCommand) {
  user_file("model: llama3-8b\nnum_proceses: 3\nsystemname: x\n");
  const auto parsed = parse({"-rd", "/r", "-cf", "/c"});
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "config unset model"));
  EXPECT_EQ(parsed.errors.size(), 1u) << rendered(parsed.errors);
  EXPECT_THAT(parsed.warnings, ElementsAre(HasSubstr("'num_proceses' is unknown")));
}

class Dotenv : public ::testing::Test {
 protected:
  void SetUp() override {
    scratch_.write("bin/mlpstorage", "");
    std::filesystem::create_directories(scratch_.path("cwd"));
    std::filesystem::current_path(scratch_.path("cwd"));
  }
  void TearDown() override { std::filesystem::current_path(before_); }

  Scratch scratch_;
  const std::filesystem::path before_ = std::filesystem::current_path();
};

TEST_F(Dotenv, TheFirstFileCountsAndTheShellWins) {
  scratch_.write(".env", "BUCKET=program\nAWS_REGION=there\n");
  Environment environment(test::Variables{{"AWS_REGION", "shell"}});
  Environment first = environment;
  EXPECT_EQ(load_dotenv(scratch_.path("bin"), first).value(), scratch_.path("bin") + "/../.env");
  EXPECT_EQ(first.get("BUCKET"), "program");
  EXPECT_EQ(first.get("AWS_REGION"), "shell");
  scratch_.write("cwd/.env", "BUCKET=here\n");
  EXPECT_EQ(load_dotenv(scratch_.path("bin"), environment).value(), "./.env");
  EXPECT_EQ(environment.get("BUCKET"), "here");
}

TEST_F(Dotenv, ItIsOptionalAndReadInObjectModeOnly) {
  Environment environment;
  EXPECT_EQ(load_dotenv(scratch_.path("bin"), environment).value(), "");
  scratch_.write("cwd/.env", "MLPSTORAGE_RESULTS_DIR=/dotenv\n");
  for (const bool object : {false, true}) {
    const std::vector<std::string> line = {"whatif", "checkpointing", "run", object ? "object" : "file"};
    const auto parsed = parse_checkpointing(test::line_of_words(line, scratch_.environment(), ""));
    EXPECT_EQ(parsed.options.common.results_dir, object ? "/dotenv" : "");
    EXPECT_EQ(parsed.environment.get("MLPSTORAGE_RESULTS_DIR").has_value(), object);
  }
}

TEST_F(Dotenv, ADamagedFileIsAnErrorThatShowsNoContent) {
  scratch_.write("cwd/.env", "AWS_SECRET_ACCESS_KEY verysecret\n");
  Environment environment;
  const auto path = load_dotenv("", environment);
  ASSERT_FALSE(path);
  EXPECT_EQ(path.error().code, ErrorCode::kConfigParse);
  EXPECT_EQ(render(path.error()).find("verysecret"), std::string::npos);
}

}  // namespace
}  // namespace mlps::cli
