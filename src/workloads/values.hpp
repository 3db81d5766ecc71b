#pragma once

#include <map>
#include <string>
#include <string_view>

namespace mlps::workloads {

/// Where a value of the effective configuration came from.
enum class ValueSource { kWorkloadFile, kTool, kUserParams };
std::string_view source_name(ValueSource source);  ///< "workload file", "tool", "--params"

struct SourcedValue {
  std::string value;  ///< as text, in YAML spelling
  ValueSource source = ValueSource::kWorkloadFile;
};

/// A configuration flattened to dotted keys ("checkpoint.time_between_checkpoints").
using Values = std::map<std::string, SourcedValue>;

/// One change of a configuration; of several for one key the last wins.
struct Override {
  std::string key;
  std::string value;
  ValueSource source = ValueSource::kUserParams;
};

}  // namespace mlps::workloads
