#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "base/waiting.hpp"
#include "benchmarks/vectordb/servers/grpc_channel.hpp"
#include "benchmarks/vectordb/servers/milvus_answers.hpp"
#include "benchmarks/vectordb/servers/protobuf.hpp"
#include "benchmarks/vectordb/servers/servers.hpp"

namespace mlps::vectordb {
namespace {

// Field numbers and meanings are those of milvus-proto; only what is used here has a name.
constexpr const char* kService = "milvus.proto.milvus.MilvusService";
constexpr const char* kKeyField = "id";
constexpr const char* kVectorField = "vector";
constexpr const char* kDescriptionProperty = "mlpstorage.dataset";  // Milvus Lite keeps no descriptions
constexpr uint64_t kInt64 = 5, kFloatVector = 101;
constexpr uint64_t kBounded = 2;  // the consistency that pymilvus asks for, too: searches wait for no time stamp
constexpr uint64_t kLoaded = 3, kIndexFinished = 3, kIndexFailed = 4, kCompactionDone = 2;
constexpr uint64_t kMostMessageBytes = uint64_t{32} << 20;  // servers take 64 MiB, unless they are told otherwise
constexpr Nanos kLookNs = 100'000'000;
constexpr Nanos kRatePauseNs = 500'000'000;
constexpr int kRateTries = 240;

ProtoWriter pair_of(std::string_view key, std::string_view value) {
  ProtoWriter pair;
  pair.text(1, key).text(2, value);
  return pair;
}

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

/// One connection, spoken to by one thread at a time.
class MilvusClient {
 public:
  static Result<std::unique_ptr<MilvusClient>> open(const Settings& settings) {
    auto channel = GrpcChannel::make(settings.server, kService);
    if (!channel) return fail(channel.error());
    const ServerAddress& server = settings.server;
    std::string secret = server.token;
    if (secret.empty() && !server.user.empty()) secret = server.user + ":" + server.secret;
    if (!secret.empty()) {
      (*channel)->set_header("authorization", base64(std::as_bytes(std::span(secret))));
    }
    if (!server.database.empty()) (*channel)->set_header("dbname", server.database);
    std::unique_ptr<MilvusClient> client(new MilvusClient(settings, std::move(*channel)));
    if (Status met = client->connect(); !met) return fail(met.error());
    return client;
  }

  /// Calls a method whose answer has a status in field `status_field`, or is one (0). A rate limit is waited for.
  Result<std::string_view> call(std::string_view method, const ProtoWriter& request, uint32_t status_field = 1) {
    for (int attempt = 1;; ++attempt) {
      auto answer = channel_->call(method, request.taken());
      if (!answer) return answer;
      const Status good = milvus_status(method, status_field == 0 ? *answer : proto_field(*answer, status_field));
      if (good) return answer;
      const bool limited = good.error().code == ErrorCode::kStorageThrottled;
      if (!limited || attempt == kRateTries || stopped_) return fail(good.error());
      sleep_for(kRatePauseNs);
    }
  }

  /// Returns a request for the collection: its name in `name_field`, and the database's in `database_field`.
  ProtoWriter request(uint32_t name_field = 3, uint32_t database_field = 2) const {
    ProtoWriter request;
    request.text(database_field, settings_.server.database).text(name_field, settings_.collection.name);
    return request;
  }

  void stop() {
    stopped_ = true;
    channel_->stop();
  }
  const std::string& version() const { return version_; }

 private:
  MilvusClient(const Settings& settings, std::unique_ptr<GrpcChannel> channel)
      : settings_(settings), channel_(std::move(channel)) {}

  Status connect() {
    ProtoWriter client, request;
    client.text(1, "mlpstorage").text(2, "1").text(4, settings_.server.user).text(5, "client");
    request.message(2, client);
    const auto answer = channel_->call("Connect", request.taken());
    if (!answer) {
      // Older servers have no such call, and want none.
      return answer.error().code == ErrorCode::kNotImplemented ? Status() : Status(fail(answer.error()));
    }
    if (Status good = milvus_status("Connect", proto_field(*answer, 1)); !good) return good;
    version_ = fmt::format("Milvus {}", printable(proto_field(proto_field(*answer, 2), 1)));
    const uint64_t identifier = proto_number(*answer, 3);
    if (identifier != 0) channel_->set_header("identifier", std::to_string(identifier));
    return {};
  }

