#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/control_group.hpp"
#include "base/log.hpp"
#include "base/process_usage.hpp"
#include "base/threads.hpp"
#include "benchmarks/vectordb/cancelled_sessions.hpp"
#include "benchmarks/vectordb/collection_check.hpp"
#include "benchmarks/vectordb/dataset.hpp"
#include "benchmarks/vectordb/host_use.hpp"
#include "benchmarks/vectordb/inserter.hpp"
#include "benchmarks/vectordb/metrics.hpp"
#include "benchmarks/vectordb/progress.hpp"
#include "benchmarks/vectordb/queries.hpp"
#include "benchmarks/vectordb/run.hpp"
#include "benchmarks/vectordb/sweep.hpp"
#include "benchmarks/vectordb/worker.hpp"
#include "world/host_counters.hpp"

namespace mlps::vectordb {
namespace {

constexpr uint32_t kTruthNeighbours = 100;  // so that ties and near misses are known beyond the k that are asked for

class SearchRun final : public Search {
 public:
  SearchRun(const RunRequest& request, world::World& world)
      : request_(request), world_(world), engine_(request.database->engine()), record_(describe_run(request)) {
    record_.run_start = Stamp::now();
    on_raise_ = world_.failure().on_raise([this] { stop(); });
  }

  void prepare() override {
    step([this] { return read_description(); }, nullptr);
    step([this] { return load_collection(); }, &record_.steps.load_s);
    step([this] { return make_the_queries(); }, &record_.steps.queries_s);
    step([this] { return find_the_truth(); }, &record_.steps.truth_s);
    step([this] { return check_rows(); }, &record_.steps.rows_s);
    if (grows()) step([this] { return prepare_inserts(); }, nullptr);
  }

  std::vector<WindowPlan> plan_windows() override {
    if (request_.search.mode != SearchMode::kSweep || world_.failure().raised()) return {{request_.search.effort}};
    std::vector<WindowPlan> windows;
    step(
        [&]() -> Status {
          const auto session = open_session();
          if (!session) return fail(session.error());
          Sweep sweep(request_, data_, **session, world_.failure());
          sweep.on_step = [this](const SweepStep& tried) {
            record_.sweep.push_back(tried);
            meter_.enter("sweep", "effort", tried.effort);
          };
          windows = sweep.find();
          return {};
        },
        &record_.steps.sweep_s);
    return windows;
  }

  RunRecord run(std::vector<WindowPlan> windows) override {
    record_.windows = std::move(windows);
    Status ran = run_on_threads(
        world_.local_ranks(),
        {"search workers", "--num-query-processes", [this](Error error) { world_.failure().raise(std::move(error)); }},
        [this](size_t place) { work(static_cast<uint32_t>(place)); });
    if (!ran) world_.failure().raise(std::move(ran.error()));
    record_.run_end = Stamp::now();
    check_new_rows();
    record_.peak_rss_bytes = peak_rss_bytes();
    record_.hosts = {summary()};
    record_.error = world_.failure().first();
    run::add_cause(record_.error, record_.reasons);
    judge(record_, world_.local_ranks());
    return std::move(record_);
  }

 private:
  void stop() {
    stop_ = true;
    sessions_.cancel();
  }

  template <class Act>
  void step(const Act& act, std::optional<double>* seconds) {
    if (world_.failure().raised()) return;
    const Nanos begin = now_ns();
    if (Status done = act(); !done) return world_.failure().raise(std::move(done.error()));
    if (seconds != nullptr) *seconds = to_seconds(now_ns() - begin);
  }

  // ---- before the windows

