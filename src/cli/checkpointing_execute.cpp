#include "cli/checkpointing_execute.hpp"

#include <algorithm>

#include "checkpointing/progress.hpp"
#include "checkpointing/run.hpp"
#include "cli/checkpointing_prepare.hpp"
#include "cli/execution.hpp"
#include "cli/host_watch.hpp"
#include "cli/interrupt.hpp"
#include "cli/options_json.hpp"
#include "gates/gates.hpp"
#include "results/checkpoint_files.hpp"
#include "results/checkpoint_views.hpp"
#include "results/findings.hpp"

namespace mlps::cli {
namespace {

class CheckpointingExecution {
 public:
  CheckpointingExecution(const CheckpointingOptions& options, PreparedCheckpointing prepared, Stamp invocation_start,
                         InterruptWatch& interrupts)
      : options_(options),
        common_(options.common),
        prepared_(std::move(prepared)),
        invocation_start_(invocation_start),
        interrupts_(interrupts) {}

  int print_plan() const {
    const auto& [overrides, workload, plan, store, io, details] = prepared_;
    print(common_.json ? results::plan_json(workload, plan, io, details)
                       : results::plan_table(workload, plan, io, details));
    return kExitSuccess;
  }

  int print_configuration() const {
    if (!common_.json) print(configuration_text(prepared_.workload.values));
    return print_plan();
  }

  int run() {
    if (!common_.json && !common_.quiet) print_plan();
    const gates::Report gates = check_gates();
    if (const auto status = report_gates(gates)) return *status;
    return repeat(common_, [&] { return run_once(gates); });
  }

 private:
  gates::Report check_gates() const {
    gates::Request request;
    request.store = prepared_.store.get();
    request.model_folder = prepared_.plan.model;
    request.bytes_to_write = prepared_.plan.bytes_to_write();
    request.results_dir = common_.results_dir;
    request.separation_is_warning = common_.skip_fs_separation_gate;
    request.buffer_bytes = options_.payload == PayloadChoice::kNone ? 0 : prepared_.io->buffer_bytes();
    request.budget_bytes = prepared_.io->budget_bytes;
    return gates::run_gates(request);
  }

  checkpointing::RunRequest run_request() {
    checkpointing::RunRequest request;
    request.plan = prepared_.plan;
    request.io = *prepared_.io;
    request.store = prepared_.store.get();
    request.payload = *prepared_.details.payload;
    request.verify = options_.verify;
    request.seed_is_given = options_.seed.has_value();
    request.seed = options_.seed ? *options_.seed : random_seed();
    request.injected_fault = options_.inject_fault;
    request.invocation_start = invocation_start_;
    if (!common_.quiet)
      request.on_progress = [this](const checkpointing::Progress& progress) {
        display_.show(checkpointing::progress_line(progress));
      };
    return request;
  }

  results::CheckpointContext context(const results::RunFolder& folder, const gates::Report& gates) const {
    results::CheckpointContext context;
    fill_context(options_, prepared_.plan.processes, folder, gates.separation, context);
    context.args_json = options_json(options_);
    context.workload = prepared_.workload;
    context.workload_name = options_.model;
    std::replace(context.workload_name.begin(), context.workload_name.end(), '-', '_');
    context.values = prepared_.workload.values;
    context.overrides = prepared_.overrides;
    if (common_.mode == Mode::kClosed) context.verification = "CLOSED";
    if (common_.mode == Mode::kOpen) context.verification = "OPEN";
    return context;
  }

  int run_once(const gates::Report& gates) {
    world::World world(prepared_.plan.processes);
    const InterruptWatch::Attachment attachment(interrupts_, world.failure());
    results::RunFolderRequest where;
    where.model = prepared_.plan.model;
    const auto folder = begin_run_folder(common_, where);
    if (!folder) return report_failures({folder.error()});

    const results::CheckpointContext about = context(*folder, gates);
    const checkpointing::RunRequest request = run_request();
    if (auto status = results::write_started(*folder, about, checkpointing::describe_run(request)); !status) {
      return report_failures({status.error()});
    }
    HostWatch watch(options_);
    const checkpointing::RunRecord record = checkpointing::run(request, world);
    log::progress("");
    return conclude(*folder, about, record, watch);
  }

  /// Writes and shows what came out; the process status is the record's first error, or success.
  int conclude(const results::RunFolder& folder, const results::CheckpointContext& about,
               const checkpointing::RunRecord& record, HostWatch& watch) const {
    const bool passed = record.verdict == checkpointing::Verdict::kPassed;
    const world::MovedBytes moved{record.read.bytes, record.write.bytes};
    world::LocalTransport alone;
    const results::RunOutcome outcome =
        outcome_of(record.error, watch.finish(folder, about, passed, *prepared_.store, moved, alone));
    const Status written = results::write_finished(folder, about, record, outcome);
    print(common_.json ? results::record_json(about, record, outcome)
                       : results::result_table(record) + results::findings_text(outcome.findings));
    return finish(folder, written, outcome);
  }

  const CheckpointingOptions& options_;
  const CommonOptions& common_;
  PreparedCheckpointing prepared_;
  const Stamp invocation_start_;
  InterruptWatch& interrupts_;
  ProgressDisplay display_;
};

}  // namespace

int execute_checkpointing(const CheckpointingOptions& options, const Environment& environment,
                          const Stamp& invocation_start) {
  prepare_process();
  InterruptWatch interrupts;
  auto prepared = prepare_checkpointing(options, environment);
  if (!prepared) return report_failures(prepared.error());
  CheckpointingExecution execution(options, std::move(*prepared), invocation_start, interrupts);
  switch (options.command) {
    case CheckpointingCommand::kDatasize:
      return execution.print_plan();
    case CheckpointingCommand::kConfigview:
      return execution.print_configuration();
    case CheckpointingCommand::kRun:
      break;
  }
  return options.common.dry_run ? execution.print_plan() : execution.run();
}

}  // namespace mlps::cli
