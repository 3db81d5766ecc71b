#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "reports/significance.hpp"
#include "rules/tree.hpp"

/// Two runs, or two sets of runs, side by side.
namespace mlps::reports {

/// Holds a figure of both sides, each with one value per epoch, checkpoint, trial or run.
struct ComparedFigure {
  std::string name;  ///< "read, GiB/s"
  bool more_is_better = true;
  std::string value_of;  ///< what one value is of: "epoch", "checkpoint", "trial", "run"
  std::vector<double> first, second;
  std::optional<RankTest> test;  ///< nothing where a side has no value
  std::optional<Interval> ratio;

  /// Returns the sentence that says whether the second is better, worse, or can't be told from the first; then with how
  /// many more values it could.
  std::string statement() const;
};

/// Counts latencies by their value in nanoseconds.
using LatencyCounts = std::map<double, double>;

struct ComparedLatency {
  std::string name;  ///< its path in the record: "reading.latency.read"
  LatencyCounts first, second;

  /// Returns the smallest latency that a share of all is not above, in nanoseconds; nothing without any.
  static std::optional<double> percentile(const LatencyCounts& counts, double share);
  /// Returns the greatest distance between the two distributions, 0 to 1 (Kolmogorov-Smirnov).
  double distance() const;
};

/// Names a fact that differs, with the values that each side's runs have.
struct Difference {
  std::string kind;  ///< "setting", "host", "build"
  std::string key;
  std::set<std::string> first, second;
};

struct Comparison {
  std::string benchmark, model;
  std::vector<std::string> first_runs, second_runs;  ///< folders, absolute
  std::vector<ComparedFigure> figures;
  std::vector<ComparedLatency> latencies;
  std::vector<Difference> differences;
  std::vector<std::string> notes;
};

/// Compares the runs below two folders, each a run folder or one that holds some. Of six or more runs of training the
/// first warms up, and doesn't count. A value is of a run where both sides have at least 4 runs, else of an epoch or a
/// checkpoint. Fails with E401 where a folder is not there or has no run, E102 where the runs are of different
/// benchmarks.
Result<Comparison> compare(const std::string& first, const std::string& second);

std::string comparison_text(const Comparison& comparison);
Json comparison_json(const Comparison& comparison);

}  // namespace mlps::reports
