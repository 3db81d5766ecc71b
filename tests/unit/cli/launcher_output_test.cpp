#include "cli/launcher_output.hpp"

#include <gtest/gtest.h>

namespace mlps::cli {
namespace {

TEST(LauncherOutput, PassesOnWhatIsNotForTheCommand) {
  LauncherOutput output;
  EXPECT_EQ(output.take("one\ntw"), "one\n");
  EXPECT_EQ(output.take("o\n"), "two\n");
  EXPECT_EQ(output.take("three"), "");
  EXPECT_EQ(output.finish(), "three");
  EXPECT_FALSE(output.status());
}

TEST(LauncherOutput, KeepsBackHowTheJobEnded) {
  LauncherOutput output;
  const std::string line = LauncherOutput::end_line(3);
  EXPECT_EQ(output.take("before\n" + line.substr(0, 10)), "before\n");
  EXPECT_EQ(output.take(line.substr(10) + "after\n"), "after\n");
  EXPECT_EQ(output.status(), 3);
}

TEST(LauncherOutput, FindsTheLineBehindATagOfTheLauncher) {
  LauncherOutput output;
  EXPECT_EQ(output.take("[1,0]<stderr>:" + LauncherOutput::end_line(0)), "");
  EXPECT_EQ(output.status(), 0);
}

TEST(LauncherOutput, OneFailureOutweighsSuccess) {
  LauncherOutput output;
  output.take(LauncherOutput::end_line(0) + LauncherOutput::end_line(6) + LauncherOutput::end_line(2));
  EXPECT_EQ(output.status(), 6);
}

TEST(LauncherOutput, DoesNotKeepBackALongLineWithoutEnd) {
  LauncherOutput output;
  const std::string question(1000, '?');
  EXPECT_EQ(output.take(question), question);
}

}  // namespace
}  // namespace mlps::cli
