#include <nlohmann/json.hpp>

#include "results/json_text.hpp"

namespace mlps::results {
namespace {

Json converted(const nlohmann::ordered_json& value) {
  if (value.is_object()) {
    Json json = Json::object();
    for (const auto& [key, member] : value.items()) json.append(key, converted(member));
    return json;
  }
  if (value.is_array()) {
    Json json = Json::array();
    for (const auto& item : value) json.push_back(converted(item));
    return json;
  }
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number()) return value.get<double>();
  return nullptr;
}

}  // namespace

std::optional<Json> parse_json(std::string_view text) {
  const auto parsed = nlohmann::ordered_json::parse(text, nullptr, false);
  if (parsed.is_discarded()) return std::nullopt;
  return converted(parsed);
}

}  // namespace mlps::results
