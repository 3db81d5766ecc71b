#include "storage/s3/express.hpp"

#include <fmt/format.h>
#include <time.h>

#include "storage/http/service_call.hpp"
#include "storage/s3/key_services.hpp"

namespace mlps::s3 {
namespace {

constexpr std::string_view kSuffix = "--x-s3";

struct Session {
  std::string url;   ///< of the bucket's server
  std::string path;  ///< of the bucket there
  std::string region;
  http::Way way;
};

Result<KeyLease> create_session(const Session& session, const Credentials& own, const std::atomic<bool>& stop) {
  http::ServiceRequest request{.url = session.url + session.path + "?session", .way = session.way};
  const std::string host = session.url.substr(session.url.find("://") + 3), when = amz_time(time(nullptr));
  std::vector<SignedHeader> headers = {{"host", host},
                                       {"x-amz-content-sha256", kEmptyPayloadHash},
                                       {"x-amz-create-session-mode", "ReadWrite"},
                                       {"x-amz-date", when}};
  if (!own.session_token.empty()) headers.push_back({"x-amz-security-token", own.session_token});
  Signer signer(own, session.region, std::string(kExpressService));
  const std::string signature =
      signer.authorization({"GET", session.path, "session=", headers, kEmptyPayloadHash, when});
  for (const SignedHeader& header : headers) request.headers.emplace_back(header.name, header.value);
  request.headers.emplace_back("Authorization", signature);
  const auto answer = call_service(request, stop);
  if (!answer) return fail(answer.error());
  auto keys = parse_role_answer(answer->status, answer->body, "CreateSession at " + session.url + session.path);
  if (!keys && keys.error().code == ErrorCode::kStorageDenied) {
    keys.error().suggestion =
        "A directory bucket wants the right s3express:CreateSession (ReadWrite); servers without sessions: "
        "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH=true.";
  }
  return keys;
}

}  // namespace

bool is_directory_bucket(std::string_view bucket) {
  return bucket.ends_with(kSuffix);
}

Result<std::string> express_endpoint(std::string_view bucket, std::string_view region) {
  const std::string_view name = bucket.substr(0, bucket.size() - kSuffix.size());
  const auto dashes = name.rfind("--");
  if (dashes == std::string_view::npos || dashes == 0 || dashes + 2 == name.size()) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("bucket {} names no zone", bucket), {},
                "The name of a directory bucket is base--zone--x-s3.");
  }
  return fmt::format("https://s3express-{}.{}.{}", name.substr(dashes + 2), region, aws_domain(region));
}

std::shared_ptr<KeySource> session_keys(std::shared_ptr<KeySource> own, std::string url, std::string path,
                                        std::string region, http::Way way) {
  const std::string source = own->source() + ", by sessions with the bucket";
  const Session session{std::move(url), std::move(path), std::move(region), std::move(way)};
  return std::make_shared<KeySource>(
      source, [own = std::move(own), session](const std::atomic<bool>& stop) -> Result<KeyLease> {
        for (bool renewed = false;; renewed = true) {
          const uint64_t version = own->version();
          const auto keys = own->get();
          if (!keys) return fail(keys.error());
          auto lease = create_session(session, **keys, stop);
          const bool refused = !lease && lease.error().code == ErrorCode::kStorageDenied;
          if (!refused || renewed || !own->renew(version)) return lease;
        }
      });
}

}  // namespace mlps::s3
