#include "base/child_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlps {
namespace {

constexpr Nanos kLong = 60'000'000'000;
const std::atomic<bool> kNever = false;

TEST(OutputOf, IsAllOutputOrATimeOut) {
  EXPECT_EQ(output_of({"sh", "-c", "echo one; echo two >&2; exit 3"}, kLong), "one\ntwo\n");
  const auto hangs = output_of({"sh", "-c", "echo one; exec sleep 100"}, 50'000'000);
  ASSERT_FALSE(hangs);
  EXPECT_EQ(hangs.error().code, ErrorCode::kTimeout);
}

TEST(AnswerOf, IsStandardOutputOfASuccess) {
  EXPECT_EQ(answer_of({"sh", "-c", "echo one; echo two >&2"}, kLong, kNever), "one\n");
  EXPECT_EQ(answer_of({"true"}, kLong, kNever), "");
}

TEST(AnswerOf, FailuresNameTheProgramAndNothingItPrinted) {
  const auto refused = [](const std::vector<std::string>& command, Nanos limit, bool stop) {
    const std::atomic<bool> stopped = stop;
    const auto answer = answer_of(command, limit, stopped);
    EXPECT_FALSE(answer);
    return answer ? Error{} : answer.error();
  };
  const Error status = refused({"sh", "-c", "echo secret; exit 3"}, kLong, false);
  EXPECT_EQ(status.code, ErrorCode::kCommandFailed);
  EXPECT_EQ(status.message, "sh ended with status 3");
  EXPECT_EQ(refused({"sh", "-c", "kill -9 $$"}, kLong, false).message, "sh ended with signal 9");
  EXPECT_EQ(refused({"sh", "-c", "echo secret; exec sleep 100"}, 50'000'000, false).code, ErrorCode::kTimeout);
  EXPECT_EQ(refused({"sleep", "100"}, kLong, true).code, ErrorCode::kInterrupted);
  EXPECT_THAT(refused({"head", "-c", "2000000", "/dev/zero"}, kLong, false).message,
              ::testing::HasSubstr("more than 1 MiB"));
  EXPECT_EQ(refused({"/nonexistent/program"}, kLong, false).code, ErrorCode::kPathNotFound);
}

}  // namespace
}  // namespace mlps
