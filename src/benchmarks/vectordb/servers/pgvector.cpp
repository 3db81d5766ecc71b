#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "benchmarks/vectordb/servers/pg_connection.hpp"
#include "benchmarks/vectordb/servers/servers.hpp"

namespace mlps::vectordb {
namespace {

constexpr uint32_t kMostIndexed = 2000;  // dimensions of an index on type vector
constexpr uint32_t kMostInRow = 1990;    // of a vector that fits into a page with its row

std::string sql_name(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}
std::string sql_text(const std::string& value) {
  std::string text = "'";
  for (const char c : value) text += c == '\'' ? std::string("''") : std::string(1, c);
  return text + "'";
}

struct MetricWords {
  Metric metric;
  const char *distance, *operator_class;
};
constexpr auto kMetricWords = std::to_array<MetricWords>({{Metric::kCosine, "<=>", "vector_cosine_ops"},
                                                          {Metric::kL2, "<->", "vector_l2_ops"},
                                                          {Metric::kInnerProduct, "<#>", "vector_ip_ops"}});
const MetricWords& words_of(Metric metric) {
  return kMetricWords[static_cast<size_t>(metric)];
}

float score_of(Metric metric, double distance) {
  switch (metric) {
    case Metric::kCosine:
      return static_cast<float>(1 - distance);
    case Metric::kL2:
      return static_cast<float>(-distance * distance);
    case Metric::kInnerProduct:
      break;
  }
  return static_cast<float>(-distance);
}

/// Connections that threads take and give back.
class PgPool {
 public:
  explicit PgPool(const ServerAddress& server) : server_(server) {}

  Result<std::unique_ptr<PgConnection>> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    return PgConnection::open(server_);
  }
  void give(std::unique_ptr<PgConnection> connection) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }

 private:
  const ServerAddress& server_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<PgConnection>> idle_;
};

class PgSession final : public SearchSession {
 public:
  PgSession(std::unique_ptr<PgConnection> connection, Metric metric, IndexKind index, uint32_t dimension)
      : connection_(std::move(connection)), metric_(metric), index_(index), dimension_(dimension) {}

  Status search(VectorView queries, const SearchParams& params, SearchAnswers& answers) override {
    if (Status fits = check_query(queries, dimension_, params); !fits) return fits;
    if (Status set = set_effort(params.effort); !set) return set;
    answers.reset(queries.rows(), params.k);
    limit_.clear();
    limit_.number64(params.k);
    vectors_.resize(queries.rows());
    sets_.clear();
    for (size_t i = 0; i < queries.rows(); ++i) {
      vectors_[i].clear();
      vectors_[i].vector(queries.row(i));
      sets_.push_back({vectors_[i].bytes(), limit_.bytes()});
    }
    const Nanos begin = now_ns();
    const auto found = connection_->run_prepared("search", sets_);
    answers.cost.wait_ns = now_ns() - begin;
    if (!found) return fail(found.error());
    for (size_t query = 0; query < queries.rows(); ++query) {
      const PgAnswer& rows = (*found)[query];
      const auto count = std::min<uint32_t>(static_cast<uint32_t>(rows.rows()), params.k);
      answers.counts[query] = count;
      for (uint32_t i = 0; i < count; ++i) {
        answers.neighbours[query * params.k + i] = {rows.number64(static_cast<int>(i), 0),
                                                    score_of(metric_, rows.real64(static_cast<int>(i), 1))};
      }
    }
    return {};
  }

  void cancel() override { connection_->stop(); }

 private:
  Status set_effort(uint32_t effort) {
    if (effort == effort_ || index_ == IndexKind::kFlat) return {};
    const auto set = connection_->run(index_ == IndexKind::kHnsw ? fmt::format("SET hnsw.ef_search = {}", effort)
                                                                 : fmt::format("SET ivfflat.probes = {}", effort));
    if (!set) return fail(set.error());
    effort_ = effort;
    return {};
  }

  std::unique_ptr<PgConnection> connection_;
  Metric metric_;
  IndexKind index_;
  uint32_t dimension_;
  uint32_t effort_ = 0;
  PgBytes limit_;
  std::vector<PgBytes> vectors_;
  std::vector<PgConnection::Parameters> sets_;
};

class PgEngine final : public SearchEngine, public Database {
 public:
  explicit PgEngine(const Settings& settings)
      : settings_(settings), name_(settings.collection.name), pool_(settings_.server) {}

  // ---- Database

  SearchEngine& engine() override { return *this; }
  Status describe(const std::string& text) override {
    description_ = text;
    return {};
  }
  Result<std::string> description() override {
    const auto answer = run(fmt::format("SELECT obj_description({}::regclass)", sql_text(sql_name(name_))));
    if (!answer) return fail(answer.error());
    return answer->is_null(0, 0) ? std::string() : std::string(answer->value(0, 0));
  }
  std::string server_version() override { return version_; }

  // ---- SearchEngine

  std::string_view name() const override { return "pgvector"; }

