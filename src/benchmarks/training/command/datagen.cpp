#include <algorithm>

#include "base/log.hpp"
#include "base/version.hpp"
#include "benchmarks/training/command/execute.hpp"
#include "benchmarks/training/command/stores.hpp"
#include "benchmarks/training/gather_record.hpp"
#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/manifest.hpp"
#include "gates/claim.hpp"
#include "gates/gates.hpp"
#include "run/lost_uploads.hpp"
#include "session/placement.hpp"

namespace mlps::cli {
namespace {

// The data folder is `<data-dir>/<model>`, and --data-dir may be new, too.
constexpr uint32_t kFoldersOfDatagen = 2;

struct PreparedDatagen {
  ChosenWorkload chosen;
  uint64_t seed = 0;
  DataFiles files;
  std::unique_ptr<storage::Store> store;  // opened, nothing sent
  results::DatagenPlan plan;
  results::TrainingDetails details;
};

results::DatagenPlan datagen_plan(const TrainingOptions& options, const PreparedDatagen& prepared,
                                  const training::WritePlan& writes) {
  const training::Dataset& train = *prepared.files.train;
  const training::Dataset& eval = *prepared.files.eval;
  results::DatagenPlan plan;
  plan.model = options.model;
  plan.format = workloads::format_name(prepared.chosen.workload.dataset.format);
  plan.files = train.files() + eval.files();
  plan.eval_files = eval.files();
  plan.samples_per_file = train.samples_per_file();
  plan.bytes = train.expected_bytes() + eval.expected_bytes();
  plan.sizes_vary = train.sizes_vary();
  plan.processes = options.processes;
  plan.writes = writes;
  return plan;
}

// `hosts` is the number of processes among which the generators are spread.
Prepared<PreparedDatagen> prepare_datagen(const TrainingOptions& options, const Environment& environment,
                                          uint32_t hosts) {
  auto chosen = choose_workload(options);
  if (!chosen) return tl::unexpected(chosen.error());
  log_notes(chosen->workload);
  PreparedDatagen prepared;
  prepared.chosen = std::move(*chosen);
  prepared.seed = options.seed.value_or(training::kDefaultDataSeed);
  const workloads::TrainingWorkload& workload = prepared.chosen.workload;
  auto store = open_data_store(options, workload, storage::Durability::kOnFlush, environment);
  if (!store) return failed(store);
  prepared.store = std::move(*store);
  auto files = make_files(workload, prepared.seed, options.io_part_bytes.value_or(storage::kPartBytes));
  if (!files) return failed(files);
  prepared.files = std::move(*files);

  auto request = io_limits<training::WriteRequest>(options, prepared.store->traits());
  request.processes = options.processes;
  request.hosts = hosts;
  const auto writes = training::plan_writes(*prepared.files.train, *prepared.files.eval, *prepared.store, request);
  if (!writes) return failed(writes);
  prepared.plan = datagen_plan(options, prepared, *writes);
  prepared.details.mode = mode_name(options.common.mode);
  prepared.details.injected_fault = options.inject_fault;
  describe_data(*prepared.store, prepared.seed, prepared.chosen, prepared.details);
  return prepared;
}

class DatagenExecution {
 public:
  DatagenExecution(const TrainingCall& call, PreparedDatagen prepared)
      : call_(call), options_(call.options), group_(call.group), prepared_(std::move(prepared)) {}

  int run() {
    world::Transport& transport = group_.transport();
    auto shares = place_ranks(options_, ranks_of(options_), transport.members());
    const std::string shape = training::shape_text(prepared_.chosen.workload, prepared_.seed);
    if (const auto status = group_.check_consensus(
            errors_of(shares), {{"the data set", shape}, {"the data folder", prepared_.details.location}}))
      return *status;
    shares_ = std::move(*shares);
    // What another run is writing there is nothing to go by.
    if (const auto status = group_.check_consensus(errors_of(claim_folder(false)))) return *status;
    if (const auto status = find_destination(shape)) return *status;
    const Result<gates::Report> gates = check_gates();
    if (const auto status = report_gates(gates)) return *status;
    if (missing_bytes() > 0) {
      if (const auto status = group_.check_consensus(errors_of(claim_folder(true)))) return *status;
      if (const auto status = find_destination(shape)) return *status;
    }

    const InterruptWatch::Attachment attachment(group_.interrupts(), transport.failure());
    if (const auto status = group_.check_consensus(errors_of(begin(*gates)))) return *status;
    group_.share_warnings(true);
    HostWatch watch(options_, transport.failure());
    training::GenerateRecord record = training::generate(request_, transport);
    warn(run::abort_all_uploads_after_loss(transport, *prepared_.store).warning());
    const world::MovedBytes moved{0, record.stats.bytes};  // by this process alone, before it gathers
    const auto gather = [&] { (void)run::gather_record(record, transport); };
    const auto outcome = end_run(record, gather, {folder_, about_, *prepared_.store, moved, watch, group_});
    return outcome ? conclude(options_, folder_, about_, record, plan_text(), *outcome) : status_of(record);
  }

