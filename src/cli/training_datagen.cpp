#include <algorithm>

#include "cli/training_execute.hpp"
#include "cli/version.hpp"
#include "gates/gates.hpp"
#include "training/generate.hpp"
#include "training/manifest.hpp"
#include "world/transport.hpp"

namespace mlps::cli {
namespace {

// The data folder is `<data-dir>/<model>`, and --data-dir may be new, too.
constexpr uint32_t kNewFolders = 2;

class DatagenExecution {
 public:
  DatagenExecution(const TrainingCall& call, PreparedDatagen prepared)
      : call_(call), options_(call.options), prepared_(std::move(prepared)) {}

  int run() {
    const auto destination = training::inspect_destination(
        *prepared_.store, training::shape_text(prepared_.chosen.workload, prepared_.seed));
    if (!destination) return report_failures({destination.error()});
    const gates::Report gates = check_gates(*destination);
    if (const auto status = report_gates(gates)) return *status;

    world::LocalTransport transport;
    const InterruptWatch::Attachment attachment(call_.interrupts, transport.failure());
    const auto folder = begin_training_folder(options_);
    if (!folder) return report_failures({folder.error()});
    results::RunContext about = training_context(options_, prepared_.chosen, *folder);
    about.separation = gates.separation;
    const training::GenerateRequest request = request_for(*folder, *destination);
    const std::string plan = results::plan_table(prepared_.plan, prepared_.details);
    const training::GenerateRecord begun = training::describe_generation(request);
    if (auto status = results::write_started(*folder, about, begun, plan); !status) {
      return report_failures({status.error()});
    }
    HostWatch watch(options_);
    return conclude(options_, *folder, about, training::generate(request, transport), plan, *prepared_.store, watch);
  }

 private:
  /// What is still to be written, as far as the journal knows.
  uint64_t missing_bytes(const training::DestinationState& destination) const {
    const results::DatagenPlan& plan = prepared_.plan;
    if (destination.kind == training::DestinationState::Kind::kComplete || plan.files == 0) return 0;
    const uint64_t missing = plan.files - std::min(destination.whole_files, plan.files);
    return static_cast<uint64_t>(static_cast<double>(plan.bytes) * static_cast<double>(missing) /
                                 static_cast<double>(plan.files));
  }

  gates::Report check_gates(const training::DestinationState& destination) const {
    gates::Request request;
    request.store = prepared_.store.get();
    request.folder_word = "data folder";
    request.new_folders = kNewFolders;
    request.bytes_to_write = missing_bytes(destination);
    request.results_dir = options_.common.results_dir;
    request.separation_is_warning = options_.common.skip_fs_separation_gate;
    request.buffer_bytes = prepared_.plan.writes.buffer_bytes();
    request.budget_bytes = prepared_.plan.writes.budget_bytes;
    return gates::run_gates(request);
  }

  training::GenerateRequest request_for(const results::RunFolder& folder,
                                        const training::DestinationState& destination) {
    const workloads::TrainingWorkload& workload = prepared_.chosen.workload;
    training::GenerateRequest request;
    request.model = options_.model;
    request.train = prepared_.files.train.get();
    request.eval = prepared_.files.eval.get();
    request.store = prepared_.store.get();
    request.writes = prepared_.plan.writes;
    request.manifest = training::make_manifest(workload, prepared_.seed, std::string(version_text()), folder.path,
                                               Stamp::now().wall_us);
    request.destination = destination;
    request.index_files =
        workload.dataset.format == workloads::DataFormat::kTfrecord && prepared_.store->traits().file_system;
    request.injected_fault = options_.inject_fault;
    request.invocation_start = call_.invocation_start;
    if (!options_.common.quiet) {
      request.on_progress = [this](const training::GenerateProgress& progress) {
        display_.show(training::progress_line(progress));
      };
    }
    return request;
  }

  const TrainingCall& call_;
  const TrainingOptions& options_;
  PreparedDatagen prepared_;
  ProgressDisplay display_;
};

}  // namespace

int execute_datagen(const TrainingCall& call, PreparedDatagen prepared) {
  return DatagenExecution(call, std::move(prepared)).run();
}

}  // namespace mlps::cli
