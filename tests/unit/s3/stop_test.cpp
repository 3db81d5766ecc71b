#include <thread>

#include "fixture.hpp"

namespace mlps::test {
namespace {

using ::testing::StartsWith;

class StopTest : public S3Test {
 protected:
  StopTest() : bytes(pattern(2 * kPart)) {}

  /// Opens the session again with a grace that ends soon; elsewhere a loaded machine must not see it end.
  void open_with_short_grace() {
    s3::Settings settings = test_settings({server.url()});
    settings.cancel_grace = std::chrono::milliseconds(100);
    open(settings);
  }
  std::string bytes;
};

TEST_F(StopTest, AHangingPartEndsAndTheUploadIsAborted) {
  server.inject("PUT", "partNumber=1", {.fault = Reply::Fault::kHang});
  auto target = object("big", bytes.size());
  ASSERT_EQ(outcome(run(OpKind::kBeginWrite, *target)), "ok");
  Operation part{.kind = OpKind::kWritePart, .object = target.get(), .buffer = bytes_of(bytes).first(kPart)};
  session().submit(part);
  std::thread stopper([this] {
    while (server.count("PUT") == 0) std::this_thread::yield();
    session().cancel();
  });
  wait_for(1);
  stopper.join();
  EXPECT_THAT(outcome(part), StartsWith("E203"));
  EXPECT_EQ(outcome(run(OpKind::kWritePart, *target, 1, bytes_of(bytes).subspan(kPart))),
            "E203: write_part s3://bkt/run 1/big: stopped before it was done");
  EXPECT_EQ(server.open_uploads(), 1U);
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_EQ(server.open_uploads(), 0U);
}

TEST_F(StopTest, WaitsForRetriesEndAtOnce) {
  s3::Settings settings = test_settings({server.url()});
  settings.retry.throttle_base = settings.retry.cap = settings.retry.retry_after_cap = std::chrono::hours(1);
  open(settings);
  Reply reply = error_reply(503, "SlowDown");
  reply.headers = {{"Retry-After", "3000"}};
  server.inject("PUT", "", reply);
  std::string small = pattern(100);
  auto target = object("k", small.size());
  run(OpKind::kBeginWrite, *target);
  Operation part{.kind = OpKind::kWritePart, .object = target.get(), .buffer = bytes_of(small)};
  session().submit(part);
  std::vector<Operation*> none;
  while (server.count("PUT") == 0) session().poll(std::chrono::milliseconds(1), none);
  session().poll(std::chrono::milliseconds(5), none);
  EXPECT_TRUE(none.empty());
  session().cancel();
  wait_for(1);
  EXPECT_THAT(outcome(part), StartsWith("E203"));
}

TEST_F(StopTest, ACreateOnItsWayIsUndone) {
  auto target = object("big", bytes.size());
  Operation begin{.kind = OpKind::kBeginWrite, .object = target.get()};
  session().submit(begin);
  std::vector<Operation*> none;
  session().poll(std::chrono::nanoseconds(0), none);
  if (none.empty()) {  // the request has been sent, its answer not been seen
    session().cancel();
    wait_for(1);
    EXPECT_THAT(outcome(begin), StartsWith("E203"));
  }
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_EQ(server.open_uploads(), 0U);
}

TEST_F(StopTest, AHangingCreateIsGivenUpAfterTheGrace) {
  open_with_short_grace();
  server.inject("POST", "uploads=", {.fault = Reply::Fault::kHang});
  auto target = object("big", bytes.size());
  Operation begin{.kind = OpKind::kBeginWrite, .object = target.get()};
  session().submit(begin);
  std::vector<Operation*> none;
  while (server.count("POST") == 0) session().poll(std::chrono::milliseconds(1), none);
  session().cancel();
  wait_for(1);
  EXPECT_THAT(outcome(begin), StartsWith("E203"));
}

TEST_F(StopTest, AHangingAbortIsGivenUpAfterTheGrace) {
  open_with_short_grace();
  auto target = object("big", bytes.size());
  run(OpKind::kBeginWrite, *target);
  server.inject("DELETE", "uploadId=", {.fault = Reply::Fault::kHang}, 10);
  session().cancel();
  EXPECT_THAT(outcome(run(OpKind::kAbortWrite, *target)), StartsWith("E601: AbortMultipartUpload s3://bkt/run 1/big"));
}

TEST_F(StopTest, AbortOfWhatIsGoneIsFine) {
  auto target = object("big", bytes.size());
  run(OpKind::kBeginWrite, *target);
  server.inject("DELETE", "uploadId=", error_reply(404, "NoSuchUpload"));
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_EQ(server.count("DELETE"), 1);
}

TEST_F(StopTest, AbortOfAStoredSinglePutDeletesIt) {
  std::string small = pattern(100);
  auto target = object("k", small.size());
  run(OpKind::kBeginWrite, *target);
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_EQ(server.requests().size(), 0U);
  write_part(*target, small, 0);
  EXPECT_EQ(server.objects().size(), 1U);
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_TRUE(server.objects().empty());
}

TEST_F(StopTest, DestroyingASessionDropsWhatIsInFlight) {
  server.inject("PUT", "", {.fault = Reply::Fault::kHang});
  std::string small = pattern(100);
  auto target = object("k", small.size());
  run(OpKind::kBeginWrite, *target);
  Operation part{.kind = OpKind::kWritePart, .object = target.get(), .buffer = bytes_of(small)};
  session().submit(part);
  std::vector<Operation*> none;
  while (server.count("PUT") == 0) session().poll(std::chrono::milliseconds(1), none);
  open(test_settings({server.url()}));
  EXPECT_EQ(outcome(run(OpKind::kBeginRead, *target)), "ok");
}

}  // namespace
}  // namespace mlps::test
