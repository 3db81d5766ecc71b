#include "flags/tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lines.hpp"
#include "scratch.hpp"

namespace mlps::cli {
namespace {

using test::has_error;
using test::rendered;
using ::testing::ElementsAre;

CommandSyntax command(const std::string& word, const std::string& mode = "whatif") {
  return test::command(mode + " checkpointing " + word);
}

Tokens lexed(const std::vector<std::string>& arguments, const std::string& mode = "whatif",
             const std::string& word = "run") {
  return tokenize(command(word, mode), arguments);
}

std::vector<std::string> values(const Tokens& result, const std::string& name) {
  const auto found = result.settings.find(name);
  return found == result.settings.end() ? std::vector<std::string>{} : found->second.values;
}

TEST(TokenizerTest, ValuesWithAndWithoutEqualsAndShortForms) {
  const Tokens result =
      lexed({"file", "--model=llama3-8b", "-np", "8", "-ncw=2", "-ncr", "1", "-cm", "64", "-sn", "s1", "-aip"});
  EXPECT_TRUE(result.errors.empty()) << rendered(result.errors);
  EXPECT_THAT(values(result, "model"), ElementsAre("llama3-8b"));
  EXPECT_THAT(values(result, "num-processes"), ElementsAre("8"));
  EXPECT_THAT(values(result, "num-checkpoints-write"), ElementsAre("2"));
  EXPECT_THAT(values(result, "num-checkpoints-read"), ElementsAre("1"));
  EXPECT_THAT(values(result, "systemname"), ElementsAre("s1"));
  EXPECT_THAT(values(result, "allow-invalid-params"), ElementsAre("true"));
  EXPECT_THAT(result.words, ElementsAre("file"));
}

TEST(TokenizerTest, TheLastOfARepeatedFlagWinsAndListsGrow) {
  const Tokens result = lexed({"-np", "8", "-np", "16", "--params", "a=1", "b=2", "--params=c=d=e", "--mpi-params=-x A",
                               "--mpi-params", "B", "--hosts", "h1,h2", "h3:4"});
  EXPECT_TRUE(result.errors.empty()) << rendered(result.errors);
  EXPECT_THAT(values(result, "num-processes"), ElementsAre("16"));
  EXPECT_THAT(values(result, "params"), ElementsAre("a=1", "b=2", "c=d=e"));
  EXPECT_THAT(values(result, "mpi-params"), ElementsAre("-x A", "B"));
  EXPECT_THAT(values(result, "hosts"), ElementsAre("h1,h2", "h3:4"));
}

TEST(TokenizerTest, BracketsOfAddressesStay) {
  EXPECT_THAT(values(lexed({"--hosts", "[::1]:3"}), "hosts"), ElementsAre("[::1]:3"));
  EXPECT_THAT(values(lexed({"--params", "[a,b]"}), "params"), ElementsAre("[a,b]"));
}

TEST(TokenizerTest, NegativeNumbersAreValues) {
  EXPECT_THAT(values(lexed({"-np", "-1"}), "num-processes"), ElementsAre("-1"));
  EXPECT_THAT(values(lexed({"--size-scale", "-.5"}), "size-scale"), ElementsAre("-.5"));
}

TEST(TokenizerTest, UnambiguousBeginningsOfFlagsCount) {
  EXPECT_THAT(values(lexed({"--num-proc", "8"}), "num-processes"), ElementsAre("8"));
  const Tokens two = lexed({"--num-checkpoints", "8"});
  EXPECT_TRUE(has_error(two.errors, ErrorCode::kConfigInvalid, "--num-checkpoints-write, --num-checkpoints-read"));
  // --verify is a flag of its own although --verify-lockfile begins with it.
  EXPECT_THAT(values(lexed({"--verify"}), "verify"), ElementsAre("true"));
}

TEST(TokenizerTest, EveryMistakeOfTheLineIsReported) {
  const Tokens result = lexed({"file", "--bogus", "5", "--loops", "3", "--verfy", "-zz", "--model", "--num-processes=8",
                               "--systemname=", "--seed"},
                              "closed");
  EXPECT_TRUE(has_error(result.errors, ErrorCode::kConfigInvalid, "unknown flag --bogus"));
  EXPECT_TRUE(has_error(result.errors, ErrorCode::kConfigInvalid, "--loops is not available in closed mode"));
  EXPECT_TRUE(has_error(result.errors, ErrorCode::kConfigInvalid, "did you mean --verify?"));
  EXPECT_TRUE(has_error(result.errors, ErrorCode::kConfigInvalid, "unknown flag -zz"));
  EXPECT_TRUE(has_error(result.errors, ErrorCode::kConfigInvalid, "--model needs a value"));
  EXPECT_TRUE(has_error(result.errors, ErrorCode::kConfigInvalid, "--systemname needs a value"));
  EXPECT_TRUE(has_error(result.errors, ErrorCode::kConfigInvalid, "--seed needs a value"));
  EXPECT_EQ(result.errors.size(), 7u) << rendered(result.errors);
  EXPECT_THAT(values(result, "num-processes"), ElementsAre("8"));  // not eaten by --model
  EXPECT_THAT(result.words, ElementsAre("file"));                  // 5 and 3 went with their flags
}

TEST(TokenizerTest, FlagsOfOtherCommandsAndVersionsAreExplained) {
  EXPECT_TRUE(has_error(lexed({"--seed", "3"}, "whatif", "datasize").errors, ErrorCode::kConfigInvalid,
                        "not a flag of 'datasize'"));
  EXPECT_TRUE(has_error(lexed({"--what-if"}).errors, ErrorCode::kConfigInvalid, "--dry-run"));
  EXPECT_TRUE(has_error(lexed({"--closed"}).errors, ErrorCode::kConfigInvalid, "first word"));
  EXPECT_TRUE(has_error(lexed({"--num_processes", "3"}).errors, ErrorCode::kConfigInvalid, "--num-processes?"));
}

TEST(TokenizerTest, TheStorageWordIsFoundAnywhereButNotInsideAList) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"object", "-np", "8"}, {"-np", "8", "object"}, {"--verify", "object"}}) {
    Tokens result = lexed(arguments);
    EXPECT_EQ(take_storage_word(command("run"), result), AccessProtocol::kObject);
    EXPECT_TRUE(result.errors.empty()) << rendered(result.errors);
  }
  Tokens swallowed = lexed({"--hosts", "h1", "h2", "file"});
  EXPECT_EQ(take_storage_word(command("run"), swallowed), std::nullopt);
  EXPECT_TRUE(has_error(swallowed.errors, ErrorCode::kConfigMissing, "'file' was taken as a value of --hosts"));
  EXPECT_TRUE(has_error(swallowed.errors, ErrorCode::kConfigMissing, "run file ... --hosts"));
  EXPECT_THAT(values(swallowed, "hosts"), ElementsAre("h1", "h2"));
}

