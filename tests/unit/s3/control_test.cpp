#include "fixture.hpp"

namespace mlps::testing {
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
}  // namespace mlps::testing
