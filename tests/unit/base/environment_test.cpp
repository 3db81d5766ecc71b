#include "base/environment.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace mlps {
namespace {

class EnvFile : public ::testing::Test {
 protected:
  void SetUp() override { path_ = ::testing::TempDir() + "mlps_env_" + std::to_string(getpid()); }
  void TearDown() override { std::remove(path_.c_str()); }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  std::string path_;
};

TEST_F(EnvFile, QuotesAndCommentsAreUnderstood) {
  write("# comment\n\nexport A=1\nB = two words # tail\nC=\"x # y\"\nD='q'\r\nEMPTY=\nA=2\n");
  const Variables expected = {{"A", "1"}, {"B", "two words"}, {"C", "x # y"}, {"D", "q"}, {"EMPTY", ""}, {"A", "2"}};
  EXPECT_EQ(read_variables(path_).value(), expected);
}

TEST_F(EnvFile, ABadLineIsNamedByNumberAndNeverShown) {
  write("A=1\nmy secret\n");
  const auto variables = read_variables(path_);
  ASSERT_FALSE(variables);
  EXPECT_NE(variables.error().message.find(":2:"), std::string::npos);
  EXPECT_EQ(render(variables.error()).find("secret"), std::string::npos);
}

TEST_F(EnvFile, AMissingFileIsAnError) {
  EXPECT_EQ(read_variables(path_ + ".none").error().code, ErrorCode::kConfigFileNotFound);
}

TEST(Environment, AnEmptyVariableCountsAsUnset) {
  const Environment environment({{"SET", "shell"}, {"EMPTY", ""}});
  EXPECT_EQ(environment.get("SET"), "shell");
  EXPECT_EQ(environment.get("EMPTY"), std::nullopt);
  EXPECT_EQ(environment.names(), std::vector<std::string>{"SET"});
}

}  // namespace
}  // namespace mlps
