#include "fixture.hpp"

namespace mlps::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ControlTest : public S3Test {
 protected:
  std::vector<std::string> listed(std::string_view prefix) {
    std::vector<std::string> names;
    std::string next;
    do {
      auto page = session().list(prefix, next);
      EXPECT_TRUE(page) << render(page.error());
      if (!page) break;
      for (const auto& info : page->objects) names.push_back(info.name);
      next = page->next;
    } while (!next.empty());
    return names;
  }
};

TEST_F(ControlTest, PutHeadGetRemove) {
  const std::string text = "hello object";
  ASSERT_TRUE(session().put("a b", std::as_bytes(std::span(text))));
  const auto info = session().head("a b");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->name, "a b");
  EXPECT_EQ(info->size_bytes, text.size());
  const auto middle = session().get("a b", 6, 6);
  ASSERT_TRUE(middle);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(middle->data()), middle->size()), "object");
  EXPECT_TRUE(session().get("a b", 3, 0)->empty());
  EXPECT_TRUE(session().remove("a b"));
  EXPECT_TRUE(session().remove("a b"));
  EXPECT_EQ(session().head("a b").error().code, ErrorCode::kStorageNotFound);
}

TEST_F(ControlTest, ShortRangesAreErrors) {
  server.put_object("/bkt/run%201/k", "0123456789");
  const auto beyond = session().get("k", 5, 10);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, ErrorCode::kDataMismatch);
}

TEST_F(ControlTest, HeadTellsAMissingBucketFromAMissingObject) {
  EXPECT_THAT(session().head("k").error().message, StartsWith("HeadObject s3://bkt/run 1/k"));
  server.inject("HEAD", "", {.status = 404, .announced_length = 232}, 2);
  const auto missing = session().head("k");
  EXPECT_EQ(missing.error().code, ErrorCode::kStorageNotFound);
  EXPECT_THAT(missing.error().message, StartsWith("HeadBucket s3://bkt failed"));
}

// O30: an answer to HEAD has no code; gateways answer 404 to users that they don't know.
TEST_F(ControlTest, WhyTheBucketCannotBeReachedIsAskedInWords) {
  server.inject("HEAD", "/bkt", {.status = 404}, 2);
  server.inject("GET", "list-type=2", error_reply(404, "XAdminUserNotFound", "who are you?"));
  EXPECT_THAT(render(session().reach().error()), AllOf(StartsWith("[E602]"), HasSubstr("who are you?")));
  server.inject("GET", "list-type=2", error_reply(404, "NoSuchBucket"));
  EXPECT_THAT(render(session().reach().error()), AllOf(StartsWith("[E603]"), HasSubstr("Create bucket bkt first")));
  // Where a list is allowed, the first answer is the one to tell.
  server.inject("HEAD", "/bkt", {.status = 403});
  EXPECT_THAT(render(session().reach().error()), StartsWith("[E602] HeadBucket s3://bkt failed: HTTP 403"));
}

TEST_F(ControlTest, ListPagesAndIsRelativeToTheRoot) {
  for (const char* name : {"a/1", "a/2", "a/3", "a/4", "a/5%2B", "b/1", "a"}) {
    server.put_object(std::string("/bkt/run%201/") + name, "x");
  }
  server.put_object("/bkt/run%2012/other", "x");  // begins like the root, isn't below it
  EXPECT_THAT(listed("a/"), ElementsAre("a/1", "a/2", "a/3", "a/4", "a/5+"));
  EXPECT_EQ(listed("").size(), 7U);
  EXPECT_THAT(listed("a/4"), ElementsAre("a/4"));
  EXPECT_TRUE(listed("zzz").empty());
}

TEST_F(ControlTest, FailedListsAreErrors) {
  server.inject("GET", "", error_reply(404, "NoSuchBucket"));
  EXPECT_EQ(session().list("", "").error().code, ErrorCode::kStorageNotFound);
  server.inject("GET", "", {.body = "<html>hello</html>"});
  EXPECT_EQ(session().list("", "").error().code, ErrorCode::kStorageProtocol);
  server.inject("GET", "",
                {.body = "<ListBucketResult><IsTruncated>true</IsTruncated>"
                         "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>"});
  EXPECT_THAT(session().list("", "t").error().message, HasSubstr("repeats"));
  server.inject("GET", "",
                {.body = "<ListBucketResult><IsTruncated>false</IsTruncated>"
                         "<Contents><Key>elsewhere/x</Key><Size>1</Size></Contents></ListBucketResult>"});
  EXPECT_THAT(session().list("", "").error().message, HasSubstr("elsewhere/x"));
  server.inject("GET", "", {.body = std::string(size_t{9} << 20, ' ')});
  EXPECT_THAT(session().list("", "").error().message, HasSubstr("longer than"));
}

