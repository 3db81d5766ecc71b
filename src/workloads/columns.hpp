#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::workloads {

/// Parquet columns from YAML's text of a list of maps, as a workload file has it below dataset.parquet.columns and as
/// --params may give it: "[{name: a, dtype: float32, size: 4, read: true}, ...]". E102 names what is wrong: names
/// twice or with odd characters, unknown types, sizes out of range.
Result<std::vector<Column>> columns_of(std::string_view yaml);
/// The canonical text, on one line: every column with name, dtype and size, and read where it is true.
std::string columns_text(const std::vector<Column>& columns);

}  // namespace mlps::workloads
