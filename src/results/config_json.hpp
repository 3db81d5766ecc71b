#pragma once

#include "results/json_text.hpp"
#include "results/run_context.hpp"

/// The effective configuration in the shapes the result files need.
namespace mlps::results {

/// Returns the snapshot of all options, masked; an empty object if it isn't a JSON object.
Json args_json(const RunContext& context);

/// Returns the values nested as in the workload file. Overridden values stay strings, as the metadata of mlpstorage 3.0
/// has them; with `typed_overrides` every value has the type a YAML reader gives it.
Json parameters_json(const RunContext& context, bool typed_overrides);

/// Returns dotted keys with their texts: everything the user or the tool overrode.
Json override_parameters_json(const RunContext& context);

/// Returns every dotted key with its value and source.
Json values_json(const workloads::Values& values);

/// Returns every dotted key with its value and source, and the overrides in order, for the record of this program.
Json configuration_json(const RunContext& context);

std::string config_yaml(const RunContext& context);
std::string overrides_yaml(const RunContext& context);
std::string hydra_yaml(const RunContext& context);

}  // namespace mlps::results
