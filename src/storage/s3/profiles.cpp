#include "storage/s3/profiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/encoding.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"

namespace mlps::s3 {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Returns a value without the comment that follows a blank.
std::string_view without_comment(std::string_view value) {
  for (size_t at = 1; at < value.size(); ++at) {
    const bool begins = value[at] == '#' || value[at] == ';';
    if (begins && (value[at - 1] == ' ' || value[at - 1] == '\t')) return trimmed(value.substr(0, at));
  }
  return value;
}

/// Reads the lines of a file one after the other.
class SectionReader {
 public:
  explicit SectionReader(const std::string& path) : path_(path) {}

  Status take(std::string_view line) {
    ++number_;
    const std::string_view text = trimmed(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') return {};
    const bool indented = line.front() == ' ' || line.front() == '\t';
    if (text.front() == '[') return begin_section(without_comment(text));
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) return refuse("expected name = value");
    if (section_ == nullptr) return refuse("a value before the first [section]");
    const std::string name = lower(trimmed(text.substr(0, equals)));
    const std::string value(without_comment(trimmed(text.substr(equals + 1))));
    if (indented && !parent_.empty()) {
      (*section_)[fmt::format("{}.{}", parent_, name)] = value;
      return {};
    }
    parent_ = value.empty() ? name : std::string();
    (*section_)[name] = value;
    return {};
  }

  Sections take_all() { return std::move(sections_); }

 private:
  Status begin_section(std::string_view text) {
    if (text.back() != ']') return refuse("a section needs a closing ']'");
    // "[profile "a b"]" is the profile "a b"; blanks between its words don't count.
    std::string name = join(split(text.substr(1, text.size() - 2), " \t"), " ");
    name.erase(std::remove(name.begin(), name.end(), '"'), name.end());
    section_ = &sections_[name];
    parent_.clear();
    return {};
  }

  Status refuse(std::string_view why) const {
    return fail(ErrorCode::kConfigParse, fmt::format("{}:{}: {}", path_, number_, why));
  }

  const std::string& path_;
  size_t number_ = 0;
  Sections sections_;
  Section* section_ = nullptr;
  std::string parent_;  // the name whose value is on the indented lines that follow
};

}  // namespace

Result<Sections> parse_sections(std::string_view text, const std::string& path) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  SectionReader reader(path);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end != 0) {
      if (Status taken = reader.take(text.substr(0, end)); !taken) return fail(std::move(taken.error()));
    } else {
      (void)reader.take(" ");
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.take_all();
}

Result<Profiles::File> Profiles::read_one(const Environment& environment, const char* variable, const char* standard) {
  const auto named = environment.get(variable);
  File file{expanded_path(named.value_or(standard), environment), {}};
  std::error_code ignored;
  if (!named && !std::filesystem::exists(file.path, ignored)) return file;
  const Result<std::string> text = read_file(file.path, named ? variable : "file");
  if (!text) return fail(text.error());
  auto sections = parse_sections(*text, file.path);
  if (!sections) return fail(std::move(sections.error()));
  file.sections = std::move(*sections);
  return file;
}

Result<Profiles> Profiles::read(const Environment& environment) {
  Profiles profiles;
  auto credentials = read_one(environment, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
  if (!credentials) return fail(std::move(credentials.error()));
  auto config = read_one(environment, "AWS_CONFIG_FILE", "~/.aws/config");
  if (!config) return fail(std::move(config.error()));
  profiles.credentials_ = std::move(*credentials);
  profiles.config_ = std::move(*config);
  if (const auto chosen = environment.get("AWS_PROFILE")) {
    profiles.name_ = *chosen;
    profiles.chosen_ = true;
    if (!profiles.has(*chosen)) {
      return fail(ErrorCode::kConfigMissing, fmt::format("AWS_PROFILE: there is no profile [{}]", printable(*chosen)),
                  fmt::format("{} were read", profiles.paths()), "Set AWS_PROFILE to a profile that is there.");
    }
  }
  return profiles;
}

const Section* Profiles::section(const File& file, const std::string& profile) const {
  // The file of settings writes "profile" in front of all names but "default", where it may stand as well and wins.
  const bool is_config = &file == &config_;
  for (const std::string& name : {is_config ? "profile " + profile : profile, profile}) {
    if (name == profile && is_config && profile != "default") continue;
    const auto found = file.sections.find(name);
    if (found != file.sections.end()) return &found->second;
  }
  return nullptr;
}

bool Profiles::has(const std::string& profile) const {
  return section(credentials_, profile) != nullptr || section(config_, profile) != nullptr;
}

std::optional<ProfileValue> Profiles::value_in(const File& file, const std::string& profile,
                                               const std::string& key) const {
  const Section* values = section(file, profile);
  if (values == nullptr) return std::nullopt;
  const auto found = values->find(key);
  if (found == values->end() || found->second.empty()) return std::nullopt;
  return ProfileValue{found->second, fmt::format("profile {} of {}", profile, file.path)};
}

std::optional<ProfileValue> Profiles::find(const std::string& profile, const std::string& key) const {
  auto value = value_in(credentials_, profile, key);
  return value ? value : value_in(config_, profile, key);
}

std::optional<ProfileValue> Profiles::value_of(const std::string& section, const std::string& key) const {
  const auto found = config_.sections.find(section);
  if (found == config_.sections.end()) return std::nullopt;
  const auto value = found->second.find(key);
  if (value == found->second.end() || value->second.empty()) return std::nullopt;
  return ProfileValue{value->second, fmt::format("{} of {}", section, config_.path)};
}

std::optional<ProfileValue> Profiles::find_service(const std::string& service, const std::string& key) const {
  const auto services = find("services");
  if (!services) return std::nullopt;
  return value_of("services " + services->value, fmt::format("{}.{}", service, key));
}

std::optional<Profiles::Keys> Profiles::find_keys(const std::string& profile) const {
  for (const File* file : {&credentials_, &config_}) {
    const auto text = [&](const char* key) {
      const auto value = value_in(*file, profile, key);
      return value ? value->value : std::string();
    };
    Keys keys{text("aws_access_key_id"), text("aws_secret_access_key"), text("aws_session_token"),
              fmt::format("profile {} of {}", profile, file->path)};
    if (!keys.access_key.empty() || !keys.secret_key.empty()) return keys;
  }
  return std::nullopt;
}

}  // namespace mlps::s3
