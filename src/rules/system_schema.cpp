#include "rules/system_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"

namespace mlps::rules {
namespace {

enum class FieldKind { kText, kWhole, kReal, kBoolean, kChoice, kChoices, kObject, kObjects };

struct Shape;
struct Field {
  std::string_view key;
  FieldKind kind = FieldKind::kText;
  bool required = true;
  double minimum = 1;
  std::string_view choices = {};  // '|' between them
  const Shape* shape = nullptr;
};
struct Shape {
  std::vector<Field> fields;
  bool lenient = false;  // further keys are none of the schema's business
};

using enum FieldKind;

const Shape kPair = {{{"name"}, {"value"}}};
const Shape kSupply = {
    {{"unit_count", kWhole},
     {"inlet_voltage", kReal},
     {"nameplate_power_watts", kReal},
     {"efficiency", kChoice, true, 0, "Standard|Bronze|Silver|Gold|Platinum|Titanium|Ruby|Unrated"}}};
const Shape kPower = {{{"min_psus_active", kWhole}, {"psus_configured", kObjects, true, 0, {}, &kSupply}}};
const Shape kChassis = {{{"model_name"},
                         {"rack_units", kWhole, false},
                         {"cpu_model"},
                         {"cpu_qty", kWhole},
                         {"cpu_cores", kWhole},
                         {"memory_capacity", kWhole},
                         {"power", kObject, false, 0, {}, &kPower}}};
const Shape kPort = {{{"unit_count", kWhole},
                      {"type", kChoice, true, 0, "ethernet|infiniband|other"},
                      {"state", kChoice, true, 0, "up|down"},
                      {"speed", kWhole, false},
                      {"traffic", kChoices, false, 0, "management|data|metadata|backend"}}};
const Shape kDrivePerformance = {{{"seq_read_MBps", kReal, true, 0},
                                  {"seq_write_MBps", kReal, true, 0},
                                  {"random_read_IOPS", kReal, true, 0},
                                  {"random_write_IOPS", kReal, true, 0}},
                                 true};
const Shape kDrive = {{{"unit_count", kWhole},
                       {"vendor_name"},
                       {"model_name"},
                       {"interface", kChoice, true, 0, "nvme|sas|sata|other"},
                       {"media_type", kChoice, true, 0, "HDD|TLC|QLC|other"},
                       {"capacity_in_GB", kWhole},
                       {"performance", kObject, false, 0, {}, &kDrivePerformance}},
                      true};
const Shape kOperatingSystem = {{{"name"}, {"version"}}};
const Shape kMachine = {{{"friendly_description"},
                         {"quantity", kWhole},
                         {"chassis", kObject, true, 0, {}, &kChassis},
                         {"networking", kObjects, false, 0, {}, &kPort},
                         {"drives", kObjects, false, 0, {}, &kDrive},
                         {"operating_system", kObject, true, 0, {}, &kOperatingSystem},
                         {"environment", kObjects, false, 0, {}, &kPair},
                         {"sysctl", kObjects, false, 0, {}, &kPair}}};
const Shape kSwitch = {{{"unit_count", kWhole},
                        {"vendor_name"},
                        {"model_name"},
                        {"ports", kObjects, true, 0, {}, &kPort},
                        {"configuration", kObjects, false, 0, {}, &kPair},
                        {"rack_units", kWhole, false},
                        {"power", kObject, false, 0, {}, &kPower}}};
const Shape kDesign = {{{"storage_location", kChoice, true, 0, "remote|local|remote_and_local"},
                        {"benchmark_API", kChoice, true, 0, "file|object"},
                        {"product_API", kChoice, true, 0, "file|object|block"},
                        {"client_footprint", kChoice, true, 0, "open_source|closed_source|n/a"},
                        {"client_installation", kChoice, true, 0, "in_box|installable|n/a"}}};
const Shape kCapabilities = {{{"multi_host", kBoolean},
                              {"simultaneous_write", kBoolean},
                              {"simultaneous_read", kBoolean},
                              {"remap_time_in_seconds", kWhole, true, 0}}};
const Shape kSolution = {{{"submission_name"},
                          {"friendly_description"},
                          {"usable_capacity_tib", kReal},
                          {"availability", kChoice, true, 0, "available|preview|RDI"},
                          {"int_client_store_tib", kReal, false},
                          {"architecture", kObject, true, 0, {}, &kDesign},
                          {"capabilities", kObject, true, 0, {}, &kCapabilities}}};
const Shape kSystem = {{{"solution", kObject, true, 0, {}, &kSolution},
                        {"deployment", kChoice, true, 0, "onprem|cloud"},
                        {"product_nodes", kObjects, false, 0, {}, &kMachine},
                        {"clients", kObjects, true, 0, {}, &kMachine},
                        {"product_switches", kObjects, false, 0, {}, &kSwitch},
                        {"total_rack_units", kWhole, false, 0},
                        {"rack_power_supplies", kObjects, false, 0, {}, &kPower}}};
constexpr const char* kRoot = "system_under_test";

class SchemaCheck {
 public:
  std::vector<SchemaFinding> run(const Node& root) {
    const Node system = root[kRoot];
    if (!system.is_object()) {
      add(kRoot, "is missing, or no mapping");
      return std::move(found_);
    }
    check(system, kSystem, kRoot);
    check_relations(system);
    return std::move(found_);
  }

