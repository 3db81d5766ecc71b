#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/units.hpp"
#include "benchmarks/checkpointing/command/options.hpp"
#include "benchmarks/checkpointing/command/prepare.hpp"
#include "benchmarks/checkpointing/gather_record.hpp"
#include "benchmarks/checkpointing/progress.hpp"
#include "benchmarks/checkpointing/results/class_keys.hpp"
#include "benchmarks/checkpointing/results/files.hpp"
#include "benchmarks/checkpointing/results/views.hpp"
#include "benchmarks/checkpointing/run.hpp"
#include "benchmarks/checkpointing/stored_checkpoints.hpp"
#include "gates/claim.hpp"
#include "gates/gates.hpp"
#include "results/findings.hpp"
#include "results/record_common.hpp"
#include "run/written_objects.hpp"
#include "session/cluster.hpp"
#include "session/execution.hpp"
#include "session/host_watch.hpp"
#include "session/placement.hpp"
#include "session/run_end.hpp"

namespace mlps::cli {
namespace {

// "<checkpoint folder>/<model>", both of them new.
constexpr uint32_t kFoldersOfRun = 2;

class CheckpointingExecution {
 public:
  CheckpointingExecution(const CheckpointingOptions& options, PreparedCheckpointing prepared, Stamp invocation_start,
                         const Cluster& cluster, ProcessGroup& group)
      : options_(options),
        common_(options.common),
        prepared_(std::move(prepared)),
        invocation_start_(invocation_start),
        cluster_(cluster),
        group_(group) {}

  int print_plan() const {
    if (!group_.is_process0()) return kExitSuccess;
    const auto& workload = prepared_.workload;
    const auto& plan = prepared_.plan;
    print(common_.json ? results::plan_json(workload, plan, prepared_.io, prepared_.details)
                       : results::plan_table(workload, plan, prepared_.io, prepared_.details));
    return kExitSuccess;
  }

  int print_sizes() const {
    const int status = print_plan();
    // The line that scripts look for in the answer of mlpstorage 3.0.
    if (!common_.json && status == kExitSuccess) {
      print(fmt::format("Total GB required for all ranks: {:.2f} GB\n", to_gib(prepared_.plan.checkpoint_bytes())));
    }
    return status;
  }

  int print_configuration() const {
    if (!common_.json) print(configuration_text(prepared_.workload.values));
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
    const int status = repeat(common_, [&] { return run_once(*gates); });
    if (group_.is_process0()) settle_what_was_written(status == kExitSuccess);
    return status;
  }

 private:
  Result<gates::Report> check_gates() const {
    gates::Request request;
    request.store = prepared_.store.get();
    request.new_folders = kFoldersOfRun;
    request.bytes_to_write = prepared_.plan.bytes_to_write();
    request.files_to_write = prepared_.plan.checkpoints_to_write * prepared_.plan.objects_per_checkpoint;
    for (const checkpointing::RankPlan& rank : prepared_.plan.ranks) {
      for (const checkpointing::PlannedObject& object : rank.objects) {
        request.largest_object_bytes = std::max(request.largest_object_bytes, object.size_bytes);
      }
    }
    request.wanted_part_bytes = options_.io_part_bytes;
    request.bytes_in_place = [this] { return bytes_in_place(); };
    request.results_dir = common_.results_dir;
    request.separation_is_warning = common_.skip_fs_separation_gate;
    request.buffer_bytes = options_.payload == checkpointing::PayloadMode::kNone ? 0 : prepared_.io->buffer_bytes();
    return gates::run_gates(request, group_.transport());
  }

  // Process 0 claims the folder for all.
  Status claim_folder() {
    if (!group_.is_process0()) return {};
    return gates::claim_folder(*prepared_.store, prepared_.plan.checkpoints_to_write > 0, command_text(options_),
                               group_.transport().failure(), claim_);
  }

  /// Removes the checkpoints that this run has written, if it is to, or says that they stay. In process 0, when all
  /// have ended their part.
  void settle_what_was_written(bool whole) const {
    const checkpointing::CheckpointPlan& plan = prepared_.plan;
    if (plan.checkpoints_to_write == 0 && options_.cleanup)
      log::warning("--cleanup has no effect: nothing was written");
    if (plan.checkpoints_to_write == 0 || !prepared_.store->traits().holds_objects) return;
    const std::string where = prepared_.store->root().to_string();
    run::Written written;
    written.what =
        fmt::format("{} checkpoints, {} objects, {} in {}", plan.checkpoints_to_write,
                    plan.checkpoints_to_write * plan.objects_per_checkpoint, human_bytes(plan.bytes_to_write()), where);
    written.whole = whole;
    if (prepared_.store->traits().file_system) written.bytes_in_place = [this] { return bytes_in_place(); };
    written.remove = [&] { return checkpointing::remove_stored(plan, *prepared_.store); };
    run::settle_written(options_.cleanup, written);
  }

  Result<uint64_t> bytes_in_place() const {
    const auto session = prepared_.store->open_session(1);
    if (!session) return fail(session.error());
    return checkpointing::stored_bytes(prepared_.plan, **session);
  }

  /// Returns what the processes must have alike: the objects of every rank, where they are, and how they are made.
  std::vector<PlanPart> agreed_plan() const {
    return {{"the workload", packed_values(prepared_.workload.values)},
            {"the objects of the ranks", world::pack("plan", prepared_.plan)},
            {"the checkpoint folder", prepared_.details.location},
            {"the payload", world::pack("payload", std::pair(*prepared_.details.payload, options_.verify))}};
  }

