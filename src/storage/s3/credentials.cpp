#include "storage/s3/credentials.hpp"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>

#include "base/encoding.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"

namespace mlps::s3 {
namespace {

constexpr char kCredentialsAdvice[] =
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE and AWS_PROFILE.";

using Section = std::map<std::string, std::string>;

/// Returns the settings of one section of an ini file; nothing if the section isn't there.
Result<std::optional<Section>> read_section(const std::string& path, const std::string& wanted) {
  const Result<std::string> content = read_file(path, "credentials file");
  if (!content) {
    Error error = content.error();
    error.suggestion = kCredentialsAdvice;
    return fail(std::move(error));
  }
  std::istringstream file(*content);
  std::optional<Section> found;
  bool inside = false;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string_view text = trimmed(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') continue;
    if (text.front() == '[') {
      if (text.back() != ']') {
        return fail(ErrorCode::kConfigParse, fmt::format("{}:{}: a section needs a closing ']'", path, number));
      }
      inside = trimmed(text.substr(1, text.size() - 2)) == wanted;
      if (inside && !found) found.emplace();
      continue;
    }
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) {  // the line itself may hold a secret
      return fail(ErrorCode::kConfigParse, fmt::format("{}:{}: expected name = value", path, number));
    }
    if (inside) (*found)[lower(trimmed(text.substr(0, equals)))] = trimmed(text.substr(equals + 1));
  }
  return found;
}

Result<Credentials> from_file(const std::string& path, const std::string& profile) {
  auto section = read_section(path, profile);
  if (!section) return fail(std::move(section.error()));
  if (!section->has_value()) {
    return fail(ErrorCode::kConfigMissing, fmt::format("{} has no profile [{}]", path, profile), {},
                kCredentialsAdvice);
  }
  Section& values = **section;
  Credentials out{values["aws_access_key_id"], values["aws_secret_access_key"], values["aws_session_token"],
                  fmt::format("profile {} of {}", profile, path)};
  if (out.access_key.empty() || out.secret_key.empty()) {
    return fail(ErrorCode::kConfigMissing,
                fmt::format("profile [{}] of {} has no {}", profile, path,
                            out.access_key.empty() ? "aws_access_key_id" : "aws_secret_access_key"),
                {}, kCredentialsAdvice);
  }
  return out;
}

// Text that becomes part of a header line must not be able to end that line.
Status check_printable(const Credentials& credentials) {
  for (const std::string* value : {&credentials.access_key, &credentials.session_token}) {
    for (const char c : *value) {
      if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) {
        return fail(ErrorCode::kConfigInvalid,
                    fmt::format("the {} from {} holds blanks or control characters",
                                value == &credentials.access_key ? "access key" : "session token", credentials.source));
      }
    }
  }
  return {};
}

}  // namespace

Result<Credentials> find_credentials(const Environment& environment) {
  const auto access = environment.get("AWS_ACCESS_KEY_ID");
  const auto secret = environment.get("AWS_SECRET_ACCESS_KEY");
  if (access.has_value() != secret.has_value()) {
    return fail(ErrorCode::kConfigMissing,
                fmt::format("{} is set but {} isn't", access ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                            access ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"),
                {}, kCredentialsAdvice);
  }
  Result<Credentials> out;
  if (access) {
    out = Credentials{*access, *secret, environment.get("AWS_SESSION_TOKEN").value_or(""), "environment"};
  } else {
    const std::string profile = environment.get("AWS_PROFILE").value_or("default");
    auto path = environment.get("AWS_SHARED_CREDENTIALS_FILE");
    if (!path) {
      const std::string standard = environment.get("HOME").value_or("") + "/.aws/credentials";
      std::error_code ignored;
      if (!std::filesystem::exists(standard, ignored)) {
        return fail(ErrorCode::kConfigMissing,
                    "no credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
                    fmt::format("{} is not there either", standard), kCredentialsAdvice);
      }
      path = standard;
    }
    out = from_file(*path, profile);
  }
  if (!out) return out;
  if (auto status = check_printable(*out); !status) return fail(std::move(status.error()));
  return out;
}

}  // namespace mlps::s3
