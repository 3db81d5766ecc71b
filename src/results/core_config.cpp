#include "results/core_config.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.hpp"
#include "results/config_json.hpp"
#include "results/digests.hpp"

namespace mlps::results {
namespace {

constexpr size_t kHashDigits = 16;

bool allows(const ClassKeys& list, std::string_view key) {
  if (std::find(list.left_out.begin(), list.left_out.end(), key) != list.left_out.end()) return false;
  return std::any_of(list.keys.begin(), list.keys.end(), [&](std::string_view allowed) {
    return key == allowed || (allowed.ends_with('.') && key.starts_with(allowed));
  });
}

// Returns a value in the one spelling that all spellings of it have.
nlohmann::json canonical(const nlohmann::ordered_json& value) {
  if (value.is_array()) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& item : value) list.push_back(canonical(item));
    return list;
  }
  nlohmann::json scalar = value;
  if (value.is_string()) {
    const std::string text(trimmed(value.get<std::string>()));
    const std::string folded = lower(text);
    if (folded == "true" || folded == "false") return folded == "true";
    const Json read = yaml_scalar(text);
    const bool is_number = read.text() == nullptr && !read.is_null() && !read.is_boolean();
    if (!is_number) return text;
    scalar = nlohmann::json::parse(read.dump());
  }
  if (!scalar.is_number_float()) return scalar;
  const auto number = scalar.get<double>();
  if (!(std::abs(number) < 9e18)) return number;
  const auto whole = static_cast<int64_t>(number);
  if (static_cast<double>(whole) == number) return whole;
  return number;
}

void collect(const ClassKeys& list, const nlohmann::ordered_json& node, const std::string& key, nlohmann::json& core) {
  if (node.is_object()) {
    for (const auto& [name, member] : node.items()) collect(list, member, key.empty() ? name : key + "." + name, core);
  } else if (allows(list, key)) {
    core[key] = canonical(node);
  }
}

}  // namespace

CoreConfig core_config(const ClassKeys& list, std::string_view parameters) {
  CoreConfig config;
  config.allowlist = std::string(list.name);
  nlohmann::json core = nlohmann::json::object();
  const auto parsed = nlohmann::ordered_json::parse(parameters, nullptr, false);
  if (parsed.is_object()) collect(list, parsed, {}, core);
  if (core.empty()) return config;
  for (const auto& [key, value] : core.items()) config.keys.push_back(key);
  config.hash = sha256_hex(core.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)).substr(0, kHashDigits);
  return config;
}

CoreConfig core_config(const RunContext& context) {
  if (context.class_keys != nullptr) return core_config(*context.class_keys, parameters_json(context, false).dump());
  CoreConfig unknown;
  unknown.allowlist = "unknown";
  return unknown;
}

}  // namespace mlps::results
