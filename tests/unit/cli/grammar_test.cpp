#include "flags/grammar.hpp"

#include <gtest/gtest.h>

#include "lines.hpp"

namespace mlps::cli {
namespace {

using Kind = Resolution::Kind;

Resolution resolved(const std::vector<std::string>& arguments) {
  return test::grammar().resolve(arguments);
}

Error error_of(const std::vector<std::string>& arguments) {
  return test::grammar().explain(resolved(arguments));
}

TEST(GrammarTest, ResolvesACompleteCommand) {
  const Resolution result = resolved({"whatif", "checkpointing", "run", "file", "--model", "x"});
  ASSERT_EQ(result.kind, Kind::kCommand);
  EXPECT_EQ(result.command.text(), "mlpstorage whatif checkpointing run");
  EXPECT_TRUE(result.command.is(kRuns));
  EXPECT_EQ(result.command.mode, Mode::kWhatif);
  EXPECT_EQ(result.rest, 3u);
  EXPECT_FALSE(result.wants_help);
}

TEST(GrammarTest, IncompleteCommandsNameTheNextWords) {
  EXPECT_EQ(resolved({}).kind, Kind::kIncomplete);
  const Error error = error_of({"open", "checkpointing"});
  EXPECT_EQ(exit_code(error.code), 2);
  EXPECT_NE(error.message.find("datasize, run, configview"), std::string::npos) << error.message;
  EXPECT_NE(error_of({"config"}).message.find("show, set, unset, path"), std::string::npos);
}

TEST(GrammarTest, HelpIsSeenAnywhere) {
  EXPECT_TRUE(resolved({"closed", "-h"}).wants_help);
  EXPECT_TRUE(resolved({"closed", "checkpointing", "run", "file", "--help"}).wants_help);
  EXPECT_EQ(resolved({"-h", "closed"}).kind, Kind::kIncomplete);
}

TEST(GrammarTest, UnknownWordsGetTheNearestOne) {
  EXPECT_NE(error_of({"closd"}).suggestion.find("'closed'"), std::string::npos);
  EXPECT_NE(error_of({"closed", "checkpoint"}).suggestion.find("'checkpointing'"), std::string::npos);
  EXPECT_EQ(error_of({"closed", "checkpoint"}).code, ErrorCode::kConfigInvalid);
}

TEST(GrammarTest, FormsOfOtherVersionsGetThePresentOne) {
  EXPECT_NE(error_of({"checkpointing", "run"}).suggestion.find("closed checkpointing"), std::string::npos);
  EXPECT_NE(error_of({"closed", "checkpointing", "llama3-8b", "run"}).suggestion.find("--model llama3-8b"),
            std::string::npos);
  EXPECT_NE(error_of({"--what-if"}).suggestion.find("--dry-run"), std::string::npos);
  EXPECT_EQ(resolved({"--what-if"}).kind, Kind::kFlagTooEarly);
}

TEST(GrammarTest, ATrainingModelStandsBeforeItsCommand) {
  const Resolution result = resolved({"whatif", "training", "flux", "datagen", "object", "-np", "2"});
  ASSERT_EQ(result.kind, Kind::kCommand);
  EXPECT_EQ(result.command.word(), "datagen");
  EXPECT_EQ(result.model, "flux");
  EXPECT_EQ(result.rest, 4u);
  EXPECT_EQ(result.command.usage(), "mlpstorage whatif training flux datagen <file|object> [flags]");
  EXPECT_NE(error_of({"closed", "training", "run"}).suggestion.find("the model goes before the command"),
            std::string::npos);
}

TEST(GrammarTest, ModelsOfOtherModesAreNamedAsSuch) {
  const Error error = error_of({"closed", "training", "cosmoflow", "run"});
  EXPECT_EQ(exit_code(error.code), 2);
  EXPECT_NE(error.message.find("comes one of: unet3d, retinanet"), std::string::npos) << error.message;
  EXPECT_EQ(error.suggestion, "'cosmoflow' is available in whatif mode only");
  EXPECT_EQ(error_of({"open", "training", "retinanit"}).suggestion, "did you mean 'retinanet'?");
}

}  // namespace
}  // namespace mlps::cli
