#include "benchmarks/training/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "payload/mix.hpp"

namespace mlps::training {
namespace {

using workloads::Shuffle;
using workloads::TrainingWorkload;

// Far above any real run; keep a slip of the keyboard from overflowing a product or filling memory with a schedule.
constexpr uint32_t kMostAccelerators = 1'000'000;
constexpr uint64_t kMostCheckpoints = 1'000'000;

constexpr uint64_t ceil_div(uint64_t a, uint64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

// A memory size typed with a few digits too many must not overflow.
uint64_t whole(double value) {
  constexpr double kLimit = 9e18;
  return value < kLimit ? static_cast<uint64_t>(value) : static_cast<uint64_t>(kLimit);
}

/// Full batches of the rank with the fewest samples.
uint64_t steps_of(uint64_t files, uint64_t samples_per_file, uint64_t batch, uint32_t ranks) {
  return files / ranks * samples_per_file / batch;
}

/// Files for so many steps on every rank.
uint64_t files_for(uint64_t steps, uint64_t samples_per_file, uint64_t batch, uint32_t ranks) {
  return ranks * ceil_div(steps * batch, samples_per_file);
}

/// Steps of a block that AU leaves out.
uint64_t excluded_steps(const TrainingWorkload& workload) {
  return uint64_t{workload.metric.exclude_start_steps} + workload.metric.exclude_end_steps;
}

tl::unexpected<Error> no_step(std::string_view key, uint64_t files, uint64_t samples_per_file, uint64_t batch,
                              uint32_t ranks, uint64_t steps) {
  return fail(ErrorCode::kConfigInvalid,
              fmt::format("{}={}: with {} accelerators some get no full batch of {} samples", key, files, ranks, batch),
              fmt::format("dataset.num_samples_per_file={}, files per accelerator {}", samples_per_file, files / ranks),
              fmt::format("{} files would do for {} steps each; `datasize` says how many the rules ask for",
                          files_for(steps, samples_per_file, batch, ranks), steps));
}

/// Fails where every block is so short that no step of it counts: such a run would measure nothing.
Status check_window(const TrainingWorkload& workload, const RunPlan& plan) {
  const uint64_t excluded = excluded_steps(workload);
  uint64_t longest = 0, begun = 0;
  uint32_t epoch = 0;
  for (const RunPlan::Checkpoint& checkpoint : plan.checkpoints) {
    if (checkpoint.epoch != epoch) begun = 0;
    epoch = checkpoint.epoch;
    longest = std::max(longest, checkpoint.step - begun);
    begun = checkpoint.step;
  }
  const bool whole_epochs = plan.checkpoints.empty() || plan.checkpoints.back().epoch < plan.epochs;
  longest = std::max(longest, whole_epochs ? plan.steps_per_epoch : plan.steps_per_epoch - begun);
  if (longest > excluded) return {};
  const uint64_t files = files_for(excluded + 1, plan.samples_per_file, plan.batch_size, plan.accelerators);
  return fail(
      ErrorCode::kConfigInvalid,
      fmt::format("every step is left out of the measurement: {} steps at a time, of which the first {} and the "
                  "last {} don't count",
                  longest, workload.metric.exclude_start_steps, workload.metric.exclude_end_steps),
      fmt::format("dataset.num_files_train={}, {} steps per epoch", plan.files, plan.steps_per_epoch),
      plan.steps_per_epoch > longest
          ? fmt::format("save less often: checkpoint.steps_between_checkpoints={} or more", excluded + 1)
      : plan.files < files ? fmt::format("{} files would do for {} steps per epoch", files, excluded + 1)
                           : fmt::format("ask for {} steps per epoch or more", excluded + 1));
}

Status plan_steps(const TrainingWorkload& workload, RunPlan& plan) {
  const uint64_t steps = steps_of(plan.files, plan.samples_per_file, plan.batch_size, plan.accelerators);
  if (steps == 0) {
    return no_step("dataset.num_files_train", plan.files, plan.samples_per_file, plan.batch_size, plan.accelerators,
                   excluded_steps(workload) + 1);
  }
  plan.steps_per_epoch = steps;
  if (const auto wanted = workload.training.total_training_steps) {
    if (*wanted > steps) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("train.total_training_steps={}, but the data hold only {} steps", *wanted, steps),
                  fmt::format("dataset.num_files_train={}, reader.batch_size={}, {} accelerators", plan.files,
                              plan.batch_size, plan.accelerators),
                  "ask for fewer steps, or generate more files");
    }
    plan.steps_per_epoch = *wanted;
  }
  const uint64_t read = plan.steps_per_epoch * plan.batch_size * plan.accelerators;
  plan.samples_unread = plan.files * plan.samples_per_file - read;
  plan.nominal_bytes_per_epoch = static_cast<double>(read) * workload.dataset.record_bytes;
  return {};
}

Status plan_evaluation(const TrainingWorkload& workload, RunPlan& plan) {
  plan.eval_batch_size = workload.reader.batch_size_eval;
  if (!workload.evaluation) return {};
  plan.eval_files = workload.dataset.num_files_eval;
  plan.eval_steps = steps_of(plan.eval_files, plan.samples_per_file, plan.eval_batch_size, plan.accelerators);
  if (plan.eval_steps == 0) {
    return no_step("workflow.evaluation=True and dataset.num_files_eval", plan.eval_files, plan.samples_per_file,
                   plan.eval_batch_size, plan.accelerators, excluded_steps(workload) + 1);
  }
  for (uint64_t epoch = workload.eval.eval_after_epoch; epoch <= plan.epochs;
       epoch += workload.eval.epochs_between_evals) {
    plan.eval_epochs.push_back(static_cast<uint32_t>(epoch));
  }
  return {};
}

// By steps where those are given, else at the ends of epochs.
Status plan_checkpoints(const TrainingWorkload& workload, RunPlan& plan) {
  if (!workload.checkpoint) return {};
  const auto& settings = workload.checkpointing;
  const uint64_t between = settings.steps_between_checkpoints.value_or(plan.steps_per_epoch);
  if (plan.steps_per_epoch / between > kMostCheckpoints / plan.epochs) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("checkpoint.steps_between_checkpoints={} makes more than {} checkpoints of {} epochs of {} "
                            "steps",
                            between, kMostCheckpoints, plan.epochs, plan.steps_per_epoch),
                {}, "save less often");
  }
  if (settings.steps_between_checkpoints) {
    for (uint32_t epoch = 1; epoch <= plan.epochs; ++epoch) {
      for (uint64_t step = between; step <= plan.steps_per_epoch; step += between) {
        plan.checkpoints.push_back({epoch, step, step});
      }
    }
    return {};
  }
  for (uint64_t epoch = settings.checkpoint_after_epoch; epoch <= plan.epochs;
       epoch += settings.epochs_between_checkpoints) {
    plan.checkpoints.push_back({static_cast<uint32_t>(epoch), plan.steps_per_epoch, plan.steps_per_epoch + 1});
  }
  return {};
}

