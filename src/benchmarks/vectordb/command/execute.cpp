#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/log.hpp"
#include "benchmarks/vectordb/command/options.hpp"
#include "benchmarks/vectordb/command/prepare.hpp"
#include "benchmarks/vectordb/metrics.hpp"
#include "benchmarks/vectordb/results/files.hpp"
#include "benchmarks/vectordb/results/views.hpp"
#include "benchmarks/vectordb/run.hpp"
#include "session/load_search.hpp"
#include "session/measured_run.hpp"

namespace mlps::cli {
namespace {

using vectordb::EngineKind;
using vectordb::WindowPlan;

// The spelling of mlpstorage 3.0 in its results tree.
constexpr const char* kFamily = "vector_database";

/// Flags, and the keys by which the rules speak of them.
constexpr auto kRuleKeys =
    std::to_array<std::pair<const char*, const char*>>({{"vdb-engine", "database.database"},
                                                        {"host", "database.host"},
                                                        {"port", "database.port"},
                                                        {"vdb-index", "index.index_type"},
                                                        {"metric-type", "index.metric_type"},
                                                        {"max-degree", "index.max_degree"},
                                                        {"search-list-size", "index.search_list_size"},
                                                        {"M", "index.M"},
                                                        {"ef-construction", "index.ef_construction"},
                                                        {"inline-pq", "index.inline_pq"},
                                                        {"search-ef", "search.search_ef"},
                                                        {"benchmark-mode", "run.mode"},
                                                        {"num-query-processes", "run.num_query_processes"},
                                                        {"collection", "dataset.collection_name"},
                                                        {"num-shards", "dataset.num_shards"},
                                                        {"vector-dtype", "dataset.vector_dtype"},
                                                        {"storage-root", "storage.storage_root"},
                                                        {"storage-type", "storage.storage_type"}});

results::RunFolderRequest folder_of_runs(const VectorDbOptions& options) {
  results::RunFolderRequest where;
  where.benchmark = kFamily;
  where.model = vectordb::engine_word(options.settings.engine);
  where.index = vectordb::index_name(options.settings.collection.index);
  where.command = options.command;
  return where;
}

class VectorDbExecution final : public MeasuredRun<vectordb::RunRecord, results::VectorDbContext> {
 public:
  VectorDbExecution(const VectorDbOptions& options, PreparedVectorDb prepared, Stamp invocation_start,
                    const Cluster& cluster, ProcessGroup& group)
      : MeasuredRun(options, cluster, group), options_(options), prepared_(std::move(prepared)) {
    prepared_.request.invocation_start = invocation_start;
  }

  int print_plan() const {
    if (!group_.is_process0()) return kExitSuccess;
    print(common_.json ? results::plan_json(prepared_.request, details())
                       : results::plan_table(prepared_.request, details()));
    return kExitSuccess;
  }

  int print_configuration() const {
    if (!common_.json) print(configuration_text(options_.values));
    return print_plan();
  }

 private:
  bool searches() const { return options_.which == VectorDbCommand::kRun; }
  bool embedded() const { return options_.settings.engine == EngineKind::kEmbedded; }

  results::VectorDbPlanDetails details() const {
    return {std::string(mode_name(common_.mode)), options_.command, ranks_of(options_).count};
  }

  RankDemand ranks() const override { return ranks_of(options_); }
  storage::Store& store() const override { return *prepared_.store; }

  bool repeats() const override { return searches(); }

  gates::Request gate_request() const override {
    gates::Request request;
    request.folder_word = "storage root";
    if (embedded() && !searches()) request.bytes_to_write = results::least_storage(prepared_.request);
    return request;
  }

  // Only the embedded engine writes there.
  Status claim_folders() override {
    if (!embedded()) return {};
    const bool writes = !searches() || options_.settings.search.insert_rate > 0;
    return writes ? claim(*prepared_.store, true) : gates::look_for_claims(*prepared_.store);
  }

  std::vector<PlanPart> agreed_plan() const override {
    return {{"the options", packed_values(options_.values)},
            {"the storage root", prepared_.store->root().to_string()},
            {"the ranks", world::pack("ranks", uint64_t{ranks_of(options_).count})}};
  }

  results::RunFolderRequest folder_request() const override { return folder_of_runs(options_); }

