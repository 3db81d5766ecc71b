#include "location/location.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "base/text.hpp"

namespace mlps {
namespace {

constexpr std::string_view kSeparator = "://";
constexpr std::string_view kLegalForms =
    "use s3://bucket/prefix, gs://bucket/prefix, az://account/container/prefix, file:///path, direct:///path, null:// "
    "or a plain path";

struct SchemeName {
  std::string_view name;
  Scheme scheme;
};
/// The first name of a scheme is the one that is shown.
constexpr SchemeName kSchemeNames[] = {{"file", Scheme::kFile},   {"direct", Scheme::kDirect}, {"s3", Scheme::kS3},
                                       {"gs", Scheme::kGs},       {"gcs", Scheme::kGs},        {"az", Scheme::kAzure},
                                       {"azure", Scheme::kAzure}, {"null", Scheme::kNull}};

std::optional<Scheme> scheme_of(std::string_view name) {
  const std::string wanted = lower(name);
  for (const SchemeName& known : kSchemeNames) {
    if (known.name == wanted) return known.scheme;
  }
  return std::nullopt;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// Returns the text as an error may show it: no control characters, and nothing that could be a credential (user
// information before '@', the query of a presigned URL).
std::string shown(std::string_view text) {
  std::string visible(text.substr(0, std::min<size_t>(text.size(), 300)));
  if (const auto start = visible.find(kSeparator); start != std::string::npos) {
    if (const auto query = visible.find('?', start); query != std::string::npos) visible.resize(query + 1);
    const auto body = start + kSeparator.size();
    const auto user = visible.rfind('@');
    if (user != std::string::npos && user >= body) visible.replace(body, user - body, "***");
  }
  for (char& c : visible) {
    if (is_control(c)) c = '?';
  }
  return visible;
}

tl::unexpected<Error> refuse(std::string_view text, std::string_view reason, std::string_view suggestion) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("location \"{}\": {}", shown(text), reason), {},
              std::string(suggestion));
}

tl::unexpected<Error> refuse_scheme(std::string_view text, std::string_view name) {
  const std::string wanted = lower(name);
  const std::string reason = fmt::format("unknown scheme \"{}\"", shown(name));
  if (wanted == "s3a" || wanted == "s3n") {
    return refuse(text, reason + " (Hadoop's name for S3)", "write s3:// instead");
  }
  if (wanted == "http" || wanted == "https") {
    return refuse(text, reason,
                  "a server's address goes into AWS_ENDPOINT_URL (Azure: AZURE_STORAGE_ENDPOINT) and the folder is "
                  "s3://bucket/prefix (Azure: az://account/container/prefix, or "
                  "https://account.blob.core.windows.net/container/prefix)");
  }
  return refuse(text, reason, kLegalForms);
}

// Splits at the first '/'; the rest has no leading '/'.
std::pair<std::string_view, std::string_view> split_first(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {text, {}};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

std::string_view without_trailing_slashes(std::string_view text) {
  while (!text.empty() && text.back() == '/') text.remove_suffix(1);
  return text;
}

bool is_bucket_name(std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  });
  return plain && name != "." && name != "..";
}

