// Thousands of failures at random: every kind, before and after the server has done what it was asked, at every kind of
// request, with one, two and four endpoints. MLPS_FAULTS says how many (`make test-long`: 10,000), MLPS_FAULT_SEED
// which.
#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "base/text.hpp"
#include "fixture.hpp"

namespace mlps::test {
namespace {

using Fault = Reply::Fault;

struct CampaignFailure {
  const char* name;
  Reply reply;
  const char* cause;           ///< as it is counted
  unsigned most = 3;           ///< times in a row
  const char* only = nullptr;  ///< the one method that it can happen to
};

const CampaignFailure kCampaignFailures[] = {
    {"reset", {.fault = Fault::kResetAtOnce}, "connection lost"},
    {"reset in the headers", {.fault = Fault::kResetInHeaders}, "connection lost"},
    {"reset in the body", {.fault = Fault::kResetInBody}, "connection lost", 3, "GET"},
    {"short body", {.fault = Fault::kShortBody}, "connection lost", 3, "GET"},
    {"reset in the upload", {.fault = Fault::kResetInUpload, .upload_bytes = 2000}, "connection lost", 3, "PUT"},
    {"hang", {.fault = Fault::kHang}, "no answer", 1},
    {"500", error_reply(500, "InternalError"), "HTTP 500 InternalError"},
    {"502", {.status = 502, .body = "<html>bad gateway</html>"}, "HTTP 502"},
    {"503", error_reply(503, "SlowDown"), "HTTP 503 SlowDown"},
    {"503 with Retry-After", {.status = 503, .headers = {{"Retry-After", "1"}}}, "HTTP 503"},
    {"504", {.status = 504, .close = true}, "HTTP 504"},
    {"408", {.status = 408, .close = true}, "HTTP 408"},
    {"429", error_reply(429, "TooManyRequests"), "HTTP 429 TooManyRequests"},
};

struct CampaignRequest {
  const char* name;
  const char* method;
  const char* part;  ///< of its target
};

const CampaignRequest kCampaignRequests[] = {
    {"PutObject", "PUT", "small"},
    {"CreateMultipartUpload", "POST", "uploads="},
    {"UploadPart", "PUT", "partNumber=1"},
    {"CompleteMultipartUpload", "POST", "uploadId="},
    {"HeadObject", "HEAD", "large"},
    {"GetObject", "GET", "read"},
    {"AbortMultipartUpload", "DELETE", "uploadId="},
    {"ListObjectsV2", "GET", "list-type=2"},
    {"ListMultipartUploads", "GET", "uploads="},
    {"DeleteObject", "DELETE", "small"},
};

/// One endpoint count's server and store, and what is done there.
class FaultTableCampaign : public S3Test {
 protected:
  static constexpr Nanos kPatience = 10'000'000'000;  // of all that one fault may cost here

  FaultTableCampaign() : large(pattern(kPart + 1000)), small(pattern(5000)) {}

  void fresh(size_t ports) {
    close_session();
    endpoints = std::make_unique<ScriptedServer>(ports);
    s3::Settings settings = test_settings(endpoints->urls());
    settings.stall_seconds = settings.commit_stall_seconds = 1;
    settings.retry.max_attempts = 6;
    open(settings);
    endpoints->put_object("/bkt/run%201/read", large);
  }

  std::string write_one(const std::string& name, std::string& content) {
    return outcome(write(*object(name, content.size()), content));
  }

  std::string read_one() {
    const auto source = object("read", large.size());
    std::string read(large.size(), '\0');
    for (uint32_t part = 0; part < source->part_count(); ++part) {
      const auto place = bytes_of(read).subspan(source->part_offset(part), source->part_length(part));
      if (auto result = outcome(run(OpKind::kReadPart, *source, part, place)); result != "ok") return result;
    }
    return read == large ? "ok" : "other bytes were read";
  }

  static std::string said(const Status& status) { return status ? "ok" : render(status.error()); }

