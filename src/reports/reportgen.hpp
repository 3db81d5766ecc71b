#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "reports/group.hpp"

namespace mlps::reports {

struct ReportOptions {
  std::string systemname = {};  ///< the one system to report; empty: all
};

/// Holds what a report found and wrote.
struct Report {
  std::string tree;
  rules::Edition edition = rules::Edition::kRound;
  std::vector<Group> groups;            ///< sorted as the tables are
  std::vector<rules::Problem> skipped;  ///< run folders and files that are in no row, and why
  std::vector<std::string> warnings;
  std::vector<std::string> files;  ///< written, relative to the tree

  size_t count(std::string_view verdict) const;  ///< of the measurements
  /// Returns whether every measurement is in the tables and none is INVALID.
  bool is_clean() const;
};

/// Judges and aggregates all runs of a tree, and writes its tables: results.json and results.csv of each model and each
/// organisation, and of the tree if there are several; in a results directory also submission.yaml of each
/// organisation. With a system name, the tables of its models only. Reads one
/// workload at a time. Fails with E401 if there is no submission, or no such system, else with the error of a table.
Result<Report> generate(const rules::Tree& tree, const ReportOptions& options);

/// Does the same, but writes nothing and numbers no rows.
Result<Report> judge_runs(const rules::Tree& tree, const ReportOptions& options);

/// Return a report for people, and as JSON.
std::string report_text(const Report& report);
Json report_json(const Report& report);

}  // namespace mlps::reports
