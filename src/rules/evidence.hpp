#pragma once

#include <initializer_list>
#include <string>

#include "rules/rule.hpp"

/// Checks that the families share.
namespace mlps::rules {

/// Reports runs whose results folder, or whose folder under the first of `names` that is given, is not among the
/// arguments, or where both are the same.
void check_separate_arguments(const Workload& workload, std::initializer_list<const char*> names, Judge& judge);

/// Reports runs on files that don't show that their data and their results lie on different file systems: by
/// fs_separation.json. A table of `df` in a log is easily added by hand and shows nothing.
void check_separation(const Tree& tree, const Workload& workload, Judge& judge);

/// Returns whether the runs of a workload use object storage, by a run's own argument, else by the description of the
/// system.
bool is_on_objects(const Workload& workload, const Leaf& leaf);

/// Returns the statistics that the runner of a vector_database search left beside the summary; no value where there are
/// none.
Document native_search_figures(const Tree& tree, const Leaf& leaf);

}  // namespace mlps::rules
