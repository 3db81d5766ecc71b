#include <fmt/format.h>
#include <time.h>

#include <array>
#include <cstdlib>

#include "base/encoding.hpp"
#include "base/units.hpp"
#include "storage/azure/azure_dialect.hpp"
#include "storage/azure/xml.hpp"

namespace mlps::azure {
namespace {

using object::Action;
using object::Call;
using object::CallKind;
using object::ErrorRule;
using object::Verdict;

// The service refuses requests whose date is further from its clock.
constexpr int64_t kMostSkew = 15 * 60;

constexpr std::array kRules = {
    ErrorRule{"ServerBusy", Action::kThrottled, ErrorCode::kStorageThrottled},
    ErrorRule{"OperationTimedOut", Action::kRetry, ErrorCode::kStorageUnreachable},
    ErrorRule{"InternalError", Action::kRetry, ErrorCode::kStorageProtocol},
    ErrorRule{"AccountBeingCreated", Action::kRetry, ErrorCode::kStorageProtocol},
    ErrorRule{"Md5Mismatch", Action::kRetry, ErrorCode::kDataMismatch},
    ErrorRule{"Crc64Mismatch", Action::kRetry, ErrorCode::kDataMismatch},
    ErrorRule{"AuthenticationFailed", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"InvalidAuthenticationInfo", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"NoAuthenticationInformation", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"AccountIsDisabled", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"PublicAccessNotPermitted", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"KeyBasedAuthenticationNotPermitted", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"BlobImmutableDueToPolicy", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"BlobImmutableDueToLegalHold", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"LeaseIdMissing", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"SnapshotsPresent", Action::kFail, ErrorCode::kStorageDenied},
    ErrorRule{"ContainerNotFound", Action::kFail, ErrorCode::kStorageNotFound},
    ErrorRule{"ContainerBeingDeleted", Action::kFail, ErrorCode::kStorageNotFound},
    ErrorRule{"BlobNotFound", Action::kFail, ErrorCode::kStorageNotFound},
    ErrorRule{"ResourceNotFound", Action::kFail, ErrorCode::kStorageNotFound},
    ErrorRule{"ConditionNotMet", Action::kFail, ErrorCode::kDataMismatch},
    ErrorRule{"InvalidRange", Action::kFail, ErrorCode::kDataMismatch},
    ErrorRule{"InvalidBlockList", Action::kFail, ErrorCode::kDataMismatch},
    ErrorRule{"FeatureNotSupported", Action::kFail, ErrorCode::kStorageProtocol},  // Azurite, with status 500
    ErrorRule{"RequestBodyTooLarge", Action::kFail, ErrorCode::kStorageFull},
    ErrorRule{"BlockCountExceedsLimit", Action::kFail, ErrorCode::kStorageFull},
};

/// What to do about an error code that the general rules don't know.
struct Advice {
  std::string_view server_code;
  std::string_view text;
};

constexpr std::array kAdvice = {
    Advice{"AuthorizationSourceIPMismatch", "The token is for other addresses (sip=): make one for this host's."},
    Advice{"AuthorizationProtocolMismatch", "The token is for https alone (spr=): use an https endpoint."},
    Advice{"AuthorizationServiceMismatch", "The token is not for the Blob service (ss=b): make one that is."},
    Advice{"AuthorizationResourceTypeMismatch", "The token has to be for containers and objects (srt=co)."},
    Advice{"KeyBasedAuthenticationNotPermitted",
           "The account takes no keys: use an identity (MLPSTORAGE_AZURE_AUTH=managed, workload or client-secret)."},
    Advice{"PublicAccessNotPermitted",
           "The account allows no anonymous requests: set AZURE_STORAGE_KEY or a SAS token."},
    Advice{"NoAuthenticationInformation",
           "The container allows no anonymous requests: set AZURE_STORAGE_KEY or a SAS token."},
    Advice{"AccountIsDisabled", "The storage account is disabled: look at its state in the portal."},
    Advice{"BlobImmutableDueToPolicy",
           "An immutability policy protects what is there: use another prefix or container."},
    Advice{"BlobImmutableDueToLegalHold", "A legal hold protects what is there: use another prefix or container."},
    Advice{"LeaseIdMissing", "Somebody holds a lease on it: break the lease, or use another prefix."},
    Advice{"SnapshotsPresent", "The blob has snapshots: delete them first."},
    Advice{
        "InvalidBlobOrBlock",
        "Another program's unfinished blocks of this name have ids of another length: delete the blob (its uncommitted "
        "blocks go with it), or use another prefix."},
    Advice{"InvalidBlockList", "Blocks that were acknowledged are gone: does something else write this blob too?"},
    Advice{"InvalidBlobType", "A page or append blob has this name: delete it, or use another prefix."},
    Advice{"BlobArchived", "The blob lies in the archive tier: rehydrate it first."},
    Advice{"BlobBeingRehydrated", "The blob is still being fetched from the archive tier: try again later."},
    Advice{"InvalidResourceName", "Names of containers have 3 to 63 lower-case letters, digits and '-'."},
};

Verdict differing(std::string happened) {
  return {.action = Action::kRetry, .code = ErrorCode::kDataMismatch, .happened = std::move(happened)};
}

void erase_from(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "***");
  }
}

}  // namespace

