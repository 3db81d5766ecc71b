#include "benchmarks/training/command/prepare.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "benchmarks/training/command/rules.hpp"
#include "benchmarks/training/command/stores.hpp"
#include "benchmarks/training/manifest.hpp"
#include "benchmarks/training/results/files.hpp"
#include "session/execution.hpp"
#include "world/host_facts.hpp"

namespace mlps::cli {
namespace {

using workloads::Override;
using workloads::TrainingWorkload;
using workloads::ValueSource;

/// Without --io-memory, buffers of reads may take up to this part of the host's memory.
constexpr uint64_t kShareForBuffers = 16;

bool user_gave(const ChosenWorkload& chosen, std::string_view key) {
  return std::any_of(chosen.overrides.begin(), chosen.overrides.end(), [&](const Override& change) {
    return change.source == ValueSource::kUserParams && change.key == key;
  });
}

/// Takes apart what a run needs, in the order in which it can be known.
class RunPreparation {
 public:
  RunPreparation(const TrainingOptions& options, const Environment& environment, uint64_t memory_bytes)
      : options_(options),
        environment_(environment),
        memory_bytes_(memory_bytes),
        measures_(options.which == TrainingCommand::kRun) {}

  Prepared<PreparedRun> prepare() {
    if (auto chosen = choose_workload(options_)) {
      prepared_.chosen = std::move(*chosen);
    } else {
      return tl::unexpected(chosen.error());
    }
    if (!workload().train) {
      note(fail(ErrorCode::kConfigIncompatible, "workflow.train=False leaves a run with nothing to do", {},
                fmt::format("leave it out; 'datagen' writes a data set, and checkpoints alone are 'mlpstorage {} "
                            "checkpointing run --model MODEL'",
                            mode_name(options_.common.mode))));
    }
    note(open_data());
    if (!errors_.empty()) return tl::unexpected(errors_);
    note(settle_files());
    judge();
    if (Status status = plan(); !status) errors_.push_back(status.error());
    if (!errors_.empty()) return tl::unexpected(errors_);
    log_notes(workload());
    describe();
    return std::move(prepared_);
  }

 private:
  const TrainingWorkload& workload() const { return prepared_.chosen.workload; }

  void note(const Status& status) {
    if (!status) errors_.push_back(status.error());
  }

  Status open_data() {
    if (options_.data_dir.empty()) return {};
    auto store = open_data_store(options_, workload(), storage::Durability::kEachObject, environment_);
    if (!store) return fail(store.error());
    prepared_.store = std::move(*store);
    return {};
  }

  /// Returns the manifest of the data set, if it has one. Where nothing is measured, a server that doesn't answer is
  /// only a warning.
  Result<std::optional<training::Manifest>> manifest() {
    if (!prepared_.store) return std::nullopt;
    auto found = read_manifest(*prepared_.store);
    if (!found) {
      const bool lenient = !measures_ || options_.common.dry_run || options_.common.skip_validation;
      if (!lenient) return fail(found.error());
      log::warning("the manifest of the data set can't be read: {}", found.error().message);
      return std::nullopt;
    }
    return std::move(*found);
  }

  /// Decides the number of files, and applies the manifest of the data set.
  Status settle_files() {
    const auto found = manifest();
    if (!found) return fail(found.error());
    minimum_ = training::datasize(workload(), datasize_request(options_, memory_bytes_)).files;
    if (Status status = choose_count(*found); !status) return status;
    if (!prepared_.store || !prepared_.store->traits().holds_objects) {
      prepared_.data_seed = training::kDefaultDataSeed;
      return {};
    }
    const bool lenient = options_.common.mode == Mode::kWhatif || options_.common.skip_validation;
    const training::ManifestUse use = training::use_manifest(
        *found, workload(), user_gave(prepared_.chosen, "dataset.num_subfolders_train"), minimum_, lenient);
    for (const std::string& warning : use.warnings) log::warning("{}", warning);
    std::vector<std::string> overridden;
    for (const training::ManifestFinding& finding : use.findings) {
      report(finding);
      if (*found && !finding.is_error) overridden.push_back(finding.code);
    }
    if (*found) {
      const std::string where = prepared_.store->root().join(training::kManifestName).to_string();
      prepared_.manifest_text = results::manifest_snapshot_text(where, overridden, **found, Stamp::now().wall_us);
    }
    prepared_.data_seed = use.seed;
    foreign_ = use.foreign;
    return add_overrides(options_, use.overrides, prepared_.chosen);
  }

