#include "cli/training_execute.hpp"
#include "gates/gates.hpp"
#include "training/run.hpp"
#include "world/world.hpp"

namespace mlps::cli {
namespace {

// "checkpoints/<model>", both of them new.
constexpr uint32_t kNewFolders = 2;

class TrainingExecution {
 public:
  TrainingExecution(const TrainingCall& call, PreparedRun prepared)
      : call_(call), options_(call.options), prepared_(std::move(prepared)) {}

  int run() {
    const Result<gates::Report> gates = check_gates();
    if (const auto status = report_gates(gates)) return *status;
    if (const auto status = check_checkpoint_folder()) return *status;
    return repeat(options_.common, [&] { return run_once(*gates); });
  }

 private:
  Result<gates::Report> check_gates() const {
    gates::Request request;
    request.store = prepared_.store.get();
    request.folder_word = "data folder";
    request.results_dir = options_.common.results_dir;
    request.separation_is_warning = options_.common.skip_fs_separation_gate;
    request.buffer_bytes = prepared_.reads->buffer_bytes();
    request.budget_bytes = prepared_.reads->budget_bytes;
    world::LocalTransport transport;
    return gates::run_gates(request, transport);
  }

  std::optional<int> check_checkpoint_folder() const {
    if (!prepared_.checkpoints) return std::nullopt;
    gates::Request request;
    request.store = prepared_.checkpoints.get();
    request.new_folders = kNewFolders;
    request.looks_at_job = false;  // with the data folder, it did
    request.bytes_to_write = prepared_.plan.checkpoints.size() * prepared_.chosen.workload.checkpointing.model_bytes;
    world::LocalTransport transport;
    return report_gates(gates::run_gates(request, transport));
  }

  // The files that are read are there, in their sizes.
  Status check_files(world::World& world) const {
    const uint64_t interval = prepared_.chosen.workload.dataset.listing_validation_interval;
    Status status = training::check_files(*prepared_.files.train, interval, *prepared_.store, world.failure());
    if (!status || prepared_.plan.eval_epochs.empty()) return status;
    return training::check_files(*prepared_.files.eval, interval, *prepared_.store, world.failure());
  }

  training::RunRequest request_for(const results::RunFolder& folder) {
    training::RunRequest request;
    request.workload = prepared_.chosen.workload;
    request.plan = prepared_.plan;
    request.reads = *prepared_.reads;
    request.train = prepared_.files.train.get();
    request.eval = prepared_.plan.eval_epochs.empty() ? nullptr : prepared_.files.eval.get();
    request.store = prepared_.store.get();
    request.checkpoints = prepared_.checkpoints.get();
    request.verify = options_.verify;
    request.run_seed = options_.seed ? *options_.seed : random_seed();
    request.eviction_limit_s = options_.drop_caches_timeout_s;
    request.scratch_folder = folder.path;
    request.injected_fault = options_.inject_fault;
    request.invocation_start = call_.invocation_start;
    if (!options_.common.quiet) {
      request.on_progress = [this](const training::Progress& progress) {
        display_.show(training::progress_line(progress));
      };
    }
    return request;
  }

  int run_once(const gates::Report& gates) {
    world::World world(prepared_.plan.accelerators);
    const InterruptWatch::Attachment attachment(call_.interrupts, world.failure());
    if (auto status = check_files(world); !status) return report_failures({status.error()});
    const auto folder = begin_training_folder(options_);
    if (!folder) return report_failures({folder.error()});
    results::RunContext about = training_context(options_, prepared_.chosen, *folder);
    about.separation = gates.separation;
    about.verification = prepared_.details.division;
    const training::RunRequest request = request_for(*folder);
    const std::string plan =
        results::plan_table(prepared_.chosen.workload, prepared_.plan, prepared_.reads, prepared_.details);
    const training::RunRecord begun = training::describe_run(request);
    if (auto status = results::write_started(*folder, about, begun, plan, prepared_.manifest_text); !status) {
      return report_failures({status.error()});
    }
    HostWatch watch(options_);
    return conclude(options_, *folder, about, training::run(request, world), plan, *prepared_.store, watch);
  }

  const TrainingCall& call_;
  const TrainingOptions& options_;
  PreparedRun prepared_;
  ProgressDisplay display_;
};

}  // namespace

int execute_run(const TrainingCall& call, PreparedRun prepared) {
  return TrainingExecution(call, std::move(prepared)).run();
}

}  // namespace mlps::cli
