#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "results/run_context.hpp"

namespace mlps::results {

inline constexpr const char* kCoreAlgorithm = "core-config-v1";

/// Holds what tells whether two runs are of one class: the hash of the parameters that a submitter may not choose.
struct CoreConfig {
  std::string allowlist;          ///< "training@1", "checkpointing@1", "unknown"
  std::string hash = "unknown";   ///< 16 hexadecimal digits
  std::vector<std::string> keys;  ///< those that are in the hash, sorted
};
/// Returns the core configuration by the algorithm core-config-v1 of mlpstorage 3.0: the parameters of the metadata
/// with dotted keys, those of the allow list, values in one spelling, as JSON with sorted keys, SHA-256.
CoreConfig core_config(const RunContext& context);
/// Returns the same for parameters that stand in a file, as JSON. Text that is none has no core configuration.
CoreConfig core_config(const ClassKeys& list, std::string_view parameters);

}  // namespace mlps::results
