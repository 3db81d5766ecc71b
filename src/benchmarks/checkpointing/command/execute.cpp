#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/numbers.hpp"
#include "base/units.hpp"
#include "benchmarks/checkpointing/command/options.hpp"
#include "benchmarks/checkpointing/command/prepare.hpp"
#include "benchmarks/checkpointing/gather_record.hpp"
#include "benchmarks/checkpointing/metrics.hpp"
#include "benchmarks/checkpointing/results/class_keys.hpp"
#include "benchmarks/checkpointing/results/files.hpp"
#include "benchmarks/checkpointing/results/views.hpp"
#include "benchmarks/checkpointing/run.hpp"
#include "benchmarks/checkpointing/stored_checkpoints.hpp"
#include "run/written_objects.hpp"
#include "session/measured_run.hpp"

namespace mlps::cli {
namespace {

// "<checkpoint folder>/<model>", both of them new.
constexpr uint32_t kFoldersOfRun = 2;

class CheckpointingExecution final : public MeasuredRun<checkpointing::RunRecord, results::CheckpointContext> {
 public:
  CheckpointingExecution(const CheckpointingOptions& options, PreparedCheckpointing prepared, Stamp invocation_start,
                         const Cluster& cluster, ProcessGroup& group)
      : MeasuredRun(options, cluster, group),
        options_(options),
        prepared_(std::move(prepared)),
        invocation_start_(invocation_start) {}

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

 private:
  RankDemand ranks() const override { return ranks_of(options_); }
  storage::Store& store() const override { return *prepared_.store; }

  gates::Request gate_request() const override {
    gates::Request request;
    request.new_folders = kFoldersOfRun;
    request.bytes_to_write = prepared_.plan.bytes_to_write();
    request.files_to_write = prepared_.plan.checkpoints_to_write * prepared_.plan.objects_per_checkpoint;
    for (const checkpointing::RankPlan& rank : prepared_.plan.ranks) {
      for (const checkpointing::PlannedObject& object : rank.objects) {
        request.largest_object_bytes = std::max(request.largest_object_bytes, object.size_bytes);
      }
    }
    request.bytes_in_place = [this] { return bytes_in_place(); };
    request.buffer_bytes = options_.payload == checkpointing::PayloadMode::kNone ? 0 : prepared_.io->buffer_bytes();
    return request;
  }

  Status claim_folders() override { return claim(*prepared_.store, prepared_.plan.checkpoints_to_write > 0); }

