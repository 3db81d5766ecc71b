#include <atomic>
#include <thread>

#include "fixture.hpp"
#include "storage/gcs/pieces.hpp"

namespace mlps::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(GcsTest, ASmallObjectIsOneUploadAndOneLook) {
  std::string bytes = pattern(1000);
  auto target = object("a b+/\xc3\xa9", bytes.size(), 5000);
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  EXPECT_EQ(service.objects["run 1/a b+/\xc3\xa9"].bytes, bytes);
  ASSERT_EQ(server.requests().size(), 2U);
  const Request upload = server.requests()[0];
  EXPECT_EQ(upload.method, "POST");
  EXPECT_EQ(upload.path, "/upload/storage/v1/b/bkt/o");
  EXPECT_THAT(upload.query, HasSubstr("uploadType=media"));
  EXPECT_THAT(upload.query, HasSubstr("name=run%201%2Fa%20b%2B%2F%C3%A9"));
  EXPECT_EQ(upload.headers.at("content-type"), "application/octet-stream");
  EXPECT_THAT(upload.headers.at("x-goog-hash"), StartsWith("crc32c="));
  EXPECT_EQ(upload.headers.count("authorization"), 0U);
  EXPECT_EQ(server.requests()[1].method, "GET");
}

TEST_F(GcsTest, AnEmptyObject) {
  std::string bytes;
  auto target = object("empty", 0, 100);
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  EXPECT_EQ(service.objects.at("run 1/empty").bytes, "");
}

TEST_F(GcsTest, PartsAreComposedInGroupsAndLeaveNothing) {
  std::string bytes = pattern(70 * 100 - 30);
  auto target = object("big", bytes.size(), 100);
  ASSERT_EQ(target->part_count(), 70U);
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  EXPECT_EQ(service.objects["run 1/big"].bytes, bytes);
  EXPECT_EQ(service.objects.size(), 1U);
  EXPECT_THAT(service.composed, ElementsAre(32, 32, 6, 3));
}

TEST_F(GcsTest, PartsThatAreSentTogether) {
  std::string bytes = pattern(40 * 1000);
  auto target = object("big", bytes.size(), 1000);
  ASSERT_EQ(outcome(run(OpKind::kBeginWrite, *target)), "ok");
  std::vector<Operation> parts(4);
  for (uint32_t part = 0; part < 40; part += 4) {
    for (uint32_t i = 0; i < 4; ++i) {
      parts[i] = {.kind = OpKind::kWritePart,
                  .object = target.get(),
                  .part = 39 - part - i,
                  .buffer = bytes_of(bytes).subspan((39 - part - i) * 1000, 1000)};
      session().submit(parts[i]);
    }
    for (const Operation* operation : wait_for(4)) EXPECT_EQ(outcome(*operation), "ok");
  }
  EXPECT_EQ(outcome(run(OpKind::kCommitWrite, *target)), "ok");
  EXPECT_EQ(service.objects["run 1/big"].bytes, bytes);
  EXPECT_EQ(service.objects.size(), 1U);
}

TEST_F(GcsTest, WhatIsBusyIsAskedAgain) {
  std::string bytes = pattern(3000);
  auto target = object("big", bytes.size(), 1000);
  server.inject("POST", "uploadType=media", json_error_reply(503, "backendError"));
  server.inject("POST", "uploadType=media", json_error_reply(429, "rateLimitExceeded"));
  server.inject("POST", "uploadType=media", {.fault = Reply::Fault::kResetAtOnce});
  server.inject("POST", "/compose", json_error_reply(500, "internalError"));
  server.inject("POST", "/batch", json_error_reply(503, "backendError"));
  server.inject("GET", "fields=", json_error_reply(503, "backendError"));
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  EXPECT_EQ(service.objects["run 1/big"].bytes, bytes);
  EXPECT_EQ(service.objects.size(), 1U);
}