  /// Does something that needs the request, once.
  std::string act(const std::string& request) {
    if (request == "PutObject") return write_one("small", small);
    if (request == "GetObject") return read_one();
    if (request == "DeleteObject") return said(session().remove("small"));
    if (request == "ListObjectsV2") {
      const auto page = session().list("", "");
      return page && page->objects.empty() ? "the object is missing" : said(page ? Status{} : fail(page.error()));
    }
    if (request == "AbortMultipartUpload" || request == "ListMultipartUploads") {
      const auto left = object("left", large.size());
      run(OpKind::kBeginWrite, *left);
      if (request == "AbortMultipartUpload") return outcome(run(OpKind::kAbortWrite, *left));
      const auto aborted = session().abort_uploads(
          "", [](std::string_view) { return true; }, now_ns() + kPatience);
      return said(aborted ? Status{} : fail(aborted.error()));
    }
    return write_one("large", large);
  }

  uint64_t counted(const std::string& cause) {
    uint64_t count = 0;
    for (const storage::ServerUse& use : store().server_uses()) {
      for (const auto& one : use.failures) count += one.cause == cause ? one.count : 0;
    }
    return count;
  }

  std::unique_ptr<ScriptedServer> endpoints;
  std::string large, small;
};

uint64_t campaign_number(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? parse_number<uint64_t>(text).value_or(otherwise) : otherwise;
}

TEST_F(FaultTableCampaign, NoFailureCostsAByteAnObjectOrAnUpload) {
  const uint64_t wanted = campaign_number("MLPS_FAULTS", 120);
  std::mt19937_64 random(campaign_number("MLPS_FAULT_SEED", 1));
  std::map<std::string, uint64_t> injected;
  uint64_t faults = 0;
  for (uint64_t round = 0; faults < wanted && !HasFailure(); ++round) {
    if (round % 20 == 0) fresh(size_t{1} << (round / 20 % 3));
    const CampaignFailure& failure = kCampaignFailures[random() % std::size(kCampaignFailures)];
    const CampaignRequest& request = kCampaignRequests[random() % std::size(kCampaignRequests)];
    if (failure.only != nullptr && failure.only != std::string_view(request.method)) continue;
    // A small body has come with the head, so that nothing can happen inside of it.
    if (failure.only != nullptr && failure.only == std::string_view("PUT") &&
        request.name != std::string_view("UploadPart"))
      continue;
    if (failure.only != nullptr && failure.only == std::string_view("GET") && request.part != std::string_view("read"))
      continue;
    const bool loses_answer = failure.reply.fault != Fault::kNone && failure.only == nullptr && random() % 2 == 0;
    const auto times = static_cast<int>(random() % failure.most + 1);
    SCOPED_TRACE(fmt::format("fault {}: {} at {}, {} times, {}, {} endpoints", faults, failure.name, request.name,
                             times, loses_answer ? "after it was carried out" : "before", endpoints->urls().size()));
    // An answer to HEAD has no body that could hold a code.
    const std::string whole = failure.cause;
    const bool has_code = whole.starts_with("HTTP ") && request.method == std::string_view("HEAD");
    const std::string cause = has_code ? whole.substr(0, std::string_view("HTTP 500").size()) : whole;
    const uint64_t before = counted(cause);
    if (loses_answer) {
      endpoints->alter(
          request.method, request.part, [&failure](Reply& reply) { reply.fault = failure.reply.fault; }, times);
    } else {
      endpoints->inject(request.method, request.part, failure.reply, times);
    }
    const Nanos begun = now_ns();
    for (int tries = 0; endpoints->rules_left() > 0 && tries < 20; ++tries) ASSERT_EQ(act(request.name), "ok");
    EXPECT_LT(now_ns() - begun, kPatience * 2);
    EXPECT_EQ(endpoints->rules_left(), 0U) << "the fault was not met";
    EXPECT_EQ(counted(cause) - before, static_cast<uint64_t>(times));
    EXPECT_EQ(endpoints->open_uploads(), 0U);
    for (const auto& [path, bytes] : endpoints->objects())
      EXPECT_TRUE(bytes == (path.ends_with("small") ? small : large)) << path;
    injected[fmt::format("{} at {}", failure.name, request.name)] += static_cast<uint64_t>(times);
    faults += static_cast<uint64_t>(times);
    endpoints->forget_requests();
  }
  fmt::print("{} faults of {} kinds at requests\n", faults, injected.size());
}

}  // namespace
}  // namespace mlps::test
