#include "rules/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/encoding.hpp"
#include "base/numbers.hpp"
#include "base/text.hpp"
#include "rules/editions.hpp"

namespace mlps::rules {
namespace {

// A tree that says that it is of an edition that nobody knows is not judged by another; an earlier one is EDN-04.
Status check_declared(const Tree& tree, const std::vector<std::string>& submissions) {
  for (const std::string& submission : submissions) {
    const std::string named = declared_edition(tree, submission);
    if (named.empty()) continue;
    if (std::find(kPublishedEditions.begin(), kPublishedEditions.end(), named) != kPublishedEditions.end()) continue;
    if (const auto known = edition_named(named); !known) {
      return fail(known.error().code, fmt::format("{}/submission.yaml: {}", submission, known.error().message), {},
                  known.error().suggestion + "; --edition judges by one of them");
    }
  }
  return {};
}

// Judges in both ways at once, so that every file is read once. Most rules judge alike in both: they are checked once,
// and of those that don't, the other way's findings are only counted.
class Validation {
 public:
  Validation(const Tree& tree, const Terms& terms) : tree_(tree), terms_(terms) {}

  void judge_tree() {
    check_all<TreeCheck>(findings_, [&](const Rule&, TreeCheck check, Judge& judge) { check(tree_, judge); });
  }

  Status judge_submissions(const std::vector<std::string>& submissions, Judgement& judgement) {
    std::vector<Part> parts(submissions.size());
    std::vector<std::vector<WorkloadPlace>> places(submissions.size());
    Status judged = for_each_index(submissions.size(), [&](size_t index) {
      const std::string& submission = submissions[index];
      check_all<SubmissionCheck>(parts[index].findings, [&](const Rule&, SubmissionCheck check, Judge& judge) {
        check(tree_, submission, judge);
      });
      if (declares_other_edition(tree_, submission)) return;  // see EDN-04
      places[index] = tree_.workloads(submission, parts[index].problems);
    });
    for (std::vector<WorkloadPlace>& of_one : places) {
      judgement.workloads += of_one.size();
      for (WorkloadPlace& place : of_one) {
        judgement.run_folders += place.leaves.size();
        places_.push_back(std::move(place));
      }
    }
    judgement.submissions = submissions.size();
    collect(parts);
    return judged;
  }

  // Judges the workloads of all submissions, several at a time; the order of the findings doesn't depend on that.
  Status judge_workloads() {
    std::vector<Part> parts(places_.size());
    Status judged = for_each_workload(tree_, places_, [&](size_t index, const Workload& workload, Problems& problems) {
      check_all<WorkloadCheck>(parts[index].findings, [&](const Rule& rule, WorkloadCheck check, Judge& judge) {
        const bool is_its_own = rule.family.empty() || rule.family == workload.place.family;
        if (check != nullptr && is_its_own) check(tree_, workload, judge);
      });
      parts[index].problems = std::move(problems);
    });
    collect(parts);
    return judged;
  }

  // What could not be read is told once, however often it was met.
  void judge_problems() {
    const Rule* rule = find_rule("READ-01");
    std::set<std::pair<std::string, std::string>> told;
    Judge judge(terms_);
    judge.begin(*rule);
    for (const Problem& problem : problems_) {
      if (told.emplace(problem.path, problem.message).second) judge.add(problem.path, "", problem.message);
    }
    Findings found{judge.take(), {}};
    settle(*rule, found);
    findings_.add(std::move(found));
  }

  // Moves the findings into the judgement, with the rules that judge otherwise in the other way.
  void give(Judgement& judgement) {
    std::map<const Rule*, size_t> here;
    for (const Finding& finding : findings_.list) here[finding.rule] += finding.severity >= Severity::kWarning ? 1 : 0;
    for (const Rule* rule : all_rules()) {
      if (rule->differs.text.empty()) continue;
      if (here[rule] != findings_.other[rule]) judgement.differing.push_back({rule, here[rule], findings_.other[rule]});
    }
    judgement.findings = std::move(findings_.list);
  }

 private:
  struct Findings {
    std::vector<Finding> list;
    std::map<const Rule*, size_t> other;  ///< errors and warnings of the other way, of the rules that judge otherwise

    void add(Findings more) {
      list.insert(list.end(), std::make_move_iterator(more.list.begin()), std::make_move_iterator(more.list.end()));
      for (const auto& [rule, count] : more.other) other[rule] += count;
    }
  };
  struct Part {
    Findings findings;
    Problems problems;
  };

  void collect(std::vector<Part>& parts) {
    for (Part& part : parts) {
      findings_.add(std::move(part.findings));
      problems_.insert(problems_.end(), part.problems.begin(), part.problems.end());
    }
  }

