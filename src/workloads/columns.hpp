#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::workloads {

/// Parses Parquet columns from a YAML list of maps, the form of dataset.parquet.columns in a workload file and in
/// --params:
/// "[{name: a, dtype: float32, size: 4, read: true}, ...]". Fails with E102 for a duplicate name, an illegal character,
/// an unknown type or a size out of range.
Result<std::vector<Column>> columns_of(std::string_view yaml);
/// Returns the canonical text, on one line: every column with name, dtype and size, and with read if it is true.
std::string columns_text(const std::vector<Column>& columns);

}  // namespace mlps::workloads