  /// Returns advice with the datagen command as it can be typed, where it names one.
  std::string complete(std::string advice) const {
    const std::string form = fmt::format("mlpstorage MODE training {} datagen ...", workload().model);
    const size_t place = advice.find(form);
    if (place != std::string::npos) advice.replace(place, form.size(), datagen_words(options_, environment_));
    return advice;
  }

  void report(const training::ManifestFinding& finding) {
    const std::string message = finding.code + ": " + finding.message;
    if (finding.is_error) {
      errors_.push_back({ErrorCode::kConfigIncompatible, message, {}, complete(finding.suggestion)});
    } else {
      log::warning("{}", message);
    }
  }

  Status choose_count(const std::optional<training::Manifest>& manifest) {
    if (user_gave(prepared_.chosen, "dataset.num_files_train")) {
      prepared_.details.file_count_is = "as given";
      return {};
    }
    if (!options_.workload_file.empty() && workload().values.contains("dataset.num_files_train")) {
      prepared_.details.file_count_is = "as in the workload file";
      return {};
    }
    // whatif has no minimum: what is there is what is read.
    const bool enough =
        manifest && (options_.common.mode == Mode::kWhatif || manifest->num_files_train + 1 >= minimum_);
    const uint64_t files = enough ? manifest->num_files_train : minimum_;
    prepared_.details.file_count_is = enough ? "as generated" : "the rules' minimum";
    log::status("dataset.num_files_train={}: {}", files, prepared_.details.file_count_is);
    return add_overrides(options_, {{"dataset.num_files_train", std::to_string(files), ValueSource::kTool}},
                         prepared_.chosen);
  }

  void judge() {
    std::vector<Override> given;
    for (const Override& change : prepared_.chosen.overrides) {
      if (change.source == ValueSource::kUserParams) given.push_back(change);
    }
    TrainingRulesOutcome outcome = judge_training(
        options_, {workloads::judge_params(options_.model, given), workload().dataset.num_files_train, minimum_});
    prepared_.details.division = outcome.division;
    for (const std::string& warning : outcome.warnings) log::warning("{}", warning);
    if (!measures_) {
      // configview shows everything, and what would stop the run.
      for (const Error& error : outcome.errors) log::warning("a run would be refused: {}", error.message);
      return;
    }
    std::move(outcome.errors.begin(), outcome.errors.end(), std::back_inserter(errors_));
  }

  void warn_of_what_is_never_due() const {
    const training::RunPlan& plan = prepared_.plan;
    const auto warn = [&](const char* asked, std::string due) {
      log::warning("{}=True has no effect: {} epochs of {} steps end before that is due ({})", asked, plan.epochs,
                   plan.steps_per_epoch, due);
    };
    const auto& saving = workload().checkpointing;
    if (workload().checkpoint && plan.checkpoints.empty()) {
      warn("workflow.checkpoint",
           saving.steps_between_checkpoints
               ? fmt::format("checkpoint.steps_between_checkpoints={}", *saving.steps_between_checkpoints)
               : fmt::format("checkpoint.checkpoint_after_epoch={}", saving.checkpoint_after_epoch));
    }
    if (workload().evaluation && plan.eval_epochs.empty()) {
      warn("workflow.evaluation", fmt::format("evaluation.eval_after_epoch={}", workload().eval.eval_after_epoch));
    }
  }

