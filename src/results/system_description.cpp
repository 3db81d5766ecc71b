#include "results/system_description.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/descriptor.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "base/write_all.hpp"
#include "results/json_text.hpp"

namespace mlps::results {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kBytesPerGb = 1'000'000'000;

// --- the text: keys and values in double quotes, and numbers marked, as the YAML writer of mlpstorage 3.0 does it
// -----

std::string scalar(const Json& value) {
  return value.text() != nullptr ? value.dump() : "!!int \"" + value.dump() + '"';
}

void append_map(const Json& map, size_t indent, bool begun, std::string& text);

void append_value(const Json& value, size_t indent, std::string& text) {
  if (value.is_object()) {
    text += '\n';
    append_map(value, indent + 2, false, text);
  } else if (value.is_array() && !value.empty()) {
    text += '\n';
    for (const Json& item : value.items()) {
      text += std::string(indent, ' ') + "- ";
      append_map(item, indent + 2, true, text);
    }
  } else {
    text += value.is_array() ? " []\n" : ' ' + scalar(value) + '\n';
  }
}

// `begun`: the line of the first key is already indented.
void append_map(const Json& map, size_t indent, bool begun, std::string& text) {
  for (const auto& [key, value] : map.members()) {
    if (!begun) text.append(indent, ' ');
    begun = false;
    Json::append_quoted(key, text);
    text += ':';
    append_value(value, indent, text);
  }
}

// --- a client
// ---------------------------------------------------------------------------------------------------------

Json known(uint64_t number) {
  return number == 0 ? Json("") : Json(number);
}

std::string value_of(const world::TextPairs& pairs, std::string_view name) {
  const auto pair = std::find_if(pairs.begin(), pairs.end(), [&](const auto& each) { return each.first == name; });
  return pair == pairs.end() ? std::string() : pair->second;
}

Json pairs_json(const world::TextPairs& pairs) {
  Json list = Json::array();
  for (const auto& [name, value] : pairs) list.push_back({{"name", name}, {"value", value}});
  return list;
}

// Adds an entry to a list in which equal ones are counted.
void count_entry(Json& list, const Json& entry) {
  for (Json& there : list.items()) {
    Json rest = there;
    rest.erase("unit_count");
    if (rest != entry) continue;
    there["unit_count"] = std::stoull(there.find("unit_count")->dump()) + 1;
    return;
  }
  Json counted;
  counted["unit_count"] = 1;
  counted.update(entry);
  list.push_back(std::move(counted));
}

Json ports_json(const std::vector<world::PortFacts>& ports) {
  Json list = Json::array();
  for (const world::PortFacts& port : ports) {
    Json entry;
    entry["type"] = port.type;
    if (port.up) entry["speed"] = known(port.speed_gbit_s);
    entry["state"] = port.up ? "up" : "down";
    if (port.up) entry["traffic"] = Json::array();  // which, only a person knows
    count_entry(list, entry);
  }
  if (list.empty()) list.push_back({{"unit_count", ""}, {"type", ""}, {"speed", ""}, {"state", ""}});
  return list;
}

Json drives_json(const std::vector<world::DriveFacts>& drives) {
  Json list = Json::array();
  for (const world::DriveFacts& drive : drives) {
    if (drive.interface.empty()) continue;
    count_entry(list, {{"vendor_name", drive.vendor},
                       {"model_name", drive.model},
                       {"interface", drive.interface},
                       {"capacity_in_GB", drive.size_bytes / kBytesPerGb}});
  }
  return list;
}

Json client_json(const world::HostFacts& host) {
  const world::SystemFacts& system = host.system;
  Json json;
  json["friendly_description"] = "";
  json["chassis"] = {{"model_name", system.chassis_model},
                     {"cpu_model", host.cpu.model},
                     {"cpu_qty", known(host.cpu.sockets)},
                     {"cpu_cores", known(host.cpu.physical_cores)},
                     {"memory_capacity", known(static_cast<uint64_t>(std::llround(to_gib(host.memory.total))))}};
  json["networking"] = ports_json(system.ports);
  Json drives = drives_json(system.drives);
  if (!drives.empty()) json["drives"] = std::move(drives);
  json["operating_system"] = {{"name", value_of(host.os_release, "NAME")},
                              {"version", value_of(host.os_release, "VERSION_ID")}};
  json["environment"] = pairs_json(system.environment);
  json["sysctl"] = pairs_json(system.sysctl);
  return json;
}

// --- what a description is compared by
// --------------------------------------------------------------------------------

constexpr std::array<std::pair<const char*, const char*>, 7> kCompared = {{{"chassis", "model_name"},
                                                                           {"chassis", "cpu_model"},
                                                                           {"chassis", "cpu_qty"},
                                                                           {"chassis", "cpu_cores"},
                                                                           {"chassis", "memory_capacity"},
                                                                           {"operating_system", "name"},
                                                                           {"operating_system", "version"}}};

// Lists of which every entry counts; what only a person knows of an entry (traffic, media_type) is not compared.
constexpr std::array<std::pair<const char*, std::array<const char*, 4>>, 4> kComparedLists = {
    {{"networking", {"unit_count", "type", "speed", "state"}},
     {"drives", {"unit_count", "vendor_name", "model_name", "capacity_in_GB"}},
     {"environment", {"name", "value"}},
     {"sysctl", {"name", "value"}}}};

// What an entry says under the keys that are compared. No nodes: assigning one changes the document.
using Entry = std::array<std::string, 4>;

std::vector<Entry> entries_of(const YAML::Node& list, const std::array<const char*, 4>& keys) {
  std::vector<Entry> entries;
  for (const YAML::Node& node : list) {
    Entry& entry = entries.emplace_back();
    for (size_t i = 0; i < keys.size() && keys[i] != nullptr; ++i) entry[i] = node[keys[i]].as<std::string>("");
  }
  return entries;
}

// Returns a line for an entry that one side has alone, "- sysctl: vm.swappiness 10".
std::string entry_line(char side, const char* part, const Entry& entry) {
  std::string text;
  for (const std::string& value : entry) {
    if (!value.empty()) text += ' ' + value;
  }
  return fmt::format("{} {}:{}", side, part, text);
}

// An empty value on either side stands for any.
bool same_entry(const Entry& a, const Entry& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].empty() && !b[i].empty() && a[i] != b[i]) return false;
  }
  return true;
}

