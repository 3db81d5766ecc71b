#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "flags/flags.hpp"

/// YAML files of settings (--config-file, the per-user file). Only their two readers include this.
namespace mlps::cli {

/// Loads a file whose root is a mapping; an empty file is an empty mapping. E103 for a file that is not there, an error
/// by errno for one that can't be read, and E104 with the place for one that is no YAML or no mapping.
Result<YAML::Node> load_mapping(const std::string& path, std::string_view what);

/// Returns the value of `flag` as the words that would have been typed: a switch needs true or false, --params a
/// mapping or a list of key=value, lists a list or one text, everything else one scalar. E102 names the key and the
/// legal forms.
Result<std::vector<std::string>> yaml_values(const Flag& flag, const YAML::Node& node);

}  // namespace mlps::cli
