#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "base/waiting.hpp"
#include "benchmarks/vectordb/servers/milvus_answers.hpp"
#include "benchmarks/vectordb/servers/milvus_client.hpp"
#include "benchmarks/vectordb/servers/servers.hpp"

namespace mlps::vectordb {
namespace {

// Only what is used here of milvus-proto has a name.
constexpr const char* kKeyField = "id";
constexpr const char* kDescriptionProperty = "mlpstorage.dataset";  // Milvus Lite keeps no descriptions
constexpr uint64_t kInt64 = 5;
constexpr uint64_t kBounded = 2;  // the consistency that pymilvus asks for, too: searches wait for no time stamp
constexpr uint64_t kLoaded = 3, kIndexFinished = 3, kIndexFailed = 4, kCompactionDone = 2;
constexpr uint64_t kWholePercent = 100;
constexpr uint64_t kMostMessageBytes = uint64_t{32} << 20;  // servers take 64 MiB, unless they are told otherwise
constexpr Nanos kLookNs = 100'000'000;

/// What an index of this kind is made with: the names of Milvus.
std::map<std::string, uint64_t> build_parameters(const CollectionSpec& spec) {
  switch (spec.index) {
    case IndexKind::kHnsw:
      return {{"M", spec.m}, {"efConstruction", spec.ef_construction}};
    case IndexKind::kDiskAnn:
      return {{"max_degree", spec.max_degree}, {"search_list_size", spec.search_list_size}};
    case IndexKind::kAiSaq:
      return {{"inline_pq", spec.inline_codes},
              {"max_degree", spec.max_degree},
              {"search_list_size", spec.search_list_size}};
    case IndexKind::kIvfFlat:
    case IndexKind::kIvfSq8:
      return {{"nlist", spec.lists}};
    case IndexKind::kFlat:
      break;
  }
  return {};
}

class MilvusEngine final : public SearchEngine, public Database {
 public:
  explicit MilvusEngine(const Settings& settings) : settings_(settings), spec_(settings.collection) {}

  // ---- Database

  SearchEngine& engine() override { return *this; }
  Status describe(const std::string& text) override {
    description_ = text;
    return {};
  }
  Result<std::string> description() override {
    if (Status asked = ask_collection(); !asked) return fail(asked.error());
    return description_;
  }
  std::string server_version() override { return version_; }

  // ---- SearchEngine

  std::string_view name() const override { return "milvus"; }

  Result<bool> exists() override {
    const auto answer = call("HasCollection", [](MilvusClient& client) { return client.request(); });
    if (!answer) {
      if (answer.error().code == ErrorCode::kStorageNotFound) return false;
      return fail(answer.error());
    }
    return proto_number(*answer, 2) != 0;
  }

  Status create(const CollectionSpec& spec) override {
    spec_ = spec;
    ProtoWriter key, vector, schema;
    key.text(2, kKeyField).number(3, 1).number(5, kInt64);
    vector.text(2, kMilvusVectorField).number(5, kMilvusFloatVector);
    vector.message(6, milvus_pair("dim", std::to_string(spec.dimension)));
    schema.text(1, spec.name).text(2, "Benchmark Collection").message(4, key).message(4, vector);
    const auto made = call(
        "CreateCollection",
        [&](MilvusClient& client) {
          ProtoWriter request = client.request();
          request.message(4, schema).number(5, spec.shards).number(6, kBounded);
          request.message(7, milvus_pair(kDescriptionProperty, description_));
          return request;
        },
        0);
    if (!made) return fail(made.error());
    return create_index();
  }

  Status drop() override {
    const auto gone = call(
        "DropCollection", [](MilvusClient& client) { return client.request(); }, 0);
    if (gone || gone.error().code == ErrorCode::kStorageNotFound) return {};
    return fail(gone.error());
  }

  Status insert(uint64_t first_key, VectorView vectors) override {
    const uint64_t most = std::max<uint64_t>(1, kMostMessageBytes / (vectors.dimension() * sizeof(float)));
    for (size_t row = 0; row < vectors.rows(); row += most) {
      const size_t count = std::min<size_t>(most, vectors.rows() - row);
      if (Status stored = insert_some(first_key + row, vectors.slice(row, count)); !stored) return stored;
    }
    return {};
  }

  Status flush() override {
    const auto flushed = call("Flush", [](MilvusClient& client) { return client.request(); });
    if (!flushed) return fail(flushed.error());
    const MilvusFlush flush = read_milvus_flush(*flushed, settings_.collection.name);
    if (flush.segments.empty()) return {};
    return wait("flush", nullptr, [&](uint64_t& progress) -> Result<bool> {
      const auto state = call("GetFlushState", [&](MilvusClient& client) {
        ProtoWriter request;
        request.numbers(1, flush.segments).number(2, flush.timestamp);
        request.text(3, settings_.server.database).text(4, settings_.collection.name);
        (void)client;
        return request;
      });
      if (!state) return fail(state.error());
      progress = 0;
      return proto_number(*state, 2) != 0;
    });
  }

