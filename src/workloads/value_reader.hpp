#pragma once

#include <optional>
#include <string>

#include "workloads/value_text.hpp"
#include "workloads/values.hpp"

namespace mlps::workloads {

/// Sets typed members from values that a schema has checked; the member of a key that is not given keeps its value.
class ValueReader {
 public:
  explicit ValueReader(const Values& values) : values_(values) {}

  const std::string* find(const std::string& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second.value;
  }
  void text(const std::string& key, std::string& member) const {
    if (const std::string* value = find(key)) member = *value;
  }
  void flag(const std::string& key, bool& member) const {
    if (const std::string* value = find(key)) member = *value == "True";
  }
  template <class Number>
  void number(const std::string& key, Number& member) const {
    if (const std::string* value = find(key)) member = number_of<Number>(*value).value_or(member);
  }
  template <class Number>
  void optional(const std::string& key, std::optional<Number>& member) const {
    if (const std::string* value = find(key)) member = number_of<Number>(*value);  // -1: none
  }

 protected:
  const Values& values_;
};

}  // namespace mlps::workloads