  Status plan() {
    auto plan = training::make_run_plan(workload(), options_.processes);
    if (!plan) return fail(plan.error());
    prepared_.plan = std::move(*plan);
    warn_of_what_is_never_due();
    auto files = make_files(workload(), prepared_.data_seed, options_.io_part_bytes.value_or(storage::kPartBytes));
    if (!files) return fail(files.error());
    prepared_.files = std::move(*files);
    if (!prepared_.store) return {};
    if (Status status = take_files_as_found(); !status) return status;
    auto request = io_limits<training::ReadRequest>(options_, prepared_.store->traits());
    request.read_ahead_bytes = options_.read_ahead_bytes;
    request.verify = options_.verify;
    request.hosts = options_.num_client_hosts;
    if (options_.io_memory_is_default) request.spare_bytes = world::memory_of_host().total / kShareForBuffers;
    prepared_.read_request = request;
    const auto reads =
        training::plan_reads(workload(), prepared_.plan, *prepared_.files.train, *prepared_.store, request);
    if (!reads) return fail(reads.error());
    prepared_.reads = *reads;
    for (const std::string& remark : reads->remarks) log::warning("{}", remark);
    if (prepared_.plan.checkpoints.empty()) return {};
    const bool folder_given = user_gave(prepared_.chosen, "checkpoint.checkpoint_folder");
    auto checkpoints = open_checkpoint_store(options_, workload(), folder_given, *prepared_.store, environment_);
    if (!checkpoints) return fail(checkpoints.error());
    prepared_.checkpoints = std::move(*checkpoints);
    prepared_.own_checkpoint_folder = !folder_given;
    return {};
  }

  /// Replaces the files by those of another program that are there. Its sizes are asked for where the files will be
  /// read; other commands take the nominal ones. Without a manifest, --verify says that the set is this program's.
  Status take_files_as_found() {
    if (!foreign_ || (options_.verify && prepared_.manifest_text.empty())) return {};
    if (options_.verify) {
      return fail(ErrorCode::kConfigIncompatible,
                  "--verify: the data set was made by another program, so what its files hold isn't known", {},
                  "leave out --verify; the files are read as they are");
    }
    if (!measures_ || options_.common.dry_run) {
      log::status("the data set is another program's: a run takes the sizes of its files from the store");
      return {};
    }
    auto files = files_as_found(prepared_.files, workload(), options_.io_part_bytes.value_or(storage::kPartBytes),
                                *prepared_.store);
    if (!files) return fail(files.error());
    if (*files) prepared_.files = std::move(**files);
    return {};
  }

  void describe() {
    results::TrainingDetails& details = prepared_.details;
    if (prepared_.store) describe_data(*prepared_.store, prepared_.data_seed, prepared_.chosen, details);
    details.mode = mode_name(options_.common.mode);
    details.verify = options_.verify;
    details.injected_fault = options_.inject_fault;
    if (prepared_.checkpoints) details.checkpoints = prepared_.checkpoints->root().to_string();
  }

  const TrainingOptions& options_;
  const Environment& environment_;
  const uint64_t memory_bytes_;
  const bool measures_;
  PreparedRun prepared_;
  uint64_t minimum_ = 0;
  bool foreign_ = false;  // the data set is not of this program
  std::vector<Error> errors_;
};

}  // namespace

training::DatasizeRequest datasize_request(const TrainingOptions& options, uint64_t memory_bytes) {
  training::DatasizeRequest request;
  request.accelerators = options.processes;
  request.hosts = options.num_client_hosts;
  request.client_host_memory_gib = options.client_host_memory_gib;
  request.measured_memory_bytes = memory_bytes;
  return request;
}

void log_notes(const TrainingWorkload& workload) {
  for (const std::string& warning : workload.warnings) log::warning("{}", warning);
  for (const std::string& note : workload.notes) {
    const auto value = workload.values.find(note.substr(0, note.find('=')));
    const bool is_of_file =
        value != workload.values.end() && value->second.source == workloads::ValueSource::kWorkloadFile;
    // What nobody typed is nobody's mistake.
    log::write(is_of_file ? LogLevel::kVerbose : LogLevel::kInfo, "workload: " + note);
  }
}

void describe_data(const storage::Store& store, uint64_t seed, ChosenWorkload& chosen,
                   results::TrainingDetails& details) {
  details.location = store.root().to_string();
  details.store_settings = store.describe();
  details.data_seed = seed;
  add_storage_values(store, chosen.workload);
}

Prepared<PreparedRun> prepare_run(const TrainingOptions& options, const Environment& environment,
                                  uint64_t memory_bytes) {
  return RunPreparation(options, environment, memory_bytes).prepare();
}

}  // namespace mlps::cli
