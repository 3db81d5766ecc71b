#pragma once

#include <map>
#include <string>
#include <string_view>

namespace mlps::workloads {

/// The origin of a value of the effective configuration.
enum class ValueSource { kWorkloadFile, kTool, kUserParams };
constexpr std::string_view source_name(ValueSource source) {
  constexpr std::string_view kNames[] = {"workload file", "tool", "--params"};
  return kNames[static_cast<size_t>(source)];
}

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
