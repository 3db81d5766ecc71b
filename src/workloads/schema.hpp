#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// The keys that workload files and overrides may have, and the legal values of each.
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
  kColumns,  ///< columns of a Parquet file; see workloads/columns.hpp
  kSecret    ///< never legal: credentials come from the environment
};

struct Key {
  std::string_view name;
  Kind kind;
  std::string_view words = {};  ///< kWord: the legal words, separated by '|'
  /// The range of kCount, kCountOrMinusOne and kReal. The limits are far above real values and keep every product below
  /// 2^63.
  uint64_t least = 0;
  uint64_t most = 0;
  bool required = true;                ///< every workload file must have it
  std::string_view no_effect_as = {};  ///< the reason why the key is accepted but has no effect
};

/// A table of keys. Non-owning view.
class Schema {
 public:
  /// Keys that begin with `open_prefix` take any text (none do if it is empty). `sections` names the legal ones in
  /// messages.
  constexpr Schema(std::span<const Key> keys, std::string_view open_prefix, std::string_view sections)
      : keys_(keys), open_prefix_(open_prefix), sections_(sections) {}

  std::span<const Key> keys() const { return keys_; }
  const Key* find(std::string_view key) const;
  bool knows(std::string_view key) const;

  /// Checks one key and value. Returns the value in its canonical spelling ("True" for "true"). Fails with E102, which
  /// names the key, the value and the legal ones, or for an unknown key the nearest known one.
  /// A key without effect takes any value.
  Result<std::string> checked_value(std::string_view key, std::string_view value) const;

  /// Returns "did you mean NAME? " with the known key that is nearest to `key`, empty if none is near.
  std::string nearest_known(std::string_view key) const;

 private:
  std::span<const Key> keys_;
  std::string_view open_prefix_;
  std::string_view sections_;
};

const Schema& checkpoint_schema();
const Schema& training_schema();

/// Returns the name among `names` that is nearest to `name` by edit distance, if it is near enough to be a misspelling.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& names);
/// Returns one error for all of `errors`, of which there is at least one: the only one, or their texts one after the
/// other with the code of the first.
Error together(const std::vector<Error>& errors);

/// Returns "did you mean NAME? " with that name, empty if there is none.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& names);

}  // namespace mlps::workloads
