#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "rules/evidence.hpp"
#include "rules/rule.hpp"

/// Rules 5.x and 6.x: vector_database and kv_cache.
namespace mlps::rules {
namespace {

std::string engine_of(const Workload& workload) {
  return lower(workload.place.model.substr(0, workload.place.model.find('/')));
}
std::string index_of(const Workload& workload) {
  const size_t slash = workload.place.model.find('/');
  return slash == std::string::npos ? std::string() : workload.place.model.substr(slash + 1);
}

// A run's summary, or what a runner of the time before summaries left.
Document figures_of(const Tree& tree, const Leaf& leaf) {
  if (leaf.summary.is_there()) return leaf.summary;
  Problems ignored;
  for (const char* name :
       {"statistics.json", "vectordb/simple/statistics.json", "vectordb/simple/vdb_multi_node_summary.json"}) {
    Document found = tree.json(joined(leaf.place.path, name), ignored);
    if (found.is_there()) return found;
  }
  return {};
}

void check_scale(const Tree& tree, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const Document figures = figures_of(tree, *leaf);
    for (const char* key : {"num_vectors", "dimension"}) {
      const bool there = figures[key].number() || leaf->parameters()[key].number() || leaf->args()[key].number() ||
                         leaf->parameters().at(fmt::format("dataset.{}", key)).number();
      if (!there) judge.add(summary_path(*leaf), key, "is missing or no number");
    }
  }
}

void check_dimension(const Tree& tree, const Workload& workload, Judge& judge) {
  const auto loads = workload.of("datagen");
  if (loads.empty()) return;
  const auto loaded = loads.front()->summary["dimension"].number();
  for (const Leaf* leaf : workload.of("run")) {
    const auto searched = figures_of(tree, *leaf)["dimension"].number();
    if (loaded && searched && *loaded != *searched) {
      judge.add(summary_path(*leaf), "dimension", fmt::format("is {:g}; {:g} was loaded", *searched, *loaded));
    }
  }
}

void check_population(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("datagen")) {
    const auto declared = leaf->summary["num_vectors"].number();
    const auto inserted = leaf->summary["inserted_vectors"].number();
    if (!declared || !inserted) {
      judge.add(summary_path(*leaf), declared ? "inserted_vectors" : "num_vectors", "is missing or no number");
    } else if (*inserted < *declared) {
      judge.add(summary_path(*leaf), "inserted_vectors", fmt::format("is {:g} of {:g}", *inserted, *declared));
    }
  }
}

constexpr size_t kSearchRuns = 5;
void check_search_runs(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (const size_t runs = workload.of("run").size(); runs != kSearchRuns) {
    judge.add(workload.place.path, "", fmt::format("has {} run folders of run, the rules want {}", runs, kSearchRuns));
  }
}

// Returns the recall that a run reports, in whichever of its forms; nothing if there is none.
std::optional<double> recall_of(const Tree& tree, const Leaf& leaf) {
  Problems ignored;
  const Document figures = figures_of(tree, leaf);
  const Document file = tree.json(joined(leaf.place.path, "recall_stats.json"), ignored);
  for (const Node& recall : {figures["recall"], file.root()}) {
    if (recall.number()) return recall.number();
    for (const char* key : {"max_recall", "mean_recall", "recall_at_k", "recall"}) {
      if (recall[key].number()) return recall[key].number();
    }
  }
  return std::nullopt;
}

void check_recall(const Tree& tree, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const auto recall = recall_of(tree, *leaf);
    if (!recall) judge.add(summary_path(*leaf), "recall", "is missing, also from recall_stats.json");
    if (recall && (*recall <= 0 || *recall > 1))
      judge.add(summary_path(*leaf), "recall", fmt::format("is {:g}, not above 0 and at most 1", *recall));
  }
}

void check_query_count(const Tree& tree, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const Document figures = figures_of(tree, *leaf);
    if (figures["query_count"].number() || figures["total_queries"].number()) continue;
    if (!figures["throughput_qps"].number()) {
      judge.add(summary_path(*leaf), "query_count", "is missing, and throughput_qps, too");
    } else if (!figures["total_time_seconds"].number()) {
      judge.add(summary_path(*leaf), "total_time_seconds", "is missing, and query_count, too");
    }
  }
}

void check_metrics(const Tree& tree, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const Document figures = figures_of(tree, *leaf);
    for (const char* key :
         {"throughput_qps", "mean_latency_ms", "p95_latency_ms", "p99_latency_ms", "p999_latency_ms"}) {
      if (!figures[key].number()) judge.add(summary_path(*leaf), key, "is missing or no number");
    }
  }
}

