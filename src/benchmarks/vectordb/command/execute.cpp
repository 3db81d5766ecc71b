#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "benchmarks/vectordb/command/options.hpp"
#include "benchmarks/vectordb/command/prepare.hpp"
#include "benchmarks/vectordb/results/files.hpp"
#include "benchmarks/vectordb/results/views.hpp"
#include "benchmarks/vectordb/run.hpp"
#include "gates/claim.hpp"
#include "gates/gates.hpp"
#include "results/findings.hpp"
#include "results/record_common.hpp"
#include "run/gather_parts.hpp"
#include "run/lost_uploads.hpp"
#include "session/cluster.hpp"
#include "session/execution.hpp"
#include "session/host_watch.hpp"
#include "session/placement.hpp"
#include "session/run_end.hpp"

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

class VectorDbExecution {
 public:
  VectorDbExecution(const VectorDbOptions& options, PreparedVectorDb prepared, Stamp invocation_start,
                    const Cluster& cluster, ProcessGroup& group)
      : options_(options), common_(options.common), prepared_(std::move(prepared)), cluster_(cluster), group_(group) {
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

  int run() {
    if (shows_plan(common_)) print_plan();
    auto shares = place_ranks(options_, ranks_of(options_), group_.transport().members());
    if (const auto status = group_.check_consensus(errors_of(shares), agreed_plan())) return *status;
    shares_ = std::move(*shares);
    const Result<gates::Report> gates = check_gates();
    if (const auto status = report_gates(gates)) return *status;
    if (const auto status = group_.check_consensus(errors_of(claim_folder()))) return *status;
    return repeat(common_, [&] { return run_once(*gates); });
  }

 private:
  bool searches() const { return options_.which == VectorDbCommand::kRun; }
  bool embedded() const { return options_.settings.engine == EngineKind::kEmbedded; }

  results::VectorDbPlanDetails details() const {
    return {std::string(mode_name(common_.mode)), options_.command, ranks_of(options_).count};
  }

  Result<gates::Report> check_gates() const {
    gates::Request request;
    request.store = prepared_.store.get();
    request.folder_word = "storage root";
    request.results_dir = common_.results_dir;
    request.separation_is_warning = common_.skip_fs_separation_gate;
    if (embedded() && !searches()) request.bytes_to_write = results::least_storage(prepared_.request);
    return gates::run_gates(request, group_.transport());
  }

  // Process 0 claims the folder for all: of the embedded engine, which alone writes there.
  Status claim_folder() {
    if (!group_.is_process0() || !embedded()) return {};
    if (searches()) return gates::look_for_claims(*prepared_.store);
    return gates::claim_folder(*prepared_.store, true, command_text(options_), group_.transport().failure(), claim_);
  }

  std::vector<PlanPart> agreed_plan() const {
    return {{"the options", packed_values(options_.values)},
            {"the storage root", prepared_.store->root().to_string()},
            {"the ranks", world::pack("ranks", uint64_t{ranks_of(options_).count})}};
  }

  results::VectorDbContext context(const results::RunFolder& folder, const gates::Report& gates) const {
    results::VectorDbContext context;
    fill_context(options_, ranks_of(options_).count, folder, cluster_.members(group_, shares_), context);
    context.benchmark = kFamily;
    context.separation = gates.separation;
    context.class_keys = searches() ? &results::kVectorDbRunClass : &results::kVectorDbLoadClass;
    context.workload_name = "vectordb";
    context.values = options_.values;
    // In the files of mlpstorage 3.0 numbers are numbers, whoever chose them; what was chosen is listed besides.
    for (auto& [key, value] : context.values) value.source = workloads::ValueSource::kWorkloadFile;
    for (const auto& [flag, key] : kRuleKeys) {
      const auto value = options_.values.find(key);
      const bool user = value != options_.values.end() && value->second.source == workloads::ValueSource::kUserParams;
      if (user) context.overrides.push_back({key, value->second.value, workloads::ValueSource::kUserParams});
    }
    context.verification = common_.mode == Mode::kClosed ? "CLOSED" : embedded() ? "INVALID" : "OPEN";
    context.ranks_per_host = options_.ranks_per_host;
    if (embedded()) {
      context.no_result_because.emplace_back(
          "--vdb-engine embedded: the rules have milvus, and in open pgvector and elasticsearch");
    }
    return context;
  }

  int run_once(const gates::Report& gates) {
    world::World world(group_.ranks_of(shares_), group_.transport().failure());
    const InterruptWatch::Attachment attachment(group_.interrupts(), world.failure());
    if (const auto status = group_.check_consensus(errors_of(begin(gates)))) return *status;
    group_.share_warnings(true);
    vectordb::RunRequest request = prepared_.request;
    if (!common_.quiet && group_.is_process0()) {
      request.on_progress = [this](const std::string& line) { display_.show(group_.host_prefix() + line); };
    }
    HostWatch watch(options_, world.failure());
    vectordb::RunRecord record = searches() ? search(request, world) : vectordb::load(request, world);
    warn(run::abort_all_uploads_after_loss(group_.transport(), *prepared_.store).warning());
    const world::MovedBytes moved{record.hosts.front().bytes_read, record.hosts.front().bytes_written};
    const auto gather = [&] { (void)run::gather_record(record, group_.transport()); };
    const auto outcome = end_run(record, gather, {folder_, about_, *prepared_.store, moved, watch, group_});
    return outcome ? conclude(record, *outcome) : status_of(record);
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

  /// Claims the run folder, and leaves a record there that says "incomplete" until the end. In process 0 only.
  Status begin(const gates::Report& gates) {
    if (!group_.is_process0()) return {};
    if (Status same = check_system(common_, cluster_.members(group_, shares_)); !same) return same;
    results::RunFolderRequest where;
    where.benchmark = kFamily;
    where.model = vectordb::engine_word(options_.settings.engine);
    where.index = vectordb::index_name(options_.settings.collection.index);
    where.command = options_.command;
    auto folder = begin_run_folder(common_, where);
    if (!folder) return fail(folder.error());
    folder_ = std::move(*folder);
    about_ = context(folder_, gates);
    return results::write_started(folder_, about_, vectordb::describe_run(prepared_.request));
  }

  int conclude(const vectordb::RunRecord& record, const results::RunOutcome& outcome) {
    results::complete_values(record, about_.values);
    const Status written = results::write_finished(folder_, about_, record, outcome);
    return show_and_finish(common_, folder_, written, outcome,
                           {.json = [&] { return results::record_json(about_, record, outcome); },
                            .tables =
                                [&] {
                                  return results::result_table(record) + results::findings_text(outcome.findings) +
                                         results::no_result_text(about_, record);
                                }});
  }

  const VectorDbOptions& options_;
  const CommonOptions& common_;
  PreparedVectorDb prepared_;
  const Cluster& cluster_;
  ProcessGroup& group_;
  ProgressDisplay display_;
  std::vector<world::HostShare> shares_;
  std::unique_ptr<gates::FolderClaim> claim_;  // process 0's
  results::RunFolder folder_;                  // process 0's, of the current loop
  results::VectorDbContext about_;
};

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
  return options.common.dry_run ? execution.print_plan() : execution.run();
}

}  // namespace mlps::cli
