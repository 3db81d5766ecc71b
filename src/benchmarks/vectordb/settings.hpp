#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/vector_source.hpp"

/// What a vectordb command is to do: the values of its flags and of its configuration, understood and checked.
namespace mlps::vectordb {

/// Who keeps and searches the vectors: this program itself, or a server.
enum class EngineKind : uint8_t { kEmbedded, kMilvus, kPgvector, kElasticsearch, kOpensearch };
std::string_view engine_word(EngineKind kind);  ///< "embedded", "milvus", "pgvector", "elasticsearch", "opensearch"

/// Where a server is, and as whom it is spoken to. `secret` and `token` appear in no text.
struct ServerAddress {
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  bool tls = false;
  std::string ca_file;       ///< empty: the system's
  std::string database;      ///< empty: the engine's usual one
  std::string user;          ///< empty: none, or the engine's usual one
  std::string secret;        ///< password
  std::string token;         ///< Milvus: token; Elasticsearch: API key
  double timeout_s = 60;     ///< of one request
  double interval_s = 5;     ///< between two looks at what the server does by itself
  double patience_s = 7200;  ///< for what it does by itself, without any progress
};

enum class SearchMode : uint8_t { kTimed, kQueryCount, kSweep };
std::string_view mode_word(SearchMode mode);  ///< "timed", "query_count", "sweep"

/// The page cache of this host when a window opens.
enum class CacheState : uint8_t { kAsIs, kWarm, kCold };
std::string_view cache_word(CacheState state);

/// How vectors are loaded.
struct LoadSettings {
  uint32_t batch = 1000;      ///< vectors of one insert
  bool force = false;         ///< remove what is there
  bool compact = false;       ///< have a server compact afterwards
  uint64_t build_memory = 0;  ///< embedded: limit in bytes; 0: none
};

/// How they are searched.
struct SearchSettings {
  SearchMode mode = SearchMode::kTimed;
  double runtime_s = 60;          ///< timed, and each target of a sweep
  uint64_t queries = 0;           ///< query_count: of all workers
  uint32_t workers = 1;           ///< of each rank that --npernode counts
  uint32_t batch = 1;             ///< queries of one search
  uint32_t limit = 10;            ///< neighbours asked for
  uint32_t effort = 200;          ///< ef, search_list or nprobe, as it was given
  uint32_t recall_k = 10;         ///< at most `limit`
  uint64_t query_vectors = 1000;  ///< of a file: its first ones; 0: all
  bool planted = false;
  double noise = 0.05;
  uint64_t query_seed = 42;
  uint32_t dimension = 0;  ///< --vector-dim; 0: the collection's
  std::vector<double> targets;
  uint64_t sweep_queries = 300;
  double warmup_s = 0;
  double arrival_rate = 0;  ///< searches per second of all workers; 0: closed loop
  double insert_rate = 0;   ///< vectors per second that process 0 inserts during windows; 0: none
  uint32_t insert_batch = 100;
  CacheState cache = CacheState::kAsIs;
  bool lockstep = false;
  uint64_t cache_memory = 0;
  uint32_t beam = 0;
  double filter_share = 1;
  std::string base_file;   ///< where the file is now that the vectors were loaded from; empty: where it was
  std::string query_file;  ///< FILE or FILE#PART; empty: queries are made
  std::string truth_file;  ///< the same of exact answers; empty: they are computed
  double epsilon = 0;      ///< of the recall: rows so near to the last exact neighbour count, too
};

/// Everything together.
struct Settings {
  EngineKind engine = EngineKind::kMilvus;
  bool engine_is_default = true;
  ServerAddress server;
  CollectionSpec collection;
  SourceSpec source;  ///< of a run: as the collection describes itself
  LoadSettings load;
  SearchSettings search;
  std::string config = "default";  ///< name or path
  std::string storage_root, storage_type;
  std::string knn_engine;  ///< OpenSearch: its library
};

/// The bytes of the vectors themselves.
constexpr uint64_t raw_bytes(const Settings& settings) {
  return settings.source.rows * settings.source.dimension * sizeof(float);
}
/// Returns the factor by which mlpstorage 3.0 takes an index to be larger than the vectors.
double size_factor(IndexKind kind);
/// Returns the storage that mlpstorage 3.0 plans for: vectors, times the factor, times the shards.
double official_bytes(const Settings& settings);
/// Returns the effort that a search is done with: never below the neighbours asked for where it counts candidates.
uint32_t effective_effort(IndexKind kind, uint32_t effort, uint32_t limit);
/// Returns what the effort is called: "ef", "search_list", "nprobe"; empty where there is none.
std::string_view effort_word(IndexKind kind);
/// Returns "milvus_DISKANN", the model in the metadata of mlpstorage 3.0.
std::string model_word(const Settings& settings);

}  // namespace mlps::vectordb
