#pragma once

#include "results/json_text.hpp"
#include "results/run_context.hpp"

/// The effective configuration in the shapes the result files need.
namespace mlps::results {

/// Returns the snapshot of all options, masked; an empty object if it isn't a JSON object.
Json args_json(const RunContext& context);

/// Returns the values nested as in the workload file, with the types of mlpstorage 3.0: a value of the file has that of
/// YAML, a count that the tool derived is a number, and what the user typed is that text. With `typed_overrides` every
/// value has the type that a YAML reader gives it, as in DLIO's composed configuration.
Json parameters_json(const RunContext& context, bool typed_overrides);

/// Returns dotted keys with their values, of the same types: everything the user or the tool overrode.
Json override_parameters_json(const RunContext& context);

/// Returns every dotted key with its value and source.
Json values_json(const workloads::Values& values);

/// Returns every dotted key with its value and source, and the overrides in order, for the record of this program.
Json configuration_json(const RunContext& context);

std::string config_yaml(const RunContext& context);
std::string overrides_yaml(const RunContext& context);
std::string hydra_yaml(const RunContext& context);

}  // namespace mlps::results
