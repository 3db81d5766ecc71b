#include "flags/layers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flags/variables.hpp"
#include "lines.hpp"
#include "scratch.hpp"

namespace mlps::cli {
namespace {

using test::has_error;
using test::rendered;
using test::Scratch;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
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
  EXPECT_THAT(parsed.warnings, ElementsAre(HasSubstr("'model' has no effect, --model outranks it")));
}

TEST_F(Layers, UnknownKeysOfTheConfigFileAreErrorsWithTheNearestName) {
  const std::string file = config_file("result_dir: /r\nlimit: 3\nmode: open\nconfig_file: x\nio-depth: 3\n");
  const auto parsed = parse({"-c", file, "-sn", "s", "-cf", "/c"});
  for (const char* text :
       {"unknown key 'result_dir'", "did you mean 'results_dir'?", "unknown key 'mode'", "can't name another one",
        "unknown key 'io-depth'", "did you mean 'io_depth'?", "--results-dir is required"}) {
    EXPECT_THAT(rendered(parsed.errors), HasSubstr(text));
  }
  EXPECT_EQ(parsed.errors.size(), 5u) << rendered(parsed.errors);
  EXPECT_THAT(parsed.warnings, ElementsAre(HasSubstr("'limit' means nothing to 'run'")));
}

TEST_F(Layers, WhatAStrongerLayerOutranksIsSaid) {
  const std::string file = config_file("loops: 3\nseed: 5\nverify: yes\n");
  user_file("systemname: mine\nresults_dir: /user\n");
  const auto parsed = parse({"-c", file, "-rd", "/r", "-sn", "s", "-cf", "/c", "--loops", "2", "--seed", "5"},
                            {{"MLPSTORAGE_RESULTS_DIR", "/env"}});
  EXPECT_TRUE(parsed.errors.empty()) << rendered(parsed.errors);
  EXPECT_THAT(parsed.warnings, ElementsAre(HasSubstr("values.yaml: 'loops' has no effect, --loops outranks it")));
  EXPECT_THAT(
      parsed.notes,
      ::testing::Contains(HasSubstr("MLPSTORAGE_RESULTS_DIR: 'results_dir' has no effect, --results-dir outranks")));
  EXPECT_THAT(parsed.notes, ::testing::Contains(HasSubstr("'systemname' has no effect, --systemname outranks it")));
  // Of the default that `init` writes into the user's file there is nothing to say.
  EXPECT_THAT(parsed.notes, Not(::testing::Contains(AllOf(HasSubstr("user file"), HasSubstr("'results_dir'")))));
  EXPECT_TRUE(parsed.options.verify);
}

TEST_F(Layers, AKeyOrAFlagThatStandsTwice) {
  const auto file = parse({"-c", config_file("loops: 3\nloops: 2\n"), "-rd", "/r", "-sn", "s", "-cf", "/c"});
  EXPECT_TRUE(has_error(file.errors, ErrorCode::kConfigInvalid, "key 'loops' stands twice")) << rendered(file.errors);
  const auto typed = parse({"--loops", "3", "--loops", "2", "-rd", "/r", "-sn", "s", "-cf", "/c", "-sn", "s"});
  EXPECT_EQ(typed.options.common.loops, 2u);
  EXPECT_THAT(typed.warnings, ElementsAre("--loops is given twice: 2 counts, 3 doesn't"));
}

TEST_F(Layers, OldNamesOfVariablesCountWithAWarning) {
  const std::map<std::string, std::string> variables = {{"MLPERF_RESULTS_DIR", "/old"}, {"MLPERF_SYSTEMNAME", "old"}};
  auto parsed = parse({"-cf", "/c"}, variables);
  EXPECT_TRUE(parsed.errors.empty()) << rendered(parsed.errors);
  EXPECT_EQ(parsed.options.common.results_dir, "/old");
  EXPECT_THAT(parsed.warnings, ::testing::Contains(HasSubstr("rename it to MLPSTORAGE_RESULTS_DIR")));
  parsed = parse({"-cf", "/c"}, {{"MLPERF_SYSTEMNAME", "old"}, {"MLPSTORAGE_SYSTEMNAME", "new"}});
  EXPECT_EQ(parsed.options.common.systemname, "new");
  EXPECT_THAT(parsed.warnings, ElementsAre(HasSubstr("MLPERF_SYSTEMNAME has no effect")));
}

TEST_F(Layers, VariablesThatNothingReadsAreNamedWithTheNearest) {
  const auto parsed = parse({"-rd", "/r", "-sn", "s", "-cf", "/c"},
                            {{"MLPSTORAGE_RESULT_DIR", "/x"}, {"MLPSTORAGE_ORGNAME", "o"}, {"OTHER", "1"}});
  EXPECT_THAT(parsed.warnings, ElementsAre(HasSubstr("nothing reads MLPSTORAGE_ORGNAME"),
                                           "environment: nothing reads MLPSTORAGE_RESULT_DIR (did you mean "
                                           "MLPSTORAGE_RESULTS_DIR?)"));
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

TEST_F(Layers, WrongKeysOfThePerUserFileStopTheCommand) {
  user_file("model: llama3-8b\nsystemnam: 3\nsystemname: x\n");
  const auto parsed = parse({"-rd", "/r", "-cf", "/c"});
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "config unset model"));
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "unknown key 'systemnam'"));
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "did you mean 'systemname'?"));
  EXPECT_EQ(parsed.errors.size(), 2u) << rendered(parsed.errors);
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
  ParseOutcome outcome{Environment(test::Variables{{"AWS_REGION", "shell"}}), {}, {}, {}};
  ParseOutcome other = outcome;
  add_dotenv(scratch_.path("bin"), test::grammar(), outcome);
  EXPECT_EQ(outcome.environment.get("BUCKET"), "program");
  EXPECT_EQ(outcome.environment.get("AWS_REGION"), "shell");
  EXPECT_THAT(outcome.notes, ElementsAre(HasSubstr("../.env adds BUCKET"),
                                         HasSubstr("../.env holds what the environment outranks: AWS_REGION")));
  scratch_.write("cwd/.env", "BUCKET=here\n");
  add_dotenv(scratch_.path("bin"), test::grammar(), other);
  EXPECT_THAT(other.notes, ElementsAre("./.env adds BUCKET"));
}

