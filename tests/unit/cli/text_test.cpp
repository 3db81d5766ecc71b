#include "flags/text.hpp"

#include <gtest/gtest.h>

namespace mlps::cli {
namespace {

TEST(Text, FindsTheNearestWordOnlyWhenItIsNear) {
  EXPECT_EQ(nearest("verfy", {"verbose", "verify"}), "verify");
  EXPECT_EQ(nearest("colsed", {"closed", "open"}), "closed");
  EXPECT_EQ(nearest("modle", {"seed", "model"}), "model");
  EXPECT_EQ(nearest("num-checkpoint-write", {"num-checkpoints-write", "num-checkpoints-read"}),
            "num-checkpoints-write");
  EXPECT_EQ(nearest("zzz", {"closed", "open"}), "");
  EXPECT_EQ(nearest("x", {"p", "s"}), "");
}

TEST(Text, HomeReplacesALeadingTildeOnly) {
  EXPECT_EQ(with_home("~/x", "/home/u"), "/home/u/x");
  EXPECT_EQ(with_home("~", "/home/u"), "/home/u");
  EXPECT_EQ(with_home("~other/x", "/home/u"), "~other/x");
  EXPECT_EQ(with_home("/a/~", "/home/u"), "/a/~");
  EXPECT_EQ(with_home("~/x", ""), "~/x");
}

TEST(Text, PlainNamesCanBeFolderNames) {
  EXPECT_TRUE(is_plain_name("Acme-1.2_x"));
  for (const char* name : {"", ".", "..", "a/b", "a b", "ä", "a\n"}) EXPECT_FALSE(is_plain_name(name)) << name;
}

}  // namespace
}  // namespace mlps::cli