Status check_key(std::string_view text, std::string_view key) {
  if (key.empty()) return {};
  for (std::string_view rest = key;;) {
    const auto slash = rest.find('/');
    const std::string_view component = rest.substr(0, slash);
    if (component.empty()) {
      return refuse(text, "an empty component (\"//\") in the prefix",
                    "servers differ in what they make of it: remove the extra '/'");
    }
    if (component == "." || component == "..") {
      return refuse(text, fmt::format("the component \"{}\" has no meaning in an object key", component),
                    "write the prefix without '.' and '..'");
    }
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

Status check_bucket(std::string_view text, std::string_view what, std::string_view name) {
  if (name.empty()) return refuse(text, fmt::format("no {}", what), kLegalForms);
  if (name.find('@') != std::string_view::npos) {
    return refuse(text, fmt::format("credentials can't be part of a {}", what),
                  what == "bucket" ? "put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                                   : "put the key into AZURE_STORAGE_KEY");
  }
  if (name.starts_with("arn:")) {
    return refuse(text, "an ARN can't be a bucket here",
                  "give the alias of the access point, which ends in -s3alias, or the bucket's name");
  }
  if (name.find(':') != std::string_view::npos) {
    // The name is not repeated: it can be the first part of "key:secret@".
    return refuse(text, fmt::format("a host and port stand where the {} belongs", what),
                  what == "bucket"
                      ? "put the server's address into AWS_ENDPOINT_URL and begin the location with the bucket"
                      : "put the server's address into AZURE_STORAGE_ENDPOINT; the location is "
                        "az://account/container/prefix");
  }
  if (!is_bucket_name(name)) {
    return refuse(text, fmt::format("\"{}\" can't be a {}", shown(name), what),
                  "letters, digits, '.', '-' and '_' are legal");
  }
  return {};
}

Result<Location> parse_object(std::string_view text, Scheme scheme, std::string_view body) {
  auto [bucket, key] = split_first(body);
  std::string full_bucket(bucket);
  if (scheme == Scheme::kAzure) {
    const auto [container, rest] = split_first(key);
    if (Status good = check_bucket(text, "storage account", bucket); !good) return fail(good.error());
    if (container.empty()) {
      return refuse(text, "no container",
                    "Azure locations are az://account/container or az://account/container/prefix");
    }
    if (Status good = check_bucket(text, "container", container); !good) return fail(good.error());
    full_bucket = fmt::format("{}/{}", bucket, container);
    key = rest;
  } else if (Status good = check_bucket(text, "bucket", bucket); !good) {
    return fail(good.error());
  }
  key = without_trailing_slashes(key);
  if (Status good = check_key(text, key); !good) return fail(good.error());
  return Location(scheme, std::move(full_bucket), std::string(key));
}

// Returns the path made absolute, without '.' components, doubled and trailing slashes. ".." stays: only the kernel
// knows what it means behind a symbolic link.
Result<std::string> absolute_path(std::string_view text, std::string_view path) {
  std::string full(path);
  if (full.front() != '/') {
    std::error_code error;
    const std::filesystem::path here = std::filesystem::current_path(error);
    if (error) {
      return fail(ErrorCode::kPathNotFound,
                  fmt::format("make \"{}\" absolute: working directory: {}", shown(text), error.message()), {},
                  "change to a folder that exists, or give an absolute path");
    }
    full = here.string() + "/" + full;
  }
  std::string result;
  for (std::string_view rest = full; !rest.empty();) {
    const auto [component, after] = split_first(rest);
    if (!component.empty() && component != ".") result.append("/").append(component);
    rest = after;
  }
  return result.empty() ? std::string("/") : result;
}

Result<Location> parse_path(std::string_view text, Scheme scheme, std::string_view path) {
  if (path.empty()) return refuse(text, "no path", kLegalForms);
  auto absolute = absolute_path(text, path);
  if (!absolute) return fail(absolute.error());
  return Location(scheme, {}, *std::move(absolute));
}

// Returns the body of az:// for what follows "https://" in the address of an account of the public Azure cloud, whose
// end names the service; nothing for other addresses.
std::optional<std::string> azure_body(std::string_view body) {
  constexpr std::string_view kService = ".blob.core.windows.net";
  const auto [authority, rest] = split_first(body);
  const std::string host = lower(authority);
  if (!host.ends_with(kService)) return std::nullopt;
  return fmt::format("{}/{}", host.substr(0, host.size() - kService.size()), rest);
}

Result<Location> parse_uri(std::string_view text, std::string_view name, std::string_view body) {
  if (name.find('/') != std::string_view::npos) {
    return refuse(text, "\"://\" inside a path", "a scheme stands only at the beginning; remove one of the two");
  }
  if (lower(name) == "https") {
    if (const auto azure = azure_body(body)) return parse_uri(text, scheme_name(Scheme::kAzure), *azure);
  }
  const auto scheme = scheme_of(name);
  if (!scheme) return refuse_scheme(text, name);
  if (body.find_first_of("?#") != std::string_view::npos) {
    return refuse(text, "a query or fragment ('?' or '#')",
                  *scheme == Scheme::kAzure
                      ? "leave it away; a SAS token goes into AZURE_STORAGE_SAS_TOKEN"
                      : "leave it away; a file path that holds these characters is given without scheme");
  }
  switch (*scheme) {
    case Scheme::kS3:
    case Scheme::kGs:
    case Scheme::kAzure:
      return parse_object(text, *scheme, body);
    case Scheme::kNull: {
      const std::string_view path = without_trailing_slashes(body);
      if (Status good = check_key(text, path); !good) return fail(good.error());
      return Location(Scheme::kNull, {}, std::string(path));
    }
    case Scheme::kFile:
    case Scheme::kDirect:
      break;
  }
  if (!body.empty() && body.front() != '/' && body.substr(0, 2) != "./" && body.substr(0, 3) != "../") {
    return refuse(text, fmt::format("\"{}\" would be a host", split_first(body).first),
                  fmt::format("an absolute path has three slashes, {}:///mnt/x; a relative one is {}://./x",
                              scheme_name(*scheme), scheme_name(*scheme)));
  }
  return parse_path(text, *scheme, body);
}

}  // namespace

std::string_view scheme_name(Scheme scheme) {
  return std::find_if(std::begin(kSchemeNames), std::end(kSchemeNames),
                      [scheme](const SchemeName& known) { return known.scheme == scheme; })
      ->name;
}

Location Location::join(std::string_view name) const {
  return {scheme_, bucket_, key_of(name)};
}

std::string Location::key_of(std::string_view name) const {
  if (path_.empty() || path_ == "/") return path_ + std::string(name);
  return fmt::format("{}/{}", path_, name);
}

std::string Location::to_string() const {
  if (scheme_ == Scheme::kFile) return path_;
  std::string text = fmt::format("{}://{}", scheme_name(scheme_), bucket_);
  if (!bucket_.empty() && !path_.empty()) text += '/';
  return text + path_;
}

Result<Location> parse_location(std::string_view text) {
  if (text.empty()) return refuse(text, "empty", kLegalForms);
  if (std::any_of(text.begin(), text.end(), is_control)) {
    return refuse(text, "a control character (shown as '?')", "look for a stray newline or tab in the quoting");
  }
  const auto separator = text.find(kSeparator);
  if (separator != std::string_view::npos) {
    if (text.find(kSeparator, separator + 1) != std::string_view::npos) {
      return refuse(text, "more than one \"://\"", "give the scheme once, as in s3://bucket/prefix");
    }
    return parse_uri(text, text.substr(0, separator), text.substr(separator + kSeparator.size()));
  }
  // "s3:/bucket" would silently become a local folder named "s3:".
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && scheme_of(text.substr(0, colon))) {
    return refuse(text, "a scheme is followed by \"://\"",
                  fmt::format("write {}://..., or ./{} if this is really a local folder", text.substr(0, colon), text));
  }
  return parse_path(text, Scheme::kFile, text);
}

}  // namespace mlps
