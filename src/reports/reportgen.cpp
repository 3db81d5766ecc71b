#include "reports/reportgen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"
#include "reports/manifest.hpp"
#include "reports/public_ids.hpp"
#include "results/run_folder.hpp"

namespace mlps::reports {
namespace {

// Sorts rows as the tables have them.
bool comes_before(const Group& one, const Group& other) {
  const auto place = [](const Group& group) {
    return std::tie(group.place.division, group.place.orgname, group.place.system, group.place.family,
                    group.place.model, group.accelerator, group.profile);
  };
  return place(one) < place(other);
}

class Generator {
 public:
  Generator(const rules::Tree& tree, const ReportOptions& options) : tree_(tree), options_(options) {}

  Result<Report> judge() {
    rules::Problems problems;
    submissions_ = tree_.submissions(problems);
    if (submissions_.empty()) folders_ = tree_.flat_workloads(problems);
    if (submissions_.empty() && folders_.empty()) {
      return fail(ErrorCode::kPathNotFound, fmt::format("{}: 0 submissions", tree_.root()), {},
                  "a tree of results has <closed|open>/<organisation>/results/<system>/<benchmark>/..., a flat one "
                  "<benchmark>/...");
    }
    report_.tree = tree_.root();
    report_.edition = rules::edition_of(tree_, submissions_).edition;
    if (Status read = collect(problems); !read) return fail(read.error());
    if (!options_.systemname.empty() && report_.groups.empty()) {
      return fail(
          ErrorCode::kPathNotFound,
          fmt::format("--systemname {}: no results of this system are in {}", options_.systemname, tree_.root()), {},
          "systems with results: " + join(systems_, ", "));
    }
    std::stable_sort(report_.groups.begin(), report_.groups.end(), comes_before);
    tell_problems(problems);
    return std::move(report_);
  }

  Result<Report> run() {
    Result<Report> judged = judge();
    if (!judged) return judged;
    report_ = std::move(*judged);
    if (Status numbered = number_rows(); !numbered) return fail(numbered.error());
    if (Status written = write_tables(); !written) return fail(written.error());
    if (Status written = write_manifests(); !written) return fail(written.error());
    return std::move(report_);
  }

 private:
  Status collect(rules::Problems& problems) {
    const rules::Terms terms{report_.edition, false, false, {}};
    for (const std::string& submission : submissions_) {
      for (rules::WorkloadPlace& place : tree_.workloads(submission, problems)) {
        systems_.insert(place.system);
        if (!options_.systemname.empty() && place.system != options_.systemname) continue;
        folders_.push_back(std::move(place));
      }
    }
    struct Part {
      std::vector<Group> groups;
      std::vector<rules::Problem> skipped;
      rules::Problems problems;
    };
    std::vector<Part> parts(folders_.size());
    Status read = rules::for_each_workload(
        tree_, folders_, [&](size_t index, const rules::Workload& workload, rules::Problems& unread) {
          Part& part = parts[index];
          for (const rules::Leaf& leaf : workload.leaves) tell_skipped(leaf, part.skipped);
          part.groups = groups_of(tree_, submissions_.empty() ? named_by_runs(workload) : workload, terms);
          part.problems = std::move(unread);
        });
    for (Part& part : parts) {
      for (Group& group : part.groups) report_.groups.push_back(std::move(group));
      report_.skipped.insert(report_.skipped.end(), part.skipped.begin(), part.skipped.end());
      problems.insert(problems.end(), part.problems.begin(), part.problems.end());
    }
    return read;
  }

  // In a flat tree the runs themselves tell what else their paths would.
  static rules::Workload named_by_runs(rules::Workload workload) {
    if (workload.leaves.empty()) return workload;
    const rules::Leaf& first = workload.leaves.front();
    const std::string judged = lower(first.metadata["verification"].text_or("open"));
    workload.place.division = first.args()["mode"].text_or(judged);
    workload.place.orgname = first.args()["orgname"].text_or("");
    workload.place.system = first.args()["systemname"].text_or("");
    return workload;
  }

  static void tell_skipped(const rules::Leaf& leaf, std::vector<rules::Problem>& skipped) {
    if (leaf.metadata_files.size() > 1) {
      skipped.push_back({leaf.place.path, "multiple_metadata: " + join(leaf.metadata_files, ", ")});
    } else if (!leaf.metadata.is_there() && !leaf.summary.is_there()) {
      skipped.push_back({leaf.place.path, "undetermined_type: it has neither metadata nor summary.json"});
    }
  }

