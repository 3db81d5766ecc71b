#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "flags/flags.hpp"
#include "flags/tokenizer.hpp"

/// YAML files of settings (--config-file, the per-user file). Only their two readers include this.
namespace mlps::cli {

/// Loads a file whose root is a mapping; an empty file is an empty mapping. E103 for a file that is not there, an error
/// by errno for one that can't be read, and E104 with the place for one that is no YAML or no mapping.
Result<YAML::Node> load_mapping(const std::string& path, std::string_view what);

/// Returns the value of `flag` as the words that would have been typed: a switch needs true or false (or what else YAML
/// 1.1 has for them), --params a mapping or a list of key=value, lists a list or one text, everything else one scalar.
/// E102 names the key and the legal forms.
Result<std::vector<std::string>> yaml_values(const Flag& flag, const YAML::Node& node);

/// Tells the flag that a key of a file names, or what is wrong with the key; nullptr leaves the key out.
using KeyJudge = std::function<Result<const Flag*>(const std::string& key)>;

/// Returns what a file of settings says. A key that stands twice is E102; one without a value says nothing.
LayerValues file_values(const YAML::Node& root, Source source, const std::string& origin, const KeyJudge& flag_of);

/// Returns the error for a key that is no flag's: with the nearest of `flags` by name, or else `advice`.
Error unknown_key(const std::string& key, const std::vector<const Flag*>& flags, std::string advice);

}  // namespace mlps::cli
