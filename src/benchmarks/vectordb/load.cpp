#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "base/log.hpp"
#include "base/process_usage.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"
#include "base/units.hpp"
#include "benchmarks/vectordb/dataset.hpp"
#include "benchmarks/vectordb/files/row_file.hpp"
#include "benchmarks/vectordb/progress.hpp"
#include "benchmarks/vectordb/run.hpp"

namespace mlps::vectordb {
namespace {

/// Returns the keys of one of `ranks` ranks: the first ones get one more where they can't be equal.
std::pair<uint64_t, uint64_t> share_of(uint64_t rows, uint32_t rank, uint32_t ranks) {
  const uint64_t base = rows / ranks, more = rows % ranks;
  const uint64_t first = rank * base + std::min<uint64_t>(rank, more);
  return {first, first + base + (rank < more ? 1 : 0)};
}

class LoadRun {
 public:
  LoadRun(const RunRequest& request, world::World& world)
      : request_(request), world_(world), engine_(request.database->engine()), record_(describe_run(request)) {}

  RunRecord execute() {
    record_.run_start = Stamp::now();
    const auto on_raise = world_.failure().on_raise([this] { stop_ = true; });
    auto source = request_.source.distribution == Distribution::kFile ? make_file_source(record_.source)
                                                                      : make_source(request_.source);
    if (!source) {
      world_.failure().raise(source.error());
    } else {
      source_ = std::move(*source);
    }
    Status ran =
        run_on_threads(world_.local_ranks(),
                       {"loaders", "--npernode", [this](Error error) { world_.failure().raise(std::move(error)); }},
                       [this](size_t place) { work(static_cast<uint32_t>(place)); });
    if (!ran) world_.failure().raise(std::move(ran.error()));
    record_.run_end = Stamp::now();
    record_.peak_rss_bytes = peak_rss_bytes();
    record_.hosts = {summary()};
    record_.error = world_.failure().first();
    run::add_cause(record_.error, record_.reasons);
    judge(record_, world_.local_ranks());
    return std::move(record_);
  }

 private:
  bool leads(uint32_t place) const { return place == 0 && world_.first_rank() == 0; }
  void check(Status status) {
    if (!status) world_.failure().raise(std::move(status.error()));
  }

  template <class Step>
  void timed(std::optional<double>& seconds, const Step& step) {
    if (world_.failure().raised()) return;
    const Nanos begin = now_ns();
    check(step());
    seconds = to_seconds(now_ns() - begin);
  }

  void work(uint32_t place) {
    if (leads(place)) timed(record_.steps.create_s, [this] { return make_collection(); });
    if (!world_.barrier()) return;
    const Nanos begin = now_ns();
    insert_share(place);
    if (!world_.barrier()) return;
    if (leads(place)) {
      record_.steps.insert_s = to_seconds(now_ns() - begin);
      finish_collection();
    }
    (void)world_.barrier();
  }

  Status make_collection() {
    const auto exists = engine_.exists();
    if (!exists) return fail(exists.error());
    if (*exists && !request_.load.force) {
      return fail(ErrorCode::kConfigInvalid, fmt::format("collection {} is there already", request_.collection.name),
                  {}, "--force removes it first");
    }
    if (*exists) {
      if (Status dropped = engine_.drop(); !dropped) return dropped;
    }
    if (Status kept = request_.database->describe(dataset_text(record_.source)); !kept) return kept;
    record_.server_version = request_.database->server_version();
    return engine_.create(request_.collection);
  }

  void insert_share(uint32_t place) {
    const uint32_t rank = world_.first_rank() + place;
    RankLoad load;
    load.rank = rank;
    std::tie(load.first, load.end) = share_of(request_.source.rows, rank, world_.size());
    VectorBlock block(request_.source.dimension, std::min<uint64_t>(request_.load.batch, load.end - load.first));
    load.start = Stamp::now();
    io::SecondRecorder seconds(request_.on_progress ? &series_ : nullptr);
    for (uint64_t key = load.first; key < load.end && !world_.failure().raised();) {
      const uint64_t rows = std::min<uint64_t>(request_.load.batch, load.end - key);
      const auto values = std::span(block.values).first(rows * request_.source.dimension);
      if (Status made = read_vectors(key, values); !made) return check(std::move(made));
      const Nanos sent = now_ns();
      if (Status stored = engine_.insert(key, {values, request_.source.dimension}); !stored) {
        check(std::move(stored));
        break;
      }
      const Nanos now = now_ns();
      load.insert.record(static_cast<uint64_t>(now - sent));
      load.inserted += rows;
      inserted_ += rows;
      key += rows;
      seconds.moved(now, rows * request_.source.dimension * sizeof(float), static_cast<uint64_t>(now - sent));
      if (place == 0) meter_.enter("insert", "vector", inserted_, rows_of_this_host());
    }
    seconds.flush();
    load.finish = Stamp::now();
    const std::lock_guard lock(mutex_);
    record_.loads.push_back(std::move(load));
  }

