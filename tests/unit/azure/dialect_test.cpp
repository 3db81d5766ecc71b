// What an az:// store asks and makes of the answers. The server says what the test tells it to; that a real service
// understands the same is shown by the tests on Azurite.
#include "base/crc.hpp"
#include "base/waiting.hpp"
#include "fixture.hpp"
#include "storage/azure/azure_dialect.hpp"

namespace mlps::azure {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The service's own value for the one byte "1".
TEST(AzureChecksum, IsWrittenWithItsLowestByteFirst) {
  const std::string one = "1";
  EXPECT_EQ(crc64_text(crc64nvme(std::as_bytes(std::span(one)))), "0r4bRsOhlSM=");
}

// ---- writing

TEST_F(AzureTest, AnObjectOfOnePartIsOnePutBlobAndOneLook) {
  server.inject("PUT", "", created());
  server.inject("HEAD", "", properties(kPart));
  auto made = object(kPart);
  put_parts(*made);
  EXPECT_EQ(outcome(run(OpKind::kCommitWrite, *made)), "ok");
  ASSERT_EQ(server.requests().size(), 2U);
  const Request put = server.requests().front();
  EXPECT_EQ(put.target, "/acct/box/run%201/x");
  EXPECT_EQ(put.headers.at("x-ms-blob-type"), "BlockBlob");
  EXPECT_EQ(put.headers.at("x-ms-version"), kServiceVersion);
  EXPECT_EQ(put.headers.at("x-ms-content-crc64"), crc64_text(crc64nvme(std::as_bytes(std::span(put.body)))));
  EXPECT_THAT(put.headers.at("authorization"), StartsWith("SharedKey acct:"));
  EXPECT_THAT(put.headers.at("x-ms-client-request-id"), StartsWith("mlpstorage-"));
}

TEST_F(AzureTest, ALargerObjectIsBlocksAndTheirList) {
  server.inject("PUT", "", created(), kAlways);
  server.inject("HEAD", "", properties(2 * kPart + 1));
  auto made = object(2 * kPart + 1);
  put_parts(*made);
  EXPECT_EQ(outcome(run(OpKind::kCommitWrite, *made)), "ok");
  const auto blocks = sent("PUT", "comp=block&"), all = sent("PUT", "comp=block");
  ASSERT_EQ(all.size(), 4U);
  const Request& list = all.back();
  EXPECT_EQ(list.query, "comp=blocklist");
  std::string expected = "<BlockList>";
  for (size_t i = 0; i < 3; ++i) {
    const std::string id = *percent_decoded(test::query_value(all[i].query, "blockid"));
    EXPECT_EQ(id.size(), 32U) << "all ids of a blob have one length";
    EXPECT_EQ(nonce_of(all[i]), list.headers.at("x-ms-meta-mlpstorage_write"));
    EXPECT_EQ(all[i].headers.count("x-ms-blob-type"), 0U);
    expected += "<Latest>" + id + "</Latest>";
  }
  EXPECT_THAT(list.body, HasSubstr(expected + "</BlockList>"));
}

TEST_F(AzureTest, EveryWriteHasIdsOfItsOwn) {
  server.inject("PUT", "", created(), kAlways);
  for (int i = 0; i < 2; ++i) put_parts(*object(2 * kPart));
  const auto blocks = sent("PUT", "comp=block");
  ASSERT_EQ(blocks.size(), 4U);
  EXPECT_NE(nonce_of(blocks[0]), nonce_of(blocks[2]));
}

TEST_F(AzureTest, AWrongChecksumInTheAnswerIsRepeatedAndThenFatal) {
  Reply wrong = created();
  wrong.headers.emplace_back("x-ms-content-crc64", "AAAAAAAAAAA=");
  server.inject("PUT", "", wrong);
  server.inject("PUT", "", created());
  auto made = object(kPart);
  run(OpKind::kBeginWrite, *made);
  const auto written = run(OpKind::kWritePart, *made, 0, part_of(*made, 0));
  EXPECT_EQ(outcome(written), "ok");
  EXPECT_EQ(written.attempts, 2U);
  server.inject("PUT", "", wrong, kAlways);
  EXPECT_THAT(outcome(run(OpKind::kWritePart, *made, 0, part_of(*made, 0))), StartsWith("E606: Put Blob"));
}

TEST_F(AzureTest, ABodyThatTheServiceFoundDamagedIsSentAgain) {
  server.inject("PUT", "", refused(400, "Crc64Mismatch"));
  server.inject("PUT", "", created());
  auto made = object(kPart);
  run(OpKind::kBeginWrite, *made);
  EXPECT_EQ(run(OpKind::kWritePart, *made, 0, part_of(*made, 0)).attempts, 2U);
}

TEST_F(AzureTest, AServerWithoutTheChecksumIsToldApart) {
  Reply strict = refused(500, "FeatureNotSupported");
  strict.body =
      "<Error><Code>FeatureNotSupported</Code><Message>x-ms-content-crc64 header is not supported</Message></Error>";
  server.inject("PUT", "", strict);
  auto made = object(kPart);
  run(OpKind::kBeginWrite, *made);
  const auto written = run(OpKind::kWritePart, *made, 0, part_of(*made, 0));
  ASSERT_TRUE(written.error);
  EXPECT_EQ(written.attempts, 1U);
  EXPECT_THAT(written.error->suggestion, HasSubstr("MLPSTORAGE_AZURE_CHECKSUM=md5"));
}

TEST_F(AzureTest, Md5IsSentAndComparedWithWhatIsKept) {
  Settings md5 = settings();
  md5.checksum = Checksum::kMd5;
  open(md5);
  server.inject("PUT", "", created(), kAlways);
  Reply stored = properties(kPart);
  stored.headers.emplace_back("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==");
  server.inject("HEAD", "", stored);
  auto made = object(kPart);
  put_parts(*made);
  const std::string sum = server.requests().front().headers.at("content-md5");
  EXPECT_EQ(sum.size(), 24U);
  EXPECT_EQ(server.requests().front().headers.count("x-ms-content-crc64"), 0U);
  EXPECT_THAT(outcome(run(OpKind::kCommitWrite, *made)),
              HasSubstr("was stored with MD5 AAAAAAAAAAAAAAAAAAAAAA==, but " + sum));
}

TEST_F(AzureTest, AnotherVersionAfterTheCommitIsSomebodyElsesWrite) {
  server.inject("PUT", "", created());
  server.inject("HEAD", "", properties(kPart, "\"0xELSE\""));
  auto made = object(kPart);
  put_parts(*made);
  EXPECT_THAT(outcome(run(OpKind::kCommitWrite, *made)), HasSubstr("E606"));
}

TEST_F(AzureTest, ALostAnswerToTheCommitIsDecidedByWhatIsThere) {
  for (const bool ours : {true, false}) {
    server.inject("PUT", "comp=blocklist", refused(500, "InternalError"), 3);
    auto made = object(2 * kPart);
    EXPECT_FALSE(run(OpKind::kBeginWrite, *made).error);
    for (uint32_t part : {0, 1}) {
      server.inject("PUT", "blockid=", created());
      EXPECT_FALSE(run(OpKind::kWritePart, *made, part, part_of(*made, part)).error);
    }
    Reply there = properties(2 * kPart);
    there.headers.emplace_back("x-ms-meta-mlpstorage_write",
                               ours ? nonce_of(sent("PUT", "blockid=").back()) : "0123456789abcdef");
    server.inject("HEAD", "", there);
    const auto committed = run(OpKind::kCommitWrite, *made);
    EXPECT_THAT(outcome(committed), StartsWith(ours ? "ok" : "E605: Put Block List az://acct/box/run 1/x failed"));
  }
}

// ---- giving up

/// The properties of a blob whose metadata name a write.
Reply of_write(const std::string& write) {
  return {.status = 200, .headers = {{"ETag", kEtag}, {"x-ms-meta-mlpstorage_write", write}}, .announced_length = 0};
}

TEST_F(AzureTest, BlocksThatAreGivenUpAreDiscardedWithoutTouchingOthers) {
  auto made = object(2 * kPart);
  server.inject("PUT", "", created(), kAlways);
  server.inject("DELETE", "", {.status = 202});
  put_parts(*made);
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *made)), "ok");
  const auto list = sent("PUT", "comp=blocklist"), deleted = sent("DELETE", "");
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].headers.at("if-none-match"), "*");
  EXPECT_THAT(list[0].body, HasSubstr("<BlockList></BlockList>"));
  ASSERT_EQ(deleted.size(), 1U);
  EXPECT_EQ(deleted[0].headers.at("if-match"), kEtag);
}