  Status build(const BuildOptions& options) override {
    if (Status built = wait_for_index(options); !built) return built;
    if (settings_.load.compact) {
      if (Status compacted = compact(options.stop); !compacted) return compacted;
      if (Status built = wait_for_index(options); !built) return built;
    }
    return check_parameters();
  }

  Status load(const LoadOptions& options) override {
    const auto asked = call(
        "LoadCollection",
        [](MilvusClient& client) {
          ProtoWriter request = client.request();
          request.number(4, 1);
          return request;
        },
        0);
    if (!asked) return fail(asked.error());
    const Status loaded = wait("load", options.stop, [&](uint64_t& progress) -> Result<bool> {
      const auto state = call("GetLoadState", [](MilvusClient& client) { return client.request(2, 4); });
      if (!state) return fail(state.error());
      if (proto_number(*state, 2) == kLoaded) return true;
      const auto percent = call("GetLoadingProgress", [](MilvusClient& client) { return client.request(2, 4); });
      if (percent) progress = proto_number(*percent, 2);
      if (options.progress) options.progress("load by the server", progress, kWholePercent);
      return false;
    });
    if (!loaded) {
      (void)release();  // what is half loaded takes the server's memory; the error is the one that stopped the load
      return loaded;
    }
    auto found = facts();
    if (!found) return fail(found.error());
    facts_ = std::move(*found);
    return {};
  }

  Status release() override {
    const auto gone = call(
        "ReleaseCollection", [](MilvusClient& client) { return client.request(); }, 0);
    return gone ? Status() : Status(fail(gone.error()));
  }

  Result<CollectionFacts> facts() override {
    if (Status asked = ask_collection(); !asked) return fail(asked.error());
    const auto statistics = call("GetCollectionStatistics", [](MilvusClient& client) { return client.request(); });
    if (!statistics) return fail(statistics.error());
    CollectionFacts found;
    found.metric = spec_.metric;
    found.rows = read_milvus_rows(*statistics);
    const auto index = ask_index();
    if (!index) return fail(index.error());
    found.indexed_rows = index->indexed;
    found.parameters = index->parameters;
    if (const auto kind = index_of(index->value("index_type"))) {
      found.index = *kind;
    } else {
      return fail(ErrorCode::kConfigIncompatible,
                  fmt::format("the index of {} is {}", settings_.collection.name, index->value("index_type")));
    }
    if (const auto metric = metric_of(index->value("metric_type"))) found.metric = *metric;
    return found;
  }

  Result<std::unique_ptr<SearchSession>> open_session() override {
    auto client = MilvusClient::open(settings_);
    if (!client) return fail(client.error());
    return make_milvus_session(std::move(*client), facts_.metric, facts_.index, spec_.dimension);
  }

 private:
  /// Calls a method on an idle connection. The answer is copied out of it.
  template <class Make>
  Result<std::string> call(std::string_view method, const Make& make, uint32_t status_field = 1) {
    std::unique_ptr<MilvusClient> client;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        client = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (!client) {
      auto opened = MilvusClient::open(settings_);
      if (!opened) return fail(opened.error());
      client = std::move(*opened);
    }
    auto answer = client->call(method, make(*client), status_field);
    if (!answer) return fail(answer.error());
    std::string copy(*answer);
    const std::lock_guard lock(mutex_);
    if (version_.empty()) version_ = client->version();
    idle_.push_back(std::move(client));
    return copy;
  }

  Status create_index() {
    nlohmann::json parameters = nlohmann::json::object();
    for (const auto& [key, value] : build_parameters(spec_)) parameters[key] = value;
    const auto made = call(
        "CreateIndex",
        [&](MilvusClient& client) {
          ProtoWriter request = client.request();
          request.text(4, kMilvusVectorField)
              .message(5, milvus_pair("index_type", index_name(spec_.index)))
              .message(5, milvus_pair("metric_type", metric_name(spec_.metric)))
              .message(5, milvus_pair("params", parameters.dump()));
          return request;
        },
        0);
    if (made) return {};
    Error error = made.error();
    if (error.suggestion.empty()) error.suggestion = "give another --vdb-index if this server has not this one";
    return fail(std::move(error));
  }

  Status insert_some(uint64_t first_key, VectorView vectors) {
    std::vector<int64_t> keys(vectors.rows());
    for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(first_key + i);
    ProtoWriter numbers, scalar, id, floats, vector_values, vector;
    numbers.numbers(1, keys);
    scalar.message(3, numbers);
    id.number(1, kInt64).text(2, kKeyField).message(3, scalar);
    floats.floats(1, vectors.values());
    vector_values.number(1, vectors.dimension()).message(2, floats);
    vector.number(1, kMilvusFloatVector).text(2, kMilvusVectorField).message(4, vector_values);
    const auto stored = call("Insert", [&](MilvusClient& client) {
      ProtoWriter request = client.request();
      request.message(5, id).message(5, vector).number(7, vectors.rows());
      return request;
    });
    if (!stored) return fail(stored.error());
    const uint64_t count = proto_number(*stored, 6);
    if (count == vectors.rows()) return {};
    return fail(ErrorCode::kDataMismatch,
                fmt::format("Milvus took {} of {} rows from key {} on", count, vectors.rows(), first_key));
  }

