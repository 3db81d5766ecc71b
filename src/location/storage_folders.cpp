#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "base/text.hpp"
#include "location/azure_account.hpp"
#include "location/location.hpp"

namespace mlps {
namespace {

constexpr const char* kCheckpointScheme = "MLPSTORAGE_CHECKPOINT_URI_SCHEME";
constexpr const char* kStorageScheme = "STORAGE_URI_SCHEME";
constexpr std::string_view kLegalSchemes = "legal are s3, gs (gcs) and az (azure)";

tl::unexpected<Error> inconsistent(std::string reason, std::string suggestion) {
  return fail(ErrorCode::kConfigIncompatible, "inconsistent storage configuration: " + std::move(reason), {},
              std::move(suggestion));
}

// Parses an object location. One of az:// gets its account from the variables if it doesn't begin with it.
Result<Location> parse_object_location(std::string_view text, const Environment& environment) {
  const auto separator = text.find("://");
  const std::string scheme = lower(text.substr(0, separator));
  if (separator == std::string_view::npos || (scheme != "az" && scheme != "azure")) return parse_location(text);
  const auto account = azure_account(environment);
  if (!account) return fail(account.error());
  const std::string_view body = text.substr(separator + 3);
  if (!*account || body.empty() || body.substr(0, body.find('/')) == **account) return parse_location(text);
  return parse_location(fmt::format("az://{}/{}", **account, body));
}

// Returns the scheme that a variable gives to bare folders; nothing if it is not set. People write "s3", "s3:" and
// "s3://".
Result<std::optional<std::string>> scheme_variable(const char* name, const Environment& environment) {
  auto value = environment.get(name);
  if (!value) return std::nullopt;
  const auto last = value->find_last_not_of(":/");
  const std::string scheme = value->substr(0, last == std::string::npos ? 0 : last + 1);
  // The parser tells whether a word is an object scheme, with a folder that suits all of them.
  const auto probe = parse_location(scheme + "://account/container");
  if (!probe || !probe->is_object_store()) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{}=\"{}\" is not a scheme of an object store; {}", name, *value, kLegalSchemes), {},
                fmt::format("set {} to a legal scheme or unset it", name));
  }
  return scheme;
}

// `folder` begins with the bucket; the first of `variables` that is set gives the scheme.
Result<Location> bare_object_folder(std::string_view folder, std::initializer_list<const char*> variables,
                                    const Environment& environment) {
  for (const char* name : variables) {
    auto scheme = scheme_variable(name, environment);
    if (!scheme) return fail(scheme.error());
    if (*scheme) return parse_object_location(fmt::format("{}://{}", **scheme, folder), environment);
  }
  return parse_location(fmt::format("s3://{}", folder));
}

// Returns whether `folder` is a bare one: neither a URI nor a text that can only be a local path.
bool is_bare(std::string_view folder) {
  const bool local_look = folder.front() == '/' || folder.front() == '~' || folder == "." || folder == ".." ||
                          folder.substr(0, 2) == "./" || folder.substr(0, 3) == "../";
  // A bare folder never reaches parse_location() without a scheme, so it can't end as a local path. "s3:/b" (and with
  // it everything that has "://") does, and gets that parser's error.
  return !local_look && folder.find(":/") == std::string_view::npos;
}

Result<Location> qualified_object_folder(std::string_view folder, const Environment& environment) {
  auto location = parse_object_location(folder, environment);
  if (!location) return location;
  if (location->is_file_system()) {
    return inconsistent(fmt::format("object storage was asked for, but the folder \"{}\" is a local path", folder),
                        "give the folder as s3://bucket/prefix, or use `file` instead of `object`");
  }
  return location;
}

Result<Location> file_location(std::string_view folder, bool o_direct) {
  auto location = parse_location(folder);
  if (!location) return location;
  if (location->is_object_store()) {
    return inconsistent(
        fmt::format("file storage was asked for, but the folder \"{}\" is an object location", location->to_string()),
        "use `object` instead of `file`, or give a local path");
  }
  if (!o_direct) return location;
  if (!location->is_file_system()) {
    return inconsistent("--o-direct can't be honoured by null://, which does no I/O", "leave one of the two away");
  }
  return Location(Scheme::kDirect, {}, location->path());
}

Status check_o_direct(bool o_direct) {
  if (!o_direct) return {};
  return inconsistent("--o-direct is a way to open files and doesn't go with `object`",
                      "leave --o-direct away, or use `file` with a local path");
}

std::string_view last_component(const Location& location) {
  const std::string_view path = location.path();
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

Result<Location> checkpoint_location(std::string_view folder, AccessProtocol protocol, bool o_direct,
                                     const Environment& environment) {
  if (folder.empty()) {
    return fail(ErrorCode::kConfigMissing, "no checkpoint folder", {}, "give --checkpoint-folder");
  }
  if (protocol == AccessProtocol::kFile) return file_location(folder, o_direct);
  if (Status status = check_o_direct(o_direct); !status) return fail(status.error());
  if (!is_bare(folder)) return qualified_object_folder(folder, environment);
  return bare_object_folder(folder, {kCheckpointScheme, kStorageScheme}, environment);
}

Result<Location> data_location(const DataFolder& folder, AccessProtocol protocol, const Environment& environment) {
  if (folder.data_dir.empty()) return fail(ErrorCode::kConfigMissing, "no data folder", {}, "give --data-dir");
  Result<Location> location = [&]() -> Result<Location> {
    if (protocol == AccessProtocol::kFile) return file_location(folder.data_dir, folder.o_direct);
    if (Status status = check_o_direct(folder.o_direct); !status) return fail(status.error());
    if (!is_bare(folder.data_dir)) return qualified_object_folder(folder.data_dir, environment);
    const std::optional<std::string> bucket = environment.get("BUCKET");
    const std::string below = bucket ? *bucket + "/" + folder.data_dir : folder.data_dir;
    return bare_object_folder(below, {kStorageScheme}, environment);
  }();
  if (!location) return location;
  const bool named =
      std::find(folder.models.begin(), folder.models.end(), last_component(*location)) != folder.models.end();
  return named ? location : location->join(folder.model);
}

}  // namespace mlps
