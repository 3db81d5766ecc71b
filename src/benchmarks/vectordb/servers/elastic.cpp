#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "base/waiting.hpp"
#include "benchmarks/vectordb/servers/elastic_texts.hpp"
#include "benchmarks/vectordb/servers/servers.hpp"
#include "storage/http/engine.hpp"

namespace mlps::vectordb {
namespace {

using http::Method;

constexpr size_t kMostTextBytes = size_t{256} << 20;
constexpr size_t kMostBulkBytes = size_t{32} << 20;  // servers take 100 MB, unless they are told otherwise
constexpr std::chrono::milliseconds kLook{100};      // at stop(), while the server works
constexpr const char* kHitsOnly = "hits.hits._id,hits.hits._score,timed_out,_shards.failed,error";

/// One connection, spoken to by one thread at a time, except stop().
class ElasticClient {
 public:
  static Result<std::unique_ptr<ElasticClient>> make(const ServerAddress& server) {
    http::EngineSettings settings;
    settings.connect_seconds = static_cast<unsigned>(std::clamp(server.timeout_s, 1.0, 20.0));
    settings.ca_file = server.ca_file;
    auto engine = http::make_engine(settings, 1);
    if (!engine) return fail(engine.error());
    return std::unique_ptr<ElasticClient>(new ElasticClient(server, std::move(*engine)));
  }

  /// Sends a request, and returns the answer, which is valid until the next one. An HTTP status of 300 or more is an
  /// error.
  Result<std::string_view> ask(Method method, const std::string& target, std::string_view body = {},
                               const char* type = "application/json") {
    const std::string what =
        fmt::format("{} {} of {}", http::method_name(method), target.substr(0, target.find('?')), authority());
    exchange_.method = method;
    exchange_.origin = fmt::format("{}://{}", server_.tls ? "https" : "http", authority());
    exchange_.target = target;
    exchange_.body = std::as_bytes(std::span(body));
    exchange_.text_limit = kMostTextBytes;
    exchange_.total_milliseconds = static_cast<unsigned>(server_.timeout_s * 1e3);
    exchange_.stall_seconds = static_cast<unsigned>(std::max(1.0, server_.timeout_s));
    exchange_.headers.text.clear();
    exchange_.headers.add("Host", authority());
    exchange_.headers.add("Content-Type", type);
    if (!authorization_.empty()) exchange_.headers.add("Authorization", authorization_);
    engine_->start(exchange_);
    std::vector<http::Exchange*> done;
    while (done.empty()) {
      if (stopped_) {
        engine_->drop(exchange_);
        return fail(ErrorCode::kInterrupted, what + ": the run is being stopped");
      }
      engine_->poll(kLook, done);
    }
    if (exchange_.failure != http::Failure::kNone) {
      const bool late = exchange_.failure == http::Failure::kStalled;
      return fail(late ? ErrorCode::kTimeout : ErrorCode::kStorageUnreachable,
                  fmt::format("{}: {}", what, exchange_.failure_text), {},
                  late ? "raise --request-timeout if the server needs so long"
                       : "check --host, --port and --tls, and whether the server runs");
    }
    if (exchange_.status >= 300) return fail(elastic_error(what, exchange_.status, exchange_.text));
    return std::string_view(exchange_.text);
  }

  void stop() {
    stopped_ = true;
    engine_->wake();
  }

 private:
  ElasticClient(const ServerAddress& server, std::unique_ptr<http::Engine> engine)
      : server_(server), engine_(std::move(engine)) {
    const std::string both = server.user + ":" + server.secret;
    if (!server.token.empty()) {
      authorization_ = "ApiKey " + server.token;
    } else if (!server.user.empty()) {
      authorization_ = "Basic " + base64(std::as_bytes(std::span(both)));
    }
  }

  std::string authority() const {
    const bool six = server_.host.find(':') != std::string::npos;
    return six ? fmt::format("[{}]:{}", server_.host, server_.port) : fmt::format("{}:{}", server_.host, server_.port);
  }

  const ServerAddress& server_;
  std::unique_ptr<http::Engine> engine_;
  http::Exchange exchange_;
  std::string authorization_;
  std::atomic<bool> stopped_ = false;
};

class ElasticSession final : public SearchSession {
 public:
  ElasticSession(std::unique_ptr<ElasticClient> client, ElasticKind kind, std::string collection,
                 const ElasticMapping& mapping)
      : client_(std::move(client)), kind_(kind), collection_(std::move(collection)), mapping_(mapping) {}

