#include "rules/coverage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>
#include <sstream>

#include "rules/rule.hpp"

namespace mlps::rules {
namespace {

struct NotJudged {
  std::string_view id, name, why;
};
constexpr std::array<NotJudged, 5> kNotJudged = {
    {{"2.1.3", "openMatchesClosed", "says that open is laid out as closed: the rules about closed judge open, too"},
     {"2.1.4", "closedSubmitterDirectory", "2.1.1 and 2.1.5 judge the folders of organisations"},
     {"2.1.27", "directoryDiagram", "is a drawing; 2.1.1 to 2.1.26 judge it"},
     {"6.5.2", "kvcacheObjectLatencyScope", "no result file has a place for a gateway's version and mount options"},
     {"6.6.2", "kvcacheOpenAllowances", "allows; what it doesn't, 6.6.1 forbids in closed only"}}};

Coverage coverage_of_id(const std::string& id, const std::string& name) {
  Coverage coverage{id, name, find_rule(id) != nullptr, {}};
  for (const NotJudged& one : kNotJudged) {
    if (one.id == id) coverage.why_not = one.why;
  }
  return coverage;
}

}  // namespace

std::vector<Coverage> known_coverage() {
  std::vector<Coverage> coverage;
  for (const Rule* rule : all_rules()) coverage.push_back({std::string(rule->id), std::string(rule->name), true, {}});
  for (const NotJudged& one : kNotJudged) {
    coverage.push_back({std::string(one.id), std::string(one.name), false, std::string(one.why)});
  }
  return coverage;
}

Result<std::vector<Coverage>> coverage_of(const std::string& markdown) {
  static const std::regex kRule(R"(^[\s*>#-]*((?:\d+\.){2,4}\d*|[A-Z]{2,5}-\d\d)\.?\s+\*\*([A-Za-z0-9]+)\*\*)");
  std::vector<Coverage> coverage;
  std::istringstream lines(markdown);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    line.resize(std::min<size_t>(line.size(), 200));
    if (!std::regex_search(line, match, kRule)) continue;
    std::string id = match[1];
    while (id.ends_with('.')) id.pop_back();
    coverage.push_back(coverage_of_id(id, match[2]));
  }
  if (coverage.empty()) {
    return fail(ErrorCode::kConfigParse, "has no rule: no paragraph begins with an id and a name in '**'", {},
                "give the text of the rules from the repository of the benchmark");
  }
  return coverage;
}

std::string coverage_text(const std::vector<Coverage>& coverage) {
  std::string text;
  size_t judged = 0;
  for (const Coverage& one : coverage) {
    judged += one.is_judged ? 1 : 0;
    if (!one.is_judged) {
      text += fmt::format("{:<10}{:<42}{}\n", one.id, one.name, one.why_not.empty() ? "has no check" : one.why_not);
    }
  }
  return text + fmt::format("{} of {} rules are judged\n", judged, coverage.size());
}

Json coverage_json(const std::vector<Coverage>& coverage) {
  Json list = Json::array();
  for (const Coverage& one : coverage) {
    list.push_back({{"id", one.id},
                    {"name", one.name},
                    {"judged", one.is_judged},
                    {"why_not", one.why_not.empty() ? Json() : Json(one.why_not)}});
  }
  return list;
}

}  // namespace mlps::rules
