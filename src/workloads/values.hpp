#pragma once

#include <map>
#include <string>
#include <string_view>

namespace mlps::workloads {

/// The origin of a value of the effective configuration.
enum class ValueSource { kWorkloadFile, kTool, kUserParams };
std::string_view source_name(ValueSource source);  ///< "workload file", "tool", "--params"

struct SourcedValue {
  std::string value;  ///< as text, in YAML spelling
  ValueSource source = ValueSource::kWorkloadFile;
};

/// A configuration flattened to dotted keys ("checkpoint.time_between_checkpoints").
using Values = std::map<std::string, SourcedValue>;

/// One change of a configuration; the last one for a key wins.
struct Override {
  std::string key;
  std::string value;
  ValueSource source = ValueSource::kUserParams;
};

}  // namespace mlps::workloads