std::optional<Error> AzureDialect::check_stored(const object::RemoteObject& object, const http::Exchange& head) const {
  constexpr std::string_view kFound = "found by Get Blob Properties after the write";
  const std::string_view stored = head.header("etag").value_or("");
  if (!object.pinned_etag().empty() && !stored.empty() && object.pinned_etag() != stored) {
    return Error{ErrorCode::kDataMismatch,
                 fmt::format("{} was stored as version {}, but is {} now", object.uri(),
                             printable(object.pinned_etag(), 60), printable(stored, 60)),
                 std::string(kFound), "Something else writes the same blob: use another prefix."};
  }
  const std::string_view md5 = head.header("content-md5").value_or("");
  if (settings_.checksum != Checksum::kMd5 || !object.single() || md5.empty() || object.parts.empty()) {
    return std::nullopt;
  }
  const std::string& sent = object.parts.front().tag;
  if (sent == md5) return std::nullopt;
  return Error{ErrorCode::kDataMismatch,
               fmt::format("{} was stored with MD5 {}, but {} was sent", object.uri(), printable(md5, 60), sent),
               std::string(kFound)};
}

object::ServerError AzureDialect::read_error(const http::Exchange& answer) const {
  object::ServerError error = parse_error_body(answer.text);
  // An answer to HEAD has no body.
  if (error.code.empty()) error.code = printable(answer.header("x-ms-error-code").value_or(""), 100);
  error.request_id = printable(answer.header("x-ms-request-id").value_or(""), 100);
  if (const auto ours = answer.header("x-ms-client-request-id")) {
    error.request_id += fmt::format(" (ours {})", printable(*ours, 100));
  }
  return error;
}

std::span<const ErrorRule> AzureDialect::error_rules() const {
  return kRules;
}

bool AzureDialect::accepts(const Call& call, std::string_view server_code) const {
  const int status = call.exchange.status;
  const bool gone = status == 404 && server_code != "ContainerNotFound" && server_code != "ResourceNotFound";
  if (call.kind == CallKind::kDeleteObject) return gone;
  if (call.kind != CallKind::kAbortUpload) return false;
  // A blob is there: of an earlier write, of the commit, or of somebody who was faster.
  const bool there = (status == 409 && server_code == "BlobAlreadyExists") || status == 412;
  if (call.method == http::Method::kPut) return there;
  return gone || (call.method == http::Method::kDelete && status == 412);
}

