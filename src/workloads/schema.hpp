#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// The keys that workload files and overrides may have, and the values each of them takes.
namespace mlps::workloads {

enum class Kind {
  kText,
  kWord,
  kBool,
  kCount,
  kCountOrMinusOne,
  kReal,
  kSeconds,
  kNames,    ///< a list of texts: "[a, b]" or "a,b"
  kCounts,   ///< a list of whole numbers
  kColumns,  ///< of a parquet file: see workloads/columns.hpp
  kSecret    ///< no value is legal: credentials come from the environment
};

struct Key {
  std::string_view name;
  Kind kind;
  std::string_view words = {};  ///< kWord: the legal ones, separated by '|'
  /// kCount, kCountOrMinusOne, kReal. The limits are far above anything real and keep every product below 2^63.
  uint64_t least = 0;
  uint64_t most = 0;
  bool required = true;                ///< in every workload file
  std::string_view no_effect_as = {};  ///< the key is known and does nothing here: why
};

/// One table of keys. Refers to what it is made of.
class Schema {
 public:
  /// Keys below `open_prefix` take any text; empty: none. `sections` names the legal ones to people.
  constexpr Schema(std::span<const Key> keys, std::string_view open_prefix, std::string_view sections)
      : keys_(keys), open_prefix_(open_prefix), sections_(sections) {}

  std::span<const Key> keys() const { return keys_; }
  const Key* find(std::string_view key) const;
  bool knows(std::string_view key) const;

  /// Checks one key and value. Returns the value in its canonical spelling ("True" for "true"). E102 names the key,
  /// the value and what would be legal; for an unknown key, the nearest known one.
  Result<std::string> checked_value(std::string_view key, std::string_view value) const;

 private:
  std::span<const Key> keys_;
  std::string_view open_prefix_;
  std::string_view sections_;
};

const Schema& checkpoint_schema();
const Schema& training_schema();

/// The name among `names` nearest to `name` by edit distance, if it is near enough to be what was meant.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& names);

}  // namespace mlps::workloads
