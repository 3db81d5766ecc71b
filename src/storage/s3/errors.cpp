#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "storage/object/server_words.hpp"
#include "storage/s3/dialect.hpp"
#include "storage/s3/sigv4.hpp"

namespace mlps::s3 {
namespace {

using object::Action;
using object::Call;
using object::CallKind;
using object::Verdict;

// Shorter secrets stand in ordinary words, and blanking those out would hide what a message says.
constexpr size_t kShortestSecret = 12;

void replace_all(std::string& text, const std::string& secret, const std::string& mask) {
  if (secret.size() < kShortestSecret) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + mask.size())) {
    text.replace(at, secret.size(), mask);
  }
}

bool has_word(std::string_view text, std::string_view word) {
  return lower(text).find(word) != std::string::npos;
}

/// Returns whether an answer bears no sign of an S3 server: neither an error code nor a request id.
bool looks_foreign(const Call& call, const Verdict& verdict) {
  const http::Exchange& exchange = call.exchange;
  if (exchange.status == 0 || !verdict.server_code.empty() || exchange.header("x-amz-request-id")) return false;
  return object::is_web_page(exchange.header("content-type").value_or(""), exchange.text) || !exchange.text.empty();
}

// Servers that refuse unsigned payload use different codes, but all name the header or the mode.
bool refuses_unsigned_payload(const Call& call, const Verdict& verdict) {
  const int status = call.exchange.status;
  if (call.payload_hash != kUnsignedPayload || (status != 400 && status != 403 && status != 501)) return false;
  if (verdict.server_code == "SignatureDoesNotMatch" || verdict.server_code == "AccessDenied") return false;
  return verdict.server_code == "XAmzContentSHA256Mismatch" || has_word(verdict.happened, "content-sha256") ||
         has_word(verdict.happened, "unsigned-payload");
}

/// Returns whether an answer may be a refusal of checksums, which some servers don't know.
bool may_refuse_checksum(const Call& call, const Verdict& verdict) {
  if (call.checksum.empty() && call.kind != CallKind::kBeginUpload) return false;
  if (has_word(verdict.happened, "x-amz-checksum") || has_word(verdict.happened, "checksum algorithm")) return true;
  const int status = call.exchange.status;
  return verdict.server_code == "NotImplemented" || verdict.server_code == "InvalidArgument" || status == 501 ||
         (status == 500 && verdict.code == ErrorCode::kStorageProtocol);
}

// Codes about who asks, whatever the status: gateways have their own, some with 404.
bool is_about_access(std::string_view code) {
  constexpr std::array kParts = {"accesskey", "user", "account", "signature", "credential"};
  const std::string word = lower(code);
  return std::any_of(kParts.begin(), kParts.end(),
                     [&](const char* part) { return word.find(part) != std::string::npos; });
}

}  // namespace

void S3Dialect::refine(const Call& call, Verdict& verdict) const {
  const int status = call.exchange.status;
  const bool elsewhere = !verdict.region.empty() && verdict.region != region_.name();
  if (status < 400 || (elsewhere && (status == 400 || status == 403))) {
    verdict.action = Action::kAdapt;
    return;
  }
  if (status >= 400 && status < 500 && is_about_access(verdict.server_code) && verdict.action == Action::kFail) {
    verdict.code = ErrorCode::kStorageDenied;
  }
  // An answer to HEAD has no body, so it can't say that keys have ended.
  const bool mute = call.kind == CallKind::kHeadObject || call.kind == CallKind::kHeadBucket;
  if (mute && verdict.server_code.empty() && (status == 400 || status == 403)) verdict.action = Action::kAdapt;
}

std::string S3Dialect::advice_about_access(const Verdict& verdict) const {
  const std::string& source = settings_.credentials->source();
  const std::string& code = verdict.server_code;
  if (const std::string trouble = settings_.credentials->trouble(); !trouble.empty()) {
    return fmt::format("The keys from {} could not be renewed: {}", source, trouble);
  }
  if (code == "SignatureDoesNotMatch") {
    return fmt::format("Check the secret key from {}, and this host's clock.", source);
  }
  if (code == "InvalidAccessKeyId" && settings_.is_aws_default()) {
    return fmt::format(
        "No endpoint is set, so AWS was asked: set AWS_ENDPOINT_URL for another server, or check the keys "
        "from {}.",
        source);
  }
  if (code == "RequestTimeTooSkewed") return "Set this host's clock.";
  if (code == "ExpiredToken" || code == "InvalidToken" || code == "TokenRefreshRequired") {
    return fmt::format("The keys from {} have ended, or their token isn't theirs: get fresh ones, all from one place.",
                       source);
  }
  return fmt::format("Check that the keys from {} may do this on bucket {}.", source, bucket_);
}

std::string S3Dialect::advice(const Call& call, const Verdict& verdict) const {
  if (refuses_unsigned_payload(call, verdict)) {
    return "The server wants signed bodies: set MLPSTORAGE_S3_PAYLOAD_SIGNING=signed.";
  }
  if (looks_foreign(call, verdict)) {
    return fmt::format(
        "This does not look like an S3 server: check that {} is the address of its API, and no proxy, filter or web "
        "page.",
        settings_.endpoints[call.server].url());
  }
  if (may_refuse_checksum(call, verdict)) {
    return "The server may not know checksums (x-amz-checksum-...): try MLPSTORAGE_S3_CHECKSUM=none, which is the "
           "same "
           "as AWS_REQUEST_CHECKSUM_CALCULATION=when_required.";
  }
  switch (verdict.code) {
    case ErrorCode::kStorageDenied:
      return advice_about_access(verdict);
    case ErrorCode::kStorageNotFound:
      if (verdict.server_code == "NoSuchUpload") {
        return "The server has lost the upload (a restart?), or something aborted it: the object must be written "
               "again.";
      }
      if (verdict.server_code != "NoSuchBucket" && call.kind != CallKind::kHeadBucket) return {};
      if (settings_.virtual_host && !settings_.is_aws_default()) {
        return fmt::format(
            "The bucket's name was sent in front of the host: if the server at {} has no domain for that, "
            "set AWS_S3_ADDRESSING_STYLE=path. Else create bucket {} first.",
            settings_.endpoints[call.server].url(), bucket_);
      }
      return fmt::format("Create bucket {} first, or check the endpoint ({}).", bucket_,
                         settings_.endpoints[call.server].url());
    case ErrorCode::kStorageProtocol:
      if (call.exchange.status < 300 || call.exchange.status >= 400) return {};
      if (!verdict.region.empty()) return fmt::format("Set AWS_REGION={}, as the server asks.", verdict.region);
      return fmt::format("Set the endpoint to where {} points, with http:// or https:// as it says.",
                         settings_.endpoints[call.server].url());
    default:
      return {};
  }
}

void S3Dialect::redact(std::string& text) const {
  if (settings_.credentials->version() == 0) return;
  const auto keys = settings_.credentials->get();
  if (!keys) return;
  replace_all(text, (*keys)->secret_key, "***");
  replace_all(text, (*keys)->session_token, "***");
  // Servers name the key that they refuse: its beginning is enough to know it by.
  replace_all(text, (*keys)->access_key, (*keys)->access_key.substr(0, 4) + "***");
}

}  // namespace mlps::s3
