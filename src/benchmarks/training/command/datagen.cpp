#include <algorithm>

#include "base/log.hpp"
#include "base/version.hpp"
#include "benchmarks/training/command/execute.hpp"
#include "benchmarks/training/command/stores.hpp"
#include "benchmarks/training/gather_record.hpp"
#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/manifest.hpp"

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

class DatagenExecution final : public TrainingSteps<training::GenerateRecord> {
 public:
  DatagenExecution(const TrainingCall& call, PreparedDatagen prepared)
      : TrainingSteps(call),
        prepared_(std::move(prepared)),
        shape_(training::shape_text(prepared_.chosen.workload, prepared_.seed)) {}

 private:
  storage::Store& store() const override { return *prepared_.store; }
  bool repeats() const override { return false; }
  bool checks_system() const override { return false; }  // other hosts may generate than those that are measured

  std::vector<PlanPart> agreed_plan() const override {
    return {{"the data set", shape_}, {"the data folder", prepared_.details.location}};
  }

  // What another run is writing there is nothing to go by.
  std::optional<int> before_gates() override {
    if (const auto status = group_.check_consensus(errors_of(claim_for_all(false)))) return status;
    return find_destination();
  }

  std::optional<int> after_gates() override {
    if (missing_bytes() == 0) return std::nullopt;
    if (const auto status = group_.check_consensus(errors_of(claim_for_all(true)))) return status;
    return find_destination();
  }

  Status claim_folders() override { return {}; }  // is done, where anything is missing
  Status claim_for_all(bool writes) { return group_.is_process0() ? claim(*prepared_.store, writes) : Status(); }

  /// Makes process 0 look at the data folder, and gives every process what it has found.
  std::optional<int> find_destination() {
    Result<training::DestinationState> found;
    if (group_.is_process0()) found = training::inspect_destination(*prepared_.store, shape_);
    if (const auto status = group_.check_consensus(errors_of(found))) return status;
    world::Bytes bytes = encode(*found);
    if (const auto status = group_.broadcast(bytes)) return status;
    found = training::decode_destination(bytes);
    if (const auto status = group_.check_consensus(errors_of(found))) return status;
    destination_ = *found;
    return std::nullopt;
  }

  std::string plan_text() const override { return results::plan_table(prepared_.plan, prepared_.details); }

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

  gates::Request gate_request() const override {
    gates::Request request;
    request.folder_word = "data folder";
    request.new_folders = kFoldersOfDatagen;
    request.bytes_to_write = missing_bytes();
    request.files_to_write = missing_files() * (has_index_files() ? 2 : 1);
    request.largest_object_bytes = std::max(training::largest_file_bytes(*prepared_.files.train),
                                            training::largest_file_bytes(*prepared_.files.eval));
    request.buffer_bytes = prepared_.plan.writes.buffer_bytes();
    return request;
  }

  void make_request() override {
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
    request_.on_progress = shows_progress(options_);
  }

  results::RunContext describe() const override {
    results::RunContext about;
    fill_about(options_.processes, about);
    add_training(options_, prepared_.chosen, about);
    return about;
  }

  training::GenerateRecord measure(world::World& /*world*/) override {
    return training::generate(request_, group_.transport());
  }

  world::MovedBytes moved(const training::GenerateRecord& record) const override { return {0, record.stats.bytes}; }

  Status write_started(const results::RunContext& about) override {
    return results::write_started(folder_, about, training::describe_generation(request_), plan_text());
  }

  PreparedDatagen prepared_;
  const std::string shape_;
  training::DestinationState destination_;
  training::GenerateRequest request_;
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
