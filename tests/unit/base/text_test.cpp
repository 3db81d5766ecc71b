#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace mlps {
namespace {

using ::testing::ElementsAre;

TEST(Text, TrimsWhiteSpaceAtBothEnds) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed(" \r\n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Text, ControlCharactersAreShownAndNotObeyed) {
  EXPECT_EQ(terminal_text("a\tb\nc\x1b[2J\r\x7f \xc3\xa9"), "a\tb\nc\\x1b[2J\\x0d\\x7f \xc3\xa9");
}

TEST(Text, CaseMeansAsciiLetters) {
  EXPECT_EQ(lower("AZ[az\xc4"), "az[az\xc4");
}

TEST(Text, SplitsWithoutEmptyPieces) {
  EXPECT_THAT(split(",a,,b c,", ", "), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(split(" ,, ", ", ").empty());
}

TEST(Text, JoinsTextsAndNumbers) {
  EXPECT_EQ(join(std::vector<std::string>{"a", "", "c"}, ", "), "a, , c");
  EXPECT_EQ(join(std::array<std::string_view, 1>{"a"}, ","), "a");
  EXPECT_EQ(join(std::vector<std::string>{}, ","), "");
  EXPECT_EQ(join(std::vector<uint64_t>{1, 22, 333}, " "), "1 22 333");
}

TEST(Text, ANumberIsAllOfTheText) {
  EXPECT_EQ(parse_number<unsigned>("17"), 17u);
  EXPECT_EQ(parse_number<int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_number<double>("2.5e3"), 2500.0);
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "0x10", "1.0", "4294967296"}) {
    EXPECT_FALSE(parse_number<unsigned>(text)) << text;
  }
  EXPECT_FALSE(parse_number<unsigned short>("65536"));
  EXPECT_FALSE(parse_number<double>("1.5s"));
}

TEST(Text, ShellQuotingSurvivesTheRoundTrip) {
  for (const std::string word : {"", "a b", "it's", "$HOME", "a\"b", "back\\slash", "a=b,c:d", "tab\there"}) {
    const auto words = shell_split("mlpstorage " + shell_quoted(word) + " end");
    ASSERT_TRUE(words) << word;
    EXPECT_THAT(*words, ElementsAre("mlpstorage", word, "end"));
  }
  EXPECT_EQ(shell_quoted("s3://bucket/a-b_c"), "s3://bucket/a-b_c");
}

TEST(Text, ShellSplitRefusesAnOpenQuote) {
  const auto words = shell_split("a 'b c");
  ASSERT_FALSE(words);
  EXPECT_EQ(words.error().code, ErrorCode::kConfigParse);
}

TEST(Text, ShellSplitKnowsTheQuotesOfAShell) {
  EXPECT_THAT(*shell_split("  a  'b c'\n d\\ e \"f \\\" g\" '' h'i'j "),
              ElementsAre("a", "b c", "d e", "f \" g", "", "hij"));
  EXPECT_THAT(*shell_split("\"a\\n\" '\\' $HOME *"), ElementsAre("a\\n", "\\", "$HOME", "*"));
  EXPECT_THAT(*shell_split("a\\"), ElementsAre("a\\"));
}

}  // namespace
}  // namespace mlps
