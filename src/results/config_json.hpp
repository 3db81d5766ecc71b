#pragma once

#include "results/json_text.hpp"
#include "results/run_context.hpp"

/// The effective configuration in the shapes the result files need.
namespace mlps::results {

/// The caller's snapshot of all options, masked; an empty object if it isn't a JSON object.
Json args_json(const RunContext& context);

/// Nested like the workload file. `typed_overrides` false: overridden values stay strings, as the original's metadata
/// has them; true: every value as a YAML reader would type it.
Json parameters_json(const RunContext& context, bool typed_overrides);

/// Flat dotted key to string: everything the user or the tool overrode.
Json override_parameters_json(const RunContext& context);

/// Every dotted key with its value and source.
Json values_json(const workloads::Values& values);

/// Ours: every dotted key with its value and where it came from, and the overrides in order.
Json configuration_json(const RunContext& context);

std::string config_yaml(const RunContext& context);
std::string overrides_yaml(const RunContext& context);
std::string hydra_yaml(const RunContext& context);

}  // namespace mlps::results
