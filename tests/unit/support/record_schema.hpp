#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// Holds records against the JSON Schema files of the repository, by the words of JSON Schema that these use.
namespace mlps::test {

class RecordSchema {
  using Json = nlohmann::json;

 public:
  /// Returns what is wrong with a record, a line each.
  static std::vector<std::string> problems(const std::string& text) {
    const Json record = Json::parse(text);
    const std::string name = record.value("schema", "");
    for (const auto& entry : std::filesystem::directory_iterator(MLPS_SCHEMAS)) {
      RecordSchema schema(entry.path());
      if (entry.path().filename() == kCommon || schema.root_["properties"]["schema"]["enum"][0] != name) continue;
      schema.check(record, schema.root_, "", schema.root_);
      return schema.problems_;
    }
    return {"no schema for " + name};
  }

 private:
  static constexpr const char* kCommon = "common.schema.json";

  explicit RecordSchema(const std::filesystem::path& path)
      : root_(load(path)), common_(load(path.parent_path() / kCommon)) {}

  static Json load(const std::filesystem::path& path) {
    std::ifstream file(path);
    return Json::parse(file);
  }

  static bool has_type(const Json& value, const std::string& type) {
    if (type == "null") return value.is_null();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    return type == "array" ? value.is_array() : type == "object" && value.is_object();
  }

  void check_type(const Json& value, const Json& schema, const std::string& path) {
    if (!schema.contains("type")) return;
    const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
    for (const Json& type : types) {
      if (has_type(value, type)) return;
    }
    problems_.push_back(path + " is no " + types.dump());
  }

  void check_members(const Json& value, const Json& schema, const std::string& path, const Json& document) {
    for (const Json& name : schema.value("required", Json::array())) {
      if (!value.contains(name.get<std::string>())) problems_.push_back(path + " lacks " + name.get<std::string>());
    }
    const Json properties = schema.value("properties", Json::object());
    const Json others = schema.value("additionalProperties", Json(true));
    for (const auto& [name, member] : value.items()) {
      const std::string inner = path + "/" + name;
      if (properties.contains(name)) {
        check(member, properties[name], inner, document);
      } else if (others.is_object()) {
        check(member, others, inner, document);
      } else if (others == false) {
        problems_.push_back(inner + " is not in the schema");
      }
    }
  }

  void check(const Json& value, const Json& schema, const std::string& path, const Json& document) {
    if (schema.contains("$ref")) {
      const std::string where = schema["$ref"];
      const size_t hash = where.find('#');
      const Json& named = hash == 0 ? document : common_;
      check(value, named.at(Json::json_pointer(where.substr(hash + 1))), path, named);
    }
    if (schema.contains("anyOf")) {
      std::vector<std::string> before;
      before.swap(problems_);
      std::vector<std::string> fewest;
      bool fits = false;
      for (const Json& one : schema["anyOf"]) {
        problems_.clear();
        check(value, one, path, document);
        fits = fits || problems_.empty();
        if (fewest.empty() || problems_.size() < fewest.size()) fewest = problems_;
      }
      problems_.swap(before);
      if (!fits) problems_.insert(problems_.end(), fewest.begin(), fewest.end());
    }
    if (schema.contains("enum") &&
        schema["enum"].end() == std::find(schema["enum"].begin(), schema["enum"].end(), value))
      problems_.push_back(path + " is none of " + schema["enum"].dump());
    check_type(value, schema, path);
    if (value.is_object()) check_members(value, schema, path, document);
    if (!value.is_array() || !schema.contains("items")) return;
    for (size_t i = 0; i < value.size(); ++i)
      check(value[i], schema["items"], path + "/" + std::to_string(i), document);
  }

  const Json root_, common_;
  std::vector<std::string> problems_;
};

/// Parses the text of a record, which the schemas must allow.
inline nlohmann::ordered_json parse_record(const std::string& text) {
  EXPECT_THAT(RecordSchema::problems(text), ::testing::IsEmpty());
  return nlohmann::ordered_json::parse(text);
}

}  // namespace mlps::test
