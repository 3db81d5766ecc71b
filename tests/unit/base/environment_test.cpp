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

TEST_F(EnvFile, TheShellWinsAndQuotesAndCommentsAreUnderstood) {
  write("# comment\n\nexport A=1\nB = two words # tail\nC=\"x # y\"\nD='q'\r\nSET=file\nEMPTY=\n");
  Environment environment({{"SET", "shell"}, {"EMPTY", ""}});
  ASSERT_TRUE(environment.add_file(path_));
  EXPECT_EQ(environment.get("A"), "1");
  EXPECT_EQ(environment.get("B"), "two words");
  EXPECT_EQ(environment.get("C"), "x # y");
  EXPECT_EQ(environment.get("D"), "q");
  EXPECT_EQ(environment.get("SET"), "shell");
  EXPECT_EQ(environment.get("EMPTY"), std::nullopt);
}

TEST_F(EnvFile, ABadLineIsNamedByNumberAndNeverShown) {
  write("A=1\nmy secret\n");
  Environment environment;
  const auto status = environment.add_file(path_);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find(":2:"), std::string::npos);
  EXPECT_EQ(render(status.error()).find("secret"), std::string::npos);
}

TEST_F(EnvFile, AMissingFileIsAnError) {
  Environment environment;
  EXPECT_EQ(environment.add_file(path_ + ".none").error().code, ErrorCode::kConfigFileNotFound);
}

}  // namespace
}  // namespace mlps