  Result<bool> exists() override {
    const auto answer = run(fmt::format("SELECT to_regclass({}) IS NOT NULL", sql_text(sql_name(name_))));
    if (!answer) return fail(answer.error());
    return answer->value(0, 0) == "t";
  }

  Status create(const CollectionSpec& spec) override {
    if (Status legal = check(spec); !legal) return legal;
    spec_ = spec;
    const std::string table = sql_name(name_);
    std::vector<std::string> statements = {
        "CREATE EXTENSION IF NOT EXISTS vector",
        fmt::format("CREATE TABLE {} (id bigint PRIMARY KEY, vector vector({}))", table, spec.dimension),
        fmt::format("COMMENT ON TABLE {} IS {}", table, sql_text(description_))};
    if (spec.dimension <= kMostInRow) {
      statements.push_back(fmt::format("ALTER TABLE {} ALTER vector SET STORAGE PLAIN", table));
    }
    for (const std::string& sql : statements) {
      if (const auto done = run(sql); !done) return fail(done.error());
    }
    return {};
  }

  Status drop() override {
    const auto done = run(fmt::format("DROP TABLE IF EXISTS {} CASCADE", sql_name(name_)));
    return done ? Status() : Status(fail(done.error()));
  }

  Status insert(uint64_t first_key, VectorView vectors) override {
    auto connection = pool_.take();
    if (!connection) return fail(connection.error());
    PgBytes data;
    data.text(std::string_view("PGCOPY\n\377\r\n\0", 11));
    data.number32(0);
    data.number32(0);
    for (size_t row = 0; row < vectors.rows(); ++row) {
      data.number16(2);
      data.number32(sizeof(uint64_t));
      data.number64(first_key + row);
      data.number32(static_cast<uint32_t>(sizeof(uint32_t) + vectors.dimension() * sizeof(float)));
      data.vector(vectors.row(row));
    }
    data.number16(UINT16_MAX);
    const Status stored =
        (*connection)
            ->copy(fmt::format("COPY {} (id, vector) FROM STDIN (FORMAT binary)", sql_name(name_)), data.bytes());
    if (stored) pool_.give(std::move(*connection));
    return stored;
  }

  Status flush() override { return {}; }  // what COPY has answered is committed

  Status build(const BuildOptions& options) override {
    if (spec_.index != IndexKind::kFlat) {
      if (const auto gone = run(fmt::format("DROP INDEX IF EXISTS {}", index_word())); !gone) return fail(gone.error());
      if (Status built = create_index(options); !built) return built;
    }
    const auto settled = run(fmt::format("VACUUM ANALYZE {}", sql_name(name_)), options.stop, [] { return Status(); });
    return settled ? Status() : Status(fail(settled.error()));
  }

  Status load(const LoadOptions& /*options*/) override {
    auto found = facts();
    if (!found) return fail(found.error());
    facts_ = *found;
    if (facts_.index == IndexKind::kFlat) return {};
    // What is measured must be the index, whatever the planner thinks of a small table.
    const auto plan = explain();
    if (!plan) return fail(plan.error());
    if (plan->find("Index Scan using") != std::string::npos) return {};
    return fail(ErrorCode::kDataMismatch, fmt::format("PostgreSQL does not use the index of {}: {}", name_, *plan), {},
                "build the index again with 'vectordb datagen --force'");
  }

  Status release() override { return {}; }

  Result<CollectionFacts> facts() override {
    const std::string table = sql_text(sql_name(name_));
    const auto rows = run(fmt::format("SELECT count(*) FROM {}", sql_name(name_)), nullptr, [] { return Status(); });
    if (!rows) return fail(rows.error());
    const auto index = run(fmt::format(
        "SELECT am.amname, opc.opcname, coalesce(array_to_string(c.reloptions, ','), ''), i.indisvalid, "
        "pg_relation_size(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = "
        "c.relam JOIN pg_opclass opc ON opc.oid = i.indclass[0] WHERE i.indrelid = {}::regclass AND NOT i.indisprimary",
        table));
    if (!index) return fail(index.error());
    const auto size =
        run(fmt::format("SELECT pg_table_size({}::regclass), (SELECT atttypmod FROM pg_attribute WHERE "
                        "attrelid = {}::regclass AND attname = 'vector')",
                        table, table));
    if (!size) return fail(size.error());
    CollectionFacts found;
    found.rows = parse_number<uint64_t>(rows->value(0, 0)).value_or(0);
    found.data_bytes = parse_number<uint64_t>(size->value(0, 0));
    dimension_ = parse_number<uint32_t>(size->value(0, 1)).value_or(0);
    found.metric = spec_.metric;
    found.index = IndexKind::kFlat;
    if (index->rows() == 0) return found;
    const std::string_view method = index->value(0, 0);
    found.index = method == "hnsw" ? IndexKind::kHnsw : IndexKind::kIvfFlat;
    for (const MetricWords& words : kMetricWords) {
      if (index->value(0, 1) == words.operator_class) found.metric = words.metric;
    }
    found.parameters = {{"method", std::string(method)}, {"options", std::string(index->value(0, 2))}};
    found.indexed_rows = index->value(0, 3) == "t" ? found.rows : 0;
    found.index_bytes = parse_number<uint64_t>(index->value(0, 4));
    return found;
  }

