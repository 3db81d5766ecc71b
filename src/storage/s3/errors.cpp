#include "storage/s3/errors.hpp"

#include <fmt/format.h>

namespace mlps::s3 {
namespace {

std::string denied_advice(const Context& context, const Verdict& verdict) {
  if (!verdict.region.empty() && verdict.region != context.settings.region) {
    return fmt::format("Set AWS_REGION={}, as the server asks.", verdict.region);
  }
  if (verdict.server_code == "SignatureDoesNotMatch") {
    return "Check AWS_SECRET_ACCESS_KEY and this host's clock.";
  }
  if (verdict.server_code == "InvalidAccessKeyId" && context.settings.endpoint_source == "default") {
    return "No endpoint is set, so AWS was asked: set AWS_ENDPOINT_URL for another server, or check AWS_ACCESS_KEY_ID.";
  }
  if (verdict.server_code == "RequestTimeTooSkewed") return "Set this host's clock.";
  if (verdict.server_code == "ExpiredToken" || verdict.server_code == "InvalidToken") {
    return "Get fresh keys and set AWS_SESSION_TOKEN with them.";
  }
  return fmt::format("Check that the keys from {} may do this on bucket {}.", context.settings.credentials.source,
                     context.root.bucket());
}

// Servers that refuse unsigned payload use different codes, but all name the header or the mode.
bool refuses_unsigned_payload(const Call& call, const Verdict& verdict) {
  const int status = call.exchange.status;
  if (call.payload_hash != kUnsignedPayload || (status != 400 && status != 403 && status != 501)) return false;
  return verdict.server_code == "XAmzContentSHA256Mismatch" ||
         verdict.happened.find("ontent-sha256") != std::string::npos ||
         verdict.happened.find("ontent-SHA256") != std::string::npos ||
         verdict.happened.find("UNSIGNED-PAYLOAD") != std::string::npos;
}

std::string advice(const Context& context, const Call& call, const Verdict& verdict) {
  if (refuses_unsigned_payload(call, verdict)) {
    return "The server wants signed bodies: set MLPSTORAGE_S3_PAYLOAD_SIGNING=signed.";
  }
  const std::string& endpoint = context.bases[call.endpoint];
  switch (verdict.code) {
    case ErrorCode::kStorageDenied:
      return denied_advice(context, verdict);
    case ErrorCode::kStorageNotFound:
      if (verdict.server_code == "NoSuchBucket") {
        return fmt::format("Create bucket {} first, or check the endpoint ({}).", context.root.bucket(), endpoint);
      }
      return {};
    case ErrorCode::kStorageThrottled:
      return "Use fewer requests at a time, or raise AWS_MAX_ATTEMPTS.";
    case ErrorCode::kStorageUnreachable:
      if (call.exchange.failure == http::Failure::kTls) {
        return fmt::format(
            "Set AWS_CA_BUNDLE to the certificate authority of {} ({} was used).", endpoint,
            context.settings.engine.ca_file.empty() ? "the system's store" : context.settings.engine.ca_file);
      }
      return fmt::format("Check that the server at {} is up and speaks {}.", endpoint,
                         context.settings.endpoints[call.endpoint].tls ? "TLS" : "plain HTTP");
    case ErrorCode::kStorageProtocol:
      if (!verdict.region.empty() && verdict.region != context.settings.region) {
        return fmt::format("The bucket is in another region: set AWS_REGION={}.", verdict.region);
      }
      return {};
    default:
      return {};
  }
}

void erase_all(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "***");
  }
}

}  // namespace

Error call_error(const Context& context, const Call& call, const Verdict& verdict) {
  const unsigned attempts = call.retries + 1;
  Error error;
  error.code = verdict.code;
  error.message =
      fmt::format("{} {}{}{} failed{}: {}", call_name(call.kind), call.subject, call.scope.empty() ? "" : " ",
                  call.scope, attempts > 1 ? fmt::format(" after {} attempts", attempts) : "", verdict.happened);
  error.details = fmt::format("endpoint {}, attempts {}", context.settings.endpoints[call.endpoint].url(), attempts);
  if (!verdict.request_id.empty()) error.details += ", request id " + verdict.request_id;
  error.suggestion = advice(context, call, verdict);
  const Credentials& credentials = context.settings.credentials;
  for (std::string* text : {&error.message, &error.details, &error.suggestion}) {
    erase_all(*text, credentials.secret_key);
    erase_all(*text, credentials.session_token);
  }
  return error;
}

}  // namespace mlps::s3
