#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "rules/rule.hpp"

namespace mlps::rules {

struct ValidateOptions {
  std::vector<std::string> submitters = {};  ///< organisations; empty: all
  std::optional<std::string> edition = {};   ///< a name of one; without, what the tree is
  bool as_3046 = false;                      ///< see Terms
  bool skip_output_file = false;
  std::string reference_checksum = {};
};

/// Counts the findings of one rule that the judgement has, and those that the other way to judge has.
struct DifferingRule {
  const Rule* rule = nullptr;
  size_t here = 0;
  size_t there = 0;
};

struct Judgement {
  std::string tree;
  Edition edition = Edition::kRound;
  std::string edition_from;  ///< what decided that
  bool as_3046 = false;
  size_t submissions = 0;
  size_t workloads = 0;
  size_t run_folders = 0;
  std::vector<Finding> findings = {};  ///< in the order of the tree's paths and the rules
  std::vector<DifferingRule> differing =
      {};  ///< rules whose errors and warnings the other way to judge has not, or more of

  size_t count(Severity severity) const;
};

/// Judges all submissions of a tree by all rules, both as the rules say and as mlpstorage 3.0.46 did. Holds one
/// workload in memory at a time. Fails with E102 for an edition that isn't known, E401 for organisations that aren't
/// there.
Result<Judgement> validate(const Tree& tree, const ValidateOptions& options);

/// Holds an edition and what decided for it.
struct ChosenEdition {
  Edition edition = Edition::kRound;
  std::string from;
};
/// Returns the edition that the submissions of a tree are of; the place of its code images tells.
ChosenEdition edition_of(const Tree& tree, const std::vector<std::string>& submissions);

/// Returns the findings about the results of one workload, by the rules that judge results.
std::vector<Finding> judge_results(const Tree& tree, const Workload& workload, const Terms& terms);

/// Return a judgement as lines "[ERROR] [2.1.17 runTimestamps] path: key: message" with a summary, as JSON, and as CSV
/// of the findings.
std::string judgement_text(const Judgement& judgement);
Json judgement_json(const Judgement& judgement);
std::string judgement_csv(const Judgement& judgement);

/// Return all rules as a table and as JSON, and one with its severities and its example.
std::string rules_table();
Json rules_json();
std::string rule_text(const Rule& rule);

/// Appends one cell of CSV: in quotes where it holds a comma, a quote or a line end.
void append_csv_cell(std::string& line, std::string_view cell);

}  // namespace mlps::rules
