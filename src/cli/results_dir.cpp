#include "cli/results_dir.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "base/write_all.hpp"
#include "flags/text.hpp"
#include "flags/user_config.hpp"
#include "flags/yaml_values.hpp"

namespace mlps::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kSentinelVersion = 3;

std::string sentinel_path(const std::string& results_dir) {
  return fmt::format("{}/{}", results_dir, kSentinelName);
}

std::string sentinel_text(std::string_view orgname) {
  std::string now = iso_utc(Stamp::now().wall_us);
  if (now.ends_with('Z')) now.replace(now.size() - 1, 1, "+00:00");
  return fmt::format(
      "mlperf_results_version: {}\norgname: \"{}\"\ninitialized_at: \"{}\"\ninitialized_by: \"mlpstorage {}\"\n",
      kSentinelVersion, orgname, now, version_text());
}

// O_EXCL: of two processes that init at once, one creates the sentinel and the other is told so.
Status create_sentinel(const std::string& path, std::string_view orgname) {
  Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.is_open()) return fail(errno_error(errno, "create " + path));
  Status status = write_all(file.get(), sentinel_text(orgname), "write " + path);
  if (const int error = file.close(); status && error != 0) status = fail(errno_error(error, "write " + path));
  if (!status) unlink(path.c_str());
  return status;
}

std::vector<std::string> first_names(const fs::path& folder, size_t most) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  if (names.size() > most) names.resize(most);
  return names;
}

// Makes a directory that whatif or `try` has made that of an organisation. Who creates the new sentinel is alone with
// it until it takes the place of the old one.
Status take_over(const fs::path& folder, std::string_view orgname) {
  const std::string path = sentinel_path(folder.string()), fresh = path + ".new";
  if (Status made = create_sentinel(fresh, orgname); !made) return made;
  const Result<std::string> owner = read_sentinel(folder.string());
  Status done;
  if (!owner) {
    done = fail(owner.error());
  } else if (*owner != kNoOrganisation) {
    done = fail(ErrorCode::kConfigInvalid,
                fmt::format("init: {} belongs to organisation '{}' by now", folder.string(), *owner));
  } else if (::rename(fresh.c_str(), path.c_str()) != 0) {
    done = fail(errno_error(errno, "rename " + fresh));
  }
  if (!done) ::unlink(fresh.c_str());
  return done;
}

// True: `folder` is there and belongs to `orgname` already. False: free to claim.
Result<bool> check_target(const fs::path& folder, std::string_view orgname) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::none) return fail(errno_error(error.value(), "look at " + folder.string()));
  if (status.type() == fs::file_type::not_found) {
    if (fs::is_directory(folder.parent_path(), error)) return false;
    return fail(ErrorCode::kPathNotFound, fmt::format("init: the parent of {} is not there", folder.string()), {},
                fmt::format("create it first: mkdir -p {}", shell_quoted(folder.parent_path().string())));
  }
  if (status.type() != fs::file_type::directory) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("init: {} is a file, not a directory", folder.string()), {},
                "name a directory that is empty or not there yet");
  }
  if (fs::exists(fs::symlink_status(folder / kSentinelName, error))) {
    const Result<std::string> owner = read_sentinel(folder.string());
    if (!owner) return fail(owner.error());
    if (*owner == orgname) return true;
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("init: {} belongs to organisation '{}' already", folder.string(), *owner), {},
                fmt::format("use it as '{}', or choose another directory for '{}'", *owner, orgname));
  }
  const std::vector<std::string> names = first_names(folder, 5);
  if (names.empty()) return false;
  return fail(ErrorCode::kConfigInvalid, fmt::format("init: {} is not empty", folder.string()),
              fmt::format("it holds {}", join(names, ", ")), "name a directory that is empty or not there yet");
}

bool belongs_to_nobody(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(sentinel_path(folder.string()), ignored)) return false;
  const Result<std::string> owner = read_sentinel(folder.string());
  return owner && *owner == kNoOrganisation;
}

