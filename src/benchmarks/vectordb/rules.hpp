#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/vectordb/record.hpp"

/// The rules of MLPerf Storage 3.0 for vector databases (Rules, section 5) that one run or load can keep or break, each
/// as a function of what it was. Those of several run folders together are in rules/.
namespace mlps::vectordb {

/// What the rules are asked of.
struct RuleFacts {
  bool closed = false;
  bool object = false;  ///< the word 'object'
  std::string results_dir;
  std::optional<bool> same_file_system;  ///< storage root and results; nothing where no one looked
  std::vector<std::string> overrides;    ///< keys that the user has set
  const RunRecord* record = nullptr;
};

struct Rule {
  std::string_view id, name, text;
  /// Returns why the run does not keep the rule, or nothing.
  std::optional<std::string> (*broken)(const RuleFacts& facts);
};

/// Returns the rules in their order.
std::span<const Rule> rules();

}  // namespace mlps::vectordb