  const Settings& settings_;
  std::unique_ptr<GrpcChannel> channel_;
  std::atomic<bool> stopped_ = false;
  std::string version_;
};

class MilvusSession final : public SearchSession {
 public:
  MilvusSession(std::unique_ptr<MilvusClient> client, Metric metric, IndexKind index, uint32_t dimension)
      : client_(std::move(client)), metric_(metric), index_(index), dimension_(dimension) {}

  Status search(VectorView queries, const SearchParams& params, SearchAnswers& answers) override {
    if (queries.dimension() != dimension_) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("a query of {} elements for vectors of {}", queries.dimension(), dimension_));
    }
    if (!params.filter.is_everything()) {
      return fail(ErrorCode::kConfigInvalid, "milvus: filtered search is not made by this client");
    }
    answers.reset(queries.rows(), params.k);
    const ProtoWriter request = search_request(queries, params);
    const Nanos begin = now_ns();
    const auto answer = client_->call("Search", request);
    answers.cost.wait_ns = now_ns() - begin;
    if (!answer) return fail(answer.error());
    return read_milvus_hits(proto_field(*answer, 2), metric_, answers);
  }

  void cancel() override { client_->stop(); }

 private:
  ProtoWriter search_request(VectorView queries, const SearchParams& params) const {
    ProtoWriter values, group;
    values.text(1, "$0").number(2, kFloatVector);
    for (size_t i = 0; i < queries.rows(); ++i) {
      const auto row = queries.row(i);
      values.bytes(3, {reinterpret_cast<const char*>(row.data()), row.size_bytes()});
    }
    group.message(1, values);
    const std::string_view word = effort_word(index_);
    const std::string effort = word.empty() ? "{}" : fmt::format("{{\"{}\": {}}}", word, params.effort);
    ProtoWriter request = client_->request();
    request.message(6, group).number(7, 1);
    request.message(9, pair_of("anns_field", kVectorField))
        .message(9, pair_of("topk", std::to_string(params.k)))
        .message(9, pair_of("metric_type", metric_name(metric_)))
        .message(9, pair_of("params", effort))
        .message(9, pair_of("round_decimal", "-1"))
        .message(9, pair_of("ignore_growing", "False"));
    request.number(12, queries.rows()).number(15, 1);
    return request;
  }

  std::unique_ptr<MilvusClient> client_;
  Metric metric_;
  IndexKind index_;
  uint32_t dimension_;
};

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
    vector.text(2, kVectorField).number(5, kFloatVector);
    vector.message(6, pair_of("dim", std::to_string(spec.dimension)));
    schema.text(1, spec.name).text(2, "Benchmark Collection").message(4, key).message(4, vector);
    const auto made = call(
        "CreateCollection",
        [&](MilvusClient& client) {
          ProtoWriter request = client.request();
          request.message(4, schema).number(5, spec.shards).number(6, kBounded);
          request.message(7, pair_of(kDescriptionProperty, description_));
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

  Status load(const LoadOptions& /*options*/) override {
    const auto asked = call(
        "LoadCollection",
        [](MilvusClient& client) {
          ProtoWriter request = client.request();
          request.number(4, 1);
          return request;
        },
        0);
    if (!asked) return fail(asked.error());
    const Status loaded = wait("load", nullptr, [&](uint64_t& progress) -> Result<bool> {
      const auto state = call("GetLoadState", [](MilvusClient& client) { return client.request(2, 4); });
      if (!state) return fail(state.error());
      if (proto_number(*state, 2) == kLoaded) return true;
      const auto percent = call("GetLoadingProgress", [](MilvusClient& client) { return client.request(2, 4); });
      if (percent) progress = proto_number(*percent, 2);
      return false;
    });
    if (!loaded) return loaded;
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
    return std::make_unique<MilvusSession>(std::move(*client), facts_.metric, facts_.index, spec_.dimension);
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
          request.text(4, kVectorField)
              .message(5, pair_of("index_type", index_name(spec_.index)))
              .message(5, pair_of("metric_type", metric_name(spec_.metric)))
              .message(5, pair_of("params", parameters.dump()));
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
    vector.number(1, kFloatVector).text(2, kVectorField).message(4, vector_values);
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
    const MilvusCollection collection = read_milvus_collection(*answer, kVectorField, kDescriptionProperty);
    description_ = collection.description;
    spec_.dimension = collection.dimension;
    collection_id_ = collection.id;
    return {};
  }

  Result<MilvusIndex> ask_index() {
    const auto answer = call("DescribeIndex", [](MilvusClient& client) {
      ProtoWriter request = client.request();
      request.text(4, kVectorField);
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
