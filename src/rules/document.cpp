#include "rules/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "results/json_text.hpp"

namespace mlps::rules {
namespace {

using Value = nlohmann::ordered_json;

constexpr size_t kMostYamlValues = 100'000;

// Turns JSON as Python writes it into JSON, piece by piece, and follows how deep it is.
class PythonFilter {
 public:
  void feed(std::string_view piece, std::string& out) {
    while (!piece.empty()) {
      const size_t plain = word_.empty() && !escaped_ ? plain_length(piece) : 0;
      out += piece.substr(0, plain);
      piece.remove_prefix(plain);
      if (piece.empty()) return;
      step(piece.front(), out);
      piece.remove_prefix(1);
    }
  }
  void finish(std::string& out) { end_word(out); }
  bool is_too_deep() const { return deepest_ > kDeepestDocument; }

 private:
  // Returns how many characters at the beginning are only copied: the rest of a text, or numbers and what parts them.
  size_t plain_length(std::string_view piece) const {
    size_t length = 0;
    if (in_text_) {
      while (length < piece.size() && piece[length] != '"' && piece[length] != '\\') ++length;
      return length;
    }
    while (length < piece.size() &&
           ((piece[length] >= '0' && piece[length] <= '9') || piece[length] == '.' || piece[length] == ',' ||
            piece[length] == ' ' || piece[length] == '\n' || piece[length] == ':')) {
      ++length;
    }
    return length;
  }
  void step(char c, std::string& out) {
    if (in_text_) {
      out += c;
      in_text_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
      return;
    }
    if (std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '-' || (!word_.empty() && c >= '0' && c <= '9')) {
      if (word_.size() < kLongestWord) {
        word_ += c;
        return;
      }
    }
    end_word(out);
    out += c;
    in_text_ = c == '"';
    if (c == '{' || c == '[') deepest_ = std::max(deepest_, ++depth_);
    if ((c == '}' || c == ']') && depth_ > 0) --depth_;
  }
  void end_word(std::string& out) {
    out += word_ == "NaN" || word_ == "Infinity" || word_ == "-Infinity" ? "null" : word_;
    word_.clear();
  }

  static constexpr size_t kLongestWord = 16;
  std::string word_;
  bool in_text_ = false, escaped_ = false;
  unsigned depth_ = 0, deepest_ = 0;
};

Error not_json(std::string_view words) {
  return {ErrorCode::kConfigParse, fmt::format("is no JSON: {}", printable(words))};
}
Error too_deep() {
  return {ErrorCode::kConfigParse, fmt::format("is nested deeper than {} levels", kDeepestDocument)};
}

Value scalar_of(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  const std::string& tag = node.Tag();
  if (tag == "!" || tag == "!!str" || tag == "tag:yaml.org,2002:str") return text;
  return Value::parse(results::yaml_scalar(text).dump(), nullptr, false);
}

// Copies a YAML tree; false once it is too deep or too large.
bool copy_yaml(const YAML::Node& node, unsigned depth, size_t& left, Value& into) {
  if (depth > kDeepestDocument || left == 0) return false;
  --left;
  if (node.IsScalar()) {
    into = scalar_of(node);
  } else if (node.IsSequence()) {
    into = Value::array();
    for (const YAML::Node& item : node) {
      into.emplace_back();
      if (!copy_yaml(item, depth + 1, left, into.back())) return false;
    }
  } else if (node.IsMap()) {
    into = Value::object();
    for (const auto& member : node) {
      const std::string key = member.first.IsScalar() ? member.first.Scalar() : std::string("?");
      if (!copy_yaml(member.second, depth + 1, left, into[key])) return false;
    }
  }
  return true;
}

}  // namespace

bool Node::has_value() const {
  return value_ != nullptr && !value_->is_null();
}
bool Node::is_object() const {
  return value_ != nullptr && value_->is_object();
}
bool Node::is_list() const {
  return value_ != nullptr && value_->is_array();
}
bool Node::is_text() const {
  return value_ != nullptr && value_->is_string();
}
bool Node::is_number() const {
  return value_ != nullptr && value_->is_number();
}
bool Node::is_boolean() const {
  return value_ != nullptr && value_->is_boolean();
}

Node Node::operator[](std::string_view key) const {
  if (!is_object()) return {};
  const auto found = value_->find(std::string(key));
  return found == value_->end() ? Node() : Node(&*found);
}

Node Node::at(std::string_view dotted) const {
  Node node = *this;
  for (const std::string& key : split(dotted, ".")) node = node[key];
  return node;
}

size_t Node::size() const {
  return is_object() || is_list() ? value_->size() : 0;
}

Node Node::item(size_t index) const {
  return is_list() && index < value_->size() ? Node(&(*value_)[index]) : Node();
}

std::vector<std::string> Node::keys() const {
  std::vector<std::string> keys;
  if (!is_object()) return keys;
  for (const auto& [key, value] : value_->items()) keys.push_back(key);
  return keys;
}

std::optional<double> Node::number() const {
  std::optional<double> number;
  if (is_number()) number = value_->get<double>();
  if (is_text()) number = parse_number<double>(trimmed(value_->get_ref<const std::string&>()));
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<bool> Node::boolean() const {
  if (is_boolean()) return value_->get<bool>();
  if (!is_text()) return std::nullopt;
  const std::string word = lower(trimmed(value_->get_ref<const std::string&>()));
  if (word == "true") return true;
  if (word == "false") return false;
  return std::nullopt;
}

std::optional<std::string> Node::text() const {
  if (!is_text() || value_->get_ref<const std::string&>().empty()) return std::nullopt;
  return value_->get<std::string>();
}

std::string Node::text_or(std::string_view otherwise) const {
  return text().value_or(std::string(otherwise));
}

std::optional<std::vector<double>> Node::numbers() const {
  if (!is_list() || value_->empty()) return std::nullopt;
  std::vector<double> numbers;
  for (size_t i = 0; i < size(); ++i) {
    const auto number = item(i).number();
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

std::string Node::dump() const {
  return value_ == nullptr ? "absent" : value_->dump(-1, ' ', false, Value::error_handler_t::replace);
}

Document::Document(nlohmann::ordered_json value) : value_(std::make_shared<const Value>(std::move(value))) {}

Result<Document> parse_json_document(std::string_view text) {
  std::string filtered;
  PythonFilter filter;
  filter.feed(text, filtered);
  filter.finish(filtered);
  if (filter.is_too_deep()) return fail(too_deep());
  try {
    return Document(Value::parse(filtered));
  } catch (const nlohmann::json::exception& error) {
    return fail(not_json(error.what()));
  }
}

Result<Document> parse_yaml_document(const std::string& text) {
  try {
    const YAML::Node root = YAML::Load(text);
    size_t left = kMostYamlValues;
    Value value;
    if (copy_yaml(root, 0, left, value)) return Document(std::move(value));
    return fail(ErrorCode::kConfigParse, "is nested too deep, or has too many values");
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::kConfigParse, fmt::format("is no YAML: {}", printable(error.what())));
  }
}

}  // namespace mlps::rules