  Result<std::unique_ptr<SearchSession>> open_session() override {
    auto connection = PgConnection::open(settings_.server);
    if (!connection) return fail(connection.error());
    if (facts_.index != IndexKind::kFlat) {
      if (const auto off = (*connection)->run("SET enable_seqscan = off"); !off) return fail(off.error());
    }
    if (Status ready = (*connection)->prepare("search", search_sql("$1")); !ready) return fail(ready.error());
    return std::make_unique<PgSession>(std::move(*connection), facts_.metric, facts_.index, dimension_);
  }

 private:
  std::string index_word() const { return sql_name(name_ + "_vec_idx"); }

  std::string search_sql(const std::string& query) const {
    const std::string distance = fmt::format("vector {} {}", words_of(facts_.metric).distance, query);
    return fmt::format("SELECT id, {} FROM {} ORDER BY {} LIMIT {}", distance, sql_name(name_), distance,
                       query == "$1" ? "$2" : "10");
  }

  Status check(const CollectionSpec& spec) const {
    const bool has =
        spec.index == IndexKind::kHnsw || spec.index == IndexKind::kIvfFlat || spec.index == IndexKind::kFlat;
    if (!has) {
      return fail(ErrorCode::kConfigInvalid, fmt::format("pgvector has no index {}", index_name(spec.index)), {},
                  "it has HNSW, IVF_FLAT and FLAT: give --vdb-index");
    }
    if (spec.index != IndexKind::kFlat && spec.dimension > kMostIndexed) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("--dimension {}: pgvector indexes up to {} elements", spec.dimension, kMostIndexed), {},
                  "--vdb-index FLAT needs no index");
    }
    return {};
  }

  Status create_index(const BuildOptions& options) {
    const bool hnsw = spec_.index == IndexKind::kHnsw;
    const std::string with = hnsw ? fmt::format("m = {}, ef_construction = {}", spec_.m, spec_.ef_construction)
                                  : fmt::format("lists = {}", std::min(spec_.lists, 32768U));
    const std::string sql =
        fmt::format("CREATE INDEX {} ON {} USING {} (vector {}) WITH ({})", index_word(), sql_name(name_),
                    hnsw ? "hnsw" : "ivfflat", words_of(spec_.metric).operator_class, with);
    const auto built = run(sql, options.stop, [&] { return tell_progress(options); });
    return built ? Status() : Status(fail(built.error()));
  }

  Status tell_progress(const BuildOptions& options) {
    const auto answer =
        run("SELECT phase, tuples_done, tuples_total, blocks_done, blocks_total FROM pg_stat_progress_create_index "
            "LIMIT 1");
    if (!answer) return fail(answer.error());
    if (answer->rows() == 0 || !options.progress) return {};
    const auto number = [&](int column) { return parse_number<uint64_t>(answer->value(0, column)).value_or(0); };
    const bool tuples = number(2) > 0;
    options.progress(answer->value(0, 0), tuples ? number(1) : number(3), tuples ? number(2) : number(4));
    return {};
  }

  Result<std::string> explain() {
    auto connection = pool_.take();
    if (!connection) return fail(connection.error());
    if (const auto off = (*connection)->run("SET enable_seqscan = off"); !off) return fail(off.error());
    std::string zeros = "'[1";
    for (uint32_t i = 1; i < dimension_; ++i) zeros += ",0";
    const auto plan = (*connection)->run("EXPLAIN " + search_sql(zeros + "]'"));
    if (!plan) return fail(plan.error());
    std::string text;
    for (int row = 0; row < plan->rows(); ++row) text += std::string(trimmed(plan->value(row, 0).substr(0, 80))) + "; ";
    return text;
  }

  Result<PgAnswer> run(const std::string& sql, const std::atomic<bool>* stop = nullptr,
                       const std::function<Status()>& while_waiting = {}) {
    auto connection = stop != nullptr ? PgConnection::open(settings_.server, stop) : pool_.take();
    if (!connection) return fail(connection.error());
    if (version_.empty()) version_ = "PostgreSQL " + (*connection)->version();
    auto answer = (*connection)->run(sql, while_waiting);
    if (answer && stop == nullptr) pool_.give(std::move(*connection));
    return answer;
  }

  const Settings settings_;
  std::string name_;
  PgPool pool_;
  CollectionSpec spec_;
  CollectionFacts facts_;
  uint32_t dimension_ = 0;
  std::string description_, version_;
};

}  // namespace

std::unique_ptr<Database> make_pgvector(const Settings& settings) {
  return std::make_unique<PgEngine>(settings);
}

}  // namespace mlps::vectordb
