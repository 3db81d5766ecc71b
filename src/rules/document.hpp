#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"

/// Readers of result files that others wrote. Everything in such a file may be absent or of another type than expected:
/// no question about a value fails, it just has no answer.
namespace mlps::rules {

inline constexpr uint64_t kMostDocumentBytes = 32 * kMiB;
inline constexpr unsigned kDeepestDocument = 64;

/// Refers to a value of a Document, or to none. Valid as long as the document is.
class Node {
 public:
  Node() = default;
  explicit Node(const nlohmann::ordered_json* value) : value_(value) {}

  bool is_there() const { return value_ != nullptr; }
  bool has_value() const;  ///< is there, and is not null
  bool is_object() const;
  bool is_list() const;
  bool is_text() const;
  bool is_number() const;   ///< a number, not a text that spells one
  bool is_boolean() const;  ///< a boolean, not a text that spells one

  /// Returns the member of an object, or no value.
  Node operator[](std::string_view key) const;
  /// Returns what a path of keys with dots between them leads to: "metric.train_au_mean_percentage".
  Node at(std::string_view dotted) const;
  size_t size() const;  ///< of an object or a list, else 0
  Node item(size_t index) const;
  std::vector<std::string> keys() const;

  /// Return the value, also where a text spells it: "8", "True". Never NaN or infinite.
  std::optional<double> number() const;
  std::optional<bool> boolean() const;
  /// Returns a text that is not empty.
  std::optional<std::string> text() const;
  std::string text_or(std::string_view otherwise) const;
  /// Returns the numbers of a list; nothing unless it is a list of numbers, and not an empty one.
  std::optional<std::vector<double>> numbers() const;
  /// Returns JSON on one line.
  std::string dump() const;

 private:
  const nlohmann::ordered_json* value_ = nullptr;
};

/// Holds a parsed file. Copies share it. Without a file, the root is no value.
class Document {
 public:
  Document() = default;
  explicit Document(nlohmann::ordered_json value);
  bool is_there() const { return value_ != nullptr; }
  Node root() const { return Node(value_.get()); }
  Node operator[](std::string_view key) const { return root()[key]; }
  Node at(std::string_view dotted) const { return root().at(dotted); }

 private:
  std::shared_ptr<const nlohmann::ordered_json> value_;
};

/// Parses JSON as Python writes it: NaN and Infinity become null. E104 with the place for other text, and for one
/// nested deeper than kDeepestDocument.
Result<Document> parse_json_document(std::string_view text);
/// Parses one document of YAML. Quoted scalars are texts; others what YAML 1.1 sees in them. E104 as for JSON, and for
/// aliases that would make it larger than 100,000 values.
Result<Document> parse_yaml_document(const std::string& text);

/// Takes the numbers of a file too large for memory, with their keys from the root: {"1", "au", "block1"}; list items
/// have no key of their own.
using NumberSink = std::function<void(const std::vector<std::string>& keys, double value)>;
/// Reads a JSON file of any size in pieces and gives its numbers, and texts that spell one, to `sink`; NaN, Infinity
/// and numbers beyond the range of double are none. E104 with the place if it is no JSON, E103 if it is no file, else
/// the error of the system.
Status stream_numbers(const std::string& path, const NumberSink& sink);

}  // namespace mlps::rules
