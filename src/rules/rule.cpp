#include "rules/rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.hpp"

namespace mlps::rules {

std::string_view severity_name(Severity severity) {
  constexpr std::array<std::string_view, 4> kNames = {"NONE", "INFO", "WARNING", "ERROR"};
  return kNames[static_cast<size_t>(severity)];
}

Result<Edition> edition_named(std::string_view name) {
  const std::string_view bare = name.starts_with('v') ? name.substr(1) : name;
  for (size_t i = 0; i < kEditionNames.size(); ++i) {
    if (bare == kEditionNames[i]) return static_cast<Edition>(i);
  }
  return fail(ErrorCode::kConfigInvalid, fmt::format("edition {} of the rules isn't known", name), {},
              "known are " + join(kEditionNames, ", "));
}

void Judge::add(std::string path, std::string key, std::string message) {
  add(rule_->severities[static_cast<size_t>(terms_.edition)], std::move(path), std::move(key), std::move(message));
}

void Judge::add(Severity severity, std::string path, std::string key, std::string message) {
  if (severity == Severity::kNone) return;
  findings_.push_back({rule_, severity, std::move(path), std::move(key), std::move(message)});
}

void Judge::add(std::vector<Finding> findings) {
  findings_.insert(findings_.end(), std::make_move_iterator(findings.begin()), std::make_move_iterator(findings.end()));
}

namespace {

// The numbers of an id in their order; ids that are words come after all of them.
std::vector<unsigned> place_of(std::string_view id) {
  std::vector<unsigned> place;
  for (const std::string& part : split(id, ".")) {
    const auto number = parse_number<unsigned>(part);
    if (!number) return {~0U};
    place.push_back(*number);
  }
  return place;
}

}  // namespace

const std::vector<const Rule*>& all_rules() {
  static const std::vector<const Rule*> kRules = [] {
    std::vector<const Rule*> rules;
    for (const auto& family : {structure_rules(), workload_structure_rules(), code_rules(), provenance_rules(),
                               training_data_rules(), training_rules(), checkpointing_rules(), checkpoint_time_rules(),
                               vector_rules(), cache_rules(), cache_client_rules()}) {
      for (const Rule& rule : family) rules.push_back(&rule);
    }
    std::stable_sort(rules.begin(), rules.end(),
                     [](const Rule* one, const Rule* other) { return place_of(one->id) < place_of(other->id); });
    return rules;
  }();
  return kRules;
}

const Rule* find_rule(std::string_view id) {
  const std::string wanted = lower(id);
  for (const Rule* rule : all_rules()) {
    if (lower(rule->id) == wanted || lower(rule->name) == wanted) return rule;
  }
  return nullptr;
}

bool judges_results(const Rule& rule) {
  constexpr std::array<std::string_view, 5> kOfResults = {"2.1.17", "2.1.23", "RUN-01", "CALC-01", "FILES-01"};
  if (std::find(kOfResults.begin(), kOfResults.end(), rule.id) != kOfResults.end()) return true;
  return !rule.family.empty() && !rule.id.starts_with("2.1.");
}

std::string joined(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

std::string metadata_path(const Leaf& leaf) {
  return leaf.metadata_files.size() == 1 ? joined(leaf.place.path, leaf.metadata_files.front()) : leaf.place.path;
}

std::string summary_path(const Leaf& leaf) {
  return joined(leaf.place.path, "summary.json");
}

}  // namespace mlps::rules