/// Claims the folder, and returns whether that was needed.
Result<bool> claim(const fs::path& folder, std::string_view orgname) {
  if (orgname != kNoOrganisation && belongs_to_nobody(folder)) {
    return take_over(folder, orgname).map([] { return true; });
  }
  const Result<bool> mine = check_target(folder, orgname);
  if (!mine) return fail(mine.error());
  if (*mine) return false;
  std::error_code error;
  fs::create_directory(folder, error);
  if (error) return fail(errno_error(error.value(), "create " + folder.string()));
  const Status status = create_sentinel(sentinel_path(folder.string()), orgname);
  if (status) return true;
  const Result<bool> winner = check_target(folder, orgname);  // another process may have been first
  if (!winner) return fail(winner.error());
  return *winner ? Result<bool>(false) : fail(status.error());
}

Result<fs::path> target_path(std::string_view path, const Environment& environment) {
  const std::string home = environment.get("HOME").value_or("");
  if (path.empty() && home.empty()) {
    return fail(ErrorCode::kConfigMissing, "init: no path was given and HOME is not set", {},
                "name the directory: mlpstorage init <orgname> <path>");
  }
  const std::string text = path.empty() ? home + "/mlpstorage-results" : with_home(path, home);
  std::error_code error;
  fs::path absolute = fs::absolute(text, error).lexically_normal();
  if (error) return fail(errno_error(error.value(), "find " + text));
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  return absolute;
}

}  // namespace

Result<std::string> read_sentinel(const std::string& results_dir) {
  const std::string path = sentinel_path(results_dir);
  Result<YAML::Node> node = load_mapping(path, "sentinel");
  if (!node) {
    if (node.error().code != ErrorCode::kConfigFileNotFound) return fail(std::move(node.error()));
    return fail(ErrorCode::kConfigMissing, fmt::format("results directory {} is not initialised", results_dir),
                fmt::format("there is no {} in it", kSentinelName),
                fmt::format("run: mlpstorage init <orgname> {}", shell_quoted(results_dir)));
  }
  const YAML::Node name = (*node)["orgname"];
  const std::string orgname = name && name.IsScalar() ? name.Scalar() : "";
  if (is_plain_name(orgname)) return orgname;
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}: orgname '{}' is no legal name", path, orgname),
              "legal are letters, digits, '.', '_' and '-'", "correct the file, or use a new results directory");
}

Status make_results_dir(const std::string& path, std::string_view orgname, bool only_check) {
  std::error_code error;
  if (fs::exists(sentinel_path(path), error)) return read_sentinel(path).map([](const std::string&) {});
  auto claimed = only_check ? check_target(path, orgname) : claim(path, orgname);
  if (claimed) return {};
  std::string& message = claimed.error().message;
  if (message.starts_with("init: ")) message.replace(0, 4, "results directory");
  return fail(std::move(claimed.error()));
}

Result<InitOutcome> init_results_dir(std::string_view orgname, std::string_view path, const Grammar& grammar,
                                     const Environment& environment) {
  if (!is_plain_name(orgname)) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("init: '{}' can't be the name of an organisation", orgname), {},
                "use letters, digits, '.', '_' and '-', at most 255 of them");
  }
  const Result<fs::path> folder = target_path(path, environment);
  if (!folder) return fail(folder.error());
  const Result<bool> created = claim(*folder, orgname);
  if (!created) return fail(created.error());
  InitOutcome outcome{folder->string(), *created, {}, {}, {}};
  // The directory is ready even where it can't be recorded as the default.
  const Settings before = read_user_values(grammar, environment).settings;
  const auto old = before.find("results-dir");
  if (old != before.end() && old->second.values[0] != outcome.path) outcome.replaced = old->second.values[0];
  const Status recorded = set_user_value(grammar, environment, "results_dir", {outcome.path});
  if (recorded) outcome.recorded = user_config_path(environment).value_or("");
  if (!recorded) outcome.not_recorded = recorded.error().message;
  return outcome;
}

}  // namespace mlps::cli