  Status read_description() {
    const std::string& name = request_.collection.name;
    const auto text = request_.database->description();
    if (!text) return fail(text.error());
    if (text->empty()) {
      return fail(ErrorCode::kStorageNotFound,
                  fmt::format("collection {} is not there, or was not loaded by this program", name),
                  "it has no description of its vectors, so that nobody knows the exact answers",
                  "load it with 'vectordb datagen'");
    }
    const auto source = parse_dataset(*text, name);
    if (!source) return fail(source.error());
    record_.source = *source;
    record_.collection.dimension = source->dimension;
    record_.collection.expected_rows = source->rows;
    const uint32_t wanted = request_.search.dimension;
    if (wanted != 0 && wanted != source->dimension) {
      return fail(ErrorCode::kConfigIncompatible,
                  fmt::format("--vector-dim {}: the vectors of {} have {} elements", wanted, name, source->dimension),
                  {}, "leave --vector-dim out: the collection tells it");
    }
    if (!request_.search.base_file.empty()) record_.source.file.path = request_.search.base_file;
    auto base = make_source(record_.source);
    if (!base) return fail(base.error());
    base_ = std::move(*base);
    return {};
  }

  Status load_collection() {
    meter_.enter("loading the collection");
    if (request_.search.cache == CacheState::kCold && request_.engine == EngineKind::kEmbedded) {
      if (const auto evicted = evict_collection(*request_.store, request_.collection.name); !evicted) {
        return fail(evicted.error());
      }
    }
    LoadOptions options{.cache_bytes = request_.search.cache_memory, .sessions = world_.local_ranks(), .stop = &stop_};
    options.progress = [this](std::string_view step, uint64_t done, uint64_t total) {
      meter_.enter(step, "percent", done, total);
    };
    if (Status loaded = engine_.load(options); !loaded) return loaded;
    record_.server_version = request_.database->server_version();
    auto facts = engine_.facts();
    if (!facts) return fail(facts.error());
    record_.facts = std::move(*facts);
    if (Status same = check_index(record_.facts, request_.collection); !same) return same;
    if (record_.facts.rows > record_.source.rows && grows()) {
      if (Status grown = take_grown_rows(); !grown) return grown;
    }
    return check_row_counts(record_.facts, request_.collection.name, record_.source.rows, record_.truth.rows_grown);
  }

  bool grows() const { return request_.search.insert_rate > 0; }

  /// An earlier run has inserted rows, which follow those of the load. That they do is looked at by check_rows().
  Status take_grown_rows() {
    record_.truth.rows_grown = record_.facts.rows - record_.source.rows;
    record_.source.rows = record_.collection.expected_rows = record_.facts.rows;
    auto base = make_source(record_.source);
    if (!base) return fail(base.error());
    base_ = std::move(*base);
    return {};
  }

  /// Prepares what is inserted during the windows: the rows that would come next.
  Status prepare_inserts() {
    const auto all = with_all_rows(record_.source);
    if (!all) return fail(all.error());
    auto source = make_source(*all);
    if (!source) return fail(source.error());
    all_rows_ = std::move(*source);
    data_.all_rows = all_rows_.get();
    data_.metric = record_.facts.metric;
    data_.first_new = record_.source.rows;
    if (world_.first_rank() != 0) {
      // Process 0 inserts; nobody else knows how far it is.
      data_.sent_end = [] { return uint64_t{UINT32_MAX}; };
      return {};
    }
    inserter_ = std::make_unique<Inserter>(engine_, *all_rows_, record_.source.rows, request_.search.insert_rate,
                                           request_.search.insert_batch, request_.engine == EngineKind::kEmbedded,
                                           world_.failure());
    data_.sent_end = [this] { return inserter_->sent_end(); };
    return {};
  }

  /// Looks up rows that were inserted during the windows. A server may show them later.
  void check_new_rows() {
    if (!inserter_ || world_.failure().raised() || inserter_->end() == record_.source.rows) return;
    const Status looked =
        look_up(record_.source.rows, inserter_->end(), *all_rows_, record_.truth.new_checked, record_.truth.new_right);
    if (!looked) world_.failure().raise(looked.error());
  }

  Status make_the_queries() {
    auto queries = make_queries(request_.search, record_.source, *base_);
    if (!queries) return fail(queries.error());
    data_.queries = std::move(*queries);
    data_.index = record_.facts.index;
    data_.epsilon = static_cast<float>(request_.search.epsilon);
    data_.params.k = request_.search.limit;
    data_.params.beam_width = request_.search.beam;
    if (request_.search.filter_share < 1) {
      const double end = std::ceil(request_.search.filter_share * static_cast<double>(record_.source.rows));
      data_.params.filter.end = static_cast<uint64_t>(end);
    }
    return {};
  }

