#include <fmt/format.h>

#include "benchmarks/vectordb/command/parse_parts.hpp"

namespace mlps::cli {

using vectordb::EngineKind;
using vectordb::IndexKind;

void fill_values(Reader& reader, VectorDbOptions& options) {
  const vectordb::Settings& settings = options.settings;
  const vectordb::CollectionSpec& spec = settings.collection;
  const auto set = [&](const std::string& key, const char* flag, auto value) {
    const bool user = *flag != '\0' && reader.given(flag) && reader.origin(flag) == "flag";
    options.values[key] = {fmt::format("{}", value),
                           user ? workloads::ValueSource::kUserParams : workloads::ValueSource::kWorkloadFile};
  };
  set("engine", "vdb-engine", vectordb::engine_word(settings.engine));
  set("index_type", "vdb-index", vectordb::index_name(spec.index));
  set("database.database", "vdb-engine", vectordb::engine_word(settings.engine));
  set("index.index_type", "vdb-index", vectordb::index_name(spec.index));
  if (settings.engine != EngineKind::kEmbedded && options.which != VectorDbCommand::kDatasize) {
    set("database.host", "host", settings.server.host);
    set("database.port", "port", settings.server.port);
  }
  set("dataset.collection_name", "collection", spec.name);
  if (!settings.storage_root.empty()) set("storage.storage_root", "storage-root", settings.storage_root);
  set("storage.storage_type", "storage-type", settings.storage_type);
  const bool loads = options.which != VectorDbCommand::kRun;
  if (loads) {
    for (const char* prefix : {"", "dataset."}) {
      set(std::string(prefix) + "num_vectors", "num-vectors", settings.source.rows);
      set(std::string(prefix) + "dimension", "dimension", settings.source.dimension);
    }
    if (!settings.source.file.path.empty()) set("dataset.base_file", "base-file", settings.source.file.path);
    set("dataset.distribution", "distribution", vectordb::distribution_name(settings.source.distribution));
    set("dataset.num_shards", "num-shards", spec.shards);
    set("dataset.batch_size", "batch-size", settings.load.batch);
    set("dataset.seed", "seed", settings.source.seed);
    set("index.metric_type", "metric-type", vectordb::metric_name(spec.metric));
    const bool graph = spec.index == IndexKind::kDiskAnn || spec.index == IndexKind::kAiSaq;
    if (graph) set("index.max_degree", "max-degree", spec.max_degree);
    if (graph) set("index.search_list_size", "search-list-size", spec.search_list_size);
    if (spec.index == IndexKind::kAiSaq) set("index.inline_pq", "inline-pq", spec.inline_codes);
    if (spec.index == IndexKind::kHnsw) set("index.M", "M", spec.m);
    if (spec.index == IndexKind::kHnsw) set("index.ef_construction", "ef-construction", spec.ef_construction);
    if (spec.index == IndexKind::kIvfFlat || spec.index == IndexKind::kIvfSq8) set("index.nlist", "nlist", spec.lists);
  }
  if (loads && options.which != VectorDbCommand::kConfigview) return;
  const vectordb::SearchSettings& search = settings.search;
  set("benchmark.mode", "benchmark-mode", vectordb::mode_word(search.mode));
  if (search.mode == vectordb::SearchMode::kQueryCount) set("benchmark.queries", "queries", search.queries);
  if (search.mode != vectordb::SearchMode::kQueryCount) set("benchmark.runtime", "runtime", search.runtime_s);
  set("benchmark.batch_size", "batch-size", search.batch);
  set("benchmark.num_query_processes", "num-query-processes", search.workers);
  set("benchmark.recall_k", "recall-k", search.recall_k);
  set("benchmark.search_limit", "search-limit", search.limit);
  set("benchmark.search_ef", "search-ef", search.effort);
  if (!search.query_file.empty()) set("benchmark.query_file", "query-file", search.query_file);
  if (!search.truth_file.empty()) set("benchmark.truth_file", "truth-file", search.truth_file);
  if (search.query_vectors != 0) set("benchmark.num_query_vectors", "num-query-vectors", search.query_vectors);
}

}  // namespace mlps::cli