  results::VectorDbContext describe() const override {
    results::VectorDbContext about;
    fill_about(ranks_of(options_).count, about);
    about.benchmark = kFamily;
    about.class_keys = searches() ? &results::kVectorDbRunClass : &results::kVectorDbLoadClass;
    about.workload_name = "vectordb";
    about.values = options_.values;
    // In the files of mlpstorage 3.0 numbers are numbers, whoever chose them; what was chosen is listed besides.
    for (auto& [key, value] : about.values) value.source = workloads::ValueSource::kWorkloadFile;
    for (const auto& [flag, key] : kRuleKeys) {
      const auto value = options_.values.find(key);
      const bool user = value != options_.values.end() && value->second.source == workloads::ValueSource::kUserParams;
      if (user) about.overrides.push_back({key, value->second.value, workloads::ValueSource::kUserParams});
    }
    about.verification = common_.mode == Mode::kClosed ? "CLOSED" : embedded() ? "INVALID" : "OPEN";
    about.ranks_per_host = options_.ranks_per_host;
    if (embedded()) {
      about.no_result_because.emplace_back(
          "--vdb-engine embedded: the rules have milvus, and in open pgvector and elasticsearch");
    }
    return about;
  }

  vectordb::RunRecord measure(world::World& world) override {
    vectordb::RunRequest request = prepared_.request;
    request.on_progress = shows_progress(options_);
    return searches() ? search(request, world) : vectordb::load(request, world);
  }

  world::MovedBytes moved(const vectordb::RunRecord& record) const override {
    return {record.hosts.front().bytes_read, record.hosts.front().bytes_written};
  }

  /// Process 0 finds the windows of a sweep, and tells the others.
  vectordb::RunRecord search(const vectordb::RunRequest& request, world::World& world) {
    const auto search = vectordb::make_search(request, world);
    search->prepare();
    std::vector<WindowPlan> windows;
    if (group_.is_process0()) windows = search->plan_windows();
    if (!group_.is_alone()) {
      std::string text = group_.is_process0() ? world::pack("windows", windows) : std::string();
      const bool told = !group_.broadcast(text);
      if (told && !group_.is_process0()) {
        auto unpacked = world::unpack<std::vector<WindowPlan>>("windows", "process 0", text);
        if (unpacked) {
          windows = std::move(*unpacked);
        } else {
          world.failure().raise(unpacked.error());
        }
      }
    }
    return search->run(std::move(windows));
  }

  Status write_started(const results::VectorDbContext& about) override {
    return results::write_started(folder_, about, vectordb::describe_run(prepared_.request));
  }
  void complete(results::VectorDbContext& about, const vectordb::RunRecord& record) const override {
    results::complete_values(record, about.values);
  }
  Status write_finished(const results::VectorDbContext& about, const vectordb::RunRecord& record,
                        const results::RunOutcome& outcome) override {
    return results::write_finished(folder_, about, record, outcome);
  }
  std::string json(const results::VectorDbContext& about, const vectordb::RunRecord& record,
                   const results::RunOutcome& outcome) const override {
    return results::record_json(about, record, outcome);
  }
  std::string table(const vectordb::RunRecord& record) const override { return results::result_table(record); }

