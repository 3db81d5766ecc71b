#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/environment.hpp"
#include "base/error.hpp"

namespace mlps::s3 {

/// Names in lower case with their values; the lines that are indented below "s3 =" are "s3.name".
using Section = std::map<std::string, std::string>;
/// Names of sections, as they stand in brackets with single blanks, with their content. Of equal names the last counts.
using Sections = std::map<std::string, Section>;

/// Parses a file of AWS profiles. Lines that begin with '#' or ';', and what follows " #" or " ;" in a value, are
/// comments. E104 names `path` and line, and never repeats the line, which may hold a secret.
Result<Sections> parse_sections(std::string_view text, const std::string& path);

/// A value out of a file, and the file it came from, for people: "profile lab of /home/me/.aws/config".
struct ProfileValue {
  std::string value;
  std::string source;
};

/// The files of AWS profiles: AWS_CONFIG_FILE (~/.aws/config) and AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials).
/// Immutable.
class Profiles {
 public:
  /// Reads the files that are there. E103 for one that a variable names and that isn't there; E104 for a broken one;
  /// E101 if AWS_PROFILE names a profile that is in neither.
  static Result<Profiles> read(const Environment& environment);

  const std::string& name() const { return name_; }  ///< of the profile that counts: AWS_PROFILE, else "default"
  bool is_chosen() const { return chosen_; }         ///< AWS_PROFILE names it
  bool has(const std::string& profile) const;        ///< in one of the files

  /// Returns what a profile says about `key`, in the file of credentials, else in the other one.
  std::optional<ProfileValue> find(const std::string& profile, const std::string& key) const;
  /// The same of the profile that counts.
  std::optional<ProfileValue> find(const std::string& key) const { return find(name_, key); }
  /// Returns what the profile says about a service ("s3", "sts"): its section "services" has "endpoint_url" and the
  /// like.
  std::optional<ProfileValue> find_service(const std::string& service, const std::string& key) const;

  /// Returns what a section "sso-session" of the file of settings says about `key`.
  std::optional<ProfileValue> find_session(const std::string& session, const std::string& key) const {
    return value_of("sso-session " + session, key);
  }

  /// Keys that stand together in one file, so that none is mixed with those of the other; empty if neither has any. The
  /// third, a session token, may be empty.
  struct Keys {
    std::string access_key, secret_key, session_token;
    std::string source;
  };
  std::optional<Keys> find_keys(const std::string& profile) const;

  /// Returns the paths, for messages: "/home/me/.aws/credentials and /home/me/.aws/config".
  std::string paths() const { return credentials_.path + " and " + config_.path; }

 private:
  struct File {
    std::string path;
    Sections sections;
  };
  static Result<File> read_one(const Environment& environment, const char* variable, const char* standard);
  const Section* section(const File& file, const std::string& profile) const;
  std::optional<ProfileValue> value_in(const File& file, const std::string& profile, const std::string& key) const;
  /// Returns a value of a section of the file of settings that is no profile.
  std::optional<ProfileValue> value_of(const std::string& section, const std::string& key) const;

  File credentials_;
  File config_;
  std::string name_ = "default";
  bool chosen_ = false;
};

}  // namespace mlps::s3
