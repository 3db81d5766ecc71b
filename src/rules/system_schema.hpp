#pragma once

#include <string>
#include <vector>

#include "rules/document.hpp"

namespace mlps::rules {

struct SchemaFinding {
  std::string key;
  std::string message;
};

/// Checks systems/<name>.yaml: keys, types and legal words by the schema of system descriptions of July 2026, and what
/// its values say about each other. Returns all findings.
std::vector<SchemaFinding> check_system(const Node& root);

}  // namespace mlps::rules
