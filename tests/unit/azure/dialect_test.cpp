// What an az:// store asks and makes of the answers. The server says what the test tells it to; that a real service
// understands the same is shown by the tests on Azurite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "base/crc.hpp"
#include "base/encoding.hpp"
#include "base/waiting.hpp"
#include "scripted_server.hpp"
#include "storage/azure/azure_dialect.hpp"
#include "storage/azure/azure_store.hpp"
#include "storage/endpoint_text.hpp"

namespace mlps::azure {
namespace {

using storage::Operation;
using storage::OpKind;
using test::Reply;
using test::Request;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

[[maybe_unused]] const auto kSigpipeBefore = std::signal(SIGPIPE, SIG_IGN);  // as the program does

constexpr int kAlways = 1 << 30;
constexpr size_t kPart = size_t{1} << 20;
constexpr char kEtag[] = "\"0x8DC\"";

std::string said(const std::string& code) {
  return "<?xml version=\"1.0\"?><Error><Code>" + code +
         "</Code><Message>said the server\nRequestId:1</Message></Error>";
}

Reply refused(int status, const std::string& code) {
  return {.status = status, .headers = {{"x-ms-error-code", code}, {"x-ms-request-id", "rid-1"}}, .body = said(code)};
}

Reply created() {
  return {.status = 201, .headers = {{"ETag", kEtag}}};
}

Reply properties(size_t size, std::string etag = kEtag) {
  return {.status = 200, .headers = {{"ETag", std::move(etag)}}, .announced_length = size};
}

class AzureTest : public ::testing::Test {
 protected:
  AzureTest() { open(settings()); }

  Settings settings() {
    Settings out;
    out.account = "acct";
    out.container = "box";
    out.endpoints = {*storage::parse_endpoint(server.url() + "/acct", "test")};
    out.authorisation = Authorisation::kSharedKey;
    out.authorisation_source = "AZURE_STORAGE_KEY";
    out.key = "hunter2";
    out.retry.max_attempts = 3;
    out.retry.patience = std::chrono::seconds(0);
    out.retry.transient_base = std::chrono::microseconds(200);
    out.retry.throttle_base = std::chrono::microseconds(400);
    out.retry.cap = std::chrono::milliseconds(5);
    return out;
  }

  void open(Settings settings) {
    session_.reset();
    store_ = store_with(Location(Scheme::kAzure, "acct/box", "run 1"), std::move(settings));
    session_ = std::move(*store_->open_session(2));
  }

  std::unique_ptr<storage::Object> object(size_t size) {
    bytes_.assign(size, 'x');
    for (size_t i = 0; i < size; ++i) bytes_[i] = static_cast<char>(i * 31);
    return store_->object({.name = "x", .size_bytes = size, .part_bytes = kPart});
  }

  std::span<std::byte> part_of(const storage::Object& object, uint32_t part) {
    return std::as_writable_bytes(std::span(bytes_)).subspan(object.part_offset(part), object.part_length(part));
  }

  Operation run(OpKind kind, storage::Object& object, uint32_t part = 0, std::span<std::byte> buffer = {}) {
    Operation operation{.kind = kind, .object = &object, .part = part, .buffer = buffer};
    session_->submit(operation);
    std::vector<Operation*> done;
    for (int rounds = 0; done.empty() && rounds < 200; ++rounds) session_->poll(std::chrono::milliseconds(100), done);
    EXPECT_EQ(done.size(), 1U);
    return operation;
  }

  // Begins the object and writes all of its parts.
  void put_parts(storage::Object& object) {
    EXPECT_FALSE(run(OpKind::kBeginWrite, object).error);
    for (uint32_t part = 0; part < object.part_count(); ++part) {
      const auto written = run(OpKind::kWritePart, object, part, part_of(object, part));
      EXPECT_FALSE(written.error) << render(*written.error);
    }
  }