  const VectorDbOptions& options_;
  PreparedVectorDb prepared_;
};

constexpr double kInTimePercent = 99;
// The bound of a search over what a closed loop has reached: an open loop can't do more but by chance.
constexpr double kBoundOverClosedLoop = 1.1;
// Of the processors of a host: above it the client, not the storage, is busy.
constexpr double kBusyHost = 0.9;

/// Returns the share of searches that were answered within so many milliseconds of when they were due, in percent.
double in_time_percent(const vectordb::RunRecord& record, double limit_ms) {
  uint64_t all = 0, in_time = 0;
  for (const vectordb::WorkerWindow& worker : record.workers) {
    all += worker.latency.count() + worker.failed;
    for (const auto& bucket : worker.latency.state().buckets) {
      if (static_cast<double>(Histogram::largest_of(bucket.index)) <= limit_ms * 1e6) in_time += bucket.count;
    }
  }
  return all == 0 ? 0 : 100 * static_cast<double>(in_time) / static_cast<double>(all);
}

/// Returns the greatest share of the processors of a host that the process was busy on, in the window.
double busy_share(const vectordb::RunRecord& record) {
  double share = 0;
  for (const vectordb::HostWindow& host : record.host_windows) {
    if (host.seconds <= 0) continue;
    share = std::max(share, (host.cpu_user_s + host.cpu_system_s) / host.seconds / processors());
  }
  return share;
}

/// Runs one load, closed or open, and hands its record to `use` in process 0. Returns the process status.
int run_load(const VectorDbOptions& options, const CommandContext& context, const Cluster& cluster,
             const std::function<void(const vectordb::RunRecord&, const std::string& folder)>& use) {
  auto prepared = prepare_vectordb(options, context.environment);
  if (const auto status = context.group.check_consensus(all_errors(context, prepared))) return *status;
  VectorDbExecution execution(options, std::move(*prepared), context.invocation_start, cluster, context.group);
  execution.use_instead_of_showing(use);
  return execution.run();
}

SearchedRun judged(const vectordb::RunRecord& record, const std::string& folder, const VectorDbOptions& options) {
  SearchedRun ran;
  ran.folder = folder;
  if (record.verdict != run::Verdict::kPassed) {
    if (!record.reasons.empty()) ran.limit = record.reasons.front();
    return ran;
  }
  const vectordb::WindowResult window = vectordb::window_result(record, 0);
  const double busy = busy_share(record);
  run::EdgeTrial trial;
  trial.value = in_time_percent(record, *options.slo_ms);
  trial.met = trial.value >= kInTimePercent && window.recall >= options.needed_recall.value_or(0);
  trial.client_limited = !trial.met && busy > kBusyHost;
  ran.limit = fmt::format(
      "p99 {:.1f} ms, {:.1f} searches per second answered, recall {:.4f}, this host's processors {:.0f} % busy",
      window.latency_ms.p99, window.searches_per_s, window.recall, 100 * busy);
  ran.trial = trial;
  return ran;
}

LoadSearch describe_search(const VectorDbOptions& options, uint64_t closed_loop,
                           const results::RunFolderRequest& where) {
  LoadSearch search;
  search.flag = "--arrival-rate";
  search.loads = "searches/s";
  search.subject = options.model;
  search.measure = fmt::format("answered in {:g} ms", *options.slo_ms);
  search.done = "answered in time";
  search.unit = "%";
  search.threshold = kInTimePercent;
  search.bound = static_cast<uint64_t>(std::ceil(kBoundOverClosedLoop * static_cast<double>(closed_loop)));
  search.first = std::max<uint64_t>(closed_loop / 2, 1);
  search.bound_because =
      fmt::format("a closed loop of {} workers has {} searches per second: {}", options.settings.search.workers,
                  closed_loop, "with more --num-query-processes there may be more");
  search.folder = where;
  search.folder.command = "search";
  return search;
}

int execute_search(VectorDbOptions options, const CommandContext& context, const Cluster& cluster) {
  uint64_t closed_loop = 1;
  const int status = run_load(options, context, cluster, [&](const vectordb::RunRecord& record, const std::string&) {
    closed_loop = std::max<uint64_t>(static_cast<uint64_t>(vectordb::window_result(record, 0).searches_per_s), 1);
  });
  if (status != kExitSuccess) return status;
  if (const auto ended = context.group.broadcast(closed_loop)) return *ended;
  const auto run_at = [&](uint64_t load) {
    options.settings.search.arrival_rate = static_cast<double>(load);
    options.arguments["arrival_rate"] = load;
    SearchedRun ran;
    const int ended = run_load(
        options, context, cluster,
        [&](const vectordb::RunRecord& record, const std::string& folder) { ran = judged(record, folder, options); });
    ran.status = ended;
    return ran;
  };
  return search_load(options, context.environment, context.group,
                     describe_search(options, closed_loop, folder_of_runs(options)), run_at);
}

}  // namespace

int execute_command(const VectorDbOptions& options, const CommandContext& context) {
  ProcessGroup& group = context.group;
  prepare_process();
  Cluster cluster;
  if (const auto status = cluster.meet(group)) return *status;
  auto prepared = prepare_vectordb(options, context.environment);
  if (const auto status = group.check_consensus(all_errors(context, prepared))) return *status;
  VectorDbExecution execution(options, std::move(*prepared), context.invocation_start, cluster, group);
  switch (options.which) {
    case VectorDbCommand::kDatasize:
      return execution.print_plan();
    case VectorDbCommand::kConfigview:
      return execution.print_configuration();
    case VectorDbCommand::kDatagen:
    case VectorDbCommand::kRun:
      break;
  }
  if (options.slo_ms && !options.common.dry_run) return execute_search(options, context, cluster);
  const int status = shows_plan(options.common) ? execution.print_plan() : kExitSuccess;
  return options.common.dry_run || status != kExitSuccess ? status : execution.run();
}

}  // namespace mlps::cli