  Status find_the_truth() {
    TruthOptions options;
    options.metric = record_.facts.metric;
    options.k = std::max(kTruthNeighbours, 2 * request_.search.limit);
    options.filter = data_.params.filter;
    options.threads = processors();
    options.stop = &stop_;
    options.progress = [this](uint64_t rows) { meter_.enter("exact answers", "vector", rows, record_.source.rows); };
    auto found = find_truth(*base_, data_.queries.view(), options, request_.search, request_.truth_folder);
    if (!found) return fail(found.error());
    data_.truth = std::move(found->truth);
    record_.truth.identity = data_.truth.identity;
    record_.truth.rows = data_.truth.rows;
    record_.truth.reused = found->reused;
    return {};
  }

  /// Looks some rows up by their own vectors: nothing is as near to a row as itself. Where the collection holds other
  /// vectors than its description says, recall would only be low.
  Status check_rows() {
    const uint64_t end = std::min(data_.params.filter.end, record_.source.rows);
    return look_up(0, end, *base_, record_.truth.rows_checked, record_.truth.rows_right);
  }

  Status look_up(uint64_t first, uint64_t end, const VectorSource& source, uint64_t& checked, uint64_t& right) {
    const auto session = open_session();
    if (!session) return fail(session.error());
    const RowSpan rows{first, end, record_.source.dimension};
    const uint32_t effort = effective_effort(data_.index, request_.search.effort, data_.params.k);
    const auto looked = look_up_rows(**session, rows, source, data_.params, effort, record_.facts.metric);
    if (!looked) return fail(looked.error());
    checked += looked->checked;
    right += looked->right;
    return {};
  }

  /// Returns a session that a failure of the run cancels.
  Result<CancelledSessions::Session> open_session() { return sessions_.open(engine_); }

  // ---- every worker

  void work(uint32_t place) {
    const uint32_t rank = world_.first_rank() + place;
    const auto session = open_session();
    if (!session) {
      world_.failure().raise(session.error(), rank);
      return;
    }
    Worker worker(record_, data_, rank, world_.size(), **session, world_.failure(),
                  request_.on_progress ? &series_ : nullptr);
    const Nanos cost = world_.barrier_cost();
    if (place == 0) record_.barrier_cost_ns = cost;
    for (uint32_t window = 0; window < record_.windows.size(); ++window) {
      if (!run_window(place, window, worker)) return;
    }
  }

  bool run_window(uint32_t place, uint32_t number, Worker& worker) {
    const WindowPlan& plan = record_.windows[number];
    if (!prepare_window(place, plan, worker)) return false;
    if (!world_.barrier()) return false;
    WorkerWindow window;
    window.window = number;
    window.rank = world_.first_rank() + place;
    if (place == 0) open_window(number);
    if (!world_.barrier()) return false;
    window.start = Stamp::now();
    WindowEnd end;
    if (request_.search.mode == SearchMode::kQueryCount) {
      end.queries = share_of_queries(window.rank);
    } else {
      end.at_ns = window.start.monotonic_ns + static_cast<Nanos>(request_.search.runtime_s * 1e9);
    }
    worker.search(plan.effort, end, &window, done_);
    worker.flush();
    {
      const std::lock_guard lock(record_mutex_);
      record_.workers.push_back(std::move(window));
      if (record_.first_byte_s == 0) {
        record_.first_byte_s =
            to_seconds(record_.workers.back().start.monotonic_ns - record_.invocation_start.monotonic_ns);
      }
    }
    const bool goes_on = world_.barrier();
    if (place == 0) close_window();
    return goes_on;
  }

  uint64_t share_of_queries(uint32_t rank) const {
    const uint64_t each = request_.search.queries / world_.size();
    return each + (rank == 0 ? request_.search.queries % world_.size() : 0);
  }

