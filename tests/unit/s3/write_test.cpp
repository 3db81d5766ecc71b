#include "base/crc.hpp"
#include "base/log.hpp"
#include "fixture.hpp"
#include "storage/object/crc32c.hpp"

namespace mlps::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class WriteTest : public S3Test {};

std::string crc_of(std::string_view text) {
  return object::crc32c_text(crc32c(std::as_bytes(std::span(text))));
}

TEST_F(WriteTest, SmallObjectIsOnePutAndOneHead) {
  std::string bytes = pattern(100'000);
  auto target = object("a/b c.pt", bytes.size());
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  EXPECT_EQ(server.objects().at("/bkt/run%201/a/b%20c.pt"), bytes);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].method, "PUT");
  EXPECT_EQ(requests[0].headers.at("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(requests[0].headers.at("x-amz-checksum-crc32c"), crc_of(bytes));
  EXPECT_EQ(requests[0].headers.at("content-length"), "100000");
  EXPECT_EQ(requests[0].headers.at("x-amz-security-token"), "very-secret-token");
  EXPECT_EQ(requests[0].headers.count("expect"), 0U);
  EXPECT_EQ(requests[0].headers.count("content-type"), 0U);
  EXPECT_EQ(requests[0].headers.count("transfer-encoding"), 0U);
  EXPECT_EQ(requests[1].method, "HEAD");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(WriteTest, GooglesChecksumsStandInAnswersAlone) {
  s3::Settings settings = test_settings({server.url()});
  settings.google = true;
  open(settings);
  std::string bytes = pattern(1000);
  auto target = object("k", bytes.size());
  const auto announce = [](const std::string& crc) {
    return [crc](Reply& reply) {
      reply.headers.emplace_back("x-goog-hash", "md5=abc");
      reply.headers.emplace_back("x-goog-hash", "crc32c=" + crc);
    };
  };
  server.alter("PUT", "", announce("AAAAAA=="), 1);
  server.alter("HEAD", "", announce(crc_of(bytes)), 1);
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  EXPECT_EQ(server.count("PUT"), 2);
  for (const Request& request : server.requests()) {
    EXPECT_EQ(request.headers.count("x-amz-checksum-crc32c"), 0U);
    EXPECT_EQ(request.headers.count("x-amz-checksum-mode"), 0U);
  }
  server.alter("HEAD", "", announce("AAAAAA=="), 1);
  EXPECT_THAT(outcome(write(*target, bytes)),
              StartsWith("E606: s3://bkt/run 1/k was stored with CRC32C AAAAAA==, but"));
}

TEST_F(WriteTest, EmptyObject) {
  std::string bytes;
  auto target = object("empty", 0);
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  EXPECT_EQ(server.objects().at("/bkt/run%201/empty"), "");
  EXPECT_EQ(server.requests()[0].headers.at("content-length"), "0");
  Operation read = run(OpKind::kReadPart, *target, 0, {});
  EXPECT_EQ(outcome(read), "ok");
  EXPECT_EQ(read.bytes, 0U);
}

TEST_F(WriteTest, PartsInAnyOrderMakeTheObject) {
  std::string bytes = pattern(2 * kPart + 12345);
  auto target = object("big", bytes.size());
  ASSERT_EQ(target->part_count(), 3U);
  EXPECT_EQ(outcome(run(OpKind::kBeginWrite, *target)), "ok");
  std::vector<Operation> operations(3);
  for (const uint32_t part : {2U, 0U, 1U}) {
    Operation& operation = operations[part];
    operation = {.kind = OpKind::kWritePart, .object = target.get(), .part = part};
    operation.buffer = bytes_of(bytes).subspan(target->part_offset(part), target->part_length(part));
    session().submit(operation);
  }
  wait_for(3);
  for (const Operation& operation : operations) {
    EXPECT_EQ(outcome(operation), "ok");
    EXPECT_EQ(operation.bytes, target->part_length(operation.part));
    EXPECT_EQ(operation.attempts, 1U);
    EXPECT_EQ(operation.retried_bytes, 0U);
    EXPECT_GE(operation.completed_ns, operation.submitted_ns);
    EXPECT_EQ(operation.first_byte_ns, operation.completed_ns);
  }
  EXPECT_EQ(outcome(run(OpKind::kCommitWrite, *target)), "ok");
  EXPECT_EQ(server.objects().at("/bkt/run%201/big"), bytes);
  EXPECT_EQ(server.open_uploads(), 0U);
  const auto create = server.requests().front();
  EXPECT_EQ(create.query, "uploads=");
  EXPECT_EQ(create.headers.at("x-amz-checksum-algorithm"), "CRC32C");
  EXPECT_EQ(server.count("PUT", "uploadId=up%2F1%2Bx"), 3);
}

TEST_F(WriteTest, KeptChecksumsAreListedAndCompared) {
  server.keep_checksums(true);
  std::string bytes = pattern(kPart + 1);
  auto target = object("big", bytes.size());
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  for (const Request& request : server.requests()) {
    if (request.method != "POST" || request.body.empty()) continue;
    EXPECT_THAT(request.body, HasSubstr("<ChecksumCRC32C>" + crc_of(bytes.substr(0, kPart)) + "</ChecksumCRC32C>"));
  }
  server.alter("HEAD", "other", [](Reply& reply) { reply.headers.back().second = "AAAAAA==-2"; });
  auto other = object("other", bytes.size());
  EXPECT_THAT(outcome(write(*other, bytes)),
              StartsWith("E606: s3://bkt/run 1/other was stored with CRC32C AAAAAA==-2"));
}

// The checksum is that of the bytes when they were made: damage in memory after that is found by the server.
TEST_F(WriteTest, PayloadIsSummedWhileItIsMade) {
  for (const uint64_t size : {uint64_t{100'001}, 2 * kPart + 77}) {
    const std::string name = fmt::format("of {}", size);
    const payload::Source source(1, name);
    std::string bytes(size, 0);
    source.fill(0, bytes_of(bytes));
    const auto made = store().object({.name = name, .size_bytes = size, .part_bytes = kPart, .payload = source});
    std::string buffer(size, 0);
    EXPECT_EQ(outcome(run(OpKind::kBeginWrite, *made)), "ok");
    for (uint32_t part = 0; part < made->part_count(); ++part) {
      made->fill(made->part_offset(part), bytes_of(buffer).subspan(made->part_offset(part), made->part_length(part)));
    }
    EXPECT_EQ(buffer, bytes);
    EXPECT_EQ(made->first_mismatch(0, bytes_of(buffer)), std::nullopt);
    const uint32_t last = made->part_count() - 1;
    buffer.back() ^= 1;
    EXPECT_THAT(outcome(write_part(*made, buffer, last)), StartsWith("E606"));
    buffer.back() ^= 1;
    for (uint32_t part = 0; part < made->part_count(); ++part)
      EXPECT_EQ(outcome(write_part(*made, buffer, part)), "ok");
    EXPECT_EQ(outcome(run(OpKind::kCommitWrite, *made)), "ok");
    // Bytes in another place may be others.
    std::string others = pattern(size);
    EXPECT_EQ(outcome(write(*made, others)), "ok");
  }
}

TEST_F(WriteTest, WholeObjectChecksumOfPartsIsCompared) {
  std::string bytes = pattern(2 * kPart + 77);
  const std::string whole = crc_of(bytes);
  server.alter("HEAD", "", [&](Reply& reply) { reply.headers.emplace_back("x-amz-checksum-crc32c", whole); });
  auto target = object("big", bytes.size());
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
}

TEST_F(WriteTest, Crc64NvmeGoesWithEveryBodyAndWithTheWhole) {
  s3::Settings settings = test_settings({server.url()});
  settings.checksum = s3::Checksum::kCrc64nvme;
  open(settings);
  server.keep_checksums(true);
  const auto sum = [](std::string_view text) {
    return s3::checksum_text(s3::Checksum::kCrc64nvme, crc64nvme(std::as_bytes(std::span(text))));
  };
  EXPECT_EQ(sum("123456789"), "rosUhgp5mIg=") << "the published check value, 0xae8b14860a799888";
  std::string bytes = pattern(2 * kPart + 77);
  EXPECT_EQ(outcome(write(*object("big", bytes.size()), bytes)), "ok");
  std::string small = pattern(999);
  EXPECT_EQ(outcome(write(*object("small", small.size()), small)), "ok");
  int parts = 0;
  for (const Request& request : server.requests()) {
    EXPECT_EQ(request.headers.count("x-amz-checksum-crc32c"), 0U);
    if (request.query == "uploads=") {
      EXPECT_EQ(request.headers.at("x-amz-checksum-algorithm"), "CRC64NVME");
      EXPECT_EQ(request.headers.at("x-amz-checksum-type"), "FULL_OBJECT");
    } else if (request.method == "PUT") {
      EXPECT_EQ(request.headers.at("x-amz-checksum-crc64nvme"), sum(request.body));
      ++parts;
    } else if (request.method == "POST") {
      EXPECT_EQ(request.headers.at("x-amz-checksum-crc64nvme"), sum(bytes));
      EXPECT_EQ(request.headers.at("x-amz-checksum-type"), "FULL_OBJECT");
      EXPECT_THAT(request.body,
                  HasSubstr("<ChecksumCRC64NVME>" + sum(bytes.substr(0, kPart)) + "</ChecksumCRC64NVME>"));
    } else if (request.method == "HEAD") {
      EXPECT_EQ(request.headers.at("x-amz-checksum-mode"), "ENABLED");
    }
  }
  EXPECT_EQ(parts, 4);
  server.alter("HEAD", "", [](Reply& reply) { reply.headers.back().second = "AAAAAAAAAAA="; });
  EXPECT_THAT(
      outcome(write(*object("other", bytes.size()), bytes)),
      StartsWith("E606: s3://bkt/run 1/other was stored with CRC64NVME AAAAAAAAAAA=, but " + sum(bytes) + " was sent"));
  EXPECT_THAT(outcome(write(*object("small", small.size()), small)), StartsWith("E606"));
}

TEST_F(WriteTest, APartThatTheServerGotWrongIsSentAgainByCrc64Nvme) {
  s3::Settings settings = test_settings({server.url()});
  settings.checksum = s3::Checksum::kCrc64nvme;
  open(settings);
  server.keep_checksums(true);
  server.alter(
      "PUT", "", [](Reply& reply) { reply.headers.back().second = "AAAAAAAAAAA="; }, 1);
  std::string bytes = pattern(5000);
  auto target = object("k", bytes.size());
  run(OpKind::kBeginWrite, *target);
  const Operation part = write_part(*target, bytes, 0);
  EXPECT_EQ(outcome(part), "ok");
  EXPECT_EQ(part.attempts, 2U);
}

TEST_F(WriteTest, UnconfirmedChecksumsAreNotListed) {
  std::string bytes = pattern(kPart + 1);
  auto target = object("big", bytes.size());
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  for (const Request& request : server.requests()) EXPECT_THAT(request.body, Not(HasSubstr("ChecksumCRC32C")));
}

TEST_F(WriteTest, SignedPayloadAndNoChecksumOnRequest) {
  s3::Settings settings = test_settings({server.url()});
  settings.sign_payload = true;
  settings.checksum = s3::Checksum::kNone;
  open(settings);
  std::string bytes = pattern(5000);
  auto target = object("k", bytes.size());
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  const Request request = server.requests().front();
  EXPECT_EQ(request.headers.at("x-amz-content-sha256"), s3::sha256_hex(bytes));
  EXPECT_EQ(request.headers.count("x-amz-checksum-crc32c"), 0U);
}

TEST_F(WriteTest, WrongStoredSizeNamesBoth) {
  server.alter("HEAD", "", [](Reply& reply) { reply.announced_length = 99'999; });
  std::string bytes = pattern(100'000);
  auto target = object("k", bytes.size());
  const Operation commit = write(*target, bytes);
  EXPECT_EQ(outcome(commit), "E606: s3://bkt/run 1/k was stored with 99,999 bytes, but 100,000 were sent");
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_TRUE(server.objects().empty());
}

TEST_F(WriteTest, AcknowledgedButAbsent) {
  server.inject("HEAD", "", {.status = 404, .announced_length = 232});
  std::string bytes = pattern(10);
  auto target = object("k", bytes.size());
  EXPECT_THAT(outcome(write(*target, bytes)), StartsWith("E606: s3://bkt/run 1/k was acknowledged but is not there"));
}

TEST_F(WriteTest, MissingEtagOfAPartIsAnError) {
  server.alter("PUT", "partNumber=2", [](Reply& reply) { reply.headers.clear(); });
  std::string bytes = pattern(2 * kPart);
  auto target = object("big", bytes.size());
  const Operation part = write(*target, bytes);
  EXPECT_THAT(outcome(part), StartsWith("E605: UploadPart s3://bkt/run 1/big part 2 failed: HTTP 200 without an ETag"));
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  EXPECT_EQ(server.open_uploads(), 0U);
}

TEST_F(WriteTest, CompleteWithErrorBodyIsAnError) {
  Reply reply = error_reply(200, "InvalidPart", "one part is\r\nmissing");
  reply.body = "    \n" + reply.body;
  server.inject("POST", "uploadId=", reply);
  std::string bytes = pattern(kPart + 1);
  auto target = object("big", bytes.size());
  const Operation commit = write(*target, bytes);
  EXPECT_THAT(outcome(commit),
              StartsWith("E605: CompleteMultipartUpload s3://bkt/run 1/big failed: HTTP 200 InvalidPart"));
  EXPECT_EQ(commit.error->message.find('\n'), std::string::npos);
  EXPECT_THAT(commit.error->details, HasSubstr("req-1"));
  EXPECT_EQ(server.count("HEAD"), 0);
}

TEST_F(WriteTest, CompleteWithTransientErrorBodyIsRepeated) {
  server.inject("POST", "uploadId=", error_reply(200, "SlowDown"), 2);
  std::string bytes = pattern(kPart + 1);
  auto target = object("big", bytes.size());
  const Operation commit = write(*target, bytes);
  EXPECT_EQ(outcome(commit), "ok");
  EXPECT_EQ(commit.attempts, 3U);
}

TEST_F(WriteTest, EmptyEtagOfCompleteIsFine) {
  server.alter("POST", "uploadId=", [](Reply& reply) {
    reply.body = "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>";
  });
  std::string bytes = pattern(kPart + 1);
  auto target = object("big", bytes.size());
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
}

TEST_F(WriteTest, LostAnswerToCompleteIsSettledByHead) {
  server.alter(
      "POST", "uploadId=", [](Reply& reply) { reply.fault = Reply::Fault::kResetInHeaders; }, 1);
  std::string bytes = pattern(kPart + 1);
  auto target = object("big", bytes.size());
  const Operation commit = write(*target, bytes);
  EXPECT_EQ(outcome(commit), "ok");
  EXPECT_EQ(server.count("POST", "uploadId="), 2);  // the second one found NoSuchUpload
  EXPECT_EQ(server.count("HEAD"), 1);
}

TEST_F(WriteTest, LostAnswerIsNotSettledByAnOlderObject) {
  std::string bytes = pattern(kPart + 1);
  server.put_object("/bkt/run%201/big", std::string(bytes.size(), 'x'));
  server.inject("POST", "uploadId=", {.fault = Reply::Fault::kResetAtOnce});
  server.inject("POST", "uploadId=", error_reply(404, "NoSuchUpload"));
  auto target = object("big", bytes.size());
  EXPECT_THAT(outcome(write(*target, bytes)), HasSubstr("NoSuchUpload"));
}

// A server that was restarted may have lost the upload, or completed it.
TEST_F(WriteTest, NoSuchUploadWithoutALostAnswerIsSettledByHead) {
  server.inject("POST", "uploadId=", error_reply(404, "NoSuchUpload"));
  std::string bytes = pattern(kPart + 1);
  auto target = object("big", bytes.size());
  const Operation commit = write(*target, bytes);
  EXPECT_THAT(outcome(commit), StartsWith("E603: CompleteMultipartUpload"));
  EXPECT_THAT(commit.error->suggestion, HasSubstr("written again"));
  EXPECT_EQ(server.count("HEAD"), 1);
}

TEST_F(WriteTest, ChecksumsOfEitherFormAreAccepted) {
  server.keep_checksums(true);
  std::string bytes = pattern(2 * kPart);
  const std::string whole = object::crc32c_text(crc32c(std::as_bytes(std::span(bytes))));
  std::string composite;
  const auto answer = [&](std::string value, const char* type) {
    server.alter(
        "HEAD", "big",
        [=, &composite](Reply& reply) {
          for (auto& [name, sent] : reply.headers) {
            if (name != "x-amz-checksum-crc32c") continue;
            composite = sent;
            if (!value.empty()) sent = value;
          }
          if (type != nullptr) reply.headers.emplace_back("x-amz-checksum-type", type);
        },
        1);
    return outcome(write(*object("big", bytes.size()), bytes)).substr(0, 5);
  };
  EXPECT_EQ(answer("", "COMPOSITE"), "ok");
  ASSERT_THAT(composite, HasSubstr("-2"));
  const std::string bare = composite.substr(0, composite.size() - 2);
  for (const std::string& value : {composite, bare, whole, whole + "-2"})
    EXPECT_EQ(answer(value, nullptr), "ok") << value;
  EXPECT_EQ(answer(whole, "FULL_OBJECT"), "ok");
  EXPECT_EQ(answer(whole + "-2", "FULL_OBJECT"), "ok");
  EXPECT_EQ(answer(bare, "COMPOSITE"), "ok");
  EXPECT_EQ(answer(whole, "COMPOSITE"), "E606:");
  EXPECT_EQ(answer(bare, "FULL_OBJECT"), "E606:");
  EXPECT_EQ(answer("AAAAAA==", nullptr), "E606:");
}

TEST_F(WriteTest, MisuseIsNamed) {
  std::string bytes = pattern(kPart + 1);
  auto target = object("big", bytes.size());
  EXPECT_THAT(outcome(run(OpKind::kWritePart, *target, 0, bytes_of(bytes).first(kPart))), StartsWith("E901"));
  EXPECT_EQ(outcome(run(OpKind::kBeginWrite, *target)), "ok");
  EXPECT_THAT(outcome(run(OpKind::kWritePart, *target, 0, bytes_of(bytes).first(7))), HasSubstr("7 bytes instead of"));
  EXPECT_THAT(outcome(run(OpKind::kCommitWrite, *target)), HasSubstr("part 1 was not written"));
  EXPECT_EQ(outcome(run(OpKind::kAbortWrite, *target)), "ok");
  auto small = object("k", 10);
  EXPECT_THAT(outcome(run(OpKind::kCommitWrite, *small)), HasSubstr("part 1 was not written"));
}

}  // namespace
}  // namespace mlps::test
