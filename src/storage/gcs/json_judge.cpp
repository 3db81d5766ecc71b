#include "storage/gcs/json_judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/crc.hpp"
#include "base/encoding.hpp"
#include "storage/gcs/answers.hpp"
#include "storage/gcs/batch.hpp"
#include "storage/object/crc32c.hpp"

namespace mlps::gcs {
namespace {

using object::Action;
using object::Call;
using object::Verdict;

constexpr std::array kRules = {
    object::ErrorRule{"rateLimitExceeded", Action::kThrottled, ErrorCode::kStorageThrottled},
    object::ErrorRule{"userRateLimitExceeded", Action::kThrottled, ErrorCode::kStorageThrottled},
    object::ErrorRule{"backendError", Action::kRetry, ErrorCode::kStorageProtocol},
    object::ErrorRule{"internalError", Action::kRetry, ErrorCode::kStorageProtocol},
    object::ErrorRule{"conflict", Action::kRetry, ErrorCode::kStorageProtocol},
    object::ErrorRule{"quotaExceeded", Action::kFail, ErrorCode::kStorageFull},
    object::ErrorRule{"conditionNotMet", Action::kFail, ErrorCode::kDataMismatch},
    object::ErrorRule{"userProjectMissing", Action::kFail, ErrorCode::kStorageDenied},
    object::ErrorRule{"userProjectInvalid", Action::kFail, ErrorCode::kStorageDenied},
};

Verdict verdict_of(Action action, ErrorCode code, std::string happened) {
  return {.action = action, .code = code, .happened = std::move(happened)};
}

/// Returns the verdict on an answer inside a batch whose status is an error.
Verdict judge_inner(const BatchAnswer& answer) {
  const object::ServerError error{parse_error_body(answer.body).reason, parse_error_body(answer.body).message, {}, {}};
  const auto rule = std::find_if(kRules.begin(), kRules.end(), [&](const object::ErrorRule& candidate) {
    return candidate.server_code == error.code;
  });
  const bool busy = answer.status == 429 || answer.status == 503;
  const bool denied = answer.status == 401 || answer.status == 403;
  Verdict verdict = verdict_of(Action::kFail, denied ? ErrorCode::kStorageDenied : ErrorCode::kStorageProtocol, "");
  if (busy) verdict = verdict_of(Action::kThrottled, ErrorCode::kStorageThrottled, "");
  if (!busy && answer.status >= 500) verdict.action = Action::kRetry;
  if (rule != kRules.end()) verdict = verdict_of(rule->action, rule->code, "");
  verdict.server_code = error.code;
  verdict.happened = fmt::format("HTTP {} {} inside a batch: {}", answer.status, error.code, error.message);
  return verdict;
}

}  // namespace

object::ServerError json_error(const http::Exchange& answer) {
  ServerError error = parse_error_body(answer.text);
  return {.code = std::move(error.reason),
          .message = std::move(error.message),
          .request_id = printable(answer.header("x-guploader-uploadid").value_or(""), 100),
          .region = {}};
}

std::span<const object::ErrorRule> json_error_rules() {
  return kRules;
}

void refine_json_verdict(const Settings& settings, const Call& call, Verdict& verdict) {
  if (call.exchange.status == 401 && settings.token) verdict.action = Action::kAdapt;
}

bool names_missing_bucket(const http::Exchange& answer) {
  return answer.status == 404 &&
         parse_error_body(answer.text).message.find("bucket does not exist") != std::string::npos;
}

Verdict judge_written(const Call& call) {
  const auto stored = parse_object(call.exchange.text);
  if (!stored) {  // cut off on its way, most likely; what was made is made again the same
    Verdict verdict = verdict_of(Action::kRetry, ErrorCode::kStorageProtocol,
                                 fmt::format("HTTP {}, but {}", call.exchange.status, stored.error().message));
    verdict.answer_lost = true;
    return verdict;
  }
  if (call.object_bytes && stored->size_bytes != *call.object_bytes) {
    return verdict_of(Action::kRetry, ErrorCode::kDataMismatch,
                      fmt::format("the server stored {} bytes instead of {}", stored->size_bytes, *call.object_bytes));
  }
  if (stored->crc32c && object::crc32c_text(*stored->crc32c) != call.checksum) {
    return verdict_of(
        Action::kRetry, ErrorCode::kDataMismatch,
        fmt::format("the server stored CRC32C {} instead of {}", object::crc32c_text(*stored->crc32c), call.checksum));
  }
  return {};
}

Verdict judge_batch(const Call& call) {
  const auto answers = parse_batch_answer(call.exchange.header("content-type").value_or(""), call.exchange.text,
                                          static_cast<size_t>(call.object_bytes.value_or(0)));
  if (!answers) return verdict_of(Action::kRetry, ErrorCode::kStorageProtocol, answers.error().message);
  std::optional<Verdict> worst;
  for (const BatchAnswer& answer : *answers) {
    if (answer.status < 300 || answer.status == 404) continue;
    Verdict verdict = judge_inner(answer);
    if (!worst || verdict.action == Action::kFail) worst = std::move(verdict);
  }
  return worst.value_or(Verdict{});
}

Verdict judge_read(const Call& call) {
  const auto generation = call.exchange.header("x-goog-generation");
  if (!call.if_match.empty() && generation && *generation != call.if_match) {
    return verdict_of(Action::kFail, ErrorCode::kDataMismatch,
                      fmt::format("the object changed while it was being read: generation {} instead of {}",
                                  printable(*generation, 40), call.if_match));
  }
  const bool whole = call.first_byte == 0 && call.object_bytes == call.sink.size() && !call.sink.empty();
  const auto announced = whole ? object::announced_crc32c(call.exchange.answer_headers) : std::nullopt;
  if (!announced) return {};
  const uint32_t received = crc32c(call.sink);
  if (received == *announced) return {};
  return verdict_of(Action::kRetry, ErrorCode::kDataMismatch,
                    fmt::format("bytes with CRC32C {} arrived, but the server announced {}",
                                object::crc32c_text(received), object::crc32c_text(*announced)));
}

std::string json_advice(const Settings& settings, const std::string& bucket, const Call& call, const Verdict& verdict) {
  const std::string_view reason = verdict.server_code;
  if (reason == "userProjectMissing" || reason == "userProjectInvalid") {
    return "The bucket's requester pays: set GOOGLE_CLOUD_QUOTA_PROJECT to a project that does.";
  }
  if (verdict.code == ErrorCode::kStorageNotFound && names_missing_bucket(call.exchange)) {
    return fmt::format("Create bucket {} first, or check the endpoint ({}).", bucket, settings.endpoint_source);
  }
  if (verdict.code == ErrorCode::kStorageDenied && !settings.token) {
    return "No credentials are used: set GOOGLE_APPLICATION_CREDENTIALS, or HMAC keys in AWS_ACCESS_KEY_ID and "
           "AWS_SECRET_ACCESS_KEY.";
  }
  if (verdict.code == ErrorCode::kStorageDenied && call.exchange.status == 401) {
    return fmt::format("The token from {} is not accepted: check that it is meant for this server.",
                       settings.identity.source);
  }
  if (verdict.code == ErrorCode::kStorageDenied) {
    return fmt::format("Check that {} may do this on bucket {} (role Storage Object User).", settings.identity.source,
                       bucket);
  }
  if (verdict.code == ErrorCode::kStorageProtocol && call.exchange.status == 400 &&
      verdict.happened.find("uploadType") != std::string::npos) {
    return "The server doesn't speak the JSON API: set MLPSTORAGE_GCS_API=xml and give HMAC keys.";
  }
  return {};
}

}  // namespace mlps::gcs