TEST_F(GcsTest, AnAnswerThatGetsLostChangesNothing) {
  std::string bytes = pattern(3000);
  for (const char* part : {"uploadType=media", "/compose", "/batch"}) {
    service.objects.clear();
    server.alter(
        "POST", part, [](Reply& reply) { reply.fault = Reply::Fault::kResetInHeaders; }, 1);
    auto target = object("big", bytes.size(), 1000);
    EXPECT_EQ(outcome(write(*target, bytes)), "ok") << part;
    EXPECT_EQ(service.objects["run 1/big"].bytes, bytes) << part;
    EXPECT_EQ(service.objects.size(), 1U) << part;
  }
}

TEST_F(GcsTest, ADeletionRefusedInsideABatchIsAskedAgain) {
  std::string bytes = pattern(3000);
  auto target = object("big", bytes.size(), 1000);
  server.alter(
      "POST", "/batch",
      [](Reply& reply) {
        const auto at = reply.body.find("HTTP/1.1 204 No Content");
        reply.body.replace(at, 23, "HTTP/1.1 503 Try Later ");
      },
      1);
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  EXPECT_EQ(server.count("POST", "/batch"), 2);
}

TEST_F(GcsTest, ADeletionDeniedInsideABatchNamesTheReason) {
  std::string bytes = pattern(3000);
  auto target = object("big", bytes.size(), 1000);
  server.alter(
      "POST", "/batch",
      [](Reply& reply) {
        reply.body.replace(reply.body.find("HTTP/1.1 204 No Content"), 23, "HTTP/1.1 403 Forbidden ");
      },
      1);
  EXPECT_THAT(outcome(write(*target, bytes)),
              StartsWith("E602: objects.delete gs://bkt/run 1/big 3 temporary objects"));
}

TEST_F(GcsTest, AWrongChecksumInTheAnswerIsSentAgainAndThenAnError) {
  std::string bytes = pattern(1000);
  const auto damage = [](Reply& reply) { reply.body.replace(reply.body.find("\"crc32c\":\"") + 10, 8, "AAAAAA=="); };
  server.alter("POST", "uploadType=media", damage, 1);
  auto target = object("k", bytes.size(), 5000);
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  server.alter("POST", "uploadType=media", damage);
  EXPECT_THAT(outcome(write(*target, bytes)),
              StartsWith("E606: objects.insert gs://bkt/run 1/k failed after 4 attempts: "
                         "the server stored CRC32C AAAAAA== instead of"));
}

TEST_F(GcsTest, AnObjectThatIsNotWhatWasSentIsFoundAtTheCommit) {
  std::string bytes = pattern(3000);
  auto target = object("big", bytes.size(), 1000);
  server.alter("GET", "fields=name,size",
               [](Reply& reply) { reply.body.replace(reply.body.find("\"crc32c\":\"") + 10, 8, "AAAAAA=="); });
  EXPECT_THAT(outcome(write(*target, bytes)),
              StartsWith("E606: gs://bkt/run 1/big was stored with CRC32C AAAAAA==, but"));
}

TEST_F(GcsTest, AnAbortRemovesEveryPiece) {
  std::string bytes = pattern(250 * 10);
  auto target = object("big", bytes.size(), 10);
  ASSERT_EQ(outcome(run(OpKind::kBeginWrite, *target)), "ok");
  for (uint32_t part = 0; part < 150; ++part) ASSERT_EQ(outcome(write_part(*target, bytes, part)), "ok");
  EXPECT_EQ(service.pieces(), 4U + 22U);  // four composed, and the rest of the fifth group
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_TRUE(service.objects.empty());
}

TEST_F(GcsTest, AnAbortAfterACommitThatFailedRemovesTheObjectToo) {
  std::string bytes = pattern(3000);
  auto target = object("big", bytes.size(), 1000);
  server.inject("GET", "fields=name,size", json_error_reply(403, "forbidden"));
  EXPECT_THAT(outcome(write(*target, bytes)), StartsWith("E602"));
  EXPECT_EQ(service.objects.size(), 1U);
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_TRUE(service.objects.empty());
}