 private:
  void add(std::string key, std::string message) { found_.push_back({std::move(key), std::move(message)}); }

  void check(const Node& node, const Shape& shape, const std::string& path) {
    for (const std::string& key : node.keys()) {
      const bool known =
          std::any_of(shape.fields.begin(), shape.fields.end(), [&](const Field& f) { return f.key == key; });
      if (!known && !shape.lenient) add(path + "." + key, "is no key of the schema");
    }
    for (const Field& field : shape.fields) {
      const std::string key = fmt::format("{}.{}", path, field.key);
      const Node value = node[field.key];
      if (!value.has_value()) {
        if (field.required) add(key, "is missing");
        continue;
      }
      check_value(value, field, key);
    }
  }

  void check_value(const Node& value, const Field& field, const std::string& key) {
    switch (field.kind) {
      case kText:
        if (!value.text()) add(key, "must be a text that is not empty");
        break;
      case kWhole:
      case kReal: {
        const auto number = value.is_number() ? value.number() : std::nullopt;
        const bool whole = number && *number == std::floor(*number);
        if (!number || *number < field.minimum || (field.kind == kWhole && !whole)) {
          add(key, fmt::format("is {}; it must be a {} of at least {:g}", shown(value),
                               field.kind == kWhole ? "whole number" : "number", field.minimum));
        }
        break;
      }
      case kBoolean:
        if (!value.is_boolean()) add(key, fmt::format("is {}; it must be true or false", shown(value)));
        break;
      case kChoice:
        check_choice(value, field, key);
        break;
      case kChoices:
        if (!value.is_list()) add(key, "must be a list");
        for (size_t i = 0; i < value.size(); ++i) check_choice(value.item(i), field, fmt::format("{}[{}]", key, i));
        break;
      case kObject:
        if (!value.is_object()) return add(key, "must be a mapping");
        check(value, *field.shape, key);
        break;
      case kObjects:
        if (!value.is_list() || (field.required && value.size() == 0))
          return add(key, "must be a list, and not an empty one");
        for (size_t i = 0; i < value.size(); ++i) {
          const std::string item = fmt::format("{}[{}]", key, i);
          if (!value.item(i).is_object()) {
            add(item, "must be a mapping");
          } else {
            check(value.item(i), *field.shape, item);
          }
        }
        break;
    }
  }

  static std::string shown(const Node& value) { return value.dump().substr(0, 60); }

  void check_choice(const Node& value, const Field& field, const std::string& key) {
    const std::vector<std::string> legal = split(field.choices, "|");
    const std::string text = value.text_or("");
    if (std::find(legal.begin(), legal.end(), text) == legal.end()) {
      add(key, fmt::format("is {}; it must be one of {}", shown(value), join(legal, ", ")));
    }
  }

  // What the values say about each other, rules 1 to 17 of the schema.
  void check_relations(const Node& system) {
    const std::string deployment = system["deployment"].text_or("");
    check_machines(system, "product_nodes", deployment);
    check_machines(system, "clients", deployment);
    check_switches(system, deployment);
    if (deployment == "onprem") check_rack_units(system);
    if (deployment == "cloud" && system["rack_power_supplies"].size() > 0)
      add(path("rack_power_supplies"), "must not be there in a cloud");
    check_capabilities(system["solution"]);
    const std::string location = system.at("solution.architecture.storage_location").text_or("");
    if (location == "remote" && system["product_nodes"].size() == 0) {
      add(path("product_nodes"), "is missing; storage_location is remote");
    }
  }