void check_ground_truth(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const std::string path = joined(leaf->place.path, "result_verdict.json");
    const Node truth = leaf->verdict["flat_setup"];
    if (!leaf->verdict.is_there()) {
      judge.add(path, "", "is missing or unreadable");
    } else if (!truth.has_value()) {
      judge.add(Severity::kWarning, path, "flat_setup", "is missing: nothing tells how the ground truth was made");
    } else if (truth["ok"].boolean() != true) {
      judge.add(path, "flat_setup.ok",
                fmt::format("is {}: {}", truth["ok"].dump(), truth["reason"].text_or("no reason is given")));
    } else if (!(truth["coverage"].number().value_or(0) >= 1)) {
      judge.add(path, "flat_setup.coverage",
                fmt::format("is {}; the ground truth must cover all vectors", truth["coverage"].dump()));
    }
  }
}

void check_search_paths(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_separate_arguments(workload, {"storage_root", "data_dir", "vdb_data_path"}, judge);
}
void check_search_file_systems(const Tree& tree, const Workload& workload, Judge& judge) {
  check_separation(tree, workload, judge);
}

void check_backend(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.division == "closed" && engine_of(workload) != "milvus") {
    judge.add(workload.place.path, "", "is no milvus; closed has no other database");
  }
}

void check_index(const Tree& tree, const Workload& workload, Judge& judge) {
  constexpr std::array<std::string_view, 3> kLegal = {"DISKANN", "HNSW", "AISAQ"};
  if (workload.place.division != "closed") return;
  const std::string index = index_of(workload);
  if (std::find(kLegal.begin(), kLegal.end(), index) == kLegal.end()) {
    judge.add(workload.place.path, "", fmt::format("is index '{}'; closed has {}", index, join(kLegal, ", ")));
  }
  for (const Leaf* leaf : workload.of("run")) {
    const auto used = figures_of(tree, *leaf)["index_type"].text();
    if (used && *used != index)
      judge.add(summary_path(*leaf), "index_type", fmt::format("is {}; the folder is {}", *used, index));
  }
}

struct ClosedOption {
  const char* number;
  const char* model;
  double users, duration, gpu_gb, cpu_gb, allocations;
};
constexpr std::array<ClosedOption, 3> kClosedOptions = {{{"1", "llama3.1-8b", 200, 300, 0, 0, 16},
                                                         {"2", "llama3.1-8b", 100, 300, 0, 4, 16},
                                                         {"3", "llama3.1-70b-instruct", 70, 300, 0, 0, 4}}};

// Old metadata hold defaults of the command line in place of what ran: those say nothing.
void check_options(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    const Node options = leaf->parameters()["options"];
    if (!options.is_object()) continue;
    for (const ClosedOption& wanted : kClosedOptions) {
      const Node option = options[wanted.number];
      const std::string key = fmt::format("parameters.options.{}", wanted.number);
      if (option["model"].text_or("") != wanted.model) {
        judge.add(metadata_path(*leaf), key + ".model",
                  fmt::format("is {}; closed has {}", option["model"].dump(), wanted.model));
      }
      for (const auto& [name, value] : {std::pair{"num_users", wanted.users},
                                        {"duration", wanted.duration},
                                        {"gpu_mem_gb", wanted.gpu_gb},
                                        {"cpu_mem_gb", wanted.cpu_gb},
                                        {"max_concurrent_allocs", wanted.allocations}}) {
        if (option[name].number() != value) {
          judge.add(metadata_path(*leaf), fmt::format("{}.{}", key, name),
                    fmt::format("is {}; closed has {:g}", option[name].dump(), value));
        }
      }
    }
  }
}

void check_sequence(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    const Node sequence = leaf->parameters()["sequence"];
    if (!sequence.is_object()) continue;
    for (const auto& [name, value] : {std::pair{"seed", 42.0}, {"trials", 3.0}, {"inter_option_delay_s", 90.0}}) {
      if (sequence[name].number() != value) {
        judge.add(metadata_path(*leaf), fmt::format("parameters.sequence.{}", name),
                  fmt::format("is {}; closed has {:g}", sequence[name].dump(), value));
      }
    }
  }
}

void check_all_ranks(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    if (leaf->summary["partial_failure"].boolean() == true)
      judge.add(summary_path(*leaf), "partial_failure", "is true: ranks or trials are missing");
    const Node failures = leaf->summary["trial_failures"];
    for (const std::string& option : failures.keys()) {
      if (failures[option].size() > 0)
        judge.add(summary_path(*leaf), "trial_failures." + option, "is " + failures[option].dump().substr(0, 100));
    }
  }
}

using enum Example::Change;
constexpr std::string_view kVectorSummary =
    "closed/ORG/results/SYSTEM/vector_database/milvus/DISKANN/run/*/summary.json";
constexpr std::string_view kCacheMetadata =
    "closed/ORG/results/SYSTEM/kv_cache/llama3.1-8b/run/*/kv_cache_*_metadata.json";
