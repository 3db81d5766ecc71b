#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/fields.hpp"
#include "benchmarks/vectordb/truth.hpp"
#include "benchmarks/vectordb/vectors.hpp"

/// The interface of every engine that can search vectors: those of our own on a store, and clients of servers. A
/// `SearchEngine` is one open collection, shared by threads. A `SearchSession` is one worker's access to it.
///
/// Life of a collection:  create, then insert from any number of threads, flush, build, load, then sessions.
/// A later process opens it with load(). Errors hold the server's or the store's own words.
namespace mlps::vectordb {

enum class IndexKind : uint8_t { kFlat, kIvfFlat, kIvfSq8, kHnsw, kDiskAnn, kAiSaq };

std::string_view index_name(IndexKind kind);  ///< "FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW", "DISKANN", "AISAQ"
std::optional<IndexKind> index_of(std::string_view name);

/// What a collection is and how its index is built. Fields of other kinds of index are not looked at.
struct CollectionSpec {
  std::string name;
  uint32_t dimension = 0;
  uint64_t expected_rows = 0;  ///< that insert() will bring; embedded engines refuse more
  Metric metric = Metric::kCosine;
  IndexKind index = IndexKind::kDiskAnn;
  uint32_t shards = 1;              ///< servers
  uint32_t max_degree = 64;         ///< DISKANN, AISAQ: neighbours of a node
  uint32_t search_list_size = 200;  ///< DISKANN, AISAQ: candidates while building
  uint32_t code_bytes = 0;          ///< DISKANN, AISAQ: of one vector's code; 0: an eighth of the vector's bytes,
                                    ///< 1 at least and 512 at most
  uint32_t inline_codes = 0;        ///< AISAQ on servers: inline_pq
  uint32_t m = 16;                  ///< HNSW: links of a node and layer
  uint32_t ef_construction = 200;   ///< HNSW
  uint32_t lists = 1024;            ///< IVF
  uint64_t seed = 42;               ///< of what an embedded build draws
};

/// How a search is done. `effort` is ef of HNSW, search_list of DISKANN and AISAQ, nprobe of IVF; raised to k by the
/// engines for which less makes no sense, never by the caller.
struct SearchParams {
  uint32_t k = 10;
  uint32_t effort = 200;
  uint32_t beam_width = 0;  ///< DISKANN, AISAQ: reads at once; 0: the engine's own choice
  KeyRange filter = {};
};

/// What one query, or the queries of one batch together, cost this client. Of a server only `wait_ns` is known.
struct QueryCost {
  uint64_t reads = 0;       ///< of storage
  uint64_t bytes = 0;       ///< that these reads brought
  uint64_t rounds = 0;      ///< times that the search waited for reads before it could go on
  uint64_t cache_hits = 0;  ///< reads that the engine's own cache made unnecessary
  uint64_t scored = 0;      ///< exact comparisons
  Nanos compute_ns = 0;     ///< time of this thread spent on anything but waiting
  Nanos wait_ns = 0;        ///< for storage, or for the server's answer
};
constexpr auto fields_of(Of<QueryCost>) {
  return std::tuple(summed("reads", &QueryCost::reads), summed("bytes", &QueryCost::bytes),
                    summed("rounds", &QueryCost::rounds), summed("cache_hits", &QueryCost::cache_hits),
                    summed("scored", &QueryCost::scored), summed("compute_ns", &QueryCost::compute_ns),
                    summed("wait_ns", &QueryCost::wait_ns));
}

/// Answers of one search(): those of query q are [q * k, q * k + counts[q]), nearest first. Memory is used again.
struct SearchAnswers {
  uint32_t k = 0;
  std::vector<Neighbour> neighbours = {};
  std::vector<uint32_t> counts = {};  ///< found rows per query, at most k
  QueryCost cost = {};                ///< of the whole batch

  void reset(size_t queries, uint32_t wanted_k) {
    k = wanted_k;
    neighbours.resize(queries * wanted_k);
    counts.assign(queries, 0);
    cost = {};
  }
  std::span<const Neighbour> of(size_t query) const { return std::span(neighbours).subspan(query * k, counts[query]); }
};

/// One worker's access to a loaded collection, with a connection or buffers of its own. Not thread-safe, except
/// cancel().
class SearchSession {
 public:
  virtual ~SearchSession() = default;

  /// Finds the params.k nearest rows of each query. Fails as a whole: E102 for a query of another dimension or with a
  /// value that is no number, E203 after cancel(), else what storage or server said.
  virtual Status search(VectorView queries, const SearchParams& params, SearchAnswers& answers) = 0;

  /// Makes a running and every later search() end soon with E203. Any thread may call it.
  virtual void cancel() = 0;
};

/// What an engine says about its collection.
struct CollectionFacts {
  uint64_t rows = 0;
  std::optional<uint64_t> indexed_rows = {};  ///< nothing where the engine doesn't tell
  std::optional<uint64_t> index_bytes = {};   ///< on storage, without the inserted vectors
  std::optional<uint64_t> data_bytes = {};    ///< on storage: the inserted vectors
  std::optional<uint64_t> memory_bytes = {};  ///< of the loaded index in this process; nothing of servers
  Metric metric = Metric::kCosine;
  IndexKind index = IndexKind::kDiskAnn;
  /// The parameters of the index as the engine reports them back, by its own names.
  std::vector<std::pair<std::string, std::string>> parameters = {};
};

struct BuildOptions {
  unsigned threads = 1;
  uint64_t memory_bytes = 0;  ///< limit of the build's memory; 0: none. E102 says how much a build needs
  std::function<void(std::string_view step, uint64_t done, uint64_t total)> progress = {};  ///< any thread calls it
  const std::atomic<bool>* stop = nullptr;  ///< set: build() ends soon with E203; what is stored stays usable
};

struct LoadOptions {
  uint64_t cache_bytes = 0;  ///< DISKANN: of pages kept in memory, beside codes and navigation graph
  unsigned sessions = 1;     ///< that will be open at once
  std::function<void(std::string_view step, uint64_t done, uint64_t total)> progress =
      {};                                   ///< of load(), in its thread; in percent
  const std::atomic<bool>* stop = nullptr;  ///< set: load() ends soon with E203, where a server takes its time
};

/// One collection of an engine. Any thread may call insert() and open_session(); the other calls come from one thread.
class SearchEngine {
 public:
  virtual ~SearchEngine() = default;

  virtual std::string_view name() const = 0;  ///< "embedded", "milvus", ...

  /// Returns whether the collection is there, however far it got.
  virtual Result<bool> exists() = 0;
  /// Makes an empty collection. E102 for what the engine has not (index, metric, degree): by name, with what it has.
  virtual Status create(const CollectionSpec& spec) = 0;
  virtual Status drop() = 0;  ///< of an absent collection: success

  /// Stores vectors whose keys are first_key, first_key + 1, ... Success means: accepted, durable after flush().
  virtual Status insert(uint64_t first_key, VectorView vectors) = 0;
  virtual Status flush() = 0;
  /// Builds the index over everything that was inserted, or waits until the server has. Goes on where an earlier build
  /// was interrupted, as far as the engine can.
  virtual Status build(const BuildOptions& options) = 0;
  /// Makes a built collection ready to be searched; E603 if it is absent or not built.
  virtual Status load(const LoadOptions& options) = 0;
  /// Takes the collection out of memory, so that load() reads it again.
  virtual Status release() = 0;
  virtual Result<CollectionFacts> facts() = 0;
  virtual Result<std::unique_ptr<SearchSession>> open_session() = 0;
};

}  // namespace mlps::vectordb
