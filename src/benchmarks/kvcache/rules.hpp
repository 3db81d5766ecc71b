#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/kvcache/metrics.hpp"

/// The rules of MLPerf Storage 3.0 for KV caches (Rules, section 6), each as a function of what a run was.
namespace mlps::kvcache {

/// What the rules are asked of.
struct RuleFacts {
  bool closed = false;
  bool object = false;  ///< the cache is in an object store, without a file system before it
  uint32_t hosts = 1, ranks_per_host = 1;
  std::optional<bool> same_file_system;  ///< cache and results; nothing where no one looked
  std::string command_line;
  std::string storage_settings;  ///< how the storage is reached, in words
  const RunRecord* record = nullptr;
};

struct Rule {
  std::string_view id, name, text;
  /// Returns why the run does not keep the rule, or nothing.
  std::optional<std::string> (*broken)(const RuleFacts& facts);
};

/// Returns the nineteen rules, in their order.
std::span<const Rule> rules();

}  // namespace mlps::kvcache