  static size_t count_of(const std::vector<Finding>& findings) {
    return static_cast<size_t>(std::count_if(findings.begin(), findings.end(), [](const Finding& finding) {
      return finding.severity >= Severity::kWarning;
    }));
  }

  // Leaves the findings of a rule that mlpstorage 3.0.46 doesn't have to the way that has it.
  void settle(const Rule& rule, Findings& found) const {
    if (!terms_.as_3046) return;
    found.other[&rule] = count_of(found.list);
    found.list.clear();
  }

  // Calls `act` for each rule with such a check, and once more, in the other way, where that may judge otherwise.
  template <class Kind, class Act>
  void check_all(Findings& into, const Act& act) const {
    for (const Rule* rule : all_rules()) {
      const auto* check = std::get_if<Kind>(&rule->check);
      if (check == nullptr) continue;
      const auto findings_by = [&](bool as_3046) {
        Terms terms = terms_;
        terms.as_3046 = as_3046;
        Judge judge(std::move(terms));
        judge.begin(*rule);
        act(*rule, *check, judge);
        return judge.take();
      };
      const Deviation& differs = rule->differs;
      if (differs.text.empty()) {
        into.add({findings_by(terms_.as_3046), {}});
      } else if (differs.never_fires) {
        Findings found{findings_by(false), {}};
        settle(*rule, found);
        into.add(std::move(found));
      } else {
        into.add({findings_by(terms_.as_3046), {{rule, count_of(findings_by(!terms_.as_3046))}}});
      }
    }
  }