TEST(TokenizerTest, TheStorageWordIsMandatoryWhereItBelongsAndRefusedElsewhere) {
  Tokens missing = lexed({"-np", "8"});
  EXPECT_EQ(take_storage_word(command("run"), missing), std::nullopt);
  EXPECT_TRUE(has_error(missing.errors, ErrorCode::kConfigMissing, "run file"));
  Tokens twice = lexed({"file", "object"});
  EXPECT_EQ(take_storage_word(command("run"), twice), AccessProtocol::kFile);
  EXPECT_TRUE(has_error(twice.errors, ErrorCode::kConfigInvalid, "unexpected word 'object'"));
  Tokens datasize = lexed({"file"}, "closed", "datasize");
  EXPECT_EQ(take_storage_word(command("datasize"), datasize), std::nullopt);
  EXPECT_TRUE(has_error(datasize.errors, ErrorCode::kConfigInvalid, "takes no 'file' word"));
}

TEST(TokenizerTest, FlagsWithoutANameAreUnknown) {
  for (const char* argument : {"--=x", "--=", "-=x", "---", "--x y"}) {
    EXPECT_TRUE(has_error(lexed({argument}).errors, ErrorCode::kConfigInvalid, "unknown flag -")) << argument;
  }
}

TEST(TokenizerTest, DoubleDashEndsTheFlags) {
  const Tokens result = lexed({"--verify", "--", "--model"});
  EXPECT_TRUE(result.errors.empty());
  EXPECT_THAT(result.words, ElementsAre("--model"));
}

}  // namespace
}  // namespace mlps::cli