  Status ask_collection() {
    const auto answer = call("DescribeCollection", [](MilvusClient& client) { return client.request(); });
    if (!answer) return fail(answer.error());
    const MilvusCollection collection = read_milvus_collection(*answer, kMilvusVectorField, kDescriptionProperty);
    description_ = collection.description;
    spec_.dimension = collection.dimension;
    collection_id_ = collection.id;
    return {};
  }

  Result<MilvusIndex> ask_index() {
    const auto answer = call("DescribeIndex", [](MilvusClient& client) {
      ProtoWriter request = client.request();
      request.text(4, kMilvusVectorField);
      return request;
    });
    if (!answer) return fail(answer.error());
    return read_milvus_index(*answer);
  }

  /// Asks again and again until `done` says so; a step without progress for --ready-timeout is E202.
  Status wait(const char* what, const std::atomic<bool>* stop, const std::function<Result<bool>(uint64_t&)>& done) {
    const auto interval = static_cast<Nanos>(settings_.server.interval_s * 1e9);
    uint64_t before = UINT64_MAX;
    Nanos moved = now_ns();
    for (Nanos pause = kLookNs;; pause = std::min(2 * pause, interval)) {
      uint64_t progress = 0;
      const auto ended = done(progress);
      if (!ended) return fail(ended.error());
      if (*ended) return {};
      if (progress != before) moved = now_ns();
      before = progress;
      if (to_seconds(now_ns() - moved) > settings_.server.patience_s) {
        return fail(ErrorCode::kTimeout,
                    fmt::format("Milvus: the {} of {} has not moved on for {} s, at {}", what,
                                settings_.collection.name, settings_.server.patience_s, progress),
                    {}, "look at the server; --ready-timeout allows for more");
      }
      for (const Nanos end = now_ns() + pause; now_ns() < end;) {
        if (stop != nullptr && *stop) return fail(ErrorCode::kInterrupted, "the run is being stopped");
        sleep_for(std::min(kLookNs, std::max<Nanos>(end - now_ns(), 1)));
      }
    }
  }

  Status wait_for_index(const BuildOptions& options) {
    return wait("index", options.stop, [&](uint64_t& progress) -> Result<bool> {
      const auto index = ask_index();
      if (!index) return fail(index.error());
      if (index->state == kIndexFailed) {
        return fail(ErrorCode::kCommandFailed,
                    fmt::format("Milvus: the index of {} failed: {}", settings_.collection.name, index->reason));
      }
      progress = index->indexed;
      if (options.progress) options.progress("index of the server", index->indexed, index->total);
      return index->state == kIndexFinished && index->indexed >= index->total && index->pending == 0;
    });
  }

  Status compact(const std::atomic<bool>* stop) {
    if (Status asked = ask_collection(); !asked) return asked;
    const auto begun = call("ManualCompaction", [&](MilvusClient& client) {
      ProtoWriter request;
      (void)client;
      request.number(1, collection_id_).text(4, settings_.collection.name).text(5, settings_.server.database);
      return request;
    });
    if (!begun) return fail(begun.error());
    const uint64_t id = proto_number(*begun, 2);
    return wait("compaction", stop, [&](uint64_t& progress) -> Result<bool> {
      const auto state = call("GetCompactionState", [&](MilvusClient& client) {
        ProtoWriter request;
        (void)client;
        request.number(1, id);
        return request;
      });
      if (!state) return fail(state.error());
      progress = 0;
      return proto_number(*state, 2) == kCompactionDone;
    });
  }

  /// A parameter that the server reports otherwise than it was sent was not understood.
  Status check_parameters() {
    const auto index = ask_index();
    if (!index) return fail(index.error());
    for (const auto& [key, wanted] : build_parameters(spec_)) {
      const std::string reported = index->value(key);
      if (reported.empty() || reported == std::to_string(wanted)) continue;
      return fail(ErrorCode::kConfigIncompatible,
                  fmt::format("Milvus reports {} {} of the index of {}, which was to be made with {}", key, reported,
                              settings_.collection.name, wanted));
    }
    return {};
  }

  const Settings settings_;
  CollectionSpec spec_;
  CollectionFacts facts_;
  uint64_t collection_id_ = 0;
  std::string description_, version_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<MilvusClient>> idle_;
};

}  // namespace

std::unique_ptr<Database> make_milvus(const Settings& settings) {
  return std::make_unique<MilvusEngine>(settings);
}

}  // namespace mlps::vectordb
