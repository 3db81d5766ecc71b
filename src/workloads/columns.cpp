#include "workloads/columns.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>

#include "workloads/value_text.hpp"

namespace mlps::workloads {
namespace {

constexpr std::string_view kKey = "dataset.parquet.columns";
// A row of a column stays below 2^36 bytes, and a file of them below 2^63.
constexpr uint64_t kMostElements = uint64_t{1} << 32;
constexpr size_t kMostColumns = 10'000;

tl::unexpected<Error> bad_column(size_t index, std::string_view what) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}: column {}: {}", kKey, index, what), {},
              "a column is {name: TEXT, dtype: TYPE, size: ELEMENTS, read: BOOL}; only the name is needed");
}

bool is_column_name(const std::string& name) {
  return !name.empty() && name.size() <= 200 &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
             std::string::npos;
}

Status set_field(Column& column, size_t index, const std::string& field, const std::string& value) {
  if (field == "name") {
    if (!is_column_name(value)) {
      return bad_column(index, fmt::format("name \"{}\": letters, digits, '_', '.', '-'", value.substr(0, 200)));
    }
    column.name = value;
  } else if (field == "dtype") {
    const auto type = element_type_of(value);
    if (!type) return bad_column(index, fmt::format("unknown dtype \"{}\"", value.substr(0, 200)));
    column.type = *type;
  } else if (field == "size") {
    const auto size = number_of<uint64_t>(value);
    if (!size || *size == 0 || *size > kMostElements) {
      return bad_column(index, fmt::format("size \"{}\": 1 to {}", value.substr(0, 200), kMostElements));
    }
    column.elements = *size;
  } else if (field == "read") {
    const bool yes = value == "true" || value == "True" || value == "TRUE";
    if (!yes && value != "false" && value != "False" && value != "FALSE") {
      return bad_column(index, fmt::format("read \"{}\": true or false", value.substr(0, 200)));
    }
    column.read = yes;
  } else {
    return bad_column(index, fmt::format("unknown field \"{}\"", field.substr(0, 200)));
  }
  return {};
}

Result<Column> column_of(const YAML::Node& node, size_t index) {
  if (!node.IsMap()) return bad_column(index, "not a map of fields");
  Column column;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar() || !entry.second.IsScalar()) return bad_column(index, "a field without a plain value");
    if (Status done = set_field(column, index, entry.first.Scalar(), entry.second.Scalar()); !done) {
      return fail(done.error());
    }
  }
  if (column.name.empty()) return bad_column(index, "no name");
  return column;
}

Result<std::vector<Column>> columns_in(const YAML::Node& list) {
  if (!list.IsSequence()) return fail(ErrorCode::kConfigInvalid, fmt::format("{}: not a list of columns", kKey));
  if (list.size() > kMostColumns) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}: {} columns", kKey, list.size()), {},
                fmt::format("at most {} are made", kMostColumns));
  }
  std::vector<Column> columns;
  std::set<std::string> names;
  for (const YAML::Node& node : list) {
    auto column = column_of(node, columns.size());
    if (!column) return fail(column.error());
    if (!names.insert(column->name).second) {
      return bad_column(columns.size(), fmt::format("there is another named {}", column->name));
    }
    columns.push_back(std::move(*column));
  }
  return columns;
}

}  // namespace

Result<std::vector<Column>> columns_of(std::string_view yaml) {
  // yaml-cpp throws on bad syntax; the exceptions end here.
  try {
    return columns_in(YAML::Load(std::string(yaml)));
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}: {}", kKey, error.what()));
  }
}

std::string columns_text(const std::vector<Column>& columns) {
  std::string text = "[";
  for (const Column& column : columns) {
    text += fmt::format("{}{{name: {}, dtype: {}, size: {}{}}}", text.size() == 1 ? "" : ", ", column.name,
                        element_name(column.type), column.elements, column.read ? ", read: true" : "");
  }
  return text + "]";
}

}  // namespace mlps::workloads
