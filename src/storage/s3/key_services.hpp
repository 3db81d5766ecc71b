#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "storage/http/way.hpp"
#include "storage/object/credentials.hpp"
#include "storage/s3/sigv4.hpp"

/// The services that hand out keys for a while. Each function asks once (with a few attempts, within seconds), until
/// `stop` is true. Errors name the service and what it said; no error holds a secret. E602 for a refusal, E601 when the
/// service can't be reached, E605 for an answer that can't be used.
namespace mlps::s3 {

using KeyLease = object::Lease<Credentials>;

/// The metadata service of an instance (version 2, with a session token): the keys of the instance's role.
struct InstanceMetadata {
  std::string url = "http://169.254.169.254";  ///< without '/' at its end
};
Result<KeyLease> ask_instance(const InstanceMetadata& service, const std::atomic<bool>& stop);

/// The service beside a container (ECS task roles, EKS Pod Identity).
struct ContainerService {
  std::string url;
  std::string token;       ///< of the Authorization header; empty: none
  std::string token_file;  ///< read at every asking; wins over `token`
  http::Way way = {};
};
Result<KeyLease> ask_container(const ContainerService& service, const std::atomic<bool>& stop);

/// A program that prints keys as JSON (credential_process).
Result<KeyLease> ask_program(const std::vector<std::string>& command, const std::atomic<bool>& stop);

/// The token service (STS) of AWS or of another server, and the role that is asked for.
struct Role {
  std::string url;     ///< of the token service
  std::string region;  ///< of the signature
  http::Way way = {};
  std::string arn;
  std::string session_name;
  std::string external_id = {};          ///< or empty
  std::optional<uint64_t> seconds = {};  ///< how long the keys are to count; nothing: as the service likes
  std::string token_file = {};           ///< of the web identity, read at every asking
};
/// Signs with `own` keys (AssumeRole).
Result<KeyLease> assume_role(const Role& role, const Credentials& own, const std::atomic<bool>& stop);
/// Shows the token of a file instead of signing (AssumeRoleWithWebIdentity).
Result<KeyLease> assume_role_with_web_identity(const Role& role, const std::atomic<bool>& stop);

/// Reads keys out of JSON as programs, containers and instances have it: AccessKeyId, SecretAccessKey, Expiration, and
/// the token under `token_name`. `service` names the source in errors.
Result<KeyLease> parse_json_keys(std::string_view text, const char* token_name, const std::string& service);

/// Reads keys, or the service's error, out of the answer of a token service.
Result<KeyLease> parse_role_answer(int status, std::string_view body, const std::string& service);

}  // namespace mlps::s3
