#include "flags/yaml_values.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>

#include "base/read_file.hpp"
#include "flags/text.hpp"
#include "flags/values.hpp"

namespace mlps::cli {
namespace {

tl::unexpected<Error> wrong_shape(const Flag& flag, std::string_view legal) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}: needs {}", key_name(flag), legal));
}

// What YAML 1.1 reads as a boolean, unless it is quoted.
std::optional<bool> boolean_of(const YAML::Node& node) {
  if (!node.IsScalar() || node.Tag() == "!" || node.Scalar().size() < 2) return std::nullopt;  // not "1" and "0"
  return switch_value(node.Scalar());
}

Result<std::vector<std::string>> scalars(const Flag& flag, const YAML::Node& list) {
  std::vector<std::string> values;
  for (const YAML::Node& item : list) {
    if (!item.IsScalar()) return wrong_shape(flag, "a list of plain texts");
    values.push_back(item.Scalar());
  }
  if (values.empty()) return wrong_shape(flag, "at least one element");
  return values;
}

}  // namespace

Result<YAML::Node> load_mapping(const std::string& path, std::string_view what) {
  const Result<std::string> text = read_file(path, std::string(what));
  if (!text) return fail(text.error());
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(*text);
    if (documents.size() > 1) {
      return fail(ErrorCode::kConfigParse, fmt::format("{} {}: it holds {} documents", what, path, documents.size()),
                  {}, "take out the lines ---: one file is one mapping");
    }
    YAML::Node node = documents.empty() ? YAML::Node() : documents.front();
    if (node.IsNull()) return YAML::Node(YAML::NodeType::Map);
    if (node.IsMap()) return node;
    return fail(ErrorCode::kConfigParse, fmt::format("{} {}: not a mapping", what, path), {},
                "write one 'key: value' per line");
  } catch (const YAML::Exception& exception) {
    return fail(ErrorCode::kConfigParse,
                fmt::format("{} {}:{}: {}", what, path, exception.mark.line + 1, exception.msg));
  }
}

Result<std::vector<std::string>> yaml_values(const Flag& flag, const YAML::Node& node) {
  switch (flag.kind) {
    case FlagKind::kSwitch:
      if (!boolean_of(node)) return wrong_shape(flag, "true or false");
      return std::vector<std::string>{*boolean_of(node) ? "true" : "false"};
    case FlagKind::kPairs: {
      if (node.IsScalar()) return std::vector<std::string>{node.Scalar()};
      if (node.IsSequence()) return scalars(flag, node);
      std::vector<std::string> values;
      for (const auto& entry : node) {
        if (!entry.second.IsScalar()) return wrong_shape(flag, "a mapping of dotted keys to plain values");
        values.push_back(entry.first.Scalar() + "=" + entry.second.Scalar());
      }
      return values;
    }
    case FlagKind::kHosts:
    case FlagKind::kRepeated:
      if (node.IsSequence()) return scalars(flag, node);
      if (!node.IsScalar() || boolean_of(node)) return wrong_shape(flag, "a text or a list of texts");
      return std::vector<std::string>{node.Scalar()};
    default:
      break;
  }
  if (!node.IsScalar() || boolean_of(node)) return wrong_shape(flag, "one plain value");
  return std::vector<std::string>{node.Scalar()};
}

LayerValues file_values(const YAML::Node& root, Source source, const std::string& origin, const KeyJudge& flag_of) {
  LayerValues layer;
  std::set<std::string> seen;
  for (const auto& entry : root) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
    Result<const Flag*> flag = flag_of(key);
    if (flag && !seen.insert(key).second) {
      flag = fail(ErrorCode::kConfigInvalid, fmt::format("key '{}' stands twice", key), {}, "keep one of them");
    }
    auto values = flag.and_then([&](const Flag* known) -> Result<std::vector<std::string>> {
      if (known == nullptr || entry.second.IsNull()) return std::vector<std::string>();
      return yaml_values(*known, entry.second);
    });
    if (!values) {
      values.error().details = "from " + origin;
      layer.errors.push_back(std::move(values.error()));
    } else if (!values->empty()) {
      layer.settings[std::string((*flag)->name)] = {std::move(*values), source, origin};
    }
  }
  return layer;
}

Error unknown_key(const std::string& key, const std::vector<const Flag*>& flags, std::string advice) {
  std::vector<std::string> names;
  names.reserve(flags.size());
  for (const Flag* flag : flags) names.push_back(key_name(*flag));
  const std::string near = nearest(key, {names.begin(), names.end()});
  return {ErrorCode::kConfigInvalid,
          fmt::format("unknown key '{}'", key),
          {},
          near.empty() || near == key ? std::move(advice) : fmt::format("did you mean '{}'?", near)};
}

}  // namespace mlps::cli
