#include "reports/group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "workloads/training_workload.hpp"

namespace mlps::reports {
namespace {

using rules::Leaf;
using rules::Workload;

// The accelerator of a run; the first entry of dlio_config/overrides.yaml tells it where the metadata don't.
std::string accelerator_of(const rules::Tree& tree, const Leaf& leaf) {
  if (const auto named = leaf.metadata["accelerator"].text()) return *named;
  if (const auto named = leaf.args()["accelerator_type"].text()) return *named;
  rules::Problems ignored;
  const rules::Document overrides = tree.yaml(leaf.place.path + "/dlio_config/overrides.yaml", ignored);
  for (size_t i = 0; i < overrides.root().size(); ++i) {
    const std::string entry = overrides.root().item(i).text_or("");
    if (!entry.starts_with("workload=")) continue;
    const size_t at = entry.find('_');
    return at == std::string::npos ? "" : entry.substr(at + 1);
  }
  return {};
}

// The run that only warms up: one whose start another run shares (an older form), else the first by name.
std::string warm_up_of(const std::vector<const Leaf*>& runs) {
  std::map<std::string, const Leaf*> starts;
  const Leaf* first = nullptr;
  for (const Leaf* run : runs) {
    if (first == nullptr || run->place.name < first->place.name) first = run;
    const auto start = run->summary["start"].text();
    if (!start) continue;
    const auto [other, is_new] = starts.emplace(*start, run);
    if (!is_new) return std::min(other->second->place.path, run->place.path);
  }
  return first == nullptr ? std::string() : first->place.path;
}

// A row of closed is CLOSED; one of open may hold runs that closed would have taken.
std::string verdict_of(const Workload& workload, const std::vector<rules::Finding>& findings) {
  for (const rules::Finding& finding : findings) {
    if (finding.severity == rules::Severity::kError) return "INVALID";
  }
  if (workload.place.division == "closed") return "CLOSED";
  std::vector<workloads::Override> changes;
  for (const Leaf& leaf : workload.leaves) {
    if (workload.place.family != "training") return "OPEN";
    for (const std::string& key : leaf.metadata["override_parameters"].keys()) {
      changes.push_back({key, {}, workloads::ValueSource::kUserParams});
    }
  }
  for (const auto& finding : workloads::judge_params(workload.place.model, changes)) {
    if (finding.verdict == workloads::ParamVerdict::kOpen) return "OPEN";
  }
  return "CLOSED";
}

// Chooses the run of which the row of a key-value cache is: the latest one without a failure, else the latest.
const Leaf* chosen_cache_run(const std::vector<const Leaf*>& runs, Group& group) {
  const auto is_whole = [](const Leaf& leaf) {
    if (!leaf.summary.is_there() || leaf.summary["partial_failure"].boolean() == true) return false;
    const rules::Node failures = leaf.summary["trial_failures"];
    const std::vector<std::string> options = failures.keys();
    return std::all_of(options.begin(), options.end(),
                       [&](const auto& option) { return failures[option].size() == 0; });
  };
  const Leaf* chosen = nullptr;
  for (const Leaf* run : runs) {
    const auto rank = [&](const Leaf& leaf) { return std::tuple(is_whole(leaf), leaf.place.name, leaf.place.path); };
    if (chosen == nullptr || rank(*chosen) < rank(*run)) chosen = run;
  }
  if (chosen != nullptr && runs.size() > 1) {
    group.notes.push_back(fmt::format("{} runs are one row: that of {} is published", runs.size(), chosen->place.name));
  }
  if (chosen != nullptr && !is_whole(*chosen)) group.notes.emplace_back("the published run has lost ranks or trials");
  return chosen;
}

// Leaves out the warm-up, or all but the run that stands for the group.
std::vector<const Leaf*> counted_runs(const Workload& part, Group& group) {
  std::vector<const Leaf*> runs = part.of("run");
  const std::string& family = part.place.family;
  if (family == "training") {
    group.warm_up = warm_up_of(runs);
    std::erase_if(runs, [&](const Leaf* run) { return run->place.path == group.warm_up; });
  }
  if (family != "vector_database" && family != "kv_cache") return runs;
  const Leaf* chosen = family == "kv_cache" ? chosen_cache_run(runs, group) : runs.empty() ? nullptr : runs.front();
  if (chosen == nullptr) return {};
  group.published = chosen->place.path;
  if (family == "vector_database" && runs.size() > 1) {
    group.notes.push_back(fmt::format("the row is of the first of {} runs, {}, as the tables of mlpstorage 3.0 have it",
                                      runs.size(), chosen->place.name));
  }
  return {chosen};
}

constexpr size_t kTrainingRuns = 6;

Group measured_group(const rules::Tree& tree, const Workload& part, const rules::Terms& terms) {
  Group group;
  group.place = part.place;
  group.command = "run";
  const std::vector<const Leaf*> counted = counted_runs(part, group);
  group.findings = rules::judge_results(tree, part, terms);
  const size_t all = part.of("run").size();
  for (const Leaf* run : part.of("run")) {
    if (run->metadata.is_there()) continue;
    const rules::Rule* rule = rules::find_rule("READ-01");
    group.findings.push_back(
        {rule, rules::Severity::kError, run->place.path, "",
         run->metadata_files.size() > 1 ? "has several metadata files" : "its metadata are missing or unreadable"});
  }
  group.verdict = verdict_of(part, group.findings);
  fill_identity(tree, part, group);
  if (part.place.family == "training" && all != kTrainingRuns) {
    group.withheld = fmt::format("rule 2.1.17: there are {} runs, a result has {}", all, kTrainingRuns);
  } else {
    fill_figures(tree, part, counted, group);
  }
  return group;
}

// The leaves of `workload` that `belongs` takes, as a workload of their own.
template <class Belongs>
Workload part_of(const Workload& workload, const Belongs& belongs) {
  Workload part;
  part.place = workload.place;
  part.system = workload.system;
  part.place.leaves.clear();
  for (const Leaf& leaf : workload.leaves) {
    if (!belongs(leaf)) continue;
    part.leaves.push_back(leaf);
    part.place.leaves.push_back(leaf.place);
  }
  return part;
}

}  // namespace

std::string Group::folder() const {
  return place.family == "training" ? place.path + "/" + command : place.path;
}

std::vector<std::string> Group::key() const {
  std::vector<std::string> key = {place.division, place.orgname, place.system, place.model};
  if (place.family == "kv_cache") {
    key.push_back(profile);
  } else if (place.family != "vector_database") {
    key.push_back(accelerator);
  }
  if (command != "run") key.push_back(command);
  return key;
}

std::vector<Group> groups_of(const rules::Tree& tree, const Workload& workload, const rules::Terms& terms) {
  std::vector<Group> groups;
  const bool training = workload.place.family == "training";
  std::map<std::string, std::string> kinds;  // by path of a run: what tells apart the runs of different rows
  std::set<std::string> distinct;
  for (const Leaf* run : workload.of("run")) {
    std::string& kind = kinds[run->place.path];
    if (training || workload.place.family == "checkpointing") kind = accelerator_of(tree, *run);
    if (workload.place.family == "kv_cache") kind = run->parameters()["performance_profile"].text_or("");
    distinct.insert(kind);
  }
  for (const std::string& kind : distinct) {
    const Workload part = part_of(
        workload, [&](const Leaf& leaf) { return leaf.place.command != "run" || kinds[leaf.place.path] == kind; });
    Group group = measured_group(tree, part, terms);
    (workload.place.family == "kv_cache" ? group.profile : group.accelerator) = kind;
    if (training && !kind.empty()) group.row.set("Training - Accelerator Type", kind);
    std::erase_if(group.place.leaves, [](const auto& leaf) { return leaf.command != "run"; });
    const char* const prefix = training                                   ? "Training"
                               : workload.place.family == "checkpointing" ? "Checkpointing"
                               : workload.place.family == "kv_cache"      ? "KVCache"
                                                                          : "VDB";
    if (group.withheld.empty() && !group.row.has_figures(prefix)) group.withheld = "none of its figures is known";
    groups.push_back(std::move(group));
  }
  for (const char* command : {"datagen", "datasize"}) {
    if (workload.of(command).empty() || !training) continue;
    const Workload part = part_of(workload, [&](const Leaf& leaf) { return leaf.place.command == command; });
    Group group;
    group.place = part.place;
    group.command = command;
    group.verdict = workload.place.division == "closed" ? "CLOSED" : "OPEN";
    fill_identity(tree, part, group);
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace mlps::reports
