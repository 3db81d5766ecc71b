#include "reports/readiness.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/numbers.hpp"
#include "base/text.hpp"
#include "results/text_table.hpp"

namespace mlps::reports {
namespace {

// Rules about files that `submit` makes anew.
const rules::Names kMadeAnew = {"2.1.16", "2.1.22", "RPT-01", "PROV-02"};
const rules::Names kCounts = {"2.1.17", "2.1.23", "5.3.1"};
// Papers about a system: its description, and what the description declares.
const rules::Names kOfSystems = {"2.1.7", "2.1.8", "4.7.3", "4.7.4"};

size_t runs_needed(const std::string& family) {
  return family == "training" ? 6 : family == "vector_database" ? 5 : 1;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool is_paper(const rules::Finding& finding) {
  return rules::is_one_of(kOfSystems, finding.rule->id) || finding.rule->id.starts_with("CHECK-") ||
         finding.rule->id.starts_with("PROV-");
}

// Gives the errors of the judgement to the results that they are about.
class Sorter {
 public:
  Sorter(const Report& report, Readiness& readiness) : readiness_(readiness) {
    for (const Group& group : report.groups) {
      if (!group.is_measurement()) continue;
      Standing one{
          group.place.division, group.place.orgname, group.place.system,        group.place.family,
          group.place.model,    group.accelerator,   group.place.leaves.size(), runs_needed(group.place.family)};
      for (const rules::LeafPlace& leaf : group.place.leaves) one.leaves.push_back(leaf.path);
      readiness.results.push_back(std::move(one));
      places_.push_back(group.place.path);
    }
  }

  void add(const rules::Finding& finding) {
    if (finding.severity == rules::Severity::kWarning) ++readiness_.warnings;
    if (finding.severity != rules::Severity::kError || rules::is_one_of(kMadeAnew, finding.rule->id)) return;
    if (finding.path == "whatif") return;
    bool is_told = false;
    for (size_t i = 0; i < places_.size(); ++i) {
      if (!is_about(finding, i)) continue;
      readiness_.results[i].findings.push_back(finding);
      is_told = true;
    }
    if (!is_told) readiness_.problems.push_back(finding);
  }

  void set_tokens() {
    for (Standing& one : readiness_.results) {
      const auto any = [&](const auto& holds) { return std::any_of(one.findings.begin(), one.findings.end(), holds); };
      const auto is_count = [](const rules::Finding& found) { return rules::is_one_of(kCounts, found.rule->id); };
      if (one.runs < one.needed) {
        one.token = Token::kShort;
      } else if (any([&](const auto& found) { return !is_paper(found); })) {
        one.token = Token::kInvalid;
      } else if (!one.findings.empty()) {
        one.token = Token::kPaperwork;
      }
      // What is missing was said already; a run too many is not.
      if (one.runs < one.needed) std::erase_if(one.findings, is_count);
    }
  }

 private:
  bool is_about(const rules::Finding& finding, size_t index) const {
    const Standing& one = readiness_.results[index];
    const std::string system = fmt::format("{}/{}/systems/{}.", one.division, one.orgname, one.system);
    if (finding.path.starts_with(system)) return true;
    if (!is_below(finding.path, places_[index])) return false;
    // Of two accelerators in one folder each has its own runs.
    for (const Standing& other : readiness_.results) {
      if (&other == &one) continue;
      for (const std::string& leaf : other.leaves) {
        if (is_below(finding.path, leaf)) return false;
      }
    }
    return true;
  }

  Readiness& readiness_;
  std::vector<std::string> places_;
};

Json finding_json(const rules::Finding& finding) {
  return {{"rule", finding.rule->id},
          {"path", finding.path},
          {"key", finding.key.empty() ? Json() : Json(finding.key)},
          {"message", finding.message}};
}

Json findings_json(const std::vector<rules::Finding>& findings) {
  Json list = Json::array();
  for (const rules::Finding& finding : findings) list.push_back(finding_json(finding));
  return list;
}

std::string finding_line(const rules::Finding& finding) {
  return fmt::format("    [{} {}] {}: {}{}{}\n", finding.rule->id, finding.rule->name,
                     finding.path.empty() ? "." : printable(finding.path), finding.key, finding.key.empty() ? "" : " ",
                     printable(finding.message));
}

}  // namespace

bool Readiness::is_submittable() const {
  return !results.empty() && problems.empty() &&
         std::all_of(results.begin(), results.end(), [](const Standing& one) { return one.token == Token::kReady; });
}

Result<Readiness> readiness_of(const rules::Tree& tree) {
  const Result<Report> report = judge_runs(tree, {});
  if (!report) return fail(report.error());
  const Result<rules::Judgement> judgement = rules::validate(tree, {});
  if (!judgement) return fail(judgement.error());
  Readiness readiness{.tree = tree.root()};
  Sorter sorter(*report, readiness);
  for (const rules::Finding& finding : judgement->findings) sorter.add(finding);
  sorter.set_tokens();
  return readiness;
}

std::string readiness_text(const Readiness& readiness, bool with_runs) {
  std::string text;
  for (const Standing& one : readiness.results) {
    text += fmt::format("{:<10} {} {} {} {}{}{}, {} of {}\n", name_of(one.token), one.division, one.system,
                        one.benchmark, one.model, one.accelerator.empty() ? "" : " ", one.accelerator, one.runs,
                        counted(static_cast<double>(one.needed), "run"));
    if (with_runs) {
      for (const std::string& leaf : one.leaves) text += fmt::format("    {}\n", printable(leaf));
    }
    for (const rules::Finding& finding : one.findings) text += finding_line(finding);
  }
  if (!readiness.problems.empty()) text += "The tree\n";
  for (const rules::Finding& finding : readiness.problems) text += finding_line(finding);
  const auto ready = std::count_if(readiness.results.begin(), readiness.results.end(),
                                   [](const Standing& one) { return one.token == Token::kReady; });
  return text + fmt::format("{} of {} ready, {} of the tree, {}: {}\n", ready,
                            counted(static_cast<double>(readiness.results.size()), "result is", "results are"),
                            counted(static_cast<double>(readiness.problems.size()), "problem"),
                            counted(static_cast<double>(readiness.warnings), "warning"),
                            readiness.is_submittable() ? "'mlpstorage submit' packs them" : "not to be submitted yet");
}

Json readiness_json(const Readiness& readiness) {
  Json results = Json::array();
  for (const Standing& one : readiness.results) {
    results.push_back({{"token", name_of(one.token)},
                       {"division", one.division},
                       {"orgname", one.orgname},
                       {"system", one.system},
                       {"benchmark", one.benchmark},
                       {"model", one.model},
                       {"accelerator", one.accelerator.empty() ? Json() : Json(one.accelerator)},
                       {"runs", one.runs},
                       {"runs_needed", one.needed},
                       {"run_folders", one.leaves},
                       {"findings", findings_json(one.findings)}});
  }
  return {{"schema", "mlpstorage.status/1"},
          {"results_dir", readiness.tree},
          {"submittable", readiness.is_submittable()},
          {"results", std::move(results)},
          {"tree_problems", findings_json(readiness.problems)},
          {"warnings", readiness.warnings}};
}

}  // namespace mlps::reports
