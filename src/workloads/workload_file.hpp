#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "workloads/schema.hpp"
#include "workloads/values.hpp"

namespace mlps::workloads {

/// The treatment of keys of a file that the schema doesn't have: an error, or returned in WorkloadFile::unknown.
enum class UnknownKeys { kRefused, kCollected };

struct WorkloadFile {
  Values values;                     ///< known keys, checked, in canonical spelling
  std::vector<std::string> unknown;  ///< in the file's order; empty if they are refused
  bool is_record = false;            ///< a configuration as a run has left it, below the level `workload`
};

/// Flattens a workload file to dotted keys. Sections nest; a list becomes its text in YAML's flow style. The sections
/// may stand below a level `workload`, as in dlio_config/config.yaml of a run folder. Fails with E104 if it is not YAML
/// or no key of the schema is in it, E102 for illegal keys and values, all of them together. `yaml` may be hostile:
/// depth and number of keys are limited. A key without value (null) is ignored with kCollected, else refused.
Result<WorkloadFile> read_workload_file(std::string_view yaml, const Schema& schema, UnknownKeys unknown);

/// Returns the text of the embedded file `name`; E103 if there is none.
Result<std::string_view> embedded_text(std::string_view name);

}  // namespace mlps::workloads