  static std::string path(std::string_view key) { return fmt::format("{}.{}", kRoot, key); }

  void check_machines(const Node& system, std::string_view list, const std::string& deployment) {
    const bool remote = system.at("solution.architecture.storage_location").text_or("").starts_with("remote");
    const bool is_client = list == "clients";
    for (size_t i = 0; i < system[list].size(); ++i) {
      const Node machine = system[list].item(i);
      const std::string key = fmt::format("{}[{}]", path(list), i);
      for (const std::string_view fact : {"rack_units", "power"}) {
        const bool there = machine["chassis"][fact].has_value();
        if (deployment == "onprem" && !there && !(is_client && fact == "power")) {
          add(fmt::format("{}.chassis.{}", key, fact), "is missing; the deployment is onprem");
        }
        if (deployment == "cloud" && there)
          add(fmt::format("{}.chassis.{}", key, fact), "must not be there in a cloud");
      }
      if (remote && machine["networking"].size() == 0) add(key + ".networking", "is missing; the storage is remote");
      for (size_t port = 0; port < machine["networking"].size(); ++port) {
        check_port(machine["networking"].item(port), fmt::format("{}.networking[{}]", key, port));
      }
      check_power(machine["chassis"]["power"], key + ".chassis.power");
    }
  }

  void check_port(const Node& port, const std::string& key) {
    if (port["state"].text_or("") != "up") return;
    if (!port["speed"].has_value()) add(key + ".speed", "is missing; the port is up");
    if (port["traffic"].size() == 0) add(key + ".traffic", "names no traffic; the port is up");
  }

  void check_power(const Node& power, const std::string& key) {
    double configured = 0;
    const Node supplies = power["psus_configured"];
    for (size_t i = 0; i < supplies.size(); ++i) configured += supplies.item(i)["unit_count"].number().value_or(0);
    const auto active = power["min_psus_active"].number();
    if (active && *active > configured)
      add(key + ".min_psus_active", fmt::format("is above the {:g} configured", configured));
  }

  void check_switches(const Node& system, const std::string& deployment) {
    const Node switches = system["product_switches"];
    if (switches.size() == 0) return;
    if (deployment == "cloud") add(path("product_switches"), "must not be there in a cloud");
    if (system.at("solution.architecture.storage_location").text_or("") == "local") {
      add(path("product_switches"), "must not be there with local storage");
    }
    for (size_t i = 0; i < switches.size() && deployment == "onprem"; ++i) {
      for (const std::string_view fact : {"rack_units", "power"}) {
        if (!switches.item(i)[fact].has_value()) {
          add(fmt::format("{}[{}].{}", path("product_switches"), i, fact), "is missing; the deployment is onprem");
        }
      }
    }
  }

  void check_rack_units(const Node& system) {
    const auto total = system["total_rack_units"].number();
    if (!total) return add(path("total_rack_units"), "is missing; the deployment is onprem");
    double sum = 0;
    for (size_t i = 0; i < system["product_nodes"].size(); ++i) {
      const Node node = system["product_nodes"].item(i);
      sum += node["chassis"]["rack_units"].number().value_or(0) * node["quantity"].number().value_or(0);
    }
    for (size_t i = 0; i < system["product_switches"].size(); ++i) {
      const Node one = system["product_switches"].item(i);
      sum += one["rack_units"].number().value_or(0) * one["unit_count"].number().value_or(0);
    }
    if (*total != sum) add(path("total_rack_units"), fmt::format("is {:g}; nodes and switches have {:g}", *total, sum));
  }

  void check_capabilities(const Node& solution) {
    const Node can = solution["capabilities"];
    const auto writes = can["simultaneous_write"].boolean();
    const auto reads = can["simultaneous_read"].boolean();
    const auto remap = can["remap_time_in_seconds"].number();
    if (writes && reads && remap && (*remap == 0) != (*writes && *reads)) {
      add(path("solution.capabilities.remap_time_in_seconds"),
          "is 0 if and only if simultaneous_write and simultaneous_read are true");
    }
    const Node design = solution["architecture"];
    if ((design["client_footprint"].text_or("") == "n/a") != (design["client_installation"].text_or("") == "n/a")) {
      add(path("solution.architecture.client_installation"), "is n/a if and only if client_footprint is");
    }
  }

  std::vector<SchemaFinding> found_;
};

}  // namespace

std::vector<SchemaFinding> check_system(const Node& root) {
  return SchemaCheck().run(root);
}

}  // namespace mlps::rules