  std::vector<Request> sent(const std::string& method, const std::string& part) const {
    std::vector<Request> out;
    for (Request& request : server.requests()) {
      if (request.method == method && request.target.find(part) != std::string::npos) out.push_back(std::move(request));
    }
    return out;
  }

  storage::Session& session() { return *session_; }

  test::ScriptedServer server;

 private:
  std::string bytes_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Session> session_;
};

std::string outcome(const Operation& operation) {
  return operation.error ? code_name(operation.error->code) + ": " + operation.error->message : "ok";
}

std::string nonce_of(const Request& block) {
  const auto id = percent_decoded(test::query_value(block.query, "blockid"));
  return base64_decoded(id.value_or("")).value_or("").substr(0, 16);
}

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
  put_parts(*made);
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *made)), "ok");
  EXPECT_EQ(server.count("DELETE"), 0);
}

TEST_F(AzureTest, WhatACommitHasMadeIsDeleted) {
  auto made = object(2 * kPart);
  server.inject("PUT", "blockid=", created(), kAlways);
  put_parts(*made);
  server.inject("PUT", "comp=blocklist", refused(500, "InternalError"), 3);
  server.inject("HEAD", "", refused(404, "BlobNotFound"));
  EXPECT_THAT(outcome(run(OpKind::kCommitWrite, *made)), StartsWith("E605"));
  server.inject("PUT", "comp=blocklist", refused(409, "BlobAlreadyExists"));
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

TEST_F(AzureTest, ASasTokenIsSentAndNeverShown) {
  Settings sas = settings();
  sas.authorisation = Authorisation::kSas;
  sas.authorisation_source = "AZURE_STORAGE_SAS_TOKEN";
  sas.sas = "sv=2021-12-02&sp=r&sig=hunter2%3D";
  open(sas);
  Reply echo = refused(403, "AuthorizationPermissionMismatch");
  echo.body =
      "<Error><Code>AuthorizationPermissionMismatch</Code><Message>not with hunter2= or "
      "sig=hunter2%3D</Message></Error>";
  server.inject("GET", "", echo);
  const auto listed = session().list("", "");
  ASSERT_FALSE(listed);
  EXPECT_THAT(render(listed.error()), Not(HasSubstr("hunter2")));
  EXPECT_THAT(listed.error().suggestion, HasSubstr("racwdl"));
  const Request request = server.requests().front();
  EXPECT_THAT(request.query, testing::EndsWith("&" + sas.sas));
  EXPECT_EQ(request.headers.count("authorization"), 0U);
  server.inject("HEAD", "", properties(7));
  EXPECT_TRUE(session().head("x"));
  EXPECT_EQ(server.requests().back().query, sas.sas);
}

TEST_F(AzureTest, ATokenIsAskedForOnceAndSentWithEveryRequest) {
  Settings token = settings();
  token.authorisation = Authorisation::kToken;
  int asked = 0;
  token.token = std::make_shared<TokenSource>("a test", [&asked](const std::atomic<bool>&) {
    ++asked;
    return Result<object::Lease<std::string>>({"hunter2", time(nullptr) + 3600});
  });
  token.authorisation_source = "a test";
  open(token);
  server.inject("HEAD", "", properties(7), 2);
  EXPECT_TRUE(session().head("x"));
  EXPECT_TRUE(session().head("x"));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(server.requests().back().headers.at("authorization"), "Bearer hunter2");
  server.inject("HEAD", "", refused(401, "InvalidAuthenticationInfo"), 2);
  const auto denied = session().head("x");
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, ErrorCode::kStorageDenied);
  EXPECT_THAT(denied.error().suggestion, HasSubstr("Storage Blob Data Contributor"));
}

