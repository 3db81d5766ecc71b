#include "storage/object/judge.hpp"

#include <fmt/format.h>

#include <array>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "storage/object/crc32c.hpp"
#include "storage/object/server_words.hpp"
#include "storage/s3/dialect.hpp"
#include "storage/s3/xml.hpp"

namespace mlps::s3 {
namespace {

using object::Action;
using object::Call;
using object::CallKind;
using object::ErrorRule;
using object::Verdict;

constexpr std::array kErrorRules = {
    ErrorRule{"SlowDown", Action::kThrottled, ErrorCode::kStorageThrottled},
    ErrorRule{"ServiceUnavailable", Action::kThrottled, ErrorCode::kStorageThrottled},
    ErrorRule{"Throttling", Action::kThrottled, ErrorCode::kStorageThrottled},
    ErrorRule{"ThrottlingException", Action::kThrottled, ErrorCode::kStorageThrottled},
    ErrorRule{"TooManyRequests", Action::kThrottled, ErrorCode::kStorageThrottled},
    ErrorRule{"RequestLimitExceeded", Action::kThrottled, ErrorCode::kStorageThrottled},
    ErrorRule{"InternalError", Action::kRetry, ErrorCode::kStorageProtocol},
    ErrorRule{"RequestTimeout", Action::kRetry, ErrorCode::kStorageUnreachable},
    ErrorRule{"OperationAborted", Action::kRetry, ErrorCode::kStorageProtocol},
    ErrorRule{"ConditionalRequestConflict", Action::kRetry, ErrorCode::kStorageProtocol},
    ErrorRule{"BadDigest", Action::kRetry, ErrorCode::kDataMismatch},
    ErrorRule{"XAmzContentChecksumMismatch", Action::kRetry, ErrorCode::kDataMismatch},
    ErrorRule{"RequestTimeTooSkewed", Action::kSkewed, ErrorCode::kStorageDenied},
    ErrorRule{"AccessDenied", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"InvalidAccessKeyId", Action::kAdapt, ErrorCode::kStorageDenied},
    ErrorRule{"SignatureDoesNotMatch", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"AuthorizationHeaderMalformed", Action::kAdapt, ErrorCode::kStorageDenied},
    ErrorRule{"ExpiredToken", Action::kAdapt, ErrorCode::kStorageDenied},
    ErrorRule{"InvalidToken", Action::kAdapt, ErrorCode::kStorageDenied},
    ErrorRule{"TokenRefreshRequired", Action::kAdapt, ErrorCode::kStorageDenied},
    ErrorRule{"NoSuchBucket", Action::kFail, ErrorCode::kStorageNotFound},
    ErrorRule{"NoSuchKey", Action::kFail, ErrorCode::kStorageNotFound},
    ErrorRule{"NoSuchUpload", Action::kFail, ErrorCode::kStorageNotFound},
    ErrorRule{"PreconditionFailed", Action::kFail, ErrorCode::kDataMismatch},
    ErrorRule{"InvalidRange", Action::kFail, ErrorCode::kDataMismatch},
    ErrorRule{"QuotaExceeded", Action::kFail, ErrorCode::kStorageFull},
    ErrorRule{"XMinioStorageFull", Action::kFail, ErrorCode::kStorageFull},
    ErrorRule{"EntityTooLarge", Action::kFail, ErrorCode::kStorageFull},
};

Verdict refused(Action action, ErrorCode code, std::string happened) {
  return {.action = action, .code = code, .happened = std::move(happened)};
}

}  // namespace

std::span<const ErrorRule> S3Dialect::error_rules() const {
  return kErrorRules;
}

object::ServerError S3Dialect::read_error(const http::Exchange& answer) const {
  object::ServerError error = answer.status >= 300 ? parse_error_body(answer.text) : object::ServerError{};
  if (error.request_id.empty()) error.request_id = printable(answer.header("x-amz-request-id").value_or(""), 100);
  if (error.region.empty()) error.region = printable(answer.header("x-amz-bucket-region").value_or(""), 60);
  return error;
}

bool S3Dialect::accepts(const Call& call, std::string_view server_code) const {
  if (call.exchange.status != 404) return false;
  if (call.kind == CallKind::kAbortUpload) return server_code == "NoSuchUpload" || server_code.empty();
  return call.kind == CallKind::kDeleteObject && server_code != "NoSuchBucket";
}

std::string S3Dialect::stored_checksum(const http::Exchange& answer) const {
  if (settings_.checksum == Checksum::kNone) return {};
  if (!settings_.google) return std::string(answer.header(names_of(settings_.checksum).header).value_or(""));
  const auto announced = object::announced_crc32c(answer.answer_headers);
  return announced ? object::crc32c_text(*announced) : std::string();
}

Status S3Dialect::take_begin(const Call& call, object::RemoteObject& object) const {
  auto id = parse_upload_id(call.exchange.text);
  if (!id) return fail(std::move(id.error()));
  object.upload_id = std::move(*id);
  object.upload_created = parse_http_date(call.exchange.header("date").value_or(""));
  return {};
}

Status S3Dialect::take_part(const Call& call, object::RemoteObject& object, uint32_t part) const {
  object::StoredPart& stored = object.parts[part];
  stored.tag = call.exchange.header("etag").value_or("");
  const std::string kept = settings_.google ? std::string() : stored_checksum(call.exchange);
  stored.checksum_kept = !kept.empty() && kept == call.checksum;
  return {};
}

Result<object::ObjectFacts> S3Dialect::read_head(const http::Exchange& answer) const {
  const auto text = answer.header("content-length");
  const auto size = text ? parse_number<uint64_t>(*text) : std::nullopt;
  if (!size) return fail(ErrorCode::kStorageProtocol, "the answer has no size");
  return object::ObjectFacts{*size, std::string(answer.header("etag").value_or(""))};
}

Result<object::ObjectsPage> S3Dialect::read_list(const Call& call) const {
  auto page = parse_list_answer(call.exchange.text);
  if (page && !call.memo.empty()) {
    std::erase_if(page->objects, [&](const object::ListedObject& one) { return !one.key.starts_with(call.memo); });
  }
  return page;
}

Result<object::UploadsPage> S3Dialect::read_list_uploads(const Call& call) const {
  auto page = parse_uploads_answer(call.exchange.text);
  if (page && !call.memo.empty()) {
    std::erase_if(page->uploads, [&](const object::ListedUpload& one) { return !one.key.starts_with(call.memo); });
  }
  return page;
}

// A repeated Complete finds no upload any more (or, at Ceph RGW, an internal error) when the first one had worked. So
// it is with a server that was restarted in between.
bool S3Dialect::commit_undecided(const Call& call) const {
  return call.answer_lost || call.server_code == "InternalError" || call.server_code == "NoSuchUpload";
}

namespace {

Verdict check_written(const S3Dialect& dialect, const Call& call) {
  const http::Exchange& exchange = call.exchange;
  if (!exchange.text.empty()) {
    const object::ServerError error = parse_error_body(exchange.text);
    if (!error.code.empty()) return object::judge_error(dialect, exchange.status, error);
  }
  if (call.kind == CallKind::kPutPart && exchange.header("etag").value_or("").empty()) {
    return refused(Action::kFail, ErrorCode::kStorageProtocol,
                   fmt::format("HTTP {} without an ETag, so the part can't be listed", exchange.status));
  }
  const std::string kept = dialect.stored_checksum(exchange);
  if (!kept.empty() && !call.checksum.empty() && kept != call.checksum) {
    return refused(Action::kRetry, ErrorCode::kDataMismatch,
                   fmt::format("the server received {} {} instead of {}",
                               names_of(dialect.settings().checksum).algorithm, printable(kept, 40), call.checksum));
  }
  return {};
}

Verdict check_completed(const S3Dialect& dialect, const Call& call) {
  const auto answer = parse_complete_answer(call.exchange.text);
  if (!answer) {  // cut off on its way, most likely; the upload may be complete
    Verdict verdict = refused(Action::kRetry, ErrorCode::kStorageProtocol,
                              fmt::format("HTTP {}, but {}", call.exchange.status, answer.error().message));
    verdict.answer_lost = true;
    return verdict;
  }
  if (answer->is_error) return object::judge_error(dialect, call.exchange.status, answer->error);
  return {};
}

}  // namespace

Verdict S3Dialect::judge_success(const Call& call) const {
  const http::Exchange& exchange = call.exchange;
  const bool reads = call.kind == CallKind::kGetObject || call.kind == CallKind::kHeadObject;
  if (!reads && !exchange.header("x-amz-request-id") &&
      object::is_web_page(exchange.header("content-type").value_or(""), exchange.text)) {
    Verdict verdict =
        refused(Action::kFail, ErrorCode::kStorageProtocol,
                fmt::format("HTTP {} with a web page: {}", exchange.status, object::words_of_body(exchange.text)));
    verdict.answer_lost = true;
    return verdict;
  }
  switch (call.kind) {
    case CallKind::kPutObject:
    case CallKind::kPutPart:
      return check_written(*this, call);
    case CallKind::kCommitUpload:
      return check_completed(*this, call);
    default:
      return {};
  }
}

}  // namespace mlps::s3
