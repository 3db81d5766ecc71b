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

#include "base/descriptor.hpp"
#include "base/log.hpp"
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

// Returns the first value that a client has otherwise, "chassis.cpu_qty is 2, not 1", or nothing.
std::string first_difference(const YAML::Node& described, const YAML::Node& found) {
  for (const auto& [part, key] : kCompared) {
    const auto there = described[part][key].as<std::string>("");
    const auto here = found[part][key].as<std::string>("");
    if (!there.empty() && !here.empty() && there != here)
      return fmt::format("{}.{} is {}, not {}", part, key, here, there);
  }
  return {};
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
    std::string difference = "it describes no clients";
    for (const YAML::Node& client : described) {
      difference = first_difference(client, found);
      if (difference.empty()) break;
    }
    if (!difference.empty()) differences.push_back(fmt::format("host {}: {}", host.name, difference));
  }
  return differences;
} catch (const YAML::Exception& error) {
  return fail(ErrorCode::kConfigParse, std::string("not a description of a system: ") + error.what());
}

Status begin_system_description(const RunContext& context) {
  const fs::path folder = fs::path(context.results_dir) / context.mode / context.orgname / "systems";
  const std::string path = (folder / (context.systemname + ".yaml")).string();
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return fail(errno_error(failed.value(), "create folder " + folder.string()));
  const std::vector<HostView> hosts = hosts_at_start(context);
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (file.is_open()) {
    if (Status written = write_all(file.get(), system_description(hosts), "write " + path); !written) return written;
    log::status("begun: {}: complete it before you submit", path);
    return {};
  }
  if (errno != EEXIST) return fail(errno_error(errno, "create " + path));
  const auto differences = description_differences(text_of(path), hosts);
  if (!differences) log::warning("{}: {}", path, differences.error().message);
  if (!differences) return {};
  for (const std::string& difference : *differences) log::warning("{}: {}", path, difference);
  return {};
}

}  // namespace mlps::results