 private:
  /// Makes process 0 look at the data folder, and gives every process what it has found.
  std::optional<int> find_destination(const std::string& shape) {
    Result<training::DestinationState> found;
    if (group_.is_process0()) found = training::inspect_destination(*prepared_.store, shape);
    if (const auto status = group_.check_consensus(errors_of(found))) return status;
    world::Bytes bytes = encode(*found);
    if (const auto status = group_.broadcast(bytes)) return status;
    found = training::decode_destination(bytes);
    if (const auto status = group_.check_consensus(errors_of(found))) return status;
    destination_ = *found;
    return std::nullopt;
  }

  // Process 0 claims the folder for all, or only sees that nobody has.
  Status claim_folder(bool writes) {
    if (!group_.is_process0()) return {};
    return gates::claim_folder(*prepared_.store, writes, command_text(options_), group_.transport().failure(), claim_);
  }

  std::string plan_text() const { return results::plan_table(prepared_.plan, prepared_.details); }

  /// Makes the request of this process; in process 0 also the run folder, with a record that says "incomplete" until
  /// the end.
  Status begin(const gates::Report& gates) {
    if (group_.is_process0()) {
      auto folder = begin_training_folder(options_);
      if (!folder) return fail(folder.error());
      folder_ = std::move(*folder);
    }
    make_request();
    if (!group_.is_process0()) return {};
    about_ = training_context(options_, prepared_.chosen, folder_, call_.cluster.members(group_, shares_));
    about_.separation = gates.separation;
    return results::write_started(folder_, about_, training::describe_generation(request_), plan_text());
  }

  /// Returns how many files are still to be written, as far as the journal knows.
  uint64_t missing_files() const {
    if (destination_.kind == training::DestinationState::Kind::kComplete) return 0;
    return prepared_.plan.files - std::min(destination_.whole_files, prepared_.plan.files);
  }
  uint64_t missing_bytes() const {
    const results::DatagenPlan& plan = prepared_.plan;
    if (plan.files == 0) return 0;
    return static_cast<uint64_t>(static_cast<double>(plan.bytes) * static_cast<double>(missing_files()) /
                                 static_cast<double>(plan.files));
  }
  bool has_index_files() const {
    return prepared_.chosen.workload.dataset.format == workloads::DataFormat::kTfrecord &&
           prepared_.store->traits().file_system;
  }

  Result<gates::Report> check_gates() const {
    gates::Request request;
    request.store = prepared_.store.get();
    request.folder_word = "data folder";
    request.new_folders = kFoldersOfDatagen;
    request.bytes_to_write = missing_bytes();
    request.files_to_write = missing_files() * (has_index_files() ? 2 : 1);
    request.largest_object_bytes = std::max(training::largest_file_bytes(*prepared_.files.train),
                                            training::largest_file_bytes(*prepared_.files.eval));
    request.wanted_part_bytes = options_.io_part_bytes;
    request.results_dir = options_.common.results_dir;
    request.separation_is_warning = options_.common.skip_fs_separation_gate;
    request.buffer_bytes = prepared_.plan.writes.buffer_bytes();
    return gates::run_gates(request, group_.transport());
  }

  void make_request() {
    const workloads::TrainingWorkload& workload = prepared_.chosen.workload;
    request_.model = options_.model;
    request_.train = prepared_.files.train.get();
    request_.eval = prepared_.files.eval.get();
    request_.store = prepared_.store.get();
    request_.writes = prepared_.plan.writes;
    request_.manifest = training::make_manifest(workload, prepared_.seed, std::string(version_text()), folder_.path,
                                                Stamp::now().wall_us);
    request_.destination = destination_;
    request_.index_files = has_index_files();
    request_.verify = options_.verify;
    if (options_.verify && group_.is_process0() && destination_.kind == training::DestinationState::Kind::kEmpty) {
      log::warning(
          "--verify has no effect: nothing is there yet; the same command reads afterwards what is written now");
    }
    request_.injected_fault = options_.inject_fault;
    request_.invocation_start = call_.context.invocation_start;
    if (!options_.common.quiet && group_.is_process0()) {
      request_.on_progress = [this](const training::GenerateProgress& progress) {
        display_.show(training::progress_line(progress));
      };
    }
  }

  const TrainingCall& call_;
  const TrainingOptions& options_;
  ProcessGroup& group_;
  PreparedDatagen prepared_;
  ProgressDisplay display_;
  std::vector<world::HostShare> shares_;
  training::DestinationState destination_;
  training::GenerateRequest request_;
  std::unique_ptr<gates::FolderClaim> claim_;  // process 0's
  results::RunFolder folder_;                  // process 0's
  results::RunContext about_;
};

}  // namespace

int execute_datagen(const TrainingCall& call) {
  const TrainingOptions& options = call.options;
  auto prepared = prepare_datagen(options, call.context.environment, call.group.transport().size());
  if (const auto status = call.group.check_consensus(all_errors(call.context, prepared))) return *status;
  if (call.group.is_process0() && shows_plan(options.common)) {
    print(options.common.json ? results::plan_json(prepared->plan, prepared->details)
                              : results::plan_table(prepared->plan, prepared->details));
  }
  return options.common.dry_run ? kExitSuccess : DatagenExecution(call, std::move(*prepared)).run();
}

}  // namespace mlps::cli
