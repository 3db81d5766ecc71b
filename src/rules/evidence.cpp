#include "rules/evidence.hpp"

#include <fmt/format.h>

namespace mlps::rules {

bool is_on_objects(const Workload& workload, const Leaf& leaf) {
  const auto protocol = leaf.args()["data_access_protocol"].text();
  if (protocol) return *protocol == "object";
  return workload.system.at("system_under_test.solution.architecture.benchmark_API").text_or("") == "object";
}

void check_separate_arguments(const Workload& workload, std::initializer_list<const char*> names, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    if (!leaf->metadata.is_there()) continue;
    std::optional<std::string> folder;
    for (const char* name : names) {
      if (!folder) folder = leaf->args()[name].text();
    }
    const auto results = leaf->args()["results_dir"].text();
    const std::string first = fmt::format("args.{}", *names.begin());
    if (!folder) judge.add(metadata_path(*leaf), first, "is missing");
    if (!results) judge.add(metadata_path(*leaf), "args.results_dir", "is missing");
    if (folder && folder == results) judge.add(metadata_path(*leaf), first, "is the results folder, too");
  }
}

void check_separation(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    if (is_on_objects(workload, *leaf)) continue;
    const auto same = leaf->separation["same_filesystem"].boolean();
    if (!same) {
      judge.add(leaf->place.path, "",
                "nothing shows that data and results lie on different file systems: fs_separation.json is missing, "
                "or has no same_filesystem");
    } else if (*same) {
      judge.add(joined(leaf->place.path, "fs_separation.json"), "same_filesystem",
                "is true: data and results lie on one file system");
    }
  }
}

Document native_search_figures(const Tree& tree, const Leaf& leaf) {
  Problems ignored;
  for (const char* name :
       {"statistics.json", "vectordb/simple/statistics.json", "vectordb/enhanced/enhanced_statistics.json",
        "vectordb/simple/vdb_multi_node_summary.json", "vectordb/enhanced/vdb_multi_node_summary.json"}) {
    const Document found = tree.json(joined(leaf.place.path, name), ignored);
    if (found.is_there()) return found;
  }
  return {};
}

}  // namespace mlps::rules
