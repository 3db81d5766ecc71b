#include "cli/completion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/manual.hpp"
#include "lines.hpp"

namespace mlps::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Returns what may follow these words, with a line end before each.
std::string after(const std::string& words) {
  return "\n" + completions(test::grammar(), split(words, " "));
}

TEST(CompletionTest, WordsFollowWords) {
  EXPECT_THAT(after(""), AllOf(HasSubstr("\nclosed\t"), HasSubstr("\nvalidate\t"), Not(HasSubstr("\nrun\t"))));
  EXPECT_THAT(after("open"), AllOf(HasSubstr("\ncheckpointing\t"), HasSubstr("\ntraining\t")));
  EXPECT_THAT(after("open training"), HasSubstr("\nunet3d\t"));
  EXPECT_THAT(after("open training unet3d"), AllOf(HasSubstr("\ndatagen\t"), HasSubstr("\nrun\t")));
  EXPECT_THAT(after("config"), AllOf(HasSubstr("\nset\t"), HasSubstr("\nunset\t")));
}

TEST(CompletionTest, WordsThatLeadNowhereHaveNothingAfterThem) {
  EXPECT_EQ(after("clozed"), "\n");
  EXPECT_EQ(after("closed nothing"), "\n");
}

TEST(CompletionTest, FlagsFollowACommandThatTakesThem) {
  const std::string text = after("whatif checkpointing run");
  EXPECT_THAT(text, AllOf(HasSubstr("\nfile\t"), HasSubstr("\nobject\t"), HasSubstr("\n--model\t"),
                          HasSubstr("\n--size-scale\t")));
  EXPECT_THAT(after("closed checkpointing run"), Not(HasSubstr("\n--size-scale\t"))) << "a flag of whatif only";
}

TEST(CompletionTest, WhatIsTypedIsNotOfferedAgainUnlessItAccumulates) {
  const std::string text = after("whatif checkpointing run file --verify --params a=b --dry-run");
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\nobject\t")), Not(HasSubstr("\n--verify\t")), HasSubstr("\n--params\t")));
}

TEST(CompletionTest, ValuesFollowAFlag) {
  EXPECT_THAT(after("closed checkpointing run file --model"),
              AllOf(HasSubstr("\nllama3-8b\t"), Not(HasSubstr("\n--"))));
  EXPECT_EQ(after("closed checkpointing run file --checkpoint-folder"), "\n\tfiles\n");
  EXPECT_EQ(after("closed checkpointing run file --num-processes"), "\n") << "a number: nothing to offer";
  EXPECT_THAT(after("object ls"), HasSubstr("\n\tfiles\n"));
}

TEST(CompletionTest, EveryShellHasItsScript) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_THAT(completion_script(shell).value(), HasSubstr(std::string(kCompleteWord))) << shell;
  }
  const auto other = completion_script("tcsh");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(other.error().suggestion, "use one of bash, zsh, fish");
}

TEST(ManualTest, HasEveryCommandAndNoLineThatIsAnUnknownRequest) {
  const std::string page = manual_page(test::grammar());
  EXPECT_THAT(page, StartsWith(".TH MLPSTORAGE 1 "));
  for (const CommandSyntax& command : test::grammar().all_commands()) {
    std::string word(command.subcommand->word);
    for (size_t dash = word.find('-'); dash != std::string::npos; dash = word.find('-', dash + 2))
      word.insert(dash, "\\");
    EXPECT_THAT(page, HasSubstr(word)) << command.usage();
  }
  for (const std::string& line : split(page, "\n")) {
    if (!line.starts_with('.')) continue;
    const std::string request = line.substr(1, line.find(' ') - 1);
    EXPECT_THAT(request, testing::AnyOf("TH", "SH", "SS", "TP", "B", "I", "PP", "nf", "fi")) << line;
  }
}

}  // namespace
}  // namespace mlps::cli