TEST_F(AzureTest, ABlobOfAnEarlierWriteStays) {
  auto made = object(2 * kPart);
  server.inject("PUT", "blockid=", created(), kAlways);
  server.inject("PUT", "comp=blocklist", refused(409, "BlobAlreadyExists"));
  server.inject("HEAD", "", of_write("0123456789abcdef"));
  put_parts(*made);
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *made)), "ok");
  EXPECT_EQ(server.count("DELETE"), 0);
}

TEST_F(AzureTest, ABlobOfAnEarlierWriteStaysAlsoWhereACommitHasFailed) {
  auto made = object(2 * kPart);
  server.inject("PUT", "blockid=", created(), kAlways);
  put_parts(*made);
  server.inject("PUT", "comp=blocklist", refused(500, "InternalError"), 3);
  server.inject("HEAD", "", of_write("0123456789abcdef"), 2);
  EXPECT_THAT(outcome(run(OpKind::kCommitWrite, *made)), StartsWith("E605"));
  server.inject("PUT", "comp=blocklist", refused(409, "BlobAlreadyExists"));
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *made)), "ok");
  EXPECT_EQ(server.count("DELETE"), 0);
}

// The first attempt was carried out, but not answered: the empty blob is ours.
TEST_F(AzureTest, AnEmptyBlobThatALostAnswerLeftIsDeleted) {
  auto made = object(2 * kPart);
  server.inject("PUT", "blockid=", created(), kAlways);
  put_parts(*made);
  server.inject("PUT", "comp=blocklist", {.fault = Reply::Fault::kResetInHeaders});
  server.inject("PUT", "comp=blocklist", refused(409, "BlobAlreadyExists"));
  server.inject("HEAD", "", of_write(static_cast<object::RemoteObject&>(*made).upload_id));
  server.inject("DELETE", "", {.status = 202});
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *made)), "ok");
  const auto deleted = sent("DELETE", "");
  ASSERT_EQ(deleted.size(), 1U);
  EXPECT_EQ(deleted[0].headers.at("if-match"), kEtag);
}

