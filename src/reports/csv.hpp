#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "rules/document.hpp"

/// One row for each run in a file for spreadsheets: --csv.
namespace mlps::reports {

/// Returns the names of the columns, in their order. They are the same for all benchmarks and stay as they are; the
/// first, `schema`, has another value when they change.
std::vector<std::string> csv_columns();

/// Returns the row of a run, a line with its end, from its record. A cell is empty where nothing is known, or the
/// benchmark has no such figure; it has several values, with semicolons between them, where the run has several options
/// or windows.
std::string csv_row(const rules::Document& record);

/// Fails with E102 if `file` is there and is not empty, but does not begin with the line of these columns; with the
/// error of the system if it can't be written. Makes an empty file where there is none.
Status check_csv(const std::string& file);

/// Appends the row of the run in `folder`, and the line of the columns before the first one. Several processes may
/// append at the same time: each waits up to 10 s for the lock on the file.
Status append_csv(const std::string& file, const std::string& folder);

}  // namespace mlps::reports
