#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "workloads/schema.hpp"
#include "workloads/values.hpp"

namespace mlps::workloads {

/// What a file holds that the schema doesn't know.
enum class UnknownKeys { kRefused, kCollected };

struct WorkloadFile {
  Values values;                     ///< known keys, checked, in canonical spelling
  std::vector<std::string> unknown;  ///< in the file's order; empty where they are refused
};

/// Flattens a workload file to dotted keys. Sections nest; a list becomes its text in YAML's flow style. E104 where it
/// is no YAML, E102 for keys and values that don't fit. `yaml` may be hostile: depth and number of keys are limited.
/// A key without value (null) is as if it weren't there if keys of the file are collected, else refused.
Result<WorkloadFile> read_workload_file(std::string_view yaml, const Schema& schema, UnknownKeys unknown);

/// The embedded file of that name; E103 if this build has none.
Result<std::string_view> embedded_text(std::string_view name);

}  // namespace mlps::workloads
