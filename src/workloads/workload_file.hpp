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
/// depth and number of keys are limited. A key or section without value (null) is ignored with kCollected, else
/// refused.
Result<WorkloadFile> read_workload_file(std::string_view yaml, const Schema& schema, UnknownKeys unknown);

/// Returns what there is to say of unknown keys of a file, one sentence each, with the nearest known key.
std::vector<std::string> unknown_key_texts(const std::vector<std::string>& unknown, const Schema& schema);
/// Returns `error` with those sentences in its details: a refusal must not hide them.
Error with_unknown_keys(Error error, const std::vector<std::string>& unknown, const Schema& schema);

/// Returns the text of the embedded file `name`; E103 if there is none.
Result<std::string_view> embedded_text(std::string_view name);

}  // namespace mlps::workloads
