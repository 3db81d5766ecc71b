#include "reports/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/text.hpp"
#include "rules/cache_figures.hpp"
#include "rules/evidence.hpp"
#include "rules/rule.hpp"

namespace mlps::reports {
namespace {

using rules::joined;
using rules::Leaf;
using rules::Node;
using Values = std::vector<double>;

constexpr size_t kRunsForMeans = 4;  // with fewer on a side, means of runs can't differ significantly
constexpr size_t kRunsWithWarmUp = 6;
constexpr unsigned kDeepestFolder = 8;

/// One side: its runs, with the tree that they were read from.
struct Side {
  rules::Tree tree;
  rules::Workload workload;
  std::string family;
  std::string model;

  std::vector<const Leaf*> runs() const {
    std::vector<const Leaf*> runs;
    for (const Leaf& leaf : workload.leaves) runs.push_back(&leaf);
    if (family == "training" && runs.size() >= kRunsWithWarmUp) runs.erase(runs.begin());
    return runs;
  }
};

bool is_run(const rules::Tree& tree, const std::string& folder) {
  rules::Problems ignored;
  const std::vector<rules::Entry> entries = tree.list(folder, ignored);
  return std::any_of(entries.begin(), entries.end(), [](const rules::Entry& entry) {
    return entry.name == "summary.json" || entry.name.ends_with("_metadata.json");
  });
}

void find_runs(const rules::Tree& tree, const std::string& folder, unsigned levels,
               std::vector<rules::LeafPlace>& found) {
  if (is_run(tree, folder)) {
    const std::string path = tree.absolute(folder);
    found.push_back({folder, path.substr(path.rfind('/') + 1), "run"});
    return;
  }
  rules::Problems ignored;
  if (levels == 0) return;
  for (const std::string& name : tree.folders(folder, ignored))
    find_runs(tree, joined(folder, name), levels - 1, found);
}

Result<Side> read_side(const std::string& path) {
  Result<rules::Tree> tree = rules::Tree::open(path);
  if (!tree) return fail(tree.error());
  rules::WorkloadPlace place;
  find_runs(*tree, "", kDeepestFolder, place.leaves);
  rules::Problems ignored;
  rules::Workload workload = tree->load(place, ignored);
  std::erase_if(workload.leaves, [](const Leaf& leaf) {
    return leaf.metadata["command"].text_or("run") != "run" || !leaf.summary.is_there();
  });
  if (workload.leaves.empty()) {
    return fail(ErrorCode::kPathNotFound, fmt::format("{}: there is no run with a summary.json below it", path), {},
                "give a run folder, or one that holds run folders of one benchmark");
  }
  std::sort(workload.leaves.begin(), workload.leaves.end(),
            [](const Leaf& one, const Leaf& other) { return one.place.name < other.place.name; });
  Side side{std::move(*tree), std::move(workload), {}, {}};
  for (const Leaf& leaf : side.workload.leaves) {
    const std::string family = leaf.metadata["benchmark_type"].text_or("");
    const std::string model = leaf.metadata["model"].text_or("");
    if (&leaf == &side.workload.leaves.front()) std::tie(side.family, side.model) = std::tie(family, model);
    if (family != side.family) {
      return fail(ErrorCode::kConfigInvalid, fmt::format("{} has runs of {} and of {}", path, side.family, family), {},
                  "give a folder with runs of one benchmark");
    }
  }
  return side;
}

// ---- figures

struct FigureSource {
  const char* name;
  bool more_is_better;
  const char* part;                                        ///< what one value of a run is of
  std::function<Values(const Side&, const Leaf&)> values;  ///< of one run
};

Values list_of(const Leaf& leaf, const char* key) {
  return leaf.summary.at(key).numbers().value_or(Values());
}

// The values of "save_ckpt3.throughput" and so on of the first rank.
Values checkpoints_of(const Side& side, const Leaf& leaf, const std::string& kind, const std::string& figure) {
  Values values;
  const std::string path = side.tree.absolute(joined(leaf.place.path, "0_per_epoch_stats.json"));
  (void)rules::stream_numbers(path, [&](const std::vector<std::string>& keys, double value) {
    if (keys.size() == 3 && keys[1].starts_with(kind) && keys[2] == figure) values.push_back(value);
  });
  return values;
}

Values trials_of(const Side& side, const Leaf& leaf, const std::string& option,
                 double (*value)(const rules::CacheRanks::Rank&)) {
  Values values;
  const rules::CacheRanks& ranks = rules::cache_ranks_of(side.tree, side.workload, leaf);
  const auto trials = ranks.options.find(option);
  if (trials == ranks.options.end()) return values;
  for (const auto& [trial, list] : trials->second) {
    double sum = 0;
    for (const rules::CacheRanks::Rank& rank : list) sum += value(rank);
    values.push_back(sum);
  }
  return values;
}

std::vector<FigureSource> training_figures() {
  const auto list = [](const char* key) { return [key](const Side&, const Leaf& leaf) { return list_of(leaf, key); }; };
  return {{"AU, %", true, "epoch", list("metric.train_au_percentage")},
          {"throughput, samples/s", true, "epoch", list("metric.train_throughput_samples_per_second")}};
}

std::vector<FigureSource> checkpoint_figures() {
  const auto of = [](const char* kind, const char* figure) {
    return [kind, figure](const Side& side, const Leaf& leaf) { return checkpoints_of(side, leaf, kind, figure); };
  };
  return {{"write, GiB/s", true, "checkpoint", of("save", "throughput")},
          {"write, s", false, "checkpoint", of("save", "duration")},
          {"read, GiB/s", true, "checkpoint", of("load", "throughput")},
          {"read, s", false, "checkpoint", of("load", "duration")}};
}

std::vector<FigureSource> search_figures() {
  const auto one = [](const char* key) {
    return [key](const Side& side, const Leaf& leaf) {
      auto value = leaf.summary[key].number();
      if (!value) value = leaf.summary.at(fmt::format("{}.mean_recall", key)).number();
      if (!value) value = rules::native_search_figures(side.tree, leaf)[key].number();
      return value ? Values{*value} : Values();
    };
  };
  return {{"queries/s", true, "run", one("throughput_qps")},
          {"mean latency, ms", false, "run", one("mean_latency_ms")},
          {"P99 latency, ms", false, "run", one("p99_latency_ms")},
          {"recall", true, "run", one("recall")}};
}

std::vector<FigureSource> cache_figures() {
  using Rank = rules::CacheRanks::Rank;
  std::vector<FigureSource> sources;
  const auto add = [&](const char* name, const char* option, double (*value)(const Rank&)) {
    sources.push_back({name, true, "trial", [option, value](const Side& side, const Leaf& leaf) {
                         return trials_of(side, leaf, option, value);
                       }});
  };
  const auto tokens = [](const Rank& rank) { return rank.tokens_per_s.value_or(0); };
  const auto read = [](const Rank& rank) { return rank.read_gib_per_s; };
  const auto written = [](const Rank& rank) { return rank.write_gib_per_s; };
  add("option 1: tokens/s", "1", tokens);
  add("option 1: read, GiB/s", "1", read);
  add("option 1: write, GiB/s", "1", written);
  add("option 2: tokens/s", "2", tokens);
  add("option 2: read, GiB/s", "2", read);
  add("option 2: write, GiB/s", "2", written);
  add("option 3: tokens/s", "3", tokens);
  add("option 3: read, GiB/s", "3", read);
  add("option 3: write, GiB/s", "3", written);
  return sources;
}

std::vector<FigureSource> sources_of(const std::string& family) {
  if (family == "training") return training_figures();
  if (family == "checkpointing") return checkpoint_figures();
  return family == "kv_cache" ? cache_figures() : search_figures();
}

// One value for each run, or one for each of its parts.
Values values_of(const Side& side, const FigureSource& source, bool means) {
  Values all;
  for (const Leaf* leaf : side.runs()) {
    const Values values = source.values(side, *leaf);
    if (values.empty()) continue;
    double sum = 0;
    for (const double value : values) sum += value;
    if (means) all.push_back(sum / static_cast<double>(values.size()));
    if (!means) all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

std::vector<ComparedFigure> figures_of(const Side& first, const Side& second) {
  const bool means = first.runs().size() >= kRunsForMeans && second.runs().size() >= kRunsForMeans;
  std::vector<ComparedFigure> figures;
  for (const FigureSource& source : sources_of(first.family)) {
    ComparedFigure figure{source.name,
                          source.more_is_better,
                          means ? "run" : source.part,
                          values_of(first, source, means),
                          values_of(second, source, means),
                          {},
                          {}};
    if (figure.first.empty() && figure.second.empty()) continue;
    figure.test = rank_test(figure.first, figure.second);
    figure.ratio = ratio_interval(figure.first, figure.second);
    figures.push_back(std::move(figure));
  }
  return figures;
}

// ---- latencies

// Adds every histogram of a record that lies in objects, not in lists, by its path.
void add_histograms(const Node& node, const std::string& path, std::map<std::string, LatencyCounts>& found) {
  const Node bounds = node["bucket_ns"];
  const Node counts = node["bucket_count"];
  if (bounds.is_list() && counts.is_list()) {
    for (size_t i = 0; i < std::min(bounds.size(), counts.size()); ++i) {
      const auto bound = bounds.item(i).number();
      const auto count = counts.item(i).number();
      if (bound && count && *count > 0) found[path][*bound] += *count;
    }
    return;
  }
  for (const std::string& key : node.keys()) {
    if (node[key].is_object()) add_histograms(node[key], path.empty() ? key : path + "." + key, found);
  }
}

std::map<std::string, LatencyCounts> histograms_of(const Side& side) {
  std::map<std::string, LatencyCounts> found;
  for (const Leaf* leaf : side.runs()) {
    rules::Problems ignored;
    const rules::Document record = side.tree.json(joined(leaf->place.path, "mlpstorage_record.json"), ignored);
    add_histograms(record.root(), {}, found);
  }
  return found;
}

std::vector<ComparedLatency> latencies_of(const Side& first, const Side& second) {
  std::vector<ComparedLatency> latencies;
  auto others = histograms_of(second);
  for (auto& [name, counts] : histograms_of(first)) {
    if (others.contains(name)) latencies.push_back({name, counts, others[name]});
  }
  return latencies;
}

// ---- what differs

using Facts = std::map<std::pair<std::string, std::string>, std::set<std::string>>;

void add_facts(const Node& node, const std::string& kind, const std::string& key, Facts& facts) {
  if (node.is_object()) {
    for (const std::string& name : node.keys()) {
      add_facts(node[name], kind, key.empty() ? name : key + "." + name, facts);
    }
  } else if (node.is_there()) {
    facts[{kind, key}].insert(node.text() ? *node.text() : node.dump());
  }
}

Facts facts_of(const Side& side) {
  Facts facts;
  for (const Leaf& leaf : side.workload.leaves) {
    for (const char* key : {"parameters", "override_parameters", "args", "accelerator", "num_processes", "command"}) {
      add_facts(leaf.metadata[key], "setting", key, facts);
    }
    for (const char* key : {"num_hosts", "total_memory_bytes", "total_cores"}) {
      add_facts(leaf.metadata["system_info"][key], "host", key, facts);
    }
    const Node hosts = leaf.metadata.at("system_info.hosts");
    for (size_t i = 0; i < hosts.size(); ++i) {
      add_facts(hosts.item(i)["hostname"], "host", "hostname", facts);
      add_facts(hosts.item(i)["cpu"], "host", "cpu", facts);
      add_facts(hosts.item(i).at("system.kernel_version"), "host", "kernel", facts);
      add_facts(hosts.item(i).at("system.os_release.PRETTY_NAME"), "host", "operating system", facts);
    }
    add_facts(leaf.metadata["tool"], "build", "tool", facts);
    if (!leaf.pointer.empty()) facts[{"build", "code image"}].insert(leaf.pointer);
  }
  return facts;
}

// Keys that differ between any two runs, and tell nothing.
bool is_of_every_run(const std::string& key) {
  const rules::Names kOwn = {"args.results_dir", "args.run_datetime", "args._mlps_req_results"};
  return rules::is_one_of(kOwn, key);
}

std::vector<Difference> differences_of(const Side& first, const Side& second) {
  Facts ours = facts_of(first);
  Facts others = facts_of(second);
  std::vector<Difference> differences;
  std::set<std::pair<std::string, std::string>> keys;
  for (const auto& facts : {ours, others}) {
    for (const auto& [key, values] : facts) keys.insert(key);
  }
  for (const auto& key : keys) {
    if (ours[key] == others[key] || is_of_every_run(key.second)) continue;
    differences.push_back({key.first, key.second, ours[key], others[key]});
  }
  return differences;
}

std::vector<std::string> paths_of(const Side& side) {
  std::vector<std::string> paths;
  for (const Leaf* leaf : side.runs()) paths.push_back(side.tree.absolute(leaf->place.path));
  return paths;
}

}  // namespace

Result<Comparison> compare(const std::string& first, const std::string& second) {
  const Result<Side> one = read_side(first);
  if (!one) return fail(one.error());
  const Result<Side> other = read_side(second);
  if (!other) return fail(other.error());
  if (one->family != other->family) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{} has runs of {}, {} of {}", first, one->family, second, other->family), {},
                "compare runs of one benchmark");
  }
  Comparison comparison{one->family,
                        one->model,
                        paths_of(*one),
                        paths_of(*other),
                        figures_of(*one, *other),
                        latencies_of(*one, *other),
                        differences_of(*one, *other),
                        {}};
  if (one->model != other->model) {
    comparison.notes.push_back(fmt::format("the models differ: {} and {}", one->model, other->model));
  }
  for (const auto& [side, letter] : {std::pair{&*one, 'A'}, {&*other, 'B'}}) {
    for (const Leaf& leaf : side->workload.leaves) {
      if (leaf.metadata["exit_status"].number().value_or(0) != 0) {
        comparison.notes.push_back(fmt::format("{}: the run {} failed", letter, leaf.place.name));
      }
      if (leaf.metadata["verification"].text_or("") == "INVALID") {
        comparison.notes.push_back(fmt::format("{}: the run {} is INVALID", letter, leaf.place.name));
      }
    }
    if (side->runs().size() < side->workload.leaves.size()) {
      comparison.notes.push_back(fmt::format("{}: the first run, {}, warms up and doesn't count", letter,
                                             side->workload.leaves.front().place.name));
    }
  }
  const bool by_part = !comparison.figures.empty() && comparison.figures.front().value_of != "run";
  if (by_part) {
    comparison.notes.push_back(fmt::format(
        "values are of each {0}: what a {0} shares with the others of its run is not independent; with 4 runs "
        "or more on each side, runs are compared",
        comparison.figures.front().value_of));
  }
  return comparison;
}

}  // namespace mlps::reports