TEST_F(AzureTest, WhatACommitHasMadeIsDeleted) {
  auto made = object(2 * kPart);
  server.inject("PUT", "blockid=", created(), kAlways);
  put_parts(*made);
  server.inject("PUT", "comp=blocklist", refused(500, "InternalError"), 3);
  server.inject("HEAD", "", refused(404, "BlobNotFound"));
  EXPECT_THAT(outcome(run(OpKind::kCommitWrite, *made)), StartsWith("E605"));
  server.inject("PUT", "comp=blocklist", refused(409, "BlobAlreadyExists"));
  server.inject("HEAD", "", of_write(static_cast<object::RemoteObject&>(*made).upload_id));
  server.inject("DELETE", "", {.status = 202});
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *made)), "ok");
  EXPECT_EQ(server.count("DELETE"), 1);
}

TEST_F(AzureTest, WhereNothingWasSentNothingIsAsked) {
  auto large = object(2 * kPart), small = object(kPart);
  for (storage::Object* made : {large.get(), small.get()}) {
    EXPECT_FALSE(run(OpKind::kBeginWrite, *made).error);
    EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *made)), "ok");
  }
  EXPECT_EQ(server.requests().size(), 0U);
}

TEST_F(AzureTest, AStoredObjectThatIsNotWantedIsDeletedAndGoneIsGone) {
  auto made = object(kPart);
  server.inject("PUT", "", created());
  server.inject("DELETE", "", refused(404, "BlobNotFound"));
  put_parts(*made);
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *made)), "ok");
  server.inject("DELETE", "", refused(404, "BlobNotFound"));
  EXPECT_TRUE(session().remove("x"));
  server.inject("DELETE", "", refused(404, "ContainerNotFound"));
  EXPECT_FALSE(session().remove("x"));
}

