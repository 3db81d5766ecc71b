#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mlps {

/// Holds a JSON value that is to be written: keys keep the order in which they were added. There is no parser here;
/// what reads JSON uses nlohmann-json.
class Json {
 public:
  /// A key with its value; a template because Json is not complete here.
  template <class Value>
  struct Keyed {
    std::string key;
    Value value;
    friend bool operator==(const Keyed&, const Keyed&) = default;
  };
  using Member = Keyed<Json>;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;

  // Values convert implicitly, so that objects and lists can be written down. Default: null.
  Json() = default;
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  template <std::integral Number>
  Json(Number value) {
    if constexpr (std::signed_integral<Number>) {
      value_ = static_cast<int64_t>(value);
    } else {
      value_ = static_cast<uint64_t>(value);
    }
  }
  Json(double value) : value_(value) {}
  Json(const char* text) : value_(std::string(text)) {}
  Json(std::string text) : value_(std::move(text)) {}
  Json(std::string_view text) : value_(std::string(text)) {}
  template <class Value>
  Json(const std::vector<Value>& values) : value_(Array(values.begin(), values.end())) {}
  /// An object if every item is a list of a text and a value, else a list.
  Json(std::initializer_list<Json> items);
  static Json array() { return Json(Array()); }
  static Json object() { return Json(Object()); }

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_boolean() const { return std::holds_alternative<bool>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_structured() const { return is_object() || is_array(); }
  /// Returns the text, or nullptr if this is none.
  std::string* text() { return std::get_if<std::string>(&value_); }
  const std::string* text() const { return std::get_if<std::string>(&value_); }
  bool empty() const;  ///< a list or an object without anything in it

  /// Returns the value of a key; a new one, at the end, is null. Null becomes an object first.
  Json& operator[](std::string_view key);
  /// Returns the value of a key of an object, or nullptr.
  const Json* find(std::string_view key) const;
  void erase(std::string_view key);
  void update(const Json& object);  ///< sets every key of `object`
  /// Appends without looking for the key among those before it.
  void append(std::string key, Json value);
  Json& push_back(Json value);  ///< appends to a list, which null becomes first

  Object& members() { return std::get<Object>(value_); }
  const Object& members() const { return std::get<Object>(value_); }
  Array& items() { return std::get<Array>(value_); }
  const Array& items() const { return std::get<Array>(value_); }

  /// Returns the text of this value, on one line without blanks if `indent` is negative. Invalid UTF-8 becomes U+FFFD
  /// and a number that is not finite null, so that the text is JSON whatever a server or a clock gave.
  std::string dump(int indent = -1) const;
  void append_to(std::string& text, int indent, int depth = 0) const;
  /// Appends the text of a string, quoted.
  static void append_quoted(std::string_view value, std::string& text);

  friend bool operator==(const Json& one, const Json& other);

 private:
  explicit Json(Array items) : value_(std::move(items)) {}
  explicit Json(Object members) : value_(std::move(members)) {}

  std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string, Array, Object> value_ = nullptr;
};

}  // namespace mlps
