#include "benchmarks/training/run.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/units.hpp"
#include "benchmarks/training/check_files.hpp"
#include "benchmarks/training/command/execute.hpp"
#include "benchmarks/training/gather_record.hpp"
#include "gates/claim.hpp"
#include "gates/gates.hpp"
#include "run/lost_uploads.hpp"
#include "run/written_objects.hpp"
#include "session/placement.hpp"
#include "world/world.hpp"

namespace mlps::cli {
namespace {

// "checkpoints/<model>", both of them new.
constexpr uint32_t kFoldersOfRun = 2;

class TrainingExecution {
 public:
  TrainingExecution(const TrainingCall& call, PreparedRun prepared)
      : call_(call), options_(call.options), group_(call.group), prepared_(std::move(prepared)) {}

  int run() {
    auto shares = place_ranks(options_, ranks_of(options_), group_.transport().members());
    if (const auto status = group_.check_consensus(errors_of(shares), agreed_plan())) return *status;
    shares_ = std::move(*shares);
    const Result<gates::Report> gates = check_gates();
    if (const auto status = report_gates(gates)) return *status;
    if (const auto status = check_checkpoint_folder()) return *status;
    if (const auto status = group_.check_consensus(errors_of(claim_folders()))) return *status;
    const int status = repeat(options_.common, [&] { return run_once(*gates); });
    if (group_.is_process0()) settle_checkpoints(status == kExitSuccess);
    return status;
  }

 private:
  Result<gates::Report> check_gates() const {
    gates::Request request;
    request.store = prepared_.store.get();
    request.folder_word = "data folder";
    request.results_dir = options_.common.results_dir;
    request.separation_is_warning = options_.common.skip_fs_separation_gate;
    request.buffer_bytes = prepared_.reads->buffer_bytes();
    return gates::run_gates(request, group_.transport());
  }

  // Only process 0 saves checkpoints.
  std::optional<int> check_checkpoint_folder() {
    if (!prepared_.checkpoints) return std::nullopt;
    uint64_t status = kExitSuccess;
    if (group_.is_process0()) {
      gates::Request request;
      request.store = prepared_.checkpoints.get();
      request.new_folders = prepared_.own_checkpoint_folder ? kFoldersOfRun : 1;
      request.checks_job = false;  // checked with the data folder
      request.bytes_to_write = checkpoint_bytes();
      request.files_to_write = prepared_.plan.checkpoints.size();
      request.largest_object_bytes = prepared_.chosen.workload.checkpointing.model_bytes;
      request.wanted_part_bytes = options_.io_part_bytes;
      request.bytes_in_place = [this] { return bytes_in_place(); };
      world::LocalTransport alone;
      const auto failed = report_gates(gates::run_gates(request, alone));
      status = static_cast<uint64_t>(failed.value_or(kExitSuccess));
    }
    if (const auto ended = group_.broadcast(status)) return ended;
    return status == kExitSuccess ? std::nullopt : std::optional(static_cast<int>(status));
  }

  uint64_t checkpoint_bytes() const {
    return prepared_.plan.checkpoints.size() * prepared_.chosen.workload.checkpointing.model_bytes;
  }

  /// Returns the objects of a checkpoint; process 0 saves one.
  std::vector<storage::ObjectInfo> objects_of(const training::RunPlan::Checkpoint& checkpoint) const {
    return {{checkpoint.object(), prepared_.chosen.workload.checkpointing.model_bytes}};
  }

  Result<uint64_t> bytes_in_place() const {
    const auto session = prepared_.checkpoints->open_session(1);
    if (!session) return fail(session.error());
    uint64_t bytes = 0;
    for (const training::RunPlan::Checkpoint& checkpoint : prepared_.plan.checkpoints) {
      const auto more = run::bytes_in_place(checkpoint.folder(), objects_of(checkpoint), **session);
      if (!more) return fail(more.error());
      bytes += *more;
    }
    return bytes;
  }

  /// Removes the checkpoints that this run has saved, if it is to, or says that they stay. In process 0, when all have
  /// ended their part.
  void settle_checkpoints(bool whole) const {
    if (!prepared_.checkpoints && options_.cleanup) log::warning("--cleanup has no effect: no checkpoint was saved");
    if (!prepared_.checkpoints || !prepared_.checkpoints->traits().holds_objects) return;
    run::Written written;
    written.what = fmt::format("{} checkpoints, {} in {}", prepared_.plan.checkpoints.size(),
                               human_bytes(checkpoint_bytes()), prepared_.checkpoints->root().to_string());
    written.whole = whole;
    if (prepared_.checkpoints->traits().file_system) written.bytes_in_place = [this] { return bytes_in_place(); };
    written.remove = [this]() -> Status {
      const auto session = prepared_.checkpoints->open_session(1);
      if (!session) return fail(session.error());
      Status status;
      for (const training::RunPlan::Checkpoint& checkpoint : prepared_.plan.checkpoints) {
        Status removed =
            run::remove_objects(checkpoint.folder(), objects_of(checkpoint), **session, *prepared_.checkpoints);
        if (status && !removed) status = std::move(removed);
      }
      return status;
    };
    run::settle_written(options_.cleanup, written);
  }

  // Process 0 makes sure for all that nobody is writing the data, and claims the checkpoint folder.
  Status claim_folders() {
    if (!group_.is_process0()) return {};
    if (Status free = gates::look_for_claims(*prepared_.store); !free) return free;
    if (!prepared_.checkpoints) return {};
    return gates::claim_folder(*prepared_.checkpoints, true, command_text(options_), group_.transport().failure(),
                               claim_);
  }

  std::string plan_text() const {
    return results::plan_table(prepared_.chosen.workload, prepared_.plan, prepared_.reads, prepared_.details);
  }

