#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/numbers.hpp"
#include "reports/reportgen.hpp"

namespace mlps::reports {
namespace {

constexpr size_t kRuleWidth = 70;
constexpr std::array<std::string_view, 3> kVerdicts = {"INVALID", "OPEN", "CLOSED"};

std::string title_of(const Group& group) {
  const std::string& family = group.place.family;
  if (family == "training")
    return fmt::format("Training - {}, Accelerator: {}", group.place.model,
                       group.accelerator.empty() ? "-" : group.accelerator);
  if (family == "checkpointing") {
    return fmt::format("Checkpointing - {}{}", group.place.model,
                       group.accelerator.empty() ? "" : ", Accelerator: " + group.accelerator);
  }
  return fmt::format("{} - {}", family, group.place.model);
}

std::string_view label_of(const Group& group, const std::string& path) {
  if (path == group.warm_up) return "WARMUP";
  return !group.published.empty() && path != group.published ? "unused" : "counts";
}

void append_figures(const Group& group, std::string& text) {
  for (const std::string_view column : kColumns) {
    const Json* cell = group.row.find(column);
    if (cell == nullptr || cell->is_object()) continue;
    const size_t dash = column.find(" - ");
    if (dash == std::string_view::npos) continue;
    text += fmt::format("    {}: {}\n", column, cell->text() != nullptr ? printable(*cell->text()) : cell->dump());
  }
  for (const auto& [column, reason] : group.row.blanks()) {
    text += fmt::format("    {}: blank: {}\n", column, printable(reason));
  }
}

void append_group(const Group& group, std::string& text) {
  const Json* id = group.row.find("Public ID");
  text +=
      fmt::format("[{}] {}{}\n", group.verdict, title_of(group), id == nullptr ? "" : ", Public ID: " + *id->text());
  text += fmt::format("  {} {}, system {}\n  Benchmark Type: {}\n  Command: {}\n  Runs:\n", group.place.division,
                      group.place.orgname, group.place.system, group.place.family, group.command);
  for (const rules::LeafPlace& leaf : group.place.leaves) {
    text += fmt::format("    {:<7} {}\n", label_of(group, leaf.path), printable(leaf.name));
  }
  for (const rules::Finding& finding : group.findings) {
    text +=
        fmt::format("  {} {} {}: {}: {}{}{}\n", severity_name(finding.severity), finding.rule->id, finding.rule->name,
                    printable(finding.path), finding.key, finding.key.empty() ? "" : " ", printable(finding.message));
  }
  for (const std::string& note : group.notes) text += fmt::format("  Note: {}\n", printable(note));
  if (!group.withheld.empty()) text += fmt::format("  In no table: {}\n", printable(group.withheld));
  text += "  Metrics:\n";
  append_figures(group, text);
}

}  // namespace

std::string report_text(const Report& report) {
  const std::string line(kRuleWidth, '=');
  size_t rows = 0;
  size_t withheld = 0;
  std::string body;
  for (const std::string_view verdict : kVerdicts) {
    std::string section;
    for (const Group& group : report.groups) {
      if (!group.is_measurement() || group.verdict != verdict) continue;
      append_group(group, section);
      (group.withheld.empty() ? rows : withheld) += 1;
    }
    if (!section.empty()) body += fmt::format("\n{}\n{}\n{}", verdict, std::string(kRuleWidth, '-'), section);
  }
  std::string text = fmt::format(
      "{}\nSUBMISSION VALIDATION REPORT\n{}\nSummary: {} results, judged by edition {}: {} CLOSED, {} OPEN, {} "
      "INVALID\n",
      line, line, rows + withheld, rules::name_of(report.edition), report.count("CLOSED"), report.count("OPEN"),
      report.count("INVALID"));
  text += body;
  if (!report.skipped.empty()) {
    text += fmt::format("\nSKIPPED RUN DIRECTORIES ({})\n", report.skipped.size());
    for (const rules::Problem& one : report.skipped)
      text += fmt::format("  {}: {}\n", printable(one.path), printable(one.message));
  }
  for (const std::string& warning : report.warnings) text += fmt::format("\nwarning: {}\n", warning);
  return text + fmt::format("\n{} in the tables, {} in no table; {} written below {}\n",
                            counted(static_cast<double>(rows), "row"), counted(static_cast<double>(withheld), "result"),
                            counted(static_cast<double>(report.files.size()), "file"), report.tree);
}

Json report_json(const Report& report) {
  Json groups = Json::array();
  for (const Group& group : report.groups) {
    Json runs = Json::array();
    for (const rules::LeafPlace& leaf : group.place.leaves) {
      runs.push_back({{"folder", leaf.path}, {"counts", label_of(group, leaf.path) == "counts"}});
    }
    Json findings = Json::array();
    for (const rules::Finding& finding : group.findings) {
      findings.push_back({{"severity", severity_name(finding.severity)},
                          {"rule", finding.rule->id},
                          {"path", finding.path},
                          {"key", finding.key.empty() ? Json() : Json(finding.key)},
                          {"message", finding.message}});
    }
    Json blanks = Json::object();
    for (const auto& [column, reason] : group.row.blanks()) blanks[column] = reason;
    groups.push_back({{"division", group.place.division},
                      {"organisation", group.place.orgname},
                      {"system", group.place.system},
                      {"benchmark", group.place.family},
                      {"model", group.place.model},
                      {"accelerator", group.accelerator.empty() ? Json() : Json(group.accelerator)},
                      {"command", group.command},
                      {"verdict", group.verdict},
                      {"runs", std::move(runs)},
                      {"findings", std::move(findings)},
                      {"notes", Json(group.notes)},
                      {"withheld_because", group.withheld.empty() ? Json() : Json(group.withheld)},
                      {"blank_because", std::move(blanks)},
                      {"row", group.row.json()}});
  }
  Json skipped = Json::array();
  for (const rules::Problem& one : report.skipped) skipped.push_back({{"path", one.path}, {"reason", one.message}});
  return {
      {"schema", "mlpstorage.report/1"},  {"tree", report.tree},           {"edition", rules::name_of(report.edition)},
      {"closed", report.count("CLOSED")}, {"open", report.count("OPEN")},  {"invalid", report.count("INVALID")},
      {"groups", std::move(groups)},      {"skipped", std::move(skipped)}, {"warnings", Json(report.warnings)},
      {"files", Json(report.files)}};
}

}  // namespace mlps::reports
