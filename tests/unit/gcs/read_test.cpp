#include "fixture.hpp"
#include "storage/gcs/pieces.hpp"

namespace mlps::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class GcsRead : public GcsTest {
 protected:
  GcsRead() : bytes(pattern(3000)) { service.put("run 1/k", bytes); }

  Operation read(storage::Object& target, uint64_t offset, std::string& into) {
    Operation operation{.kind = OpKind::kReadRange,
                        .object = &target,
                        .buffer = bytes_of(into),
                        .range_offset = offset,
                        .range_bytes = into.size()};
    session().submit(operation);
    wait_for(1);
    return operation;
  }
  std::string bytes;
};

TEST_F(GcsRead, RangesOfOneGeneration) {
  auto target = object("k", bytes.size(), 1000);
  std::string first(1000, ' '), second(500, ' ');
  EXPECT_EQ(outcome(read(*target, 0, first)), "ok");
  EXPECT_EQ(outcome(read(*target, 2500, second)), "ok");
  EXPECT_EQ(first, bytes.substr(0, 1000));
  EXPECT_EQ(second, bytes.substr(2500));
  EXPECT_THAT(server.requests()[0].query, ::testing::Not(HasSubstr("ifGenerationMatch")));
  EXPECT_THAT(server.requests()[1].query, HasSubstr("ifGenerationMatch=1001"));
  EXPECT_EQ(server.requests()[1].headers.at("range"), "bytes=2500-2999");
}

TEST_F(GcsRead, TwoGenerationsAreNeverMixedWhateverTheServerMakesOfTheCondition) {
  for (const bool honours : {true, false}) {
    service.honours_generations = honours;
    auto target = object("k", bytes.size(), 1000);
    std::string part(1000, ' ');
    EXPECT_EQ(outcome(read(*target, 0, part)), "ok");
    service.put("run 1/k", bytes);
    EXPECT_THAT(outcome(read(*target, 1000, part)),
                StartsWith("E606: objects.get media gs://bkt/run 1/k bytes 1000-1999"))
        << honours;
  }
}

TEST_F(GcsRead, DamageOnTheWayIsFoundByTheHashOfAWholeObject) {
  auto target = object("k", bytes.size(), 5000);
  std::string whole(3000, ' ');
  server.alter(
      "GET", "alt=media", [](Reply& reply) { reply.body[1234] ^= 1; }, 1);
  EXPECT_EQ(outcome(read(*target, 0, whole)), "ok");
  EXPECT_EQ(whole, bytes);
  EXPECT_EQ(server.count("GET", "alt=media"), 2);
  server.alter("GET", "alt=media", [](Reply& reply) { reply.body[1234] ^= 1; });
  EXPECT_THAT(outcome(read(*target, 0, whole)), HasSubstr("but the server announced"));
}

TEST_F(GcsRead, AServerWithoutHashesIsRead) {
  service.announces_hashes = false;
  auto target = object("k", bytes.size(), 5000);
  std::string whole(3000, ' ');
  EXPECT_EQ(outcome(read(*target, 0, whole)), "ok");
}

TEST_F(GcsRead, AnotherSizeIsAnError) {
  auto target = object("k", 2999, 5000);
  std::string part(100, ' ');
  EXPECT_THAT(outcome(read(*target, 0, part)), HasSubstr("the object has 3000 bytes instead of 2999"));
}

TEST_F(GcsRead, WhatIsNotThereIsNamed) {
  auto target = object("nothing", 10, 100);
  std::string part(10, ' ');
  EXPECT_THAT(
      outcome(read(*target, 0, part)),
      StartsWith("E603: objects.get media gs://bkt/run 1/nothing bytes 0-9 failed: HTTP 404 notFound: No such"));
}

TEST_F(GcsRead, HeadListPutGetRemove) {
  EXPECT_EQ(session().head("k")->size_bytes, 3000U);
  EXPECT_EQ(session().head("x").error().code, ErrorCode::kStorageNotFound);
  const std::string text = "hello";
  EXPECT_TRUE(session().put("d/note", std::as_bytes(std::span(text))).has_value());
  EXPECT_EQ(session().get("d/note", 1, 3)->size(), 3U);
  service.put("run 1/" + gcs::piece_name("d/big", "0123456789abcdef", {0, 0}), "x");
  const auto page = session().list("", "");
  ASSERT_TRUE(page.has_value());
  ASSERT_EQ(page->objects.size(), 2U);  // a piece of an upload is no object
  EXPECT_EQ(page->objects[0].name, "d/note");
  EXPECT_EQ(page->objects[0].size_bytes, 5U);
  EXPECT_TRUE(session().remove("d/note").has_value());
  EXPECT_TRUE(session().remove("d/note").has_value());
  EXPECT_EQ(service.objects.count("run 1/d/note"), 0U);
}

TEST_F(GcsRead, ListsGoOnUntilTheLastPage) {
  for (int i = 0; i < 2500; ++i) service.put("run 1/many/" + std::to_string(i), "");
  size_t found = 0;
  std::string next;
  do {
    const auto page = session().list("many/", next);
    ASSERT_TRUE(page.has_value()) << page.error().message;
    found += page->objects.size();
    next = page->next;
  } while (!next.empty());
  EXPECT_EQ(found, 2500U);
}

TEST_F(GcsRead, AMissingBucketIsNotAMissingObject) {
  const Reply gone = json_error_reply(404, "notFound", "The specified bucket does not exist.");
  server.inject("GET", "", gone, 3);
  const auto head = session().head("k");
  EXPECT_EQ(head.error().suggestion, "Create bucket bkt first, or check the endpoint (GCS_ENDPOINT_URL).");
  EXPECT_FALSE(session().list("", "").has_value());
  server.inject("DELETE", "", gone);
  EXPECT_EQ(session().remove("k").error().code, ErrorCode::kStorageNotFound);
}

TEST_F(GcsRead, RightsAreAskedForByName) {
  server.inject("GET", "", json_error_reply(403, "forbidden", "x@y does not have storage.objects.get access"));
  const auto head = session().head("k");
  EXPECT_EQ(head.error().code, ErrorCode::kStorageDenied);
  EXPECT_THAT(head.error().message, HasSubstr("HTTP 403 forbidden: x@y does not have storage.objects.get access"));
  EXPECT_THAT(head.error().suggestion, HasSubstr("GOOGLE_APPLICATION_CREDENTIALS"));
  server.inject("GET", "", json_error_reply(400, "userProjectMissing"));
  EXPECT_THAT(session().head("k").error().suggestion, HasSubstr("GOOGLE_CLOUD_QUOTA_PROJECT"));
}

}  // namespace
}  // namespace mlps::test