  /// Returns what the processes must have alike: the order of all reads follows from it.
  std::vector<PlanPart> agreed_plan() const {
    return {{"the workload", packed_values(prepared_.chosen.workload.values)},
            {"files, steps and epochs", world::pack("plan", prepared_.plan)},
            {"the seed of the data set", world::pack("seed", prepared_.data_seed)},
            {"the data folder", prepared_.details.location},
            {"the checkpoint folder", prepared_.details.checkpoints}};
  }

  // Checks that the files to be read are there, in their sizes. Process 0 asks for all.
  Status check_files(world::World& world) const {
    if (!group_.is_process0()) return {};
    const std::optional<uint64_t> interval = prepared_.chosen.workload.dataset.listing_validation_interval;
    Status status = training::check_files(*prepared_.files.train, interval, *prepared_.store, world.failure());
    if (!status || prepared_.plan.eval_epochs.empty()) return status;
    return training::check_files(*prepared_.files.eval, interval, *prepared_.store, world.failure());
  }

  training::RunRequest request_for(uint64_t run_seed) {
    training::RunRequest request;
    request.workload = prepared_.chosen.workload;
    request.plan = prepared_.plan;
    request.reads = *prepared_.reads;
    request.train = prepared_.files.train.get();
    request.eval = prepared_.plan.eval_epochs.empty() ? nullptr : prepared_.files.eval.get();
    request.store = prepared_.store.get();
    request.checkpoints = prepared_.checkpoints.get();
    request.verify = options_.verify;
    request.run_seed = run_seed;
    request.eviction_limit_s = options_.drop_caches_timeout_s;
    request.scratch_folder = group_.is_process0() ? folder_.path : std::filesystem::temp_directory_path().string();
    request.injected_fault = options_.inject_fault;
    request.invocation_start = call_.context.invocation_start;
    if (!options_.common.quiet && group_.is_process0()) {
      request.on_progress = [this](const training::Progress& progress) {
        display_.show(group_.host_prefix() + training::progress_line(progress));
      };
    }
    return request;
  }

  int run_once(const gates::Report& gates) {
    world::World world(group_.ranks_of(shares_), group_.transport().failure());
    const InterruptWatch::Attachment attachment(group_.interrupts(), world.failure());
    if (const auto status = group_.check_consensus(errors_of(check_files(world)))) return *status;
    uint64_t run_seed = options_.seed ? *options_.seed : random_seed();
    if (const auto status = group_.broadcast(run_seed)) return *status;
    if (const auto status = group_.check_consensus(errors_of(claim_folder()))) return *status;
    const training::RunRequest request = request_for(run_seed);
    if (const auto status = group_.check_consensus(errors_of(begin(request, gates)))) return *status;
    group_.share_warnings(true);
    HostWatch watch(options_, world.failure());
    training::RunRecord record = training::run(request, world);
    // Only process 0 saves checkpoints; the folder is this run's.
    if (prepared_.checkpoints && !group_.is_process0()) {
      warn(run::abort_all_uploads_after_loss(group_.transport(), *prepared_.checkpoints).warning());
    }
    // By this process alone, before it gathers; the checkpoints go to another folder.
    const world::MovedBytes moved{record.stats.bytes, 0};
    const auto gather = [&] { (void)training::gather_record(record, group_.transport(), request.scratch_folder); };
    const auto outcome = end_run(record, gather, {folder_, about_, *prepared_.store, moved, watch, group_});
    return outcome ? conclude(options_, folder_, about_, record, plan_text(), *outcome) : status_of(record);
  }

  /// Claims the run folder, in process 0.
  Status claim_folder() {
    if (!group_.is_process0()) return {};
    if (Status same = check_system(options_.common, call_.cluster.members(group_, shares_)); !same) return same;
    auto folder = begin_training_folder(options_);
    if (!folder) return fail(folder.error());
    folder_ = std::move(*folder);
    return {};
  }

  /// Leaves a record in the run folder that says "incomplete" until the end. In process 0 only.
  Status begin(const training::RunRequest& request, const gates::Report& gates) {
    if (!group_.is_process0()) return {};
    about_ = training_context(options_, prepared_.chosen, folder_, call_.cluster.members(group_, shares_));
    about_.separation = gates.separation;
    about_.manifest_snapshot = prepared_.manifest_text;
    about_.verification = prepared_.details.division;
    return results::write_started(folder_, about_, training::describe_run(request), plan_text());
  }

  const TrainingCall& call_;
  const TrainingOptions& options_;
  ProcessGroup& group_;
  PreparedRun prepared_;
  ProgressDisplay display_;
  std::vector<world::HostShare> shares_;
  std::unique_ptr<gates::FolderClaim> claim_;  // process 0's, of the checkpoint folder
  results::RunFolder folder_;                  // process 0's, of the current loop
  results::RunContext about_;
};

}  // namespace

int execute_run(const TrainingCall& call) {
  const TrainingOptions& options = call.options;
  auto prepared = prepare_run(options, call.context.environment, call.cluster.memory_bytes());
  if (const auto status = call.group.check_consensus(all_errors(call.context, prepared))) return *status;
  const bool runs = options.which == TrainingCommand::kRun && !options.common.dry_run;
  const workloads::TrainingWorkload& workload = prepared->chosen.workload;
  if (options.which == TrainingCommand::kConfigview && !options.common.json) print(configuration_text(workload.values));
  if (call.group.is_process0() && (!runs || shows_plan(options.common))) {
    print(options.common.json ? results::plan_json(workload, prepared->plan, prepared->reads, prepared->details)
                              : results::plan_table(workload, prepared->plan, prepared->reads, prepared->details));
  }
  return runs ? TrainingExecution(call, std::move(*prepared)).run() : kExitSuccess;
}

}  // namespace mlps::cli
