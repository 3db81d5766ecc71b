#include "cli/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "scratch.hpp"

namespace mlps::cli {
namespace {

using test::Scratch;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(History, KeepsQuotedWordsApart) {
  const Scratch scratch;
  const std::vector<std::string> command = {"open",   "checkpointing",      "run", "file", "-cf", "/mnt/a b", "-p",
                                            "x=it's", "--mpi-params=-x A=1"};
  ASSERT_TRUE(append_history(scratch.path(), command));
  ASSERT_TRUE(append_history(scratch.path(), {"closed", "checkpointing", "datasize"}));
  const auto entries = read_history(scratch.path()).value();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].id, 1u);
  EXPECT_EQ(entries[1].id, 2u);
  EXPECT_THAT(entries[0].stamp, ::testing::ContainsRegex("^........_......$"));
  EXPECT_EQ(recorded_arguments(scratch.path(), 1).value(), command);
}

TEST(History, SaysHowCommandsEnded) {
  const Scratch scratch;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(append_history(scratch.path(), {"closed", "checkpointing", "datasize"}));
  ASSERT_TRUE(append_end(scratch.path(), 1, 0, "/r/closed/a,b"));
  ASSERT_TRUE(append_end(scratch.path(), 2, 3, ""));
  ASSERT_TRUE(append_end(scratch.path(), 3, 6, "/r/x"));
  ASSERT_TRUE(append_end(scratch.path(), 77, 0, "/r/of/no/command"));
  const auto entries = read_history(scratch.path()).value();
  std::vector<std::string> verdicts;
  for (const HistoryEntry& entry : entries) verdicts.push_back(verdict_of(entry));
  EXPECT_THAT(verdicts, ::testing::ElementsAre("passed", "refused (status 3)", "failed (status 6)", "not ended"));
  EXPECT_EQ(entries[0].folder, "/r/closed/a,b");
}

TEST(History, ToleratesDamage) {
  const Scratch scratch;
  scratch.write(".mlps/history",
                "1,20260101_000000,mlpstorage closed checkpointing datasize\ngarbage\n\n,,\nx,y,z\n"
                "7,20260101_000001,mlpstorage open checkpointing datasize\n8,2026");
  ASSERT_EQ(read_history(scratch.path()).value().size(), 2u);
  ASSERT_TRUE(append_history(scratch.path(), {"closed", "checkpointing", "datasize"}));
  const auto entries = read_history(scratch.path()).value();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries.back().id, 8u);
  EXPECT_THAT(scratch.read(".mlps/history"), HasSubstr("8,2026\n8,"));
}

TEST(History, NeverHoldsASecret) {
  const std::string text =
      recorded_command({"open", "--params", "storage.storage_options.secret_access_key=hunter2", "access_key_id=AKIA1",
                        "--mpi-params=-x AWS_SECRET_ACCESS_KEY=hunter3 -x PATH=/bin", "-cf", "s3://user:hunter4@host/b",
                        "--params=session.token=hunter5", "line\nbreak"});
  for (const char* secret : {"hunter", "AKIA1", "user:"}) EXPECT_THAT(text, Not(HasSubstr(secret)));
  EXPECT_THAT(text, HasSubstr("PATH=/bin"));
  EXPECT_THAT(text, HasSubstr("@host/b"));
  EXPECT_THAT(text, Not(HasSubstr("\n")));
}

TEST(History, OrdinaryValuesStay) {
  EXPECT_EQ(recorded_command({"open", "-cf", "s3://bucket/a@b", "--params", "checkpoint.x=1", "--seed=3"}),
            "mlpstorage open -cf s3://bucket/a@b --params checkpoint.x=1 --seed=3");
}

TEST(History, WhatCantBeRerunSaysWhy) {
  const Scratch scratch;
  scratch.write(
      ".mlps/history",
      "1,s,mlpstorage history rerun 1\n2,s,mlpstorage open x 'open quote\n3,s,mlpstorage open -p 'secret=***'\n");
  EXPECT_THAT(recorded_arguments(scratch.path(), 1).error().message, HasSubstr("not a benchmark command"));
  EXPECT_FALSE(recorded_arguments(scratch.path(), 2));
  EXPECT_THAT(recorded_arguments(scratch.path(), 3).error().message, HasSubstr("secret"));
  EXPECT_EQ(recorded_arguments(scratch.path(), 9).error().code, ErrorCode::kConfigInvalid);
}

TEST(History, TwoWritersNeverShareAnId) {
  const Scratch scratch;
  const auto write = [&] {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(append_history(scratch.path(), {"closed", "checkpointing"}));
  };
  std::thread other(write);
  write();
  other.join();
  const auto entries = read_history(scratch.path()).value();
  ASSERT_EQ(entries.size(), 40u);
  for (size_t i = 0; i < entries.size(); ++i) EXPECT_EQ(entries[i].id, i + 1);
}

}  // namespace
}  // namespace mlps::cli