  void tell_problems(const rules::Problems& problems) {
    std::set<std::string> told;
    for (const rules::Problem& problem : problems) {
      if (told.insert(problem.path).second) report_.skipped.push_back({problem.path, "load_error: " + problem.message});
    }
  }

  // Several organisations share one table at the root; else each division of the one has its own.
  bool is_single() const {
    std::set<std::string> names;
    for (const std::string& submission : submissions_) names.insert(submission.substr(submission.find('/') + 1));
    return names.size() == 1;
  }

  Status number_rows() {
    std::vector<std::string> registries = {"public_ids.json"};
    for (const std::string& submission : submissions_) registries.push_back(submission + "/results/public_ids.json");
    Result<PublicIds> ids = PublicIds::load(tree_, registries);
    if (!ids) return fail(ids.error());
    // Of one system alone the places of the rows in the whole table aren't known.
    if (!options_.systemname.empty() && ids->path().empty()) return {};
    for (Group& group : report_.groups) {
      if (group.is_measurement() && group.withheld.empty())
        group.row.set("Public ID", ids->assign(group.place.family, group.key()));
    }
    if (ids->path().empty()) return {};
    report_.files.push_back(ids->path());
    return ids->save(tree_);
  }

  Status write_pair(const std::string& folder, const std::vector<const Row*>& rows) {
    for (const auto& [name, text] : {std::pair{"results.json", table_json(rows)}, {"results.csv", table_csv(rows)}}) {
      const std::string path = rules::joined(folder, name);
      if (const Status written = results::write_file(tree_.absolute(path), text); !written) return written;
      report_.files.push_back(path);
    }
    return {};
  }

  Status write_tables() {
    // Existing folders of models have tables, if empty ones.
    std::map<std::string, std::vector<const Row*>> tables;
    for (const rules::WorkloadPlace& place : folders_) {
      if (place.family != "training") tables[place.path];
      if (place.family == "training" && tree_.has(place.path + "/run")) tables[place.path + "/run"];
    }
    std::vector<const Row*> all;
    std::map<std::string, std::vector<const Row*>> rollups;
    for (const std::string& submission : submissions_) rollups[submission + "/results"];
    for (const Group& group : report_.groups) {
      if (group.is_measurement() && !group.withheld.empty()) continue;
      tables[group.folder()].push_back(&group.row);
      if (!group.is_measurement()) continue;
      all.push_back(&group.row);
      if (submissions_.empty()) continue;
      rollups[fmt::format("{}/{}/results", group.place.division, group.place.orgname)].push_back(&group.row);
    }
    if (options_.systemname.empty()) {
      for (const auto& [folder, rows] : rollups) {
        if (tree_.has(folder)) tables[folder] = rows;
      }
      if (!is_single()) tables[""] = all;
    } else {
      report_.warnings.push_back(
          "the tables of organisations have all systems and stay as they are: --systemname is given");
    }
    for (const auto& [folder, rows] : tables) {
      if (Status written = write_pair(folder, rows); !written) return written;
    }
    return {};
  }

  Status write_manifests() {
    if (!options_.systemname.empty() || !tree_.has("mlperf-results.yaml")) return {};
    for (const std::string& submission : submissions_) {
      rules::Problems ignored;
      const std::string path = submission + "/submission.yaml";
      const Status written = results::write_file(tree_.absolute(path), manifest_text(tree_, submission, ignored));
      if (!written) return written;
      report_.files.push_back(path);
    }
    return {};
  }

  const rules::Tree& tree_;
  const ReportOptions& options_;
  std::vector<std::string> submissions_;
  std::vector<rules::WorkloadPlace> folders_;
  std::set<std::string> systems_;
  Report report_;
};

}  // namespace

size_t Report::count(std::string_view verdict) const {
  return static_cast<size_t>(std::count_if(groups.begin(), groups.end(), [&](const Group& group) {
    return group.is_measurement() && group.verdict == verdict;
  }));
}

bool Report::is_clean() const {
  return skipped.empty() && count("INVALID") == 0 &&
         std::none_of(groups.begin(), groups.end(), [](const Group& group) { return !group.withheld.empty(); });
}

Result<Report> generate(const rules::Tree& tree, const ReportOptions& options) {
  return Generator(tree, options).run();
}

Result<Report> judge_runs(const rules::Tree& tree, const ReportOptions& options) {
  return Generator(tree, options).judge();
}

}  // namespace mlps::reports
