#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.hpp"
#include "results/run_folder.hpp"
#include "rules/rule.hpp"
#include "rules/system_schema.hpp"

/// Rules 2.1.1 to 2.1.10: which folders and files a submission has.
namespace mlps::rules {
namespace {

const Names kFamilies = {"training", "checkpointing", "vector_database", "kv_cache"};

// Reports each folder of `path` that isn't one of `legal`.
void check_folders(const Tree& tree, const std::string& path, const Names& legal, std::string_view what, Judge& judge) {
  Problems ignored;
  for (const std::string& name : tree.folders(path, ignored)) {
    if (is_one_of(legal, name)) continue;
    judge.add(joined(path, name), "", fmt::format("is no {}; there are {}", what, join(legal, ", ")));
  }
}

void check_orgnames(const Tree& tree, const std::string& submission, Judge& judge) {
  (void)tree;
  const std::string orgname = submission.substr(submission.find('/') + 1);
  if (const Status legal = results::check_segment("organisation", orgname); !legal) {
    judge.add(submission, "", legal.error().message);
  }
}

void check_root(const Tree& tree, Judge& judge) {
  Problems ignored;
  const std::vector<std::string> found = tree.folders("", ignored);
  for (const std::string& name : found) {
    if (name == "closed" || name == "open" || name == "code-images" || tree.has(name + "/.mlps-image-pool")) continue;
    const std::string small = lower(name);
    const bool misspelt = small == "closed" || small == "open";
    judge.add(name, "",
              misspelt           ? fmt::format("must be spelt {}", small)
              : name == "whatif" ? "runs of whatif are no part of a submission; move the folder out"
                                 : "isn't closed, open, code-images or a pool of code images");
  }
  if (tree.submissions(ignored).empty())
    judge.add("", "", "neither closed nor open has a folder of an organisation: 0 submissions");
}

void check_organisation(const Tree& tree, const std::string& submission, Judge& judge) {
  Names legal = {"results", "systems"};
  const bool early = judge.terms().edition == Edition::kEarly;
  for (const std::string_view name : legal) {
    if (!tree.has(joined(submission, name))) judge.add(submission, "", fmt::format("has no folder {}", name));
  }
  if (early) legal.emplace_back("code");
  check_folders(tree, submission, legal, "folder of a submission", judge);
}

// Every system has a description and a page about it, and nothing else lies beside them.
void check_systems(const Tree& tree, const std::string& submission, Judge& judge) {
  Problems problems;
  const std::string folder = joined(submission, "systems");
  std::set<std::string> descriptions;
  std::set<std::string> pages;
  for (const Entry& entry : tree.list(folder, problems)) {
    const std::string path = joined(folder, entry.name);
    if (entry.name.starts_with('.') || (!entry.is_folder && entry.name.ends_with(".md"))) continue;
    const size_t stem = entry.name.size() - std::min<size_t>(entry.name.size(), 5);
    if (!entry.is_folder && entry.name.ends_with(".yaml")) {
      descriptions.insert(entry.name.substr(0, stem));
    } else if (!entry.is_folder && entry.name.ends_with(".pdf")) {
      pages.insert(entry.name.substr(0, stem + 1));
    } else {
      judge.add(path, "",
                entry.is_folder ? "is a folder; only .yaml, .pdf and .md files belong here"
                                : "is no .yaml, .pdf or .md file");
    }
  }
  for (const std::string& name : descriptions) {
    const std::string path = fmt::format("{}/{}.yaml", folder, name);
    if (!pages.contains(name)) judge.add(path, "", fmt::format("{}.pdf is missing beside it", name));
    const Document description = tree.yaml(path, problems);
    if (!description.is_there()) continue;
    for (const SchemaFinding& finding : check_system(description.root())) judge.add(path, finding.key, finding.message);
  }
  for (const Problem& problem : problems) judge.add(problem.path, "", problem.message);
  for (const std::string& name : pages) {
    if (!descriptions.contains(name)) {
      judge.add(fmt::format("{}/{}.pdf", folder, name), "", fmt::format("{}.yaml is missing beside it", name));
    }
  }
}

void check_system_results(const Tree& tree, const std::string& submission, Judge& judge) {
  Problems problems;
  const std::vector<std::string> systems = tree.folders(joined(submission, "results"), problems);
  for (const std::string& name : systems) {
    const std::string path = fmt::format("{}/systems/{}.yaml", submission, name);
    if (!tree.has(path)) {
      judge.add(joined(submission, "results/" + name), "", "its description, " + path + ", is missing");
      continue;
    }
    const Document description = tree.yaml(path, problems);
    const Node given = description.at("system_under_test.solution.submission_name");
    if (given.text() && *given.text() != name) {
      judge.add(path, "system_under_test.solution.submission_name",
                fmt::format("is '{}'; the folder of its results is '{}'", *given.text(), name));
    }
  }
  for (const Entry& entry : tree.list(joined(submission, "systems"), problems)) {
    if (!entry.name.ends_with(".yaml")) continue;
    const std::string name = entry.name.substr(0, entry.name.size() - 5);
    if (std::find(systems.begin(), systems.end(), name) == systems.end()) {
      judge.add(joined(submission, "systems/" + entry.name), "", "has no folder of results");
    }
  }
}

void check_families(const Tree& tree, const std::string& submission, Judge& judge) {
  Problems ignored;
  for (const std::string& system : tree.folders(joined(submission, "results"), ignored)) {
    check_folders(tree, joined(submission, "results/" + system), kFamilies, "benchmark", judge);
  }
}

// Compares what a run found with the description of its system.
void check_identity(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const Node system = workload.system["system_under_test"];
  const Node clients = system["clients"];
  double described = 0;
  for (size_t i = 0; i < clients.size(); ++i) described += clients.item(i)["quantity"].number().value_or(0);
  for (const Leaf* leaf : workload.of("run")) {
    const auto hosts = leaf->summary["num_hosts"].number();
    if (!hosts || *hosts < 1) continue;
    if (described > 0 && *hosts != described) {
      judge.add(summary_path(*leaf), "num_hosts",
                fmt::format("is {:g}; the description of the system has {:g} clients", *hosts, described));
    }
    if (system.at("solution.capabilities.multi_host").boolean() == false && *hosts > 1) {
      judge.add(summary_path(*leaf), "num_hosts", "is above 1; the description of the system says multi_host: false");
    }
    const auto memory = leaf->summary["host_memory_GB"].numbers();
    const auto capacity = clients.item(0).at("chassis.memory_capacity").number();
    if (clients.size() != 1 || !memory || !capacity || *capacity <= 0) continue;
    double sum = 0;
    for (const double host : *memory) sum += host;
    if (std::abs(sum / *hosts - *capacity) > *capacity / 10) {
      judge.add(summary_path(*leaf), "host_memory_GB",
                fmt::format("is {:.1f} GiB a host; the description of the system has {:g}", sum / *hosts, *capacity));
    }
  }
}

using enum Example::Change;

const std::vector<Rule>& rules_of_structure() {
  static const std::vector<Rule> kRules = {
      {"2.1.1",
       "submitterRootDirectory",
       "",
       "The folder of an organisation is named with letters, digits, '.', '_' and '-'.",
       kAlwaysError,
       "",
       {kAdd, "closed/a b/"},
       &check_orgnames},
      {"2.1.2",
       "topLevelSubdirectories",
       "",
       "The root of a submission holds closed and open, at least one of them, and code images; files and hidden "
       "entries don't matter.",
       kAlwaysError,
       "",
       {kAdd, "other/"},
       &check_root},
      {"2.1.5",
       "requiredSubdirectories",
       "",
       "The folder of an organisation holds the folders results and systems and no others (until July 2026 also code).",
       kAlwaysError,
       "",
       {kAdd, "closed/ORG/other/"},
       &check_organisation},
      {"2.1.7",
       "systemsDirectoryFiles",
       "",
       "systems/ holds a .yaml and a .pdf for each system, .md files, and nothing else; the .yaml follows the schema "
       "of system "
       "descriptions.",
       kAlwaysError,
       "",
       {kRemove, "closed/ORG/systems/SYSTEM.pdf"},
       &check_systems},
      {"2.1.8",
       "resultsDirectorySystems",
       "",
       "Each system with results has a description, and each description results; its submission_name is the name of "
       "both.",
       kAlwaysError,
       "",
       {kSet, "closed/ORG/systems/SYSTEM.yaml", "system_under_test.solution.submission_name", "\"SYSTEM\"",
        "\"another\""},
       &check_system_results},
      {"2.1.9",
       "identicalSystemConfig",
       "",
       "The hosts of a run are as many as the description of the system has clients, with its memory within 10 %, and "
       "one host if it "
       "says multi_host: false.",
       kAlwaysError,
       "",
       {kSet, "closed/ORG/results/SYSTEM/checkpointing/*/*/summary.json", "num_hosts", "1", "2"},
       &check_identity},
      {"2.1.10",
       "workloadCategories",
       "",
       "The folder of a system holds training, checkpointing, vector_database and kv_cache only.",
       kAlwaysError,
       "",
       {kAdd, "closed/ORG/results/SYSTEM/trainings/"},
       &check_families},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> structure_rules() {
  return rules_of_structure();
}

}  // namespace mlps::rules