  Status search(VectorView queries, const SearchParams& params, SearchAnswers& answers) override {
    if (Status fits = check_query(queries, mapping_.dimension, params); !fits) return fits;
    answers.reset(queries.rows(), params.k);
    const bool many = queries.rows() > 1;
    std::string body, target;
    if (many) {
      for (size_t i = 0; i < queries.rows(); ++i) {
        body += "{}\n" + elastic_search_body(kind_, mapping_.index, queries.row(i), params) + "\n";
      }
      target = fmt::format(
          "/{}/_msearch?filter_path=responses.hits.hits._id,responses.hits.hits._score,"
          "responses.timed_out,responses._shards.failed,responses.error",
          collection_);
    } else {
      body = elastic_search_body(kind_, mapping_.index, queries.row(0), params);
      target = fmt::format("/{}/_search?filter_path={}", collection_, kHitsOnly);
    }
    const Nanos begin = now_ns();
    const auto answer = client_->ask(Method::kPost, target, body, many ? "application/x-ndjson" : "application/json");
    answers.cost.wait_ns = now_ns() - begin;
    if (!answer) return fail(answer.error());
    return read_hits(*answer, many, kind_, mapping_.metric, answers);
  }

  void cancel() override { client_->stop(); }

 private:
  std::unique_ptr<ElasticClient> client_;
  ElasticKind kind_;
  std::string collection_;
  ElasticMapping mapping_;
};

class ElasticEngine final : public SearchEngine, public Database {
 public:
  ElasticEngine(const Settings& settings, ElasticKind kind)
      : settings_(settings), kind_(kind), collection_(lower(settings.collection.name)) {}

  // ---- Database

  SearchEngine& engine() override { return *this; }
  Status describe(const std::string& text) override {
    description_ = text;
    return {};
  }
  Result<std::string> description() override {
    if (Status asked = ask_mapping(); !asked) return fail(asked.error());
    return mapping_.description;
  }
  std::string server_version() override { return version_; }

  // ---- SearchEngine

  std::string_view name() const override {
    return kind_ == ElasticKind::kElasticsearch ? "elasticsearch" : "opensearch";
  }

  Result<bool> exists() override {
    if (Status met = meet(); !met) return fail(met.error());
    const auto answer = ask(Method::kGet, fmt::format("/{}", collection_));
    if (answer) return true;
    if (answer.error().code == ErrorCode::kStorageNotFound) return false;
    return fail(answer.error());
  }

  Status create(const CollectionSpec& spec) override {
    const auto body = elastic_index_body(kind_, spec, settings_.knn_engine, description_);
    if (!body) return fail(body.error());
    const auto made = ask(Method::kPut, "/" + collection_, *body);
    return made ? Status() : Status(fail(made.error()));
  }

  Status drop() override {
    const auto gone = ask(Method::kDelete, "/" + collection_);
    if (gone || gone.error().code == ErrorCode::kStorageNotFound) return {};
    return fail(gone.error());
  }

  Status insert(uint64_t first_key, VectorView vectors) override {
    std::string body;
    uint64_t rows = 0;
    for (size_t row = 0; row < vectors.rows(); ++row) {
      append_bulk_row(first_key + row, vectors.row(row), body);
      ++rows;
      if (body.size() < kMostBulkBytes && row + 1 < vectors.rows()) continue;
      const auto stored =
          ask(Method::kPost, fmt::format("/{}/_bulk?filter_path=errors,items.*.error,items.*.status", collection_),
              body, "application/x-ndjson");
      if (!stored) return fail(stored.error());
      if (Status taken = read_bulk(*stored, rows); !taken) return taken;
      body.clear();
      rows = 0;
    }
    return {};
  }

  Status flush() override { return post("_flush"); }

  Status build(const BuildOptions& options) override {
    if (Status shown = post("_refresh"); !shown) return shown;
    if (!settings_.load.compact) return {};
    const auto begun =
        ask(Method::kPost, fmt::format("/{}/_forcemerge?max_num_segments=1&wait_for_completion=false", collection_));
    if (!begun) return fail(begun.error());
    const std::string task = text_at(*begun, {"task"});
    if (task.empty()) return fail(ErrorCode::kStorageProtocol, "_forcemerge: the server names no task");
    if (Status merged = wait_for_task(task, options); !merged) return merged;
    return post("_refresh");
  }

  Status load(const LoadOptions& /*options*/) override {
    if (Status met = meet(); !met) return met;
    const auto health =
        ask(Method::kGet, fmt::format("/_cluster/health/{}?wait_for_status=yellow&timeout=30s", collection_));
    if (!health) return fail(health.error());
    if (const std::string status = text_at(*health, {"status"}); status == "red") {
      return fail(ErrorCode::kCommandFailed,
                  fmt::format("index {} is {}: shards of it are missing", collection_, status));
    }
    if (kind_ == ElasticKind::kOpensearch) {
      const auto warmed = ask(Method::kGet, fmt::format("/_plugins/_knn/warmup/{}", collection_));
      if (!warmed) return fail(warmed.error());
    }
    return ask_mapping();
  }

  Status release() override { return {}; }