uint64_t key_of(const TrainingWorkload& workload, Shuffle shuffle, FileSet set, uint32_t epoch, uint64_t run_seed) {
  uint64_t key = payload::mix64(workload.training.seed * 2 + (set == FileSet::kEval ? 1 : 0));
  if (shuffle == Shuffle::kRandom) key = payload::mix64(key ^ payload::mix64(run_seed + 1));
  if (workload.training.seed_change_epoch) key = payload::mix64(key + epoch);
  return key;
}

}  // namespace

Datasize datasize(const TrainingWorkload& workload, const DatasizeRequest& request) {
  Datasize size;
  const double declared = request.client_host_memory_gib * request.hosts * 0x1p30;
  size.memory_bytes = std::max(whole(std::max(declared, 0.0)), request.measured_memory_bytes);
  const uint64_t samples = workload.dataset.num_samples_per_file;
  size.file_bytes = static_cast<double>(samples) * workload.dataset.record_bytes;
  size.files_by_memory =
      whole(std::ceil(static_cast<double>(kMemoryMultiple) * static_cast<double>(size.memory_bytes) / size.file_bytes));
  size.files_by_steps = ceil_div(kMinStepsPerEpoch * request.accelerators * workload.reader.batch_size, samples);
  size.files = std::max(size.files_by_memory, size.files_by_steps);
  size.total_bytes = whole(static_cast<double>(size.files) * size.file_bytes);
  // One subfolder would spread nothing: two at least.
  if (size.files > kFilesPerSubfolder) {
    size.advised_subfolders = std::max<uint64_t>(2, size.files / kFilesPerSubfolder);
  }
  return size;
}

std::string RunPlan::Checkpoint::folder() const {
  return fmt::format("global_epoch{}_step{}", epoch, named_step);
}

EpochOrder::EpochOrder(uint64_t files, uint32_t ranks, Shuffle shuffle, uint64_t key)
    : files_(files), ranks_(ranks), shuffled_(shuffle != Shuffle::kOff), permutation_(files, key) {}

uint64_t epoch_key(const TrainingWorkload& workload, FileSet set, uint32_t epoch, uint64_t run_seed) {
  return key_of(workload, workload.reader.file_shuffle, set, epoch, run_seed);
}

std::optional<uint64_t> sample_key(const TrainingWorkload& workload, FileSet set, uint32_t epoch, uint64_t run_seed) {
  if (workload.reader.sample_shuffle == Shuffle::kOff) return std::nullopt;
  return payload::mix64(~key_of(workload, workload.reader.sample_shuffle, set, epoch, run_seed));
}

Result<RunPlan> make_run_plan(const TrainingWorkload& workload, uint32_t accelerators) {
  if (accelerators == 0 || accelerators > kMostAccelerators) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("--num-accelerators {} is not legal", accelerators), {},
                fmt::format("give 1 to {}", kMostAccelerators));
  }
  RunPlan plan;
  plan.accelerators = accelerators;
  plan.epochs = workload.training.epochs;
  plan.files = workload.dataset.num_files_train;
  plan.samples_per_file = workload.dataset.num_samples_per_file;
  plan.batch_size = workload.reader.batch_size;
  if (Status done = plan_steps(workload, plan); !done) return fail(done.error());
  if (Status done = plan_evaluation(workload, plan); !done) return fail(done.error());
  if (Status done = plan_checkpoints(workload, plan); !done) return fail(done.error());
  if (Status measures = check_window(workload, plan); !measures) return fail(measures.error());
  return plan;
}

}  // namespace mlps::training
