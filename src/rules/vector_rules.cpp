#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "rules/evidence.hpp"
#include "rules/rule.hpp"

/// Rules 5.x: vector_database.
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
  return leaf.summary.is_there() ? leaf.summary : native_search_figures(tree, leaf);
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

void check_index_build(const Tree& tree, const Workload& workload, Judge& judge) {
  for (const Leaf* load : workload.of("datagen")) {
    const auto built = load->summary["index_type"].text();
    if (!built) {
      judge.add(summary_path(*load), "index_type", "is missing: nothing tells that an index was built");
      continue;
    }
    for (const Leaf* leaf : workload.of("run")) {
      const auto used = figures_of(tree, *leaf)["index_type"].text();
      if (used && lower(*used) != lower(*built)) {
        judge.add(summary_path(*leaf), "index_type", fmt::format("is {}; {} was built", *used, *built));
      }
    }
  }
}

void check_object_backend(const Tree& tree, const Workload& workload, Judge& judge) {
  const Names known = {"s3", "s3-compatible", "minio", "ceph"};
  for (const Leaf* leaf : workload.of("run")) {
    if (!is_on_objects(workload, *leaf)) continue;
    const Document figures = figures_of(tree, *leaf);
    const std::string backend = lower(figures.at("database.storage_backend").text_or(""));
    if (is_one_of(known, backend) || backend.starts_with("s3-")) continue;
    judge.add(summary_path(*leaf), "database.storage_backend",
              fmt::format("is {}; with objects there are {} and names that begin with s3-",
                          figures.at("database.storage_backend").dump(), join(known, ", ")));
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
  for (const Leaf* leaf : workload.of("run")) {
    const auto used = leaf->summary.at("database.database").text();
    if (workload.place.division == "closed" && used && lower(*used) != "milvus") {
      judge.add(summary_path(*leaf), "database.database", fmt::format("is {}; closed has milvus", *used));
    }
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

const Names kFreeSearchParameters = {"database.database",      "index.index_type",
                                     "index.metric_type",      "index.max_degree",
                                     "index.search_list_size", "index.M",
                                     "index.ef_construction",  "index.inline_pq",
                                     "search.search_ef",       "run.mode",
                                     "run.batch_size",         "run.num_query_processes",
                                     "run.report_count",       "dataset.collection_name",
                                     "dataset.num_shards",     "dataset.chunk_size",
                                     "dataset.batch_size",     "dataset.vector_dtype",
                                     "storage.storage_root",   "storage.storage_type"};

void check_search_parameters(const Workload& workload, std::string_view division, Judge& judge) {
  if (workload.place.division != division) return;
  if (division == "open" && engine_of(workload) != "milvus") {
    if (workload.of("run").empty()) return;
    return judge.add(Severity::kInfo, workload.place.path, "",
                     "is not milvus: the list of parameters that are free in open is not applied");
  }
  for (const Leaf* leaf : workload.of("run")) {
    for (const std::string& key : leaf->metadata["override_parameters"].keys()) {
      const bool legal = is_one_of(kFreeSearchParameters, key) ||
                         (division == "open" && (key == "database.host" || key == "database.port"));
      if (!legal) {
        judge.add(metadata_path(*leaf), "override_parameters." + key,
                  fmt::format("may not be changed in {}; there are {}", division, join(kFreeSearchParameters, ", ")));
      }
    }
  }
}
void check_closed_search(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_search_parameters(workload, "closed", judge);
}
void check_open_search(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  check_search_parameters(workload, "open", judge);
}

using enum Example::Change;
constexpr std::string_view kOpenVectorMetadata =
    "open/ORG/results/SYSTEM/vector_database/milvus/DISKANN/run/*/vector_database_*_metadata.json";
constexpr std::string_view kVectorSummary =
    "closed/ORG/results/SYSTEM/vector_database/milvus/DISKANN/run/*/summary.json";
constexpr const char* kVector = "vector_database";

const std::vector<Rule>& rules_of_vectors() {
  static const std::vector<Rule> kRules = {
      {"5.1.1",
       "vdbDatasetScale",
       kVector,
       "A search tells how many vectors of which dimension there are.",
       kAlwaysError,
       "",
       {kSet, "open/ORG/results/SYSTEM/vector_database/milvus/DISKANN/run/*/summary.json", "num_vectors", "1000000",
        "null"},
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
      {"5.2.2",
       "vdbIndexBuildCompleted",
       kVector,
       "The summary of the load names the index that was built, and it is the one that is searched.",
       kAlwaysError,
       "",
       {kSet, "closed/ORG/results/SYSTEM/vector_database/milvus/DISKANN/datagen/*/summary.json", "index_type",
        "\"DISKANN\"", "null"},
       &check_index_build},
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
       {kSet, "open/ORG/results/SYSTEM/vector_database/milvus/DISKANN/run/*/summary.json", "total_time_seconds",
        "100.0", "null"},
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
      {"5.5.1",
       "vdbObjectStorageBackend",
       kVector,
       "A database on objects says which: s3, s3-compatible, minio, ceph, or a name that begins with s3-.",
       kAlwaysError,
       "",
       {kSet, kOpenVectorMetadata, "args.data_access_protocol", "\"file\"", "\"object\""},
       &check_object_backend},
      {"5.6.2",
       "vdbClosedDatabaseBackend",
       kVector,
       "closed uses milvus.",
       kAlwaysError,
       "",
       {kSet, kVectorSummary, "database.database", "\"milvus\"", "\"pgvector\""},
       &check_backend},
      {"5.6.3",
       "vdbClosedIndexTypes",
       kVector,
       "closed uses DISKANN, HNSW or AISAQ, and the folder is named like it.",
       kAlwaysError,
       "",
       {kSet, kVectorSummary, "index_type", "\"DISKANN\"", "\"HNSW\""},
       &check_index},
      {"5.6.4",
       "vdbClosedSubmissionParameters",
       kVector,
       "closed changes only the parameters that the rules leave free there.",
       kAlwaysError,
       "",
       {kSet, "closed/ORG/results/SYSTEM/vector_database/milvus/DISKANN/run/*/vector_database_*_metadata.json",
        "override_parameters", "{\"search.search_ef\": \"200\"}", "{\"benchmark.recall_k\": \"1\"}"},
       &check_closed_search},
      {"5.6.5",
       "vdbOpenSubmissionParameters",
       kVector,
       "open on milvus changes those, and the database's host and port.",
       kAlwaysError,
       "",
       {kSet, kOpenVectorMetadata, "override_parameters", "{\"database.port\": \"19530\"}",
        "{\"benchmark.recall_k\": \"1\"}"},
       &check_open_search},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> vector_rules() {
  return rules_of_vectors();
}

}  // namespace mlps::rules