  Result<CollectionFacts> facts() override {
    if (Status asked = ask_mapping(); !asked) return fail(asked.error());
    const auto count = ask(Method::kGet, fmt::format("/{}/_count", collection_));
    if (!count) return fail(count.error());
    const auto statistics = ask(Method::kGet, fmt::format("/{}/_stats/store,segments", collection_));
    if (!statistics) return fail(statistics.error());
    CollectionFacts found;
    found.rows = number_at(*count, {"count"}).value_or(0);
    found.data_bytes = number_at(*statistics, {"_all", "primaries", "store", "size_in_bytes"});
    found.metric = mapping_.metric;
    found.index = mapping_.index;
    found.parameters = mapping_.parameters;
    if (const auto segments = number_at(*statistics, {"_all", "primaries", "segments", "count"})) {
      found.parameters.emplace_back("segments", std::to_string(*segments));
    }
    return found;
  }

  Result<std::unique_ptr<SearchSession>> open_session() override {
    auto client = ElasticClient::make(settings_.server);
    if (!client) return fail(client.error());
    return std::make_unique<ElasticSession>(std::move(*client), kind_, collection_, mapping_);
  }

 private:
  /// Asks on an idle connection. The answer is copied out of it.
  Result<std::string> ask(Method method, const std::string& target, std::string_view body = {},
                          const char* type = "application/json") {
    std::unique_ptr<ElasticClient> client;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        client = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (!client) {
      auto made = ElasticClient::make(settings_.server);
      if (!made) return fail(made.error());
      client = std::move(*made);
    }
    const auto answer = client->ask(method, target, body, type);
    std::optional<std::string> copy;
    if (answer) copy.emplace(*answer);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(client));
    if (!answer) return fail(answer.error());
    return std::move(*copy);
  }

  Status post(const char* what) {
    const auto done = ask(Method::kPost, fmt::format("/{}/{}", collection_, what));
    return done ? Status() : Status(fail(done.error()));
  }

  /// Finds out who is spoken to: the two servers have different words for the same.
  Status meet() {
    if (!version_.empty()) return {};
    const auto answer = ask(Method::kGet, "/");
    if (!answer) return fail(answer.error());
    const bool open = text_at(*answer, {"version", "distribution"}) == "opensearch";
    version_ = fmt::format("{} {}", open ? "OpenSearch" : "Elasticsearch", text_at(*answer, {"version", "number"}));
    if (open == (kind_ == ElasticKind::kOpensearch)) return {};
    return fail(ErrorCode::kConfigIncompatible, fmt::format("--vdb-engine {}: the server is {}", name(), version_), {},
                fmt::format("give --vdb-engine {}", open ? "opensearch" : "elasticsearch"));
  }

  Status ask_mapping() {
    if (Status met = meet(); !met) return met;
    const auto answer = ask(Method::kGet, fmt::format("/{}/_mapping", collection_));
    if (!answer) return fail(answer.error());
    auto mapping = read_mapping(kind_, *answer, collection_);
    if (!mapping) return fail(mapping.error());
    mapping_ = std::move(*mapping);
    return {};
  }

  Status wait_for_task(const std::string& task, const BuildOptions& options) {
    const Nanos begin = now_ns();
    while (true) {
      const auto state = ask(Method::kGet, "/_tasks/" + task);
      if (!state) return fail(state.error());
      if (text_at(*state, {"completed"}) == "true") {
        const std::string error = text_at(*state, {"error", "reason"});
        return error.empty() ? Status() : Status(fail(ErrorCode::kCommandFailed, "_forcemerge: " + error));
      }
      if (to_seconds(now_ns() - begin) > settings_.server.patience_s) {
        return fail(ErrorCode::kTimeout,
                    fmt::format("_forcemerge has not ended within {} s", settings_.server.patience_s), {},
                    "--ready-timeout allows for more");
      }
      if (options.progress) options.progress("merge of segments", 0, 1);
      const Nanos next = now_ns() + static_cast<Nanos>(settings_.server.interval_s * 1e9);
      while (now_ns() < next) {
        if (options.stop != nullptr && *options.stop) return fail(ErrorCode::kInterrupted, "the run is being stopped");
        sleep_for(std::chrono::nanoseconds(kLook).count());
      }
    }
  }

  const Settings settings_;
  ElasticKind kind_;
  std::string collection_;  ///< these servers have lower case only
  ElasticMapping mapping_;
  std::string description_, version_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ElasticClient>> idle_;
};

}  // namespace

std::unique_ptr<Database> make_elastic(const Settings& settings) {
  const bool open = settings.engine == EngineKind::kOpensearch;
  return std::make_unique<ElasticEngine>(settings, open ? ElasticKind::kOpensearch : ElasticKind::kElasticsearch);
}

}  // namespace mlps::vectordb
