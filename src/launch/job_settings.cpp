#include "launch/job_settings.hpp"

#include <fmt/format.h>

#include <array>
#include <exception>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "flags/variables.hpp"
#include "location/location.hpp"
#include "storage/setting_variables.hpp"

namespace mlps {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Stamp, monotonic_ns, wall_us)

}  // namespace mlps

namespace mlps::cli {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Setting, values, source, origin)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(JobSettings, words, settings, variables, files, arguments, notes, warnings, start,
                                   boot_id)

namespace {

using nlohmann::json;

constexpr auto kOwnVariables = std::to_array<std::string_view>({"MLPS_DEBUG"});

template <class Visit>
void for_each_variable(const Visit& visit) {
  for (const std::string_view name : storage::kSettingVariables) visit(name);
  for (const std::string_view name : kOwnVariables) visit(name);
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

// Makes a folder absolute as of where it was typed. A text that is no location stays, to be refused with its own
// message.
void make_absolute(std::string& folder, std::optional<AccessProtocol> protocol) {
  if (protocol == AccessProtocol::kObject) return;
  if (const auto location = parse_location(folder)) folder = location->to_string();
}

void make_folders_absolute(const CommandSyntax& command, JobSettings& job) {
  for (auto& [name, setting] : job.settings) {
    const Flag* flag = command.find_flag(name);
    if (flag == nullptr || setting.values.empty()) continue;
    std::string& folder = setting.values.back();
    if (flag->kind == FlagKind::kLocation) make_absolute(folder, job.protocol);
    if (flag->name != "results-dir") continue;
    std::error_code error;
    const auto path = std::filesystem::absolute(folder, error);
    if (!error) folder = path.string();
  }
}

}  // namespace

JobSettings make_job_settings(const Resolution& resolution, const CommandLine& line,
                              const std::vector<std::string>& arguments, const Stamp& start) {
  JobSettings job;
  job.words = resolution.words();
  job.protocol = line.protocol;
  job.settings = line.tokens.settings;
  make_folders_absolute(line.command, job);
  for_each_variable([&](std::string_view name) {
    if (const auto value = line.environment.get(name)) job.variables.emplace(name, *value);
  });
  job.files = line.files;
  job.arguments = arguments;
  job.notes = line.notes;
  job.warnings = line.warnings;
  job.start = start;
  job.boot_id = boot_id();
  return job;
}

std::string settings_text(const JobSettings& settings) {
  json text = settings;
  if (settings.protocol) text["protocol"] = storage_word(*settings.protocol);
  return text.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<JobSettings> parse_settings(std::string_view text) {
  try {
    const json parsed = json::parse(text);
    auto settings = parsed.get<JobSettings>();
    if (parsed.contains("protocol")) settings.protocol = protocol_of(parsed.at("protocol").get<std::string>());
    return settings;
  } catch (const std::exception& error) {
    return fail(ErrorCode::kMpiCommunication, fmt::format("the settings of the job can't be read: {}", error.what()),
                {}, "every host must run the same build of mlpstorage");
  }
}

Result<CommandLine> line_of(const JobSettings& settings, const Grammar& grammar, const Environment& own,
                            const std::string& program_folder) {
  const Resolution resolution = grammar.resolve(settings.words);
  if (resolution.kind != Resolution::Kind::kCommand) {
    return fail(ErrorCode::kMpiCommunication, "the settings of the job name no command");
  }
  CommandLine line;
  line.command = resolution.command;
  line.model = resolution.model;
  line.protocol = settings.protocol;
  line.tokens.settings = settings.settings;
  line.files = settings.files;
  line.notes = settings.notes;
  line.warnings = settings.warnings;
  ParseOutcome here{own, {}, {}, {}};  // what it says was said where the command was typed
  if (line.protocol == AccessProtocol::kObject) add_dotenv(program_folder, grammar, here);
  line.environment = std::move(here.environment);
  line.errors = std::move(here.errors);
  for_each_variable([&](std::string_view name) {
    const auto found = settings.variables.find(std::string(name));
    line.environment.set(name, found == settings.variables.end() ? std::string() : found->second);
  });
  return line;
}

Stamp start_of(const JobSettings& settings, const Stamp& here) {
  return !settings.boot_id.empty() && settings.boot_id == boot_id() ? settings.start : here;
}

}  // namespace mlps::cli