TEST_F(AzureTest, BlocksOfProcessesThatAreGoneAreFoundAndDiscarded) {
  const auto blob = [](const std::string& name, int size) {
    return "<Blob><Name>run 1/" + name + "</Name><Properties><Content-Length>" + std::to_string(size) +
           "</Content-Length></Properties></Blob>";
  };
  server.inject("GET", "include=uncommittedblobs",
                {.body = "<EnumerationResults><Blobs>" + blob("m/a", 0) + blob("m/full", 7) + blob("m/other", 0) +
                         "</Blobs><NextMarker/></EnumerationResults>"});
  server.inject("PUT", "/m/a?comp=blocklist", created());
  server.inject("DELETE", "/m/a", {.status = 202});
  const auto aborted = session().abort_uploads(
      "m/", [](std::string_view name) { return name != "m/other"; }, now_ns() + 60'000'000'000);
  ASSERT_TRUE(aborted) << render(aborted.error());
  EXPECT_EQ(*aborted, 1U);
  EXPECT_EQ(server.count("PUT"), 1);
  EXPECT_EQ(server.count("DELETE"), 1);
}

TEST_F(AzureTest, ABlockThatTheServiceHasInFullIsWaitedForBeforeItIsDiscarded) {
  auto made = object(2 * kPart);
  EXPECT_FALSE(run(OpKind::kBeginWrite, *made).error);
  std::atomic<bool> there = false, answer = false;
  server.alter("PUT", "blockid=", [&](Reply& reply) {
    there = true;
    while (!answer) sleep_for(1'000'000);
    reply = created();
  });
  Operation write{.kind = OpKind::kWritePart, .object = made.get(), .part = 0, .buffer = part_of(*made, 0)};
  session().submit(write);
  std::vector<Operation*> done;
  while (!there) session().poll(std::chrono::milliseconds(1), done);
  session().cancel();
  for (int i = 0; i < 3; ++i) session().poll(std::chrono::milliseconds(1), done);
  EXPECT_TRUE(done.empty());
  answer = true;
  for (int rounds = 0; done.empty() && rounds < 200; ++rounds) session().poll(std::chrono::milliseconds(100), done);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(write.error->code, ErrorCode::kInterrupted);
}

// ---- reading and looking

TEST_F(AzureTest, ReadsNameRangeAndVersion) {
  auto made = object(2 * kPart);
  std::string half(kPart, 'a');
  for (const char* range : {"bytes 0-1048575/2097152", "bytes 1048576-2097151/2097152"}) {
    server.inject("GET", "", {.status = 206, .headers = {{"ETag", kEtag}, {"Content-Range", range}}, .body = half});
  }
  std::vector<std::byte> room(kPart);
  EXPECT_EQ(outcome(run(OpKind::kReadPart, *made, 0, room)), "ok");
  EXPECT_EQ(outcome(run(OpKind::kReadPart, *made, 1, room)), "ok");
  const auto reads = sent("GET", "");
  EXPECT_EQ(reads[0].headers.at("x-ms-range"), "bytes=0-1048575");
  EXPECT_EQ(reads[0].headers.count("if-match"), 0U);
  EXPECT_EQ(reads[1].headers.at("if-match"), kEtag);
  server.inject("GET", "", refused(412, "ConditionNotMet"));
  EXPECT_THAT(outcome(run(OpKind::kReadPart, *made, 1, room)), StartsWith("E606: Get Blob"));
}

TEST_F(AzureTest, ListsGoOnAtTheMarker) {
  const auto page = [](const std::string& name, const std::string& marker) {
    return Reply{.body =
                     "<EnumerationResults><Blobs><Blob><Name>run 1/" + name +
                     "</Name><Properties><Content-Length>5</Content-Length></Properties></Blob></Blobs><NextMarker>" +
                     marker + "</NextMarker></EnumerationResults>"};
  };
  server.inject("GET", "comp=list", page("a", "m+/="));
  server.inject("GET", "comp=list", page("b", ""));
  const auto first = session().list("", "");
  ASSERT_TRUE(first) << render(first.error());
  EXPECT_EQ(first->objects.at(0).name, "a");
  EXPECT_EQ(first->next, "m+/=");
  const auto second = session().list("", first->next);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->objects.at(0).size_bytes, 5U);
  EXPECT_TRUE(second->next.empty());
  EXPECT_THAT(server.requests().back().query, HasSubstr("marker=m%2B%2F%3D"));
  EXPECT_THAT(server.requests().back().query, HasSubstr("prefix=run%201%2F"));
  server.inject("GET", "comp=list", refused(404, "ContainerNotFound"));
  EXPECT_EQ(session().list("", "").error().code, ErrorCode::kStorageNotFound);
}