// Adds a line with - for every entry that only the description has, and with + for what only the host has. A list that
// one of them doesn't have stands for any.
void compare_lists(const YAML::Node& described, const YAML::Node& found, std::vector<std::string>& differences) {
  for (const auto& [part, keys] : kComparedLists) {
    const std::vector<Entry> there = entries_of(described[part], keys);
    std::vector<Entry> left = entries_of(found[part], keys);
    if (there.empty() || left.empty()) continue;
    for (const Entry& entry : there) {
      const auto same =
          std::find_if(left.begin(), left.end(), [&](const Entry& one) { return same_entry(entry, one); });
      if (same == left.end()) {
        differences.push_back(entry_line('-', part, entry));
      } else {
        left.erase(same);
      }
    }
    for (const Entry& entry : left) differences.push_back(entry_line('+', part, entry));
  }
}

// Returns what a client has otherwise, a line each: - the description's, + the host's.
std::vector<std::string> differences_of(const YAML::Node& described, const YAML::Node& found) {
  std::vector<std::string> differences;
  for (const auto& [part, key] : kCompared) {
    const auto there = described[part][key].as<std::string>("");
    const auto here = found[part][key].as<std::string>("");
    if (there.empty() || here.empty() || there == here) continue;
    differences.push_back(fmt::format("- {}.{}: {}", part, key, there));
    differences.push_back(fmt::format("+ {}.{}: {}", part, key, here));
  }
  compare_lists(described, found, differences);
  return differences;
}

std::string description_path(const RunContext& context) {
  return (fs::path(context.results_dir) / context.mode / context.orgname / "systems" / (context.systemname + ".yaml"))
      .string();
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

std::string system_description(const std::vector<HostView>& hosts) {
  std::vector<std::pair<Json, uint64_t>> clients;
  for (const HostView& host : hosts) {
    Json client = client_json(*host.facts);
    const auto same =
        std::find_if(clients.begin(), clients.end(), [&](const auto& each) { return each.first == client; });
    if (same == clients.end()) {
      clients.emplace_back(std::move(client), 1);
    } else {
      ++same->second;
    }
  }
  std::stable_sort(clients.begin(), clients.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  Json list = Json::array();
  for (auto& [client, quantity] : clients) {
    client["quantity"] = quantity;
    list.push_back(std::move(client));
  }
  std::string text = "---\n";
  append_map({{"system_under_test", {{"clients", list}}}}, 0, false, text);
  return text;
}

Result<std::vector<std::string>> description_differences(const std::string& description,
                                                         const std::vector<HostView>& hosts) try {
  const YAML::Node described = YAML::Load(description)["system_under_test"]["clients"];
  std::vector<std::string> differences;
  for (const HostView& host : hosts) {
    const YAML::Node found = YAML::Load(system_description({host}))["system_under_test"]["clients"][0];
    std::optional<std::vector<std::string>> nearest;
    for (const YAML::Node& client : described) {
      std::vector<std::string> lines = differences_of(client, found);
      if (!nearest || lines.size() < nearest->size()) nearest = std::move(lines);
    }
    if (!nearest) nearest = {"- no clients"};
    for (const std::string& line : *nearest) differences.push_back(fmt::format("host {}: {}", host.name, line));
  }
  return differences;
} catch (const YAML::Exception& error) {
  return fail(ErrorCode::kConfigParse, std::string("not a description of a system: ") + error.what());
}

Status begin_system_description(const RunContext& context) {
  const std::string path = description_path(context);
  const std::string folder = fs::path(path).parent_path().string();
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return fail(errno_error(failed.value(), "create folder " + folder));
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.is_open()) return errno == EEXIST ? Status() : fail(errno_error(errno, "create " + path));
  const std::string text = system_description(hosts_at_start(context));
  if (Status written = write_all(file.get(), text, "write " + path); !written) return written;
  log::write(context.mode == "whatif" ? LogLevel::kVerbose : LogLevel::kStatus,  // whatif is not submitted
             fmt::format("begun: {}: complete it before you submit", path));
  return {};
}

Status check_system_description(const RunContext& context) {
  const std::string path = description_path(context);
  std::error_code ignored;
  if (context.results_dir.empty() || !fs::exists(path, ignored)) return {};
  const auto differences = description_differences(text_of(path), hosts_at_start(context));
  if (!differences) log::warning("{}: {}", path, differences.error().message);
  if (!differences || differences->empty()) return {};
  if (context.mode == "whatif") {
    for (const std::string& difference : *differences) log::warning("{}: {}", path, difference);
    return {};
  }
  return fail(
      ErrorCode::kInvalidStructure,
      fmt::format("the client hosts are not those that {} describes ({} differences)", path, differences->size()),
      join(*differences, "\n"),
      fmt::format("undo what was changed on the hosts (+), or give the system that they are now a --systemname of "
                  "its own; '{}' may be removed if no result rests on it",
                  path));
}

}  // namespace mlps::results