  /// Makes the page cache what the window asks for, and warms up.
  bool prepare_window(uint32_t place, const WindowPlan& plan, Worker& worker) {
    const auto check = [&](const Status& done) {
      if (!done) world_.failure().raise(done.error());
    };
    if (request_.search.cache == CacheState::kWarm) check(worker.pass(plan.effort, place, world_.local_ranks()));
    if (!world_.barrier()) return false;
    if (place == 0 && request_.search.cache == CacheState::kCold) {
      const auto evicted = evict_collection(*request_.store, collection_folder());
      if (!evicted) check(fail(evicted.error()));
    }
    if (!world_.barrier()) return false;
    if (request_.search.warmup_s > 0) {
      std::atomic<uint64_t> uncounted = 0;
      worker.search(plan.effort, {now_ns() + static_cast<Nanos>(request_.search.warmup_s * 1e9), UINT64_MAX}, nullptr,
                    uncounted);
    }
    return !world_.failure().raised();
  }

  std::string collection_folder() const {
    return request_.engine == EngineKind::kEmbedded ? request_.collection.name : std::string();
  }

  // ---- the first worker of this host, around a window

  void open_window(uint32_t number) {
    HostWindow& host = record_.host_windows.emplace_back();
    host.window = number;
    host.process = world_.host();
    if (const auto limit = memory_limit()) host.memory_limit_bytes = limit->limit_bytes;
    if (request_.engine == EngineKind::kEmbedded) {
      if (const auto cached = cached_share(*request_.store, collection_folder()); cached && *cached) {
        host.cached_bytes = (*cached)->cached_bytes;
        host.stored_bytes = (*cached)->total_bytes;
      }
    }
    if (inserter_) {
      if (Status opened = inserter_->open(number); !opened) world_.failure().raise(opened.error());
    }
    before_ = counters_.sample();
    cpu_before_ = CpuTime::of_process();
    done_ = 0;
    opened_ns_ = now_ns();
    meter_.open_window(number + 1, record_.windows.size());
  }

  void close_window() {
    HostWindow& host = record_.host_windows.back();
    meter_.enter("between windows");
    if (inserter_) record_.inserts.push_back(inserter_->close());
    // A window of a number of queries lasts until its last answer.
    host.seconds =
        request_.search.mode == SearchMode::kQueryCount ? to_seconds(now_ns() - opened_ns_) : request_.search.runtime_s;
    cpu_before_.add_since(host.cpu_user_s, host.cpu_system_s);
    host.devices = device_use(before_, counters_.sample());
  }

  run::HostPart summary() const {
    run::HostPart part = run::describe_host(world_);
    part.first_byte_s = record_.first_byte_s;
    part.peak_rss_bytes = record_.peak_rss_bytes;
    part.servers = request_.store->server_uses();
    for (const HostWindow& host : record_.host_windows) {
      part.cpu_user_s += host.cpu_user_s;
      part.cpu_system_s += host.cpu_system_s;
    }
    for (const WorkerWindow& worker : record_.workers) part.bytes_read += worker.cost.bytes;
    return part;
  }

  const RunRequest& request_;
  world::World& world_;
  SearchEngine& engine_;
  RunRecord record_;
  std::unique_ptr<VectorSource> base_, all_rows_;
  std::unique_ptr<Inserter> inserter_;  ///< process 0's, where vectors are inserted
  SearchData data_;
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> done_ = 0;  ///< queries answered in the open window, on this host
  CancelledSessions sessions_;
  std::mutex record_mutex_;
  world::HostCounters counters_;
  world::HostSample before_;
  CpuTime cpu_before_;
  Nanos opened_ns_ = 0;
  io::SharedSeries series_{now_ns()};  // looked at by the meter alone
  ProgressMeter meter_{request_, world_, done_, series_};
  world::Failure::Subscription on_raise_;  // ends first: its listener uses the others
};

}  // namespace

std::unique_ptr<Search> make_search(const RunRequest& request, world::World& world) {
  return std::make_unique<SearchRun>(request, world);
}

}  // namespace mlps::vectordb