Verdict AzureDialect::judge_success(const Call& call) const {
  if (call.checksum.empty()) return {};
  const auto kept = call.exchange.header(settings_.checksum == Checksum::kMd5 ? "content-md5" : "x-ms-content-crc64");
  if (!kept || kept->empty() || *kept == call.checksum) return {};
  return differing(fmt::format("the server received {} {} instead of {}",
                               settings_.checksum == Checksum::kMd5 ? "MD5" : "CRC64", printable(*kept, 40),
                               call.checksum));
}

void AzureDialect::refine(const Call& call, Verdict& verdict) const {
  const http::Exchange& answer = call.exchange;
  if (verdict.server_code.starts_with("Authorization")) verdict.code = ErrorCode::kStorageDenied;
  const bool unknown = answer.status == 401 || verdict.server_code == "AuthenticationFailed";
  if (unknown && settings_.token) verdict.action = Action::kAdapt;
  if (verdict.server_code != "AuthenticationFailed") return;
  const auto date = parse_http_date(answer.header("date").value_or(""));
  if (date && std::abs(*date - time(nullptr)) > kMostSkew) verdict.action = Action::kSkewed;
}

std::string AzureDialect::denied_advice(const Verdict& verdict) const {
  switch (settings_.authorisation) {
    case Authorisation::kSharedKey:
      if (verdict.server_code != "AuthenticationFailed") break;
      return fmt::format("Check that the key of {} is one of the account {}, and this host's clock.",
                         settings_.authorisation_source, settings_.account);
    case Authorisation::kSas:
      return fmt::format("Check rights (racwdl are needed, to read rl) and end of the SAS token of {}.",
                         settings_.authorisation_source);
    case Authorisation::kToken:
      return fmt::format(
          "Give the identity of {} the role Storage Blob Data Contributor (to read: Reader) on the account "
          "{}; a new role takes minutes to count.",
          settings_.authorisation_source, settings_.account);
    case Authorisation::kAnonymous:
      return "Anonymous requests may only read, where the container allows it: set AZURE_STORAGE_KEY or a SAS token.";
  }
  return fmt::format("The account {} refuses this host or request: look at its network rules in the portal.",
                     settings_.account);
}

std::string AzureDialect::advice(const Call& /*call*/, const Verdict& verdict) const {
  for (const Advice& known : kAdvice) {
    if (known.server_code == verdict.server_code) return std::string(known.text);
  }
  if (verdict.server_code == "ContainerNotFound" || verdict.server_code == "ContainerBeingDeleted") {
    return fmt::format(
        "Create the container {} in the account {} first, or check the location: it is "
        "az://account/container/prefix, or az://container/prefix with AZURE_STORAGE_ACCOUNT.",
        settings_.container, settings_.account);
  }
  if (verdict.server_code == "ResourceNotFound") {
    return fmt::format(
        "Check that the account {} and the container {} are there, and may be read by these credentials.",
        settings_.account, settings_.container);
  }
  if (verdict.server_code == "InvalidHeaderValue" && verdict.happened.find("x-ms-version") != std::string::npos) {
    return fmt::format(
        "The server doesn't know version {} of the interface; Azurite: start it with "
        "--skipApiVersionCheck.",
        kServiceVersion);
  }
  if (verdict.happened.find("x-ms-content-crc64") != std::string::npos) {
    return "The server doesn't take this checksum: set MLPSTORAGE_AZURE_CHECKSUM=md5, or none.";
  }
  return verdict.code == ErrorCode::kStorageDenied ? denied_advice(verdict) : std::string();
}

void AzureDialect::redact(std::string& text) const {
  erase_from(text, settings_.key.empty() ? std::string() : base64(std::as_bytes(std::span(settings_.key))));
  erase_from(text, settings_.sas);
  const auto signature = settings_.sas.find("sig=");
  if (signature == std::string::npos) return;
  const std::string_view value = std::string_view(settings_.sas).substr(signature + 4);
  const std::string_view sent = value.substr(0, value.find('&'));
  erase_from(text, sent);
  erase_from(text, percent_decoded(sent).value_or(""));
}

}  // namespace mlps::azure