class UploadsTest : public ControlTest {
 protected:
  static Nanos soon() { return now_ns() + 60'000'000'000; }

  /// Begins uploads as a process that is then killed, one of its own each.
  void leave_open(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const auto left = object(name, 2 * kPart);
      EXPECT_EQ(outcome(run(OpKind::kBeginWrite, *left)), "ok");
    }
  }

  static bool anything(std::string_view) { return true; }
};

TEST_F(UploadsTest, OnlyThoseThatAreMeantAreAborted) {
  leave_open({"m/a", "m/a", "m/b", "m/c", "m/d e", "m/f", "m2/a"});
  std::vector<std::string> asked;
  const auto aborted = session().abort_uploads(
      "m/",
      [&](std::string_view name) {
        asked.emplace_back(name);
        return name != "m/b";
      },
      soon());
  ASSERT_TRUE(aborted) << render(aborted.error());
  EXPECT_EQ(*aborted, 5U);
  EXPECT_THAT(asked, ElementsAre("m/a", "m/a", "m/b", "m/c", "m/d e", "m/f"));
  EXPECT_THAT(server.paths_of_uploads(), ElementsAre("/bkt/run%201/m/b", "/bkt/run%201/m2/a"));
  EXPECT_EQ(server.count("GET", "uploads="), 2);
  EXPECT_EQ(*session().abort_uploads(
                "m/", [](std::string_view name) { return name == "m/a"; }, soon()),
            0U);
}

TEST_F(UploadsTest, AbortedBySomebodyElseMeanwhileIsFine) {
  leave_open({"a", "b"});
  server.inject("DELETE", "/a?", error_reply(404, "NoSuchUpload"));
  EXPECT_EQ(*session().abort_uploads("", anything, soon()), 2U);
}

TEST_F(UploadsTest, WhatCannotBeAbortedDoesNotKeepTheOthersOpen) {
  leave_open({"a", "b", "c"});
  server.inject("DELETE", "/b?", error_reply(403, "AccessDenied"));
  const auto aborted = session().abort_uploads("", anything, soon());
  ASSERT_FALSE(aborted);
  EXPECT_EQ(aborted.error().code, ErrorCode::kStorageDenied);
  EXPECT_THAT(aborted.error().message,
              StartsWith("1 of 3 unfinished uploads could not be aborted; the first: AbortMultipartUpload s3://bkt/"));
  EXPECT_THAT(server.paths_of_uploads(), ElementsAre("/bkt/run%201/b"));
}

TEST_F(UploadsTest, FailedListsAreErrors) {
  leave_open({"a"});
  const auto failure = [&](Reply reply) {
    server.inject("GET", "uploads=", std::move(reply));
    const auto aborted = session().abort_uploads("", anything, soon());
    EXPECT_FALSE(aborted);
    return aborted ? Error{} : aborted.error();
  };
  EXPECT_EQ(failure(error_reply(403, "AccessDenied")).code, ErrorCode::kStorageDenied);
  EXPECT_EQ(failure({.body = "<html>hello</html>"}).code, ErrorCode::kStorageProtocol);
  EXPECT_EQ(failure({.body = "garbage"}).code, ErrorCode::kStorageProtocol);
  const std::string begin = "<ListMultipartUploadsResult>", end = "</ListMultipartUploadsResult>";
  EXPECT_THAT(failure({.body = begin +
                               "<IsTruncated>false</IsTruncated><Upload><Key>elsewhere/x</Key><UploadId>1"
                               "</UploadId></Upload>" +
                               end})
                  .message,
              HasSubstr("elsewhere/x"));
  EXPECT_EQ(server.open_uploads(), 1U);
  const std::string endless = begin + "<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>" + end;
  server.inject("GET", "uploads=", {.body = endless});
  EXPECT_THAT(failure({.body = endless}).message, HasSubstr("repeats"));
}

TEST_F(UploadsTest, NothingIsAskedBeyondTheDeadline) {
  leave_open({"a"});
  const auto too_late = session().abort_uploads("", anything, now_ns() - 1);
  ASSERT_FALSE(too_late);
  EXPECT_EQ(too_late.error().code, ErrorCode::kStorageUnreachable);
  EXPECT_EQ(server.count("GET"), 0);
  // A repetition just before the deadline must not be answered either.
  server.inject("GET", "uploads=", {.fault = Reply::Fault::kHang}, 1000);
  const auto unanswered = session().abort_uploads("", anything, now_ns() + 50'000'000);
  ASSERT_FALSE(unanswered);
  EXPECT_EQ(unanswered.error().code, ErrorCode::kStorageUnreachable);
}

TEST_F(ControlTest, BlockingCallsRetryToo) {
  server.put_object("/bkt/run%201/k", "0123456789");
  server.inject("HEAD", "", {.status = 503, .announced_length = 100}, 2);
  EXPECT_TRUE(session().head("k"));
  EXPECT_EQ(server.count("HEAD"), 3);
}

TEST_F(ControlTest, CancelledSessionsRefuse) {
  session().cancel();
  EXPECT_EQ(session().head("k").error().code, ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace mlps::test