TEST_F(AzureTest, ATokenThatEndedOnItsWayIsReplacedByTheNewerOne) {
  Settings token = settings();
  token.authorisation = Authorisation::kToken;
  std::atomic<int> asked = 0;
  token.token = std::make_shared<TokenSource>("a test", [&asked](const std::atomic<bool>&) {
    return Result<object::Lease<std::string>>({"t" + std::to_string(++asked), time(nullptr) + (asked == 1 ? 1 : 3600)});
  });
  auto source = token.token;
  open(token);
  const Nanos deadline = now_ns() + 30'000'000'000;
  int looks = 0;
  server.alter("HEAD", "", [&](Reply& reply) {
    reply = ++looks == 1 ? refused(403, "AuthenticationFailed") : properties(7);
    while (source->version() < 2 && now_ns() < deadline) sleep_for(1'000'000);
  });
  EXPECT_TRUE(session().head("x"));
  EXPECT_EQ(server.requests().front().headers.at("authorization"), "Bearer t1");
  EXPECT_EQ(server.requests().back().headers.at("authorization"), "Bearer t2");
}

TEST_F(AzureTest, WithoutATokenNothingIsSent) {
  Settings token = settings();
  token.authorisation = Authorisation::kToken;
  token.token = std::make_shared<TokenSource>("a test", [](const std::atomic<bool>&) {
    return Result<object::Lease<std::string>>(fail(ErrorCode::kStorageDenied, "no token from a test"));
  });
  open(token);
  const auto looked = session().head("x");
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().message, "no token from a test");
  EXPECT_EQ(server.requests().size(), 0U);
}

TEST_F(AzureTest, AnonymousRequestsCarryNothing) {
  Settings nobody = settings();
  nobody.authorisation = Authorisation::kAnonymous;
  open(nobody);
  server.inject("HEAD", "", properties(7));
  EXPECT_TRUE(session().head("x"));
  EXPECT_EQ(server.requests().front().headers.count("authorization"), 0U);
  EXPECT_EQ(server.requests().front().query, "");
}

// ---- the services that hand out tokens

TEST(ManagedIdentity, AsksTheMetadataServiceForItsIdentity) {
  test::ScriptedServer service;
  service.inject("GET", "/metadata/identity/oauth2/token",
                 {.body = R"({"access_token":"t1","expires_in":"3599","token_type":"Bearer"})"});
  const auto source = managed_identity(
      Environment({{"AZURE_POD_IDENTITY_AUTHORITY_HOST", service.url()}, {"AZURE_CLIENT_ID", "id 1"}}));
  ASSERT_TRUE(source);
  const auto token = (*source)->get();
  ASSERT_TRUE(token) << render(token.error());
  EXPECT_EQ(**token, "t1");
  const Request request = service.requests().front();
  EXPECT_EQ(request.headers.at("metadata"), "true");
  EXPECT_EQ(test::query_value(request.query, "resource"), "https%3A%2F%2Fstorage.azure.com%2F");
  EXPECT_EQ(test::query_value(request.query, "client_id"), "id%201");
}

TEST(ManagedIdentity, AnAppServiceNamesItsOwn) {
  test::ScriptedServer service;
  service.inject("GET", "/msi/token", {.body = R"({"access_token":"t1","expires_on":"4000000000"})"});
  const auto source =
      managed_identity(Environment({{"IDENTITY_ENDPOINT", service.url() + "/msi/token"}, {"IDENTITY_HEADER", "h"}}));
  ASSERT_TRUE(source);
  EXPECT_TRUE((*source)->get());
  EXPECT_EQ(service.requests().front().headers.at("x-identity-header"), "h");
}

TEST(ManagedIdentity, ARefusalHasTheServicesWordsAndNoToken) {
  test::ScriptedServer service;
  service.inject("GET", "",
                 {.status = 400, .body = R"({"error":"invalid_request","error_description":"Identity not found"})"});
  const auto source = managed_identity(Environment({{"AZURE_POD_IDENTITY_AUTHORITY_HOST", service.url()}}));
  const auto token = (*source)->get();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, ErrorCode::kStorageDenied);
  EXPECT_THAT(token.error().message, HasSubstr("HTTP 400 invalid_request Identity not found"));
  EXPECT_THAT(token.error().suggestion, HasSubstr("AZURE_STORAGE_KEY"));
}

}  // namespace
}  // namespace mlps::azure
