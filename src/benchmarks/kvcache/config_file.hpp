#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/kvcache/model.hpp"
#include "benchmarks/kvcache/tuning.hpp"

namespace mlps::kvcache {

/// What a configuration file of mlpstorage 3.0's KV-cache program (`config.yaml`) says.
struct ConfigFile {
  Tuning tuning;
  std::vector<Model> models;                   ///< of its `model_configs`
  std::map<std::string, std::string> changed;  ///< keys whose values are not those that mlpstorage 3.0 ships
};

/// Reads the text of such a file. E104 for what is no YAML. E102 names the first key that is unknown, with the nearest
/// known one, or whose value is out of range, or has no effect in this program and is not the shipped one.
Result<ConfigFile> parse_config_file(const std::string& text);

}  // namespace mlps::kvcache
