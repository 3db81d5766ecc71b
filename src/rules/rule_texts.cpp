#include <fmt/format.h>

#include <array>

#include "base/text.hpp"
#include "results/text_table.hpp"
#include "rules/editions.hpp"
#include "rules/validate.hpp"

namespace mlps::rules {
namespace {

std::string change_text(const Example& example) {
  using enum Example::Change;
  switch (example.change) {
    case kSet:
      return fmt::format("{}: {} {}", example.path, example.key, example.fails);
    case kRemove:
      return fmt::format("{} is missing", example.path);
    case kAdd:
      return fmt::format("{} is there", example.path);
    case kRename:
      return fmt::format("{} is named {}", example.path, example.fails);
    case kNone:
      break;
  }
  return {};
}

std::string sound_text(const Example& example) {
  using enum Example::Change;
  if (example.change == kSet) {
    return example.passes.empty() ? fmt::format("{}: {} as a run writes it", example.path, example.key)
                                  : fmt::format("{}: {} {}", example.path, example.key, example.passes);
  }
  return fmt::format("{} is {}", example.path, example.change == kAdd ? "not there" : "there");
}

}  // namespace

std::string rules_table() {
  std::string text;
  for (const Rule* rule : all_rules()) {
    text += fmt::format("{:<10}{:<42}", rule->id, rule->name);
    for (const Severity severity : rule->severities)
      text += fmt::format("{:<9}", severity == Severity::kNone ? "-" : lower(severity_name(severity)));
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return fmt::format("{:<10}{:<42}{:<9}{:<9}{}\n", "rule", "name", "early", "3.0", "after") + text;
}

Json rules_json() {
  constexpr std::array<const char*, 5> kChanges = {"none", "set", "remove", "add", "rename"};
  Json rules = Json::array();
  for (const Rule* rule : all_rules()) {
    Json severities = Json::object();
    for (size_t i = 0; i < kEditionNames.size(); ++i)
      severities[kEditionNames[i]] = lower(severity_name(rule->severities[i]));
    const Example& example = rule->example;
    rules.push_back({{"id", rule->id},
                     {"name", rule->name},
                     {"family", rule->family.empty() ? Json() : Json(rule->family)},
                     {"text", rule->text},
                     {"severity", std::move(severities)},
                     {"mlpstorage_3_0_46", rule->differs.text.empty() ? Json() : Json(rule->differs.text)},
                     {"example",
                      {{"change", kChanges[static_cast<size_t>(example.change)]},
                       {"path", example.path},
                       {"key", example.key},
                       {"passes", example.passes},
                       {"fails", example.fails}}}});
  }
  return rules;
}

std::string rule_text(const Rule& rule) {
  std::string text = fmt::format("{} {}\n{}\n\n", rule.id, rule.name, rule.text);
  results::LabelledLines lines(12);
  lines.add("of", rule.family.empty() ? std::string_view("every submission") : rule.family);
  for (size_t i = 0; i < kEditionNames.size(); ++i) {
    lines.add(kEditionNames[i],
              rule.severities[i] == Severity::kNone ? "not judged" : lower(severity_name(rule.severities[i])));
  }
  if (!rule.differs.text.empty()) lines.add("3.0.46", rule.differs.text);
  if (rule.example.change != Example::Change::kNone) {
    lines.add("passes", sound_text(rule.example));
    lines.add("fails", change_text(rule.example));
  }
  return text + lines.text();
}

}  // namespace mlps::rules
