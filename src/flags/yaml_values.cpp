#include "flags/yaml_values.hpp"

#include <fmt/format.h>

#include "base/read_file.hpp"
#include "flags/text.hpp"

namespace mlps::cli {
namespace {

tl::unexpected<Error> wrong_shape(const Flag& flag, std::string_view legal) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}: needs {}", key_name(flag), legal));
}

bool is_boolean(const YAML::Node& node) {
  return node.IsScalar() && node.Tag() != "!" && (lower(node.Scalar()) == "true" || lower(node.Scalar()) == "false");
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
    YAML::Node node = YAML::Load(*text);
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
      if (!is_boolean(node)) return wrong_shape(flag, "true or false");
      return std::vector<std::string>{lower(node.Scalar())};
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
      if (!node.IsScalar() || is_boolean(node)) return wrong_shape(flag, "a text or a list of texts");
      return std::vector<std::string>{node.Scalar()};
    default:
      break;
  }
  if (!node.IsScalar() || is_boolean(node)) return wrong_shape(flag, "one plain value");
  return std::vector<std::string>{node.Scalar()};
}

}  // namespace mlps::cli
