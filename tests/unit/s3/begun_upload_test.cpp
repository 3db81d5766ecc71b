// Uploads whose beginning was carried out, but not answered in a way that tells their id: none may stay open.
#include <gmock/gmock.h>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "fixture.hpp"

namespace mlps::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using BegunUploadTest = S3Test;

// O14: whatever the answer to the beginning of an upload looks like, none stays open.
TEST_F(BegunUploadTest, UnreadableAnswersLeaveNoneOpen) {
  const std::string gzip = from_hex("1f8b0800000000000003b3090d00a6e7c5a604000000").value_or("");
  const std::string whole =
      "<InitiateMultipartUploadResult><UploadId>up/1+x</UploadId></InitiateMultipartUploadResult>";
  std::string wide = "\xff\xfe";
  for (const char c : whole) wide.append({c, '\0'});
  const std::string unreadable[] = {
      "<Welcome/>",
      gzip,
      wide,
      "<!DOCTYPE html><html/>",
      "<!DOCTYPE x [<!ENTITY a \"b\">]>" + whole,
      whole.substr(0, whole.size() / 2),
      "<InitiateMultipartUploadResult><UploadId>  </UploadId></InitiateMultipartUploadResult>",
      "{\"UploadId\":\"up/1+x\"}",
      std::string("\0\0", 2)};
  std::string bytes = pattern(kPart + 1);
  for (const std::string& body : unreadable) {
    SCOPED_TRACE(body);
    server.alter(
        "POST", "uploads=", [&](Reply& reply) { reply.body = body; }, 1);
    EXPECT_THAT(outcome(write(*object("big", bytes.size()), bytes)), StartsWith("E605: CreateMultipartUpload"));
    EXPECT_EQ(server.open_uploads(), 0U);
  }
  EXPECT_TRUE(server.objects().empty());
}

TEST_F(BegunUploadTest, OddAnswersThatTellTheIdAreRead) {
  std::string bytes = pattern(kPart + 1);
  for (const auto& [before, after] :
       {std::pair("<UploadId>", "<UploadId> \n"), std::pair("</UploadId>", "\t </UploadId>"),
        std::pair("InitiateMultipartUploadResult", "Result")}) {
    server.alter(
        "POST", "uploads=",
        [&, from = std::string(before), to = std::string(after)](Reply& reply) {
          for (size_t at = reply.body.find(from); at != std::string::npos; at = reply.body.find(from, at + to.size())) {
            reply.body.replace(at, from.size(), to);
          }
        },
        1);
    EXPECT_EQ(outcome(write(*object("big", bytes.size()), bytes)), "ok") << after;
    EXPECT_EQ(server.open_uploads(), 0U);
  }
}

// The gate's attempt, too.
TEST_F(BegunUploadTest, TheAttemptBeforeARunLeavesNoneOpen) {
  const std::string part = pattern(kPart);
  const auto attempt = [&] { return session().try_upload("probe", std::as_bytes(std::span(part))); };
  server.alter(
      "POST", "uploads=", [](Reply& reply) { reply.fault = Reply::Fault::kResetAtOnce; }, 1);
  EXPECT_TRUE(attempt());
  EXPECT_EQ(server.open_uploads(), 0U);
  server.alter(
      "POST", "uploads=", [](Reply& reply) { reply.body = "<Welcome/>"; }, 1);
  const Status refused = attempt();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStorageProtocol);
  EXPECT_EQ(server.open_uploads(), 0U);
  // Where uploads can't be listed, it is told that one may be left.
  server.inject("GET", "uploads=", error_reply(403, "AccessDenied"));
  server.alter(
      "POST", "uploads=", [](Reply& reply) { reply.body = "<Welcome/>"; }, 1);
  const Status told = attempt();
  ASSERT_FALSE(told);
  EXPECT_THAT(told.error().details, HasSubstr("an unfinished upload of s3://bkt/run 1/probe may be left"));
}

TEST_F(BegunUploadTest, EmptyUploadIdIsAnError) {
  server.inject("POST", "uploads=", {.body = "<InitiateMultipartUploadResult/>"});
  std::string bytes = pattern(kPart + 1);
  auto target = object("big", bytes.size());
  EXPECT_THAT(outcome(write(*target, bytes)), StartsWith("E605: CreateMultipartUpload"));
}

// The server has created an upload, but what it says can't be read, or never arrives.
TEST_F(BegunUploadTest, UploadsThatNobodyKnowsAreAborted) {
  std::string bytes = pattern(kPart + 1);
  server.alter(
      "POST", "uploads=", [](Reply& reply) { reply.body = "<Welcome/>"; }, 1);
  EXPECT_THAT(outcome(write(*object("big", bytes.size()), bytes)), StartsWith("E605: CreateMultipartUpload"));
  EXPECT_EQ(server.open_uploads(), 0U);

  server.alter(
      "POST", "uploads=", [](Reply& reply) { reply.fault = Reply::Fault::kResetAtOnce; }, 1);
  EXPECT_EQ(outcome(write(*object("big", bytes.size()), bytes)), "ok");
  EXPECT_EQ(server.open_uploads(), 0U);

  server.alter(
      "POST", "uploads=", [](Reply& reply) { reply = error_reply(503, "SlowDown"); }, 1);
  EXPECT_EQ(outcome(write(*object("big", bytes.size()), bytes)), "ok");
  EXPECT_EQ(server.open_uploads(), 0U);

  server.alter("POST", "uploads=", [](Reply& reply) { reply = error_reply(500, "InternalError"); });
  EXPECT_THAT(outcome(write(*object("big", bytes.size()), bytes)), StartsWith("E605: CreateMultipartUpload"));
  EXPECT_EQ(server.open_uploads(), 0U);
}

TEST_F(BegunUploadTest, UploadsOfOthersStay) {
  std::string bytes = pattern(kPart + 1);
  const auto neighbour = object("big 2", bytes.size());
  run(OpKind::kBeginWrite, *neighbour);
  server.alter(
      "POST", "uploads=", [](Reply& reply) { reply.fault = Reply::Fault::kResetAtOnce; }, 1);
  const auto target = object("big", bytes.size());
  EXPECT_EQ(outcome(run(OpKind::kBeginWrite, *target)), "ok");
  EXPECT_EQ(server.open_uploads(), 2U);
}

TEST_F(BegunUploadTest, UploadsThatCantBeFoundAreTold) {
  const size_t before = log::problems().size();
  server.inject("GET", "uploads=", error_reply(403, "AccessDenied"));
  server.inject("POST", "uploads=", {.body = "<Welcome/>"});
  std::string bytes = pattern(kPart + 1);
  EXPECT_THAT(outcome(write(*object("big", bytes.size()), bytes)), StartsWith("E605: CreateMultipartUpload"));
  ASSERT_EQ(log::problems().size(), before + 1);
  EXPECT_THAT(log::problems().back(), HasSubstr("An upload of s3://bkt/run 1/big"));
}

}  // namespace
}  // namespace mlps::test