  checkpointing::RunRequest run_request(uint64_t seed) {
    checkpointing::RunRequest request;
    request.plan = prepared_.plan;
    request.io = *prepared_.io;
    request.store = prepared_.store.get();
    request.payload = *prepared_.details.payload;
    request.verify = options_.verify;
    request.seed_is_given = options_.seed.has_value();
    request.seed = seed;
    request.injected_fault = options_.inject_fault;
    request.invocation_start = invocation_start_;
    if (!common_.quiet && group_.is_process0())
      request.on_progress = [this](const checkpointing::Progress& progress) {
        display_.show(group_.host_prefix() + checkpointing::progress_line(progress));
      };
    return request;
  }

  results::CheckpointContext context(const results::RunFolder& folder, const gates::Report& gates) const {
    results::CheckpointContext context;
    fill_context(options_, prepared_.plan.processes, folder, cluster_.members(group_, shares_), context);
    context.separation = gates.separation;
    context.class_keys = &results::kCheckpointClass;
    context.workload = prepared_.workload;
    context.workload_name = prepared_.workload.file_name;
    context.values = prepared_.workload.values;
    context.overrides = prepared_.overrides;
    context.verification = verification();
    if (options_.payload == checkpointing::PayloadMode::kNone) {
      context.no_result_because.emplace_back("--payload none: the objects have no content");
    }
    if (options_.size_scale != 1) {
      context.no_result_because.push_back(
          fmt::format("--size-scale {}: the checkpoints are not those of the model", options_.size_scale));
    }
    return context;
  }

  /// Returns what the rules call a run of so many processes, whatever division it was started for.
  std::string verification() const {
    if (common_.mode == Mode::kWhatif) return {};
    if (prepared_.is_invalid) return "INVALID";
    const workloads::CheckpointWorkload& workload = prepared_.workload;
    const uint32_t processes = prepared_.plan.processes;
    if (common_.mode == Mode::kClosed || processes == workload.closed_processes) return "CLOSED";
    return processes % workload.gpus_per_dp == 0 ? "OPEN" : "INVALID";
  }

  int run_once(const gates::Report& gates) {
    world::World world(group_.ranks_of(shares_), group_.transport().failure());
    const InterruptWatch::Attachment attachment(group_.interrupts(), world.failure());
    uint64_t seed = options_.seed ? *options_.seed : random_seed();
    if (const auto status = group_.broadcast(seed)) return *status;
    const checkpointing::RunRequest request = run_request(seed);
    if (const auto status = group_.check_consensus(errors_of(begin(request, gates)))) return *status;
    group_.share_warnings(true);
    HostWatch watch(options_, world.failure());
    checkpointing::RunRecord record = checkpointing::run(request, world);
    warn(checkpointing::abort_uploads_of_lost(prepared_.plan, shares_, group_.transport(), *prepared_.store).warning());
    const world::MovedBytes moved{record.read.bytes, record.write.bytes};  // by this process alone, before it gathers
    const auto gather = [&] { (void)run::gather_record(record, group_.transport()); };
    const auto outcome = end_run(record, gather, {folder_, about_, *prepared_.store, moved, watch, group_});
    return outcome ? conclude(record, *outcome) : status_of(record);
  }

  /// Claims the run folder, and leaves a record there that says "incomplete" until the end. In process 0 only.
  Status begin(const checkpointing::RunRequest& request, const gates::Report& gates) {
    if (!group_.is_process0()) return {};
    if (Status same = check_system(common_, cluster_.members(group_, shares_)); !same) return same;
    results::RunFolderRequest where;
    where.benchmark = options_.benchmark;
    where.model = prepared_.plan.model;
    auto folder = begin_run_folder(common_, where);
    if (!folder) return fail(folder.error());
    folder_ = std::move(*folder);
    about_ = context(folder_, gates);
    return results::write_started(folder_, about_, checkpointing::describe_run(request));
  }

  /// Writes and shows what came out; the process status is the record's first error, or success.
  int conclude(const checkpointing::RunRecord& record, const results::RunOutcome& outcome) const {
    const Status written = results::write_finished(folder_, about_, record, outcome);
    return show_and_finish(common_, folder_, written, outcome,
                           {.json = [&] { return results::record_json(about_, record, outcome); },
                            .tables =
                                [&] {
                                  return results::result_table(record) + results::findings_text(outcome.findings) +
                                         results::no_result_text(about_, record);
                                }});
  }

  const CheckpointingOptions& options_;
  const CommonOptions& common_;
  PreparedCheckpointing prepared_;
  const Stamp invocation_start_;
  const Cluster& cluster_;
  ProcessGroup& group_;
  ProgressDisplay display_;
  std::vector<world::HostShare> shares_;
  std::unique_ptr<gates::FolderClaim> claim_;  // process 0's
  results::RunFolder folder_;                  // process 0's, of the current loop
  results::CheckpointContext about_;
};

}  // namespace

int execute_command(const CheckpointingOptions& options, const CommandContext& context) {
  ProcessGroup& group = context.group;
  prepare_process();
  Cluster cluster;
  if (const auto status = cluster.meet(group)) return *status;
  auto prepared = prepare_checkpointing(options, context.environment);
  if (const auto status = group.check_consensus(all_errors(context, prepared))) return *status;
  CheckpointingExecution execution(options, std::move(*prepared), context.invocation_start, cluster, group);
  switch (options.which) {
    case CheckpointingCommand::kDatasize:
      return execution.print_sizes();
    case CheckpointingCommand::kConfigview:
      return execution.print_configuration();
    case CheckpointingCommand::kRun:
      break;
  }
  return options.common.dry_run ? execution.print_plan() : execution.run();
}

}  // namespace mlps::cli