TEST_F(GcsTest, AnAbortOfNothingSendsNothing) {
  auto target = object("k", 100, 1000);
  run(OpKind::kBeginWrite, *target);
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_TRUE(server.requests().empty());
}

// The server has the part in full and stores it, whatever becomes of the connection: a clean-up that came before would
// miss it.
TEST_F(GcsTest, APartThatTheServerHasInFullIsWaitedForWhenTheRunIsStopped) {
  std::string bytes = pattern(3000);
  auto target = object("big", bytes.size(), 1000);
  ASSERT_EQ(outcome(run(OpKind::kBeginWrite, *target)), "ok");
  Operation part{.kind = OpKind::kWritePart, .object = target.get(), .buffer = bytes_of(bytes).first(1000)};
  std::atomic<bool> arrived = false, go = false;
  server.answer_with([&](const Request& request) {
    arrived = true;
    while (!go) std::this_thread::yield();
    return service.answer(request);
  });
  session().submit(part);
  std::vector<Operation*> none;
  while (!arrived && none.empty()) session().poll(std::chrono::milliseconds(1), none);
  ASSERT_TRUE(none.empty());
  session().cancel();
  session().poll(std::chrono::milliseconds(20), none);
  EXPECT_TRUE(none.empty());
  go = true;
  wait_for(1);
  EXPECT_THAT(outcome(part), StartsWith("E203"));
  EXPECT_EQ(service.pieces(), 1U);
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_TRUE(service.objects.empty());
}

TEST_F(GcsTest, UploadsOfProcessesThatAreGoneAreFoundOnceAndAborted) {
  const auto leave = [&](const std::string& name, const std::string& upload, uint32_t pieces) {
    for (uint32_t index = 0; index < pieces; ++index) {
      service.put("run 1/" + gcs::piece_name(name, upload, {0, index}), "x");
    }
  };
  leave("ranks/a", "00000000000000aa", 1500);  // more than a page of the list
  leave("ranks/a", "00000000000000ab", 1);
  leave("ranks/b", "00000000000000ac", 250);  // more than two batches
  leave("other", "00000000000000ad", 2);
  service.put("run 1/ranks/a", "the object itself");
  const auto only = [](std::string_view name) { return name == "ranks/a" || name == "ranks/b"; };
  const auto aborted = session().abort_uploads("ranks/", only, now_ns() + 60'000'000'000);
  ASSERT_TRUE(aborted.has_value()) << aborted.error().message;
  EXPECT_EQ(*aborted, 3U);
  EXPECT_EQ(service.pieces(), 2U);
  EXPECT_EQ(service.objects.count("run 1/ranks/a"), 1U);
}

TEST_F(GcsTest, AStoreAtTheRootOfABucketFindsTheUploadsOfAllBelow) {
  for (const std::string root : {"a/", "a/b/", "c/"}) {
    for (uint32_t index = 0; index < 120; ++index) {
      service.put(root + gcs::piece_name("k/l", "00000000000000aa", {0, index}), "x");
    }
  }
  for (int i = 0; i < 2500; ++i) service.put("a/data" + std::to_string(i), "");
  open(settings(), 1, "");
  std::vector<std::string> found;
  const auto aborted = session().abort_uploads(
      "a/",
      [&](std::string_view name) {
        found.emplace_back(name);
        return true;
      },
      now_ns() + 60'000'000'000);
  ASSERT_TRUE(aborted.has_value()) << aborted.error().message;
  EXPECT_THAT(found, ElementsAre("a/k/l", "a/b/k/l"));
  EXPECT_EQ(service.pieces(), 120U);
  EXPECT_EQ(service.objects.size(), 2620U);
}

}  // namespace
}  // namespace mlps::test