  const Tree& tree_;
  Terms terms_;
  Findings findings_;
  std::vector<WorkloadPlace> places_;
  Problems problems_;
};

Status keep_submitters(const std::vector<std::string>& wanted, std::vector<std::string>& submissions) {
  if (wanted.empty()) return {};
  std::set<std::string> missing(wanted.begin(), wanted.end());
  std::set<std::string> known;
  std::erase_if(submissions, [&](const std::string& submission) {
    const std::string orgname = submission.substr(submission.find('/') + 1);
    known.insert(orgname);
    missing.erase(orgname);
    return std::find(wanted.begin(), wanted.end(), orgname) == wanted.end();
  });
  if (missing.empty()) return {};
  return fail(ErrorCode::kPathNotFound, fmt::format("--submitters: the tree has no {}", join(missing, ", ")), {},
              known.empty() ? "it has no submission at all" : "it has " + join(known, ", "));
}

}  // namespace

size_t Judgement::count(Severity severity) const {
  return static_cast<size_t>(std::count_if(findings.begin(), findings.end(),
                                           [&](const Finding& finding) { return finding.severity == severity; }));
}

ChosenEdition edition_of(const Tree& tree, const std::vector<std::string>& submissions) {
  if (tree.has("code-images")) return {Edition::kAfter, "the tree has code-images/"};
  for (const std::string& submission : submissions) {
    const std::string pool = submission.substr(submission.find('/') + 1) + "/.mlps-image-pool";
    if (tree.has(pool)) return {Edition::kRound, "the tree has " + pool};
  }
  for (const std::string& submission : submissions) {
    if (tree.has(submission + "/code")) return {Edition::kEarly, "the tree has " + submission + "/code"};
  }
  return {Edition::kRound, "nothing in the tree tells"};
}

std::vector<Finding> judge_results(const Tree& tree, const Workload& workload, const Terms& terms) {
  Judge judge(terms);
  for (const Rule* rule : all_rules()) {
    const auto* check = std::get_if<WorkloadCheck>(&rule->check);
    if (check == nullptr || *check == nullptr || !judges_results(*rule)) continue;
    if (!rule->family.empty() && rule->family != workload.place.family) continue;
    judge.begin(*rule);
    (*check)(tree, workload, judge);
  }
  return judge.take();
}

Result<Judgement> validate(const Tree& tree, const ValidateOptions& options) {
  Problems ignored;
  std::vector<std::string> submissions = tree.submissions(ignored);
  if (const Status known = keep_submitters(options.submitters, submissions); !known) return fail(known.error());
  const ChosenEdition found = edition_of(tree, submissions);
  Judgement judgement{
      .tree = tree.root(), .edition = found.edition, .edition_from = found.from, .as_3046 = options.as_3046};
  if (options.edition) {
    const Result<Edition> edition = edition_named(*options.edition);
    if (!edition) return fail(edition.error());
    judgement.edition = *edition;
    judgement.edition_from = *edition == found.edition ? "asked for"
                                                       : fmt::format("asked for; by itself the tree is of {}: {}",
                                                                     name_of(found.edition), found.from);
  } else if (const Status declared = check_declared(tree, submissions); !declared) {
    return fail(declared.error());
  }
  Validation validation(tree,
                        {judgement.edition, options.as_3046, options.skip_output_file, options.reference_checksum});
  validation.judge_tree();
  if (const Status judged = validation.judge_submissions(submissions, judgement); !judged) return fail(judged.error());
  if (const Status judged = validation.judge_workloads(); !judged) return fail(judged.error());
  validation.judge_problems();
  validation.give(judgement);
  std::stable_sort(judgement.findings.begin(), judgement.findings.end(),
                   [](const Finding& one, const Finding& other_one) { return one.path < other_one.path; });
  return judgement;
}

std::string judgement_text(const Judgement& judgement) {
  std::string text;
  for (const Finding& finding : judgement.findings) {
    text += fmt::format("[{}] [{} {}] {}: {}{}{}\n", severity_name(finding.severity), finding.rule->id,
                        finding.rule->name, finding.path.empty() ? "." : printable(finding.path), finding.key,
                        finding.key.empty() ? "" : " ", printable(finding.message));
  }
  const std::string_view here = judgement.as_3046 ? "mlpstorage 3.0.46" : "the rules";
  const std::string_view there = judgement.as_3046 ? "the rules" : "mlpstorage 3.0.46";
  for (const DifferingRule& one : judgement.differing) {
    text += fmt::format("[INFO] [{} {}] {} findings by {}, {} by {}", one.rule->id, one.rule->name, one.here, here,
                        one.there, there);
    text += one.rule->differs.text.empty() ? "\n" : fmt::format(": mlpstorage 3.0.46 {}\n", one.rule->differs.text);
  }
  const size_t errors = judgement.count(Severity::kError);
  const auto number_of = [](size_t count, std::string_view what) { return counted(static_cast<double>(count), what); };
  text += fmt::format(
      "SUMMARY: {}: {}, {}, {} in {}, {}, {}; judged by edition {}{} ({})\n", errors == 0 ? "valid" : "not valid",
      number_of(errors, "error"), number_of(judgement.count(Severity::kWarning), "warning"),
      number_of(judgement.count(Severity::kInfo), "note"), number_of(judgement.submissions, "submission"),
      number_of(judgement.workloads, "workload"), number_of(judgement.run_folders, "run folder"),
      name_of(judgement.edition), judgement.as_3046 ? " as mlpstorage 3.0.46 did" : "", judgement.edition_from);
  return text;
}

Json judgement_json(const Judgement& judgement) {
  Json findings = Json::array();
  for (const Finding& finding : judgement.findings) {
    findings.push_back({{"severity", severity_name(finding.severity)},
                        {"rule", finding.rule->id},
                        {"name", finding.rule->name},
                        {"path", finding.path},
                        {"key", finding.key.empty() ? Json() : Json(finding.key)},
                        {"message", finding.message}});
  }
  Json differing = Json::array();
  for (const DifferingRule& one : judgement.differing) {
    differing.push_back(
        {{"rule", one.rule->id},
         {"findings", one.here},
         {"findings_otherwise", one.there},
         {"mlpstorage_3_0_46", one.rule->differs.text.empty() ? Json() : Json(one.rule->differs.text)}});
  }
  return {{"schema", "mlpstorage.validation/1"},
          {"tree", judgement.tree},
          {"edition", name_of(judgement.edition)},
          {"edition_from", judgement.edition_from},
          {"as_3_0_46", judgement.as_3046},
          {"submissions", judgement.submissions},
          {"workloads", judgement.workloads},
          {"run_folders", judgement.run_folders},
          {"errors", judgement.count(Severity::kError)},
          {"warnings", judgement.count(Severity::kWarning)},
          {"notes", judgement.count(Severity::kInfo)},
          {"findings", std::move(findings)},
          {"differing_rules", std::move(differing)}};
}

void append_csv_cell(std::string& line, std::string_view cell) {
  if (cell.find_first_of(",\"\n\r") == std::string_view::npos) {
    line += cell;
    return;
  }
  line += '"';
  for (const char c : cell) line += c == '"' ? std::string("\"\"") : std::string(1, c);
  line += '"';
}

std::string judgement_csv(const Judgement& judgement) {
  std::string text = "severity,rule,name,path,key,message\n";
  for (const Finding& finding : judgement.findings) {
    std::string line;
    for (const std::string_view cell :
         {severity_name(finding.severity), finding.rule->id, finding.rule->name, std::string_view(finding.path),
          std::string_view(finding.key), std::string_view(finding.message)}) {
      if (!line.empty()) line += ',';
      append_csv_cell(line, cell);
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace mlps::rules
