#include "benchmarks/vectordb/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "benchmarks/vectordb/metrics.hpp"

namespace mlps::vectordb {
namespace {

using Broken = std::optional<std::string>;

Broken unless(bool kept, std::string why) {
  return kept ? Broken() : Broken(std::move(why));
}

Broken scale_told(const RuleFacts& facts) {
  // The table of scales that the rule speaks of does not exist.
  return unless(facts.record->source.rows > 0 && facts.record->source.dimension > 0,
                "nothing tells how many vectors of which dimension there are");
}

Broken same_dimension(const RuleFacts& facts) {
  const uint32_t wanted = facts.record->search.dimension;
  return unless(!facts.record->searches || wanted == 0 || wanted == facts.record->source.dimension,
                fmt::format("queries have {} elements, vectors {}", wanted, facts.record->source.dimension));
}

Broken all_inserted(const RuleFacts& facts) {
  return unless(facts.record->facts.rows == facts.record->source.rows,
                fmt::format("{} of {} vectors are there", facts.record->facts.rows, facts.record->source.rows));
}

Broken index_built(const RuleFacts& facts) {
  const CollectionFacts& found = facts.record->facts;
  if (found.indexed_rows && *found.indexed_rows < found.rows) {
    return fmt::format("the index covers {} of {} rows", *found.indexed_rows, found.rows);
  }
  return unless(
      found.index == facts.record->collection.index,
      fmt::format("the index is {}, not {}", index_name(found.index), index_name(facts.record->collection.index)));
}

Broken recall_reported(const RuleFacts& facts) {
  if (!facts.record->searches) return {};
  const WindowResult result = window_result(*facts.record, official_window(*facts.record));
  return unless(result.answered > 0 && result.recall > 0, "recall is 0, or no query was answered");
}

Broken queries_counted(const RuleFacts& facts) {
  if (!facts.record->searches) return {};
  const WindowResult result = window_result(*facts.record, official_window(*facts.record));
  return unless(result.official_queries > 0 && result.official_s > 0, "there are no queries, or no time");
}

Broken metrics_reported(const RuleFacts& facts) {
  if (!facts.record->searches) return {};
  const WindowResult result = window_result(*facts.record, official_window(*facts.record));
  return unless(result.official_latency_ms.count > 0, "there are no latencies");
}

Broken truth_whole(const RuleFacts& facts) {
  const RunRecord& record = *facts.record;
  if (!record.searches) return {};
  if (record.truth.rows != record.source.rows) {
    return fmt::format("exact answers are of {} of {} rows", record.truth.rows, record.source.rows);
  }
  return unless(
      record.truth.rows_right == record.truth.rows_checked && record.truth.rows_checked > 0,
      fmt::format("{} of {} rows that were looked up match", record.truth.rows_right, record.truth.rows_checked));
}

Broken paths_given(const RuleFacts& facts) {
  if (facts.object) return {};
  const std::string& root = facts.record->storage_root;
  if (root.empty()) return "--storage-root is not given";
  return unless(root != facts.results_dir, "storage root and results directory are one");
}

Broken separated(const RuleFacts& facts) {
  if (facts.object) return {};
  if (!facts.same_file_system) return "nothing tells whether storage root and results are on one file system";
  return unless(!*facts.same_file_system, "storage root and results are on one file system");
}

Broken object_backend(const RuleFacts& facts) {
  if (!facts.object) return {};
  const std::string& type = facts.record->storage_type;
  const bool known =
      type == "s3" || type == "s3-compatible" || type == "minio" || type == "ceph" || type.starts_with("s3-");
  return unless(known, fmt::format("--storage-type is '{}', not s3, s3-compatible, minio or ceph", type));
}

Broken closed_engine(const RuleFacts& facts) {
  return unless(!facts.closed || facts.record->engine == EngineKind::kMilvus,
                fmt::format("closed has milvus, not {}", engine_word(facts.record->engine)));
}

Broken closed_index(const RuleFacts& facts) {
  const IndexKind index = facts.record->facts.index;
  const bool legal = index == IndexKind::kDiskAnn || index == IndexKind::kHnsw || index == IndexKind::kAiSaq;
  return unless(!facts.closed || legal, fmt::format("closed has DISKANN, HNSW and AISAQ, not {}", index_name(index)));
}

constexpr auto kFree = std::to_array<std::string_view>({"database.database",       "index.index_type",
                                                        "index.metric_type",       "index.max_degree",
                                                        "index.search_list_size",  "index.M",
                                                        "index.ef_construction",   "index.inline_pq",
                                                        "search.search_ef",        "run.mode",
                                                        "run.num_query_processes", "run.batch_size",
                                                        "run.report_count",        "dataset.collection_name",
                                                        "dataset.num_shards",      "dataset.chunk_size",
                                                        "dataset.batch_size",      "dataset.vector_dtype",
                                                        "storage.storage_root",    "storage.storage_type"});

Broken only_free_parameters(const RuleFacts& facts, bool server) {
  for (const std::string& key : facts.overrides) {
    const bool free = std::find(kFree.begin(), kFree.end(), key) != kFree.end();
    const bool of_server = key == "database.host" || key == "database.port";
    if (!free && !(server && of_server)) return fmt::format("{} may not be changed", key);
  }
  return {};
}

Broken closed_parameters(const RuleFacts& facts) {
  return facts.closed ? only_free_parameters(facts, false) : Broken();
}

Broken open_parameters(const RuleFacts& facts) {
  if (facts.closed || facts.record->engine != EngineKind::kMilvus) return {};
  return only_free_parameters(facts, true);
}

constexpr auto kRules = std::to_array<Rule>({
    {"5.1.1", "vdbDatasetScale", "The number of vectors and their dimension are told.", scale_told},
    {"5.1.2", "vdbDimensionConsistency", "Queries have the dimension of the vectors.", same_dimension},
    {"5.2.1", "vdbCollectionPopulated", "All vectors were inserted.", all_inserted},
    {"5.2.2", "vdbIndexBuildCompleted", "The index is built, over all vectors, and of the type that is named.",
     index_built},
    {"5.3.2", "vdbRecallReported", "A search reports a recall above 0.", recall_reported},
    {"5.3.3", "vdbQueryCountMinimum", "A search reports its queries and its time.", queries_counted},
    {"5.3.4", "vdbMetricsReported", "A search reports throughput and latencies.", metrics_reported},
    {"5.3.5", "vdbGroundTruthIntegrity", "The exact answers are of all vectors, and of these.", truth_whole},
    {"5.4.1", "vdbPathArgs", "Storage root and results directory are named, and differ.", paths_given},
    {"5.4.2", "vdbFilesystemCheck", "Storage root and results are on different file systems.", separated},
    {"5.5.1", "vdbObjectStorageBackend", "With 'object' the kind of object store is named.", object_backend},
    {"5.6.2", "vdbClosedDatabaseBackend", "Closed has milvus.", closed_engine},
    {"5.6.3", "vdbClosedIndexTypes", "Closed has DISKANN, HNSW and AISAQ.", closed_index},
    {"5.6.4", "vdbClosedSubmissionParameters", "Closed leaves all parameters but the listed ones as they are.",
     closed_parameters},
    {"5.6.5", "vdbOpenSubmissionParameters", "Open may change those, and where the database is.", open_parameters},
});

}  // namespace

std::span<const Rule> rules() {
  return kRules;
}

}  // namespace mlps::vectordb