constexpr const char* kVector = "vector_database";

const std::vector<Rule>& rules_of_inference() {
  static const std::vector<Rule> kRules = {
      {"5.1.1",
       "vdbDatasetScale",
       kVector,
       "A search tells how many vectors of which dimension there are.",
       kAlwaysError,
       "",
       {kSet, kVectorSummary, "num_vectors", "1000000", "null"},
       &check_scale},
      {"5.1.2",
       "vdbDimensionConsistency",
       kVector,
       "What is searched has the dimension of what was loaded.",
       kAlwaysError,
       "",
       {kSet, kVectorSummary, "dimension", "1536", "768"},
       &check_dimension},
      {"5.2.1",
       "vdbCollectionPopulated",
       kVector,
       "All declared vectors were inserted.",
       kAlwaysError,
       "",
       {kSet, "closed/ORG/results/SYSTEM/vector_database/milvus/DISKANN/datagen/*/summary.json", "inserted_vectors",
        "1000000", "999999"},
       &check_population},
      {"5.3.1",
       "vdbRunCount",
       kVector,
       "There are five runs.",
       kAlwaysError,
       "",
       {kRemove, "closed/ORG/results/SYSTEM/vector_database/milvus/DISKANN/run/20260710_100000"},
       &check_search_runs},
      {"5.3.2",
       "vdbRecallReported",
       kVector,
       "A run reports its recall, which is above 0.",
       kAlwaysError,
       "",
       {kSet, kVectorSummary, "recall", "0.95", "0.0"},
       &check_recall},
      {"5.3.3",
       "vdbQueryCountMinimum",
       kVector,
       "A run reports its queries, or their rate and the time.",
       kAlwaysError,
       "",
       {},
       &check_query_count},
      {"5.3.4",
       "vdbMetricsReported",
       kVector,
       "A run reports throughput, mean latency and its percentiles 95, 99 and 99.9.",
       kAlwaysError,
       "",
       {kSet, kVectorSummary, "p999_latency_ms", "9.5", "null"},
       &check_metrics},
      {"5.3.5",
       "vdbGroundTruthIntegrity",
       kVector,
       "The ground truth of the recall covers all vectors.",
       kWarningInRound,
       "",
       {kSet, "closed/ORG/results/SYSTEM/vector_database/milvus/DISKANN/run/*/result_verdict.json",
        "flat_setup.coverage", "1.0", "0.4"},
       &check_ground_truth},
      {"5.4.1",
       "vdbPathArgs",
       kVector,
       "The storage of the database and the results folder are given, and differ.",
       kWarningInRound,
       "",
       {kSet, "closed/ORG/results/SYSTEM/vector_database/milvus/DISKANN/run/*/vector_database_*_metadata.json",
        "args.results_dir", "\"/results\"", "null"},
       &check_search_paths},
      {"5.4.2",
       "vdbFilesystemCheck",
       kVector,
       "With files, the database and the results lie on different file systems, and the run shows it.",
       kWarningInRound,
       "",
       {kRemove, "closed/ORG/results/SYSTEM/vector_database/milvus/DISKANN/run/*/fs_separation.json"},
       &check_search_file_systems},
      {"5.6.2", "vdbClosedDatabaseBackend", kVector, "closed uses milvus.", kAlwaysError, "", {}, &check_backend},
      {"5.6.3",
       "vdbClosedIndexTypes",
       kVector,
       "closed uses DISKANN, HNSW or AISAQ, and the folder is named like it.",
       kAlwaysError,
       "",
       {kSet, kVectorSummary, "index_type", "\"DISKANN\"", "\"HNSW\""},
       &check_index},
      {"6.3.1.1",
       "kvcacheFixedWorkloadPerOption",
       "kv_cache",
       "closed runs the three options with their fixed values.",
       kAlwaysError,
       "looks at nothing: its check is empty",
       {kSet, kCacheMetadata, "parameters.options.1.num_users", "200", "20"},
       &check_options},
      {"6.3.2.1",
       "kvcacheClosedSequenceLocks",
       "kv_cache",
       "closed has seed 42, 3 trials and 90 s between the options.",
       kAlwaysError,
       "looks at nothing: its check is empty",
       {kSet, kCacheMetadata, "parameters.sequence.seed", "42", "7"},
       &check_sequence},
      {"KV-PARTIAL",
       "kvcacheAllRanks",
       "kv_cache",
       "Every rank of every trial has a result: numbers of a part are no result.",
       kAlwaysError,
       "publishes them",
       {kSet, "closed/ORG/results/SYSTEM/kv_cache/llama3.1-8b/run/*/summary.json", "partial_failure", "false", "true"},
       &check_all_ranks},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> inference_rules() {
  return rules_of_inference();
}

}  // namespace mlps::rules
