#pragma once

#include <string>
#include <vector>

#include "reports/row.hpp"
#include "rules/validate.hpp"

namespace mlps::reports {

/// Holds the runs of one workload that are published as one row, with their judgement.
struct Group {
  rules::WorkloadPlace place;  ///< its leaves are those of the group
  std::string command;         ///< "run", or the auxiliary "datagen" and "datasize"
  std::string accelerator;     ///< empty: the benchmark has none
  std::string profile;         ///< of kv_cache
  std::string warm_up;         ///< path of the run folder that doesn't count; empty: all count
  std::string published;       ///< path of the one run folder that the row is of; empty: it is of all
  std::vector<rules::Finding> findings;
  std::vector<std::string> notes;  ///< further lines about how the row was made
  std::string verdict;             ///< "CLOSED", "OPEN" or "INVALID"
  Row row;
  std::string withheld;  ///< why no table has the row; empty: they have it

  bool is_measurement() const { return command == "run"; }
  /// Returns the folder whose tables have the row.
  std::string folder() const;
  /// Returns what a public id stands for, most significant first.
  std::vector<std::string> key() const;
};

/// Makes the groups of a workload. `workload` holds all of its run folders.
std::vector<Group> groups_of(const rules::Tree& tree, const rules::Workload& workload, const rules::Terms& terms);

/// Fill the columns that all rows have, and those of a benchmark, from the run folders `runs` of the group.
void fill_identity(const rules::Tree& tree, const rules::Workload& workload, Group& group);
void fill_figures(const rules::Tree& tree, const rules::Workload& workload, const std::vector<const rules::Leaf*>& runs,
                  Group& group);

}  // namespace mlps::reports
