#include "benchmarks/training/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/numbers.hpp"
#include "base/units.hpp"
#include "benchmarks/training/check_files.hpp"
#include "benchmarks/training/command/execute.hpp"
#include "benchmarks/training/gather_record.hpp"
#include "gates/gates.hpp"
#include "run/early_end.hpp"
#include "run/written_objects.hpp"
#include "world/world.hpp"

namespace mlps::cli {
namespace {

// "checkpoints/<model>", both of them new.
constexpr uint32_t kFoldersOfRun = 2;

class TrainingExecution final : public TrainingSteps<training::RunRecord> {
 public:
  TrainingExecution(const TrainingCall& call, PreparedRun prepared)
      : TrainingSteps(call), prepared_(std::move(prepared)) {}

 private:
  storage::Store& store() const override { return *prepared_.store; }

  gates::Request gate_request() const override {
    gates::Request request;
    request.folder_word = "data folder";
    request.buffer_bytes = prepared_.reads->buffer_bytes();
    return request;
  }

  // Only process 0 saves checkpoints.
  std::optional<int> after_gates() override {
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

  void settle_what_was_written(bool whole) override {
    if (!prepared_.checkpoints && options_.cleanup) log::warning("--cleanup has no effect: no checkpoint was saved");
    if (!prepared_.checkpoints || !prepared_.checkpoints->traits().holds_objects) return;
    run::Written written;
    written.what =
        fmt::format("{}, {} in {}", counted(static_cast<double>(prepared_.plan.checkpoints.size()), "checkpoint"),
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

  // Nobody may be writing the data; what this run writes is its checkpoints.
  Status claim_folders() override {
    if (Status free = gates::look_for_claims(*prepared_.store); !free) return free;
    return prepared_.checkpoints ? claim(*prepared_.checkpoints, true) : Status();
  }

  std::string plan_text() const override {
    return results::plan_table(prepared_.chosen.workload, prepared_.plan, prepared_.reads, prepared_.details);
  }

  // The order of all reads follows from it.
  std::vector<PlanPart> agreed_plan() const override {
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

  std::optional<int> prepare_run(world::World& world) override {
    if (const auto status = group_.check_consensus(errors_of(check_files(world)))) return status;
    run_seed_ = options_.seed ? *options_.seed : random_seed();
    return group_.broadcast(run_seed_);
  }

  void make_request() override {
    request_ = {};
    training::RunRequest& request = request_;
    request.workload = prepared_.chosen.workload;
    request.plan = prepared_.plan;
    request.reads = *prepared_.reads;
    request.train = prepared_.files.train.get();
    request.eval = prepared_.plan.eval_epochs.empty() ? nullptr : prepared_.files.eval.get();
    request.store = prepared_.store.get();
    request.checkpoints = prepared_.checkpoints.get();
    request.verify = options_.verify;
    request.run_seed = run_seed_;
    request.eviction_limit_s = options_.drop_caches_timeout_s;
    request.scratch_folder = group_.is_process0() ? folder_.path : std::filesystem::temp_directory_path().string();
    request.injected_fault = options_.inject_fault;
    request.invocation_start = call_.context.invocation_start;
    request.on_progress = shows_progress(options_);
    if (options_.early_end.is_wanted()) {
      request.ends_early = [this](const training::RunRecord& record) { return ends_early(record); };
    }
  }

  /// Process 0 decides for all, by its own clock and the rates of its own accelerators.
  Result<run::EndedBy> ends_early(const training::RunRecord& record) const {
    auto ended = static_cast<uint64_t>(run::EndedBy::kPlan);
    if (group_.is_process0()) {
      std::vector<double> rates;
      for (const training::Epoch& epoch : record.epochs) rates.push_back(epoch.throughput);
      const double seconds = to_seconds(now_ns() - record.run_start.monotonic_ns);
      ended = static_cast<uint64_t>(options_.early_end.judge(rates, seconds));
    }
    if (group_.broadcast(ended)) return fail(*group_.transport().failure().first());
    return static_cast<run::EndedBy>(ended);
  }

  results::RunContext describe() const override {
    results::RunContext about;
    fill_about(options_.processes, about);
    add_training(options_, prepared_.chosen, about);
    about.manifest_snapshot = prepared_.manifest_text;
    about.verification = prepared_.details.division;
    return about;
  }

  training::RunRecord measure(world::World& world) override {
    training::RunRecord record = training::run(request_, world);
    if (options_.early_end.until_stable && record.ended_by != run::EndedBy::kStable && !record.error) {
      log::warning(
          "--until-stable: too short: the rates of the last {} epochs are not steady; take more by train.epochs",
          std::min(record.epochs.size(), run::kSteadyValues));
    }
    return record;
  }

  // Only process 0 saves checkpoints; the folder is this run's.
  run::LostUploads abort_lost_uploads() override {
    if (!prepared_.checkpoints || group_.is_process0()) return {};
    return run::abort_all_uploads_after_loss(group_.transport(), *prepared_.checkpoints);
  }

  // The checkpoints go to another folder.
  world::MovedBytes moved(const training::RunRecord& record) const override { return {record.stats.bytes, 0}; }

  void gather(training::RunRecord& record) override {
    (void)training::gather_record(record, group_.transport(), request_.scratch_folder);
  }

  Status write_started(const results::RunContext& about) override {
    return results::write_started(folder_, about, training::describe_run(request_), plan_text());
  }

  PreparedRun prepared_;
  uint64_t run_seed_ = 0;
  training::RunRequest request_;  // of the current loop
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
  return runs ? run_prepared(call, std::move(*prepared)) : kExitSuccess;
}

int run_prepared(const TrainingCall& call, PreparedRun prepared,
                 std::function<void(const training::RunRecord&, const std::string& folder)> use) {
  TrainingExecution execution(call, std::move(prepared));
  if (use) execution.use_instead_of_showing(std::move(use));
  return execution.run();
}

}  // namespace mlps::cli
