#include <fmt/format.h>

#include "storage/s3/dialect.hpp"
#include "storage/s3/sigv4.hpp"

namespace mlps::s3 {
namespace {

using object::Call;
using object::Verdict;

// Servers that refuse unsigned payload use different codes, but all name the header or the mode.
bool refuses_unsigned_payload(const Call& call, const Verdict& verdict) {
  const int status = call.exchange.status;
  if (call.payload_hash != kUnsignedPayload || (status != 400 && status != 403 && status != 501)) return false;
  return verdict.server_code == "XAmzContentSHA256Mismatch" ||
         verdict.happened.find("ontent-sha256") != std::string::npos ||
         verdict.happened.find("ontent-SHA256") != std::string::npos ||
         verdict.happened.find("UNSIGNED-PAYLOAD") != std::string::npos;
}

void erase_all(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "***");
  }
}

}  // namespace

std::string S3Dialect::advice_about_access(const Verdict& verdict) const {
  if (!verdict.region.empty() && verdict.region != settings_.region) {
    return fmt::format("Set AWS_REGION={}, as the server asks.", verdict.region);
  }
  if (verdict.server_code == "SignatureDoesNotMatch") {
    return "Check AWS_SECRET_ACCESS_KEY and this host's clock.";
  }
  if (verdict.server_code == "InvalidAccessKeyId" && settings_.endpoint_source == "default") {
    return "No endpoint is set, so AWS was asked: set AWS_ENDPOINT_URL for another server, or check AWS_ACCESS_KEY_ID.";
  }
  if (verdict.server_code == "RequestTimeTooSkewed") return "Set this host's clock.";
  if (verdict.server_code == "ExpiredToken" || verdict.server_code == "InvalidToken") {
    return "Get fresh keys and set AWS_SESSION_TOKEN with them.";
  }
  return fmt::format("Check that the keys from {} may do this on bucket {}.", settings_.credentials.source, bucket_);
}

std::string S3Dialect::advice(const Call& call, const Verdict& verdict) const {
  if (refuses_unsigned_payload(call, verdict)) {
    return "The server wants signed bodies: set MLPSTORAGE_S3_PAYLOAD_SIGNING=signed.";
  }
  const bool other_region = !verdict.region.empty() && verdict.region != settings_.region;
  switch (verdict.code) {
    case ErrorCode::kStorageDenied:
      return advice_about_access(verdict);
    case ErrorCode::kStorageNotFound:
      if (verdict.server_code == "NoSuchBucket") {
        return fmt::format("Create bucket {} first, or check the endpoint ({}).", bucket_,
                           settings_.endpoints[call.server].url());
      }
      return {};
    case ErrorCode::kStorageProtocol:
      if (other_region) return fmt::format("The bucket is in another region: set AWS_REGION={}.", verdict.region);
      return {};
    default:
      return {};
  }
}

void S3Dialect::redact(std::string& text) const {
  erase_all(text, settings_.credentials.secret_key);
  erase_all(text, settings_.credentials.session_token);
}

}  // namespace mlps::s3
