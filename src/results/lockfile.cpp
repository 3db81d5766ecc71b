#include "results/lockfile.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/json.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "base/version.hpp"
#include "results/digests.hpp"
#include "results/json_text.hpp"

namespace mlps::results {
namespace {

constexpr const char* kSchema = "mlpstorage.lock/1";
constexpr int kLockIndent = 2;
constexpr uint64_t kMostLibraryBytes = kGiB;

/// What a name stands for: the digest of a program or library, the text of a fact.
using Lock = std::map<std::string, std::string>;

struct Library {
  std::string name;
  std::string path;
  std::string digest;
};

Result<std::vector<Library>> mapped_libraries() {
  const Result<std::string> maps = read_file("/proc/self/maps", "list of mapped files", 16 * kMiB);
  if (!maps) return fail(maps.error());
  std::set<std::string> paths;
  std::istringstream lines(*maps);
  for (std::string line; std::getline(lines, line);) {
    const size_t slash = line.find('/');
    if (slash == std::string::npos) continue;
    const std::string path = line.substr(slash);
    if (std::filesystem::path(path).filename().string().find(".so") != std::string::npos) paths.insert(path);
  }
  std::vector<Library> libraries;
  for (const std::string& path : paths) {
    const Result<std::string> bytes = read_file(path, "shared library", kMostLibraryBytes);
    if (!bytes) return fail(bytes.error());
    libraries.push_back({std::filesystem::path(path).filename().string(), path, sha256_hex(*bytes)});
  }
  return libraries;
}

Result<std::string> program_digest_of() {
  const Result<std::string> bytes = read_file("/proc/self/exe", "program", kMostLibraryBytes);
  return bytes ? Result<std::string>(sha256_hex(*bytes)) : fail(bytes.error());
}

std::string system_name() {
  const Result<std::string> text = read_file("/etc/os-release", "name of the operating system", kMiB);
  std::istringstream lines(text ? *text : std::string());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("PRETTY_NAME=")) continue;
    std::string name = line.substr(line.find('=') + 1);
    std::erase(name, '"');
    return name;
  }
  return "unknown";
}

Result<Json> lock_json() {
  const Result<std::string> program = program_digest_of();
  if (!program) return fail(program.error());
  const Result<std::vector<Library>> libraries = mapped_libraries();
  if (!libraries) return fail(libraries.error());
  utsname host{};
  ::uname(&host);
  Json json;
  json["schema"] = kSchema;
  json["program"] = {{"name", "mlpstorage"},     {"version", version_text()}, {"commit", build_id()},
                     {"binary_id", binary_id()}, {"compiler", compiler()},    {"sha256", *program}};
  json["libraries"] = Json::array();
  for (const Library& library : *libraries) {
    json["libraries"].push_back({{"name", library.name}, {"path", library.path}, {"sha256", library.digest}});
  }
  json["kernel"] = host.release;
  json["machine"] = host.machine;
  json["operating_system"] = system_name();
  return json;
}

std::string text_of(const nlohmann::json& node, const char* key) {
  const auto found = node.is_object() ? node.find(key) : node.end();
  return node.is_object() && found != node.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Lock> parse_lock(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || text_of(json, "schema") != kSchema || !json.contains("libraries") ||
      !json["libraries"].is_array()) {
    return fail(ErrorCode::kConfigParse, fmt::format("is no lock file of this program ({})", kSchema), {},
                "'mlpstorage lockfile generate' writes one");
  }
  Lock lock;
  lock["program"] = json.contains("program") ? text_of(json["program"], "sha256") : std::string();
  for (const char* key : {"kernel", "machine", "operating_system"}) lock[key] = text_of(json, key);
  for (const auto& library : json["libraries"]) lock[text_of(library, "name")] = text_of(library, "sha256");
  return lock;
}

}  // namespace

Result<std::string> lock_text() {
  const Result<Json> json = lock_json();
  return json ? Result<std::string>(indented(*json, kLockIndent)) : fail(json.error());
}

Result<std::vector<LockDifference>> compare_lock(const std::string& text, const std::vector<std::string>& skipped) {
  const Result<Lock> locked = parse_lock(text);
  if (!locked) return fail(locked.error());
  const Result<std::string> present = lock_text();
  if (!present) return fail(present.error());
  Lock now = *parse_lock(*present);
  Lock then = *locked;
  std::set<std::string> names;
  for (const auto& [name, value] : now) names.insert(name);
  for (const auto& [name, value] : then) names.insert(name);
  std::vector<LockDifference> differences;
  for (const std::string& name : names) {
    if (std::find(skipped.begin(), skipped.end(), name) != skipped.end() || then[name] == now[name]) continue;
    const auto shown = [](const std::string& value) { return value.empty() ? std::string("not there") : value; };
    differences.push_back({name, shown(then[name]), shown(now[name])});
  }
  return differences;
}

Status verify_lock(const std::string& path, const std::vector<std::string>& skipped) {
  const Result<std::string> text = read_file(path, "lock file", 16 * kMiB);
  if (!text) return fail(text.error());
  const Result<std::vector<LockDifference>> differences = compare_lock(*text, skipped);
  if (!differences) {
    Error error = differences.error();
    error.message = path + " " + error.message;
    return fail(std::move(error));
  }
  if (differences->empty()) return {};
  std::vector<std::string> words;
  for (const LockDifference& one : *differences) {
    words.push_back(fmt::format("{} was {} and is {}", one.name, one.locked, one.found));
  }
  return fail(ErrorCode::kValidationInvalid, fmt::format("{} doesn't hold here: {}", path, join(words, "; ")), {},
              "use the locked program and libraries, or make a new lock with 'mlpstorage lockfile generate'");
}

}  // namespace mlps::results