// ---- errors

struct Refusal {
  int status;
  const char* code;
  ErrorCode error;
  const char* advice;
};

TEST_F(AzureTest, CodesAreUnderstoodAndAnswered) {
  const std::vector<Refusal> cases = {
      {403, "AuthenticationFailed", ErrorCode::kStorageDenied, "key of AZURE_STORAGE_KEY"},
      {403, "AuthorizationFailure", ErrorCode::kStorageDenied, "network rules"},
      {403, "AuthorizationPermissionMismatch", ErrorCode::kStorageDenied, "acct"},
      {403, "AuthorizationSourceIPMismatch", ErrorCode::kStorageDenied, "sip="},
      {403, "KeyBasedAuthenticationNotPermitted", ErrorCode::kStorageDenied, "MLPSTORAGE_AZURE_AUTH"},
      {409, "PublicAccessNotPermitted", ErrorCode::kStorageDenied, "AZURE_STORAGE_KEY"},
      {404, "ContainerNotFound", ErrorCode::kStorageNotFound, "Create the container box"},
      {404, "BlobNotFound", ErrorCode::kStorageNotFound, ""},
      {503, "ServerBusy", ErrorCode::kStorageThrottled, "fewer requests"},
      {500, "OperationTimedOut", ErrorCode::kStorageUnreachable, ""},
      {412, "LeaseIdMissing", ErrorCode::kStorageDenied, "lease"},
      {409, "BlobImmutableDueToPolicy", ErrorCode::kStorageDenied, "immutability"},
      {409, "SnapshotsPresent", ErrorCode::kStorageDenied, "snapshots"},
      {400, "InvalidBlobOrBlock", ErrorCode::kStorageProtocol, "uncommitted blocks"},
      {413, "RequestBodyTooLarge", ErrorCode::kStorageFull, ""},
  };
  auto made = object(2 * kPart);
  EXPECT_FALSE(run(OpKind::kBeginWrite, *made).error);
  for (const Refusal& one : cases) {
    server.inject("PUT", "", refused(one.status, one.code), 3);
    const auto written = run(OpKind::kWritePart, *made, 0, part_of(*made, 0));
    ASSERT_TRUE(written.error) << one.code;
    EXPECT_EQ(written.error->code, one.error) << one.code;
    EXPECT_THAT(written.error->message, HasSubstr(one.code));
    EXPECT_THAT(written.error->suggestion, HasSubstr(one.advice)) << one.code;
    EXPECT_THAT(written.error->details, HasSubstr("request id rid-1"));
    while (server.count("PUT") % 3 != 0) run(OpKind::kWritePart, *made, 0, part_of(*made, 0));  // uses up the rest
  }
}

TEST_F(AzureTest, AnswersToHeadHaveTheirCodeInAHeader) {
  server.inject("HEAD", "", refused(404, "ContainerNotFound"), 2);
  const auto looked = session().head("x");
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().code, ErrorCode::kStorageNotFound);
  EXPECT_THAT(looked.error().message, HasSubstr("ContainerNotFound"));
}

TEST_F(AzureTest, AClockThatDiffersIsCorrectedOnce) {
  Reply skewed = refused(403, "AuthenticationFailed");
  skewed.headers.emplace_back("Date", "Fri, 24 May 2013 00:00:00 GMT");
  server.inject("HEAD", "", skewed);
  server.inject("HEAD", "", properties(7));
  EXPECT_TRUE(session().head("x"));
  EXPECT_THAT(server.requests().back().headers.at("x-ms-date"), StartsWith("Fri, 24 May 2013 00:0"));
}

}  // namespace
}  // namespace mlps::azure
