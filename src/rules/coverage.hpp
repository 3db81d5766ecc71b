#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"

namespace mlps::rules {

/// Says of one id of the rules whether this program judges it, and if not, why.
struct Coverage {
  std::string id;
  std::string name;
  bool is_judged = false;
  std::string why_not;  ///< empty where it is judged, and where nobody has looked at the id yet
};

/// Returns the coverage of all ids that this program knows of, in their order: those it judges, and those of the rules
/// of round 3.0 that result files can't show.
std::vector<Coverage> known_coverage();

/// Returns the coverage of the ids in the text of the rules, in Markdown: paragraphs that begin "3.1.1. **name**". Ids
/// that only this program knows are left out. E104 if it has none.
Result<std::vector<Coverage>> coverage_of(const std::string& markdown);

std::string coverage_text(const std::vector<Coverage>& coverage);
Json coverage_json(const std::vector<Coverage>& coverage);

}  // namespace mlps::rules