  void settle_what_was_written(bool whole) override {
    const checkpointing::CheckpointPlan& plan = written_plan_ ? *written_plan_ : prepared_.plan;
    if (plan.checkpoints_to_write == 0 && options_.cleanup)
      log::warning("--cleanup has no effect: nothing was written");
    if (plan.checkpoints_to_write == 0 || !prepared_.store->traits().holds_objects) return;
    const std::string where = prepared_.store->root().to_string();
    run::Written written;
    written.what =
        fmt::format("{}, {}, {} in {}", counted(plan.checkpoints_to_write, "checkpoint"),
                    counted(static_cast<double>(plan.checkpoints_to_write * plan.objects_per_checkpoint), "object"),
                    human_bytes(plan.bytes_to_write()), where);
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

  // The objects of every rank, where they are, and how they are made.
  std::vector<PlanPart> agreed_plan() const override {
    return {{"the workload", packed_values(prepared_.workload.values)},
            {"the objects of the ranks", world::pack("plan", prepared_.plan)},
            {"the checkpoint folder", prepared_.details.location},
            {"the payload", world::pack("payload", std::pair(*prepared_.details.payload, options_.verify))}};
  }

  std::optional<int> prepare_run(world::World& /*world*/) override {
    seed_ = options_.seed ? *options_.seed : random_seed();
    return group_.broadcast(seed_);
  }

  void make_request() override {
    request_ = {};
    checkpointing::RunRequest& request = request_;
    request.plan = prepared_.plan;
    request.io = *prepared_.io;
    request.store = prepared_.store.get();
    request.payload = *prepared_.details.payload;
    request.verify = options_.verify;
    request.seed_is_given = options_.seed.has_value();
    request.seed = seed_;
    request.injected_fault = options_.inject_fault;
    request.invocation_start = invocation_start_;
    request.on_progress = shows_progress(options_);
    if (options_.early_end.is_wanted()) {
      request.ends_early = [this](const checkpointing::RunRecord& record, checkpointing::Phase phase) {
        return ends_early(record, phase);
      };
    }
  }

  /// Process 0 decides for all, by its own clock and the rates of its own ranks.
  Result<run::EndedBy> ends_early(const checkpointing::RunRecord& record, checkpointing::Phase phase) const {
    auto ended = static_cast<uint64_t>(run::EndedBy::kPlan);
    if (group_.is_process0()) {
      const std::vector<double> rates = checkpointing::rates_of(record, phase);
      const bool half = phase == checkpointing::Phase::kWrite && record.plan.checkpoints_to_read > 0;
      const double seconds = to_seconds(now_ns() - record.run_start.monotonic_ns);
      ended = static_cast<uint64_t>(options_.early_end.judge(rates, half ? 2 * seconds : seconds));
    }
    if (group_.broadcast(ended)) return fail(*group_.transport().failure().first());
    return static_cast<run::EndedBy>(ended);
  }

  results::RunFolderRequest folder_request() const override {
    results::RunFolderRequest where;
    where.benchmark = options_.benchmark;
    where.model = prepared_.plan.model;
    return where;
  }

  results::CheckpointContext describe() const override {
    results::CheckpointContext about;
    fill_about(prepared_.plan.processes, about);
    about.class_keys = &results::kCheckpointClass;
    about.workload = prepared_.workload;
    about.workload_name = prepared_.workload.file_name;
    about.values = prepared_.workload.values;
    about.overrides = prepared_.overrides;
    about.verification = verification();
    if (options_.payload == checkpointing::PayloadMode::kNone) {
      about.no_result_because.emplace_back("--payload none: the objects have no content");
    }
    if (options_.size_scale != 1) {
      about.no_result_because.push_back(
          fmt::format("--size-scale {}: the checkpoints are not those of the model", options_.size_scale));
    }
    return about;
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

  checkpointing::RunRecord measure(world::World& world) override {
    checkpointing::RunRecord record = checkpointing::run(request_, world);
    // Of several loops the longest counts: they write to the same names.
    if (!written_plan_ || record.plan.checkpoints_to_write > written_plan_->checkpoints_to_write) {
      written_plan_ = record.plan;
    }
    if (options_.early_end.until_stable && !record.error) warn_if_too_short(record);
    return record;
  }

  void warn_if_too_short(const checkpointing::RunRecord& record) const {
    const auto warn = [](const char* phase, uint32_t planned, run::EndedBy ended_by) {
      if (planned == 0 || ended_by == run::EndedBy::kStable) return;
      log::warning(
          "--until-stable: too short: the rates of the last {}s are not steady; take more by "
          "--num-checkpoints-{}",
          phase, phase);
    };
    warn("write", record.plan.checkpoints_to_write, record.write_ended_by);
    // No more can be read than was written.
    if (record.plan.checkpoints_to_write == 0) warn("read", record.plan.checkpoints_to_read, record.read_ended_by);
  }

  run::LostUploads abort_lost_uploads() override {
    return checkpointing::abort_uploads_of_lost(prepared_.plan, shares(), group_.transport(), *prepared_.store);
  }

  world::MovedBytes moved(const checkpointing::RunRecord& record) const override {
    return {record.read.bytes, record.write.bytes};
  }

  Status write_started(const results::CheckpointContext& about) override {
    return results::write_started(folder_, about, checkpointing::describe_run(request_));
  }
  Status write_finished(const results::CheckpointContext& about, const checkpointing::RunRecord& record,
                        const results::RunOutcome& outcome) override {
    return results::write_finished(folder_, about, record, outcome);
  }
  std::string json(const results::CheckpointContext& about, const checkpointing::RunRecord& record,
                   const results::RunOutcome& outcome) const override {
    return results::record_json(about, record, outcome);
  }
  std::string table(const checkpointing::RunRecord& record) const override { return results::result_table(record); }

  const CheckpointingOptions& options_;
  PreparedCheckpointing prepared_;
  const Stamp invocation_start_;
  uint64_t seed_ = 0;
  std::optional<checkpointing::CheckpointPlan> written_plan_;  // of what was written, in all loops
  checkpointing::RunRequest request_;                          // of the current loop
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
  const int status = shows_plan(options.common) ? execution.print_plan() : kExitSuccess;
  return options.common.dry_run || status != kExitSuccess ? status : execution.run();
}

}  // namespace mlps::cli