// O16: a token of the file doesn't go with keys of the shell, nor its endpoint in front of one.
TEST_F(Dotenv, WhatBelongsTogetherComesFromOnePlace) {
  scratch_.write("cwd/.env", "AWS_SESSION_TOKEN=old\nS3_ENDPOINT_URIS=http://b\nAWS_REGION=eu\n");
  ParseOutcome outcome{
      Environment(test::Variables{
          {"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "b"}, {"AWS_ENDPOINT_URL", "http://a"}}),
      {},
      {},
      {}};
  add_dotenv("", test::grammar(), outcome);
  EXPECT_EQ(outcome.environment.get("AWS_SESSION_TOKEN"), std::nullopt);
  EXPECT_EQ(outcome.environment.get("S3_ENDPOINT_URIS"), std::nullopt);
  EXPECT_THAT(outcome.notes, ElementsAre("./.env adds AWS_REGION",
                                         "./.env holds what goes with variables that the environment sets, and is left "
                                         "out: AWS_SESSION_TOKEN, S3_ENDPOINT_URIS"));
  ParseOutcome all;
  add_dotenv("", test::grammar(), all);
  EXPECT_EQ(all.environment.get("AWS_SESSION_TOKEN"), "old");
}

TEST_F(Dotenv, WhatNothingReadsIsSaid) {
  scratch_.write("cwd/.env", "AWS_ACCES_KEY_ID=secret\nCOMPANY=x\nBUCKET=a\nBUCKET=b\n");
  ParseOutcome outcome;
  add_dotenv("", test::grammar(), outcome);
  EXPECT_THAT(outcome.warnings, ElementsAre("./.env: nothing reads AWS_ACCES_KEY_ID (did you mean AWS_ACCESS_KEY_ID?)",
                                            "./.env: BUCKET stands twice, the first one counts"));
  EXPECT_THAT(outcome.notes, ElementsAre("./.env adds BUCKET", "./.env holds what this program doesn't read: COMPANY"));
  EXPECT_EQ(outcome.environment.get("BUCKET"), "a");
}

TEST_F(Dotenv, ItIsOptionalAndReadInObjectModeOnly) {
  ParseOutcome outcome;
  add_dotenv(scratch_.path("bin"), test::grammar(), outcome);
  EXPECT_TRUE(outcome.notes.empty() && outcome.errors.empty());
  scratch_.write("cwd/.env", "MLPSTORAGE_RESULTS_DIR=/dotenv\n");
  for (const bool object : {false, true}) {
    const std::vector<std::string> line = {"whatif", "checkpointing", "run", object ? "object" : "file"};
    const auto parsed = parse_checkpointing(test::line_of_words(line, scratch_.environment(), ""));
    EXPECT_EQ(parsed.options.common.results_dir, object ? "/dotenv" : "mlpstorage-results");
    EXPECT_EQ(parsed.environment.get("MLPSTORAGE_RESULTS_DIR").has_value(), object);
    const auto unread =
        ::testing::Contains(HasSubstr("MLPSTORAGE_RESULTS_DIR has no effect: the file is read in object"));
    EXPECT_THAT(parsed.warnings, ::testing::Conditional(object, ::testing::Not(unread), unread));
  }
}

TEST_F(Dotenv, ADamagedFileIsAnErrorThatShowsNoContent) {
  scratch_.write("cwd/.env", "AWS_SECRET_ACCESS_KEY verysecret\n");
  ParseOutcome outcome;
  add_dotenv("", test::grammar(), outcome);
  ASSERT_EQ(outcome.errors.size(), 1u);
  EXPECT_EQ(outcome.errors[0].code, ErrorCode::kConfigParse);
  EXPECT_EQ(rendered(outcome.errors).find("verysecret"), std::string::npos);
}

}  // namespace
}  // namespace mlps::cli
