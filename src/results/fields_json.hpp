#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.hpp"
#include "base/fields.hpp"
#include "results/record_common.hpp"

/// JSON of structs that list their fields (base/fields.hpp): every field with a name, in the order of the list.
namespace mlps::results {

/// Adds the fields of `value`. Nested structs become objects, lists arrays, absent values null; a moment becomes its
/// nanoseconds after `origin`, and the histograms of one struct stand together in the object "latency".
template <Listed T>
void add_fields(Json& json, const T& value, Nanos origin = 0);

template <class T>
Json value_json(const T& value, Nanos origin) {
  if constexpr (Listed<T>) {
    Json json = Json::object();
    add_fields(json, value, origin);
    return json;
  } else if constexpr (std::is_same_v<T, Stamp>) {
    return value.monotonic_ns - origin;
  } else {
    return value;
  }
}
template <class T>
Json value_json(const std::vector<T>& values, Nanos origin) {
  Json json = Json::array();
  for (const T& value : values) json.push_back(value_json(value, origin));
  return json;
}
template <class T, size_t N>
Json value_json(const std::array<T, N>& values, Nanos origin) {
  Json json = Json::array();
  for (const T& value : values) json.push_back(value_json(value, origin));
  return json;
}
template <class T>
Json value_json(const std::optional<T>& value, Nanos origin) {
  return value ? value_json(*value, origin) : Json();
}

template <Listed T>
void add_fields(Json& json, const T& value, Nanos origin) {
  for_each_field<T>([&](const auto& field) {
    if (field.name.empty()) return;
    using Value = std::remove_cvref_t<decltype(value.*field.member)>;
    if constexpr (std::is_same_v<Value, Histogram>) {
      json["latency"][field.name] = histogram_json(value.*field.member);
    } else if constexpr (requires { value_json(value.*field.member, origin); }) {
      json[field.name] = value_json(value.*field.member, origin);
    }
  });
}

/// Gives an entry of an object another name, in its place.
inline void rename_key(Json& object, std::string_view from, std::string_view to) {
  for (Json::Member& member : object.members()) {
    if (member.key == from) member.key = to;
  }
}

/// Returns the object of the fields of `value`.
template <Listed T>
Json fields_json(const T& value, Nanos origin = 0) {
  return value_json(value, origin);
}

}  // namespace mlps::results