  /// Of a file any row may come; no cosine is defined of one of zeros.
  Status read_vectors(uint64_t key, std::span<float> values) const {
    if (Status made = source_->read(key, values); !made) return made;
    if (request_.source.distribution != Distribution::kFile || request_.collection.metric != Metric::kCosine) return {};
    const VectorView rows(values, request_.source.dimension);
    for (size_t i = 0; i < rows.rows(); ++i) {
      const auto row = rows.row(i);
      if (std::any_of(row.begin(), row.end(), [](float value) { return value != 0; })) continue;
      return fail(ErrorCode::kDataMismatch,
                  fmt::format("{}: row {} has nothing but zeros", request_.source.file.path, key + i),
                  "no cosine is defined of it", "measure with --metric-type L2 or IP, or leave the row out");
    }
    return {};
  }

  uint64_t rows_of_this_host() const {
    uint64_t rows = 0;
    for (uint32_t place = 0; place < world_.local_ranks(); ++place) {
      const auto [first, end] = share_of(request_.source.rows, world_.first_rank() + place, world_.size());
      rows += end - first;
    }
    return rows;
  }

  void finish_collection() {
    timed(record_.steps.flush_s, [this] { return engine_.flush(); });
    if (keeps_nothing()) {
      for (const RankLoad& load : record_.loads) record_.facts.rows += load.inserted;
      return;
    }
    BuildOptions options;
    options.threads = processors();
    options.memory_bytes = request_.load.build_memory;
    options.stop = &stop_;
    options.progress = [this](std::string_view step, uint64_t done, uint64_t total) {
      meter_.enter(step, "part", done, total);
    };
    timed(record_.steps.build_s, [&] { return engine_.build(options); });
    if (world_.failure().raised()) return;
    auto facts = engine_.facts();
    if (!facts) return check(fail(facts.error()));
    record_.facts = std::move(*facts);
  }

  /// null:// has nothing that an index could be built over.
  bool keeps_nothing() const {
    return request_.engine == EngineKind::kEmbedded && !request_.store->traits().holds_objects;
  }

  run::HostPart summary() const {
    run::HostPart part = run::describe_host(world_);
    part.peak_rss_bytes = record_.peak_rss_bytes;
    part.servers = request_.store->server_uses();
    // What a server writes is its own.
    for (const RankLoad& load : record_.loads) {
      const uint64_t bytes = load.inserted * request_.source.dimension * sizeof(float);
      part.bytes_written += request_.engine == EngineKind::kEmbedded ? bytes : 0;
    }
    const CpuTime cpu = CpuTime::of_process();
    part.cpu_user_s = cpu.user_s;
    part.cpu_system_s = cpu.system_s;
    return part;
  }

  const RunRequest& request_;
  world::World& world_;
  SearchEngine& engine_;
  RunRecord record_;
  std::unique_ptr<VectorSource> source_;
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> inserted_ = 0;  ///< by this host
  std::mutex mutex_;                    ///< of the record's loads
  io::SharedSeries series_{now_ns()};   ///< looked at by the meter alone
  ProgressMeter meter_{request_, world_, inserted_, series_};
};

}  // namespace

RunRecord describe_run(const RunRequest& request) {
  RunRecord record;
  static_cast<Settings&>(record) = request;
  record.searches = request.searches;
  record.ranks = request.ranks;
  record.invocation_start = request.invocation_start;
  record.location = request.store->root().to_string();
  record.traits = request.store->traits();
  record.store_settings = request.store->describe();
  record.injected_fault = request.injected_fault;
  record.facts.metric = request.collection.metric;
  record.facts.index = request.collection.index;
  if (request.engine == EngineKind::kEmbedded) return record;
  const ServerAddress& server = request.server;
  record.location =
      fmt::format("{}://{}:{}/{}", engine_word(request.engine), server.host, server.port, request.collection.name);
  record.traits = {};
  record.traits.backend = engine_word(request.engine);
  record.store_settings = {{"server", fmt::format("{}:{}", server.host, server.port)},
                           {"tls", server.tls ? "verified" : "none"},
                           {"request timeout", fmt::format("{} s", server.timeout_s)}};
  return record;
}

RunRecord load(const RunRequest& request, world::World& world) {
  return LoadRun(request, world).execute();
}

}  // namespace mlps::vectordb
