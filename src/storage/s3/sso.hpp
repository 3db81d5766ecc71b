#pragma once

#include <atomic>
#include <string>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "storage/http/way.hpp"
#include "storage/s3/key_services.hpp"
#include "storage/s3/profiles.hpp"

/// Keys of the AWS access portal (IAM Identity Center, "SSO"). `aws sso login` leaves a token in a file; against it the
/// portal hands out the keys of a role. This program reads that file, and never changes it.
namespace mlps::s3 {

/// A role of an account, and the login that it takes.
struct PortalRole {
  std::string url;  ///< of the portal's service, without '/' at its end
  http::Way way = {};
  std::string account;
  std::string role;
  std::string token_file;  ///< read at every asking
  std::string login;       ///< the command that renews it, for people
};

/// Returns what a profile with sso_session or sso_start_url says. E101 names what is missing.
Result<PortalRole> portal_role(const Environment& environment, const Profiles& profiles, const std::string& profile,
                               const http::Way& way);

/// Asks for keys once (GetRoleCredentials). E101 if nobody has logged in, E602 if the login has ended or the portal
/// refuses, E601 and E605 as other services of keys.
Result<KeyLease> ask_portal(const PortalRole& role, const std::atomic<bool>& stop);

/// Reads the token out of the file of a login at `now`. E602 for one that has ended, E605 for a file without one.
Result<std::string> parse_portal_token(std::string_view text, const std::string& path, int64_t now);

/// Reads the keys out of the portal's answer, whose time is in milliseconds.
Result<KeyLease> parse_portal_keys(std::string_view body, const std::string& service);

}  // namespace mlps::s3
