#pragma once

#include <vector>

#include "session/command.hpp"

namespace mlps::cli {

/// Holds the benchmarks that the program has, and the grammar of their words and its own.
class Registry {
 public:
  /// `benchmarks` stand in the order of help, and must outlive the registry.
  explicit Registry(std::vector<const Benchmark*> benchmarks);

  const Grammar& grammar() const { return grammar_; }
  /// Returns the benchmark whose words and flags `group` are, or nullptr.
  const Benchmark* find(const CommandGroup* group) const;

 private:
  std::vector<const Benchmark*> benchmarks_;
  Grammar grammar_;
};

/// Returns the program's own registry. A benchmark is added to it by one row.
const Registry& registry();

}  // namespace mlps::cli
