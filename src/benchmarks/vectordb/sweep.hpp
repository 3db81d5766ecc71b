#pragma once

#include <functional>
#include <map>
#include <vector>

#include "benchmarks/vectordb/record.hpp"
#include "benchmarks/vectordb/worker.hpp"

namespace mlps::vectordb {

/// Finds, for each recall that a sweep is to reach, the least effort that reaches it: efforts are doubled until the
/// highest target is reached, then narrowed down to a sixteenth. Each is tried once, with the same queries, by one
/// worker.
class Sweep {
 public:
  /// Refers to everything it is given.
  Sweep(const Settings& settings, const SearchData& data, SearchSession& session, world::Failure& failure);

  /// Called after each effort that was tried. May be empty.
  std::function<void(const SweepStep&)> on_step;

  /// Returns one window per target. Nothing after a failure.
  std::vector<WindowPlan> find();

 private:
  const SweepStep& try_effort(uint32_t effort);
  WindowPlan find_target(double target);

  const Settings& settings_;
  const SearchData& data_;
  Worker worker_;
  world::Failure& failure_;
  std::map<uint32_t, SweepStep> tried_;
};

/// Returns the window of a target, out of efforts that were tried: the least that reaches it, as do all above it, else
/// that of the highest recall.
WindowPlan choose_effort(const std::map<uint32_t, SweepStep>& tried, double target);

}  // namespace mlps::vectordb
