#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fields.hpp"
#include "benchmarks/training/dataset.hpp"
#include "benchmarks/training/permutation.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::training {

/// Constants of the rules of MLPerf Storage 3.0 for the size of a data set.
inline constexpr uint64_t kMinStepsPerEpoch = 500;
inline constexpr uint64_t kMemoryMultiple = 5;
inline constexpr uint64_t kFilesPerSubfolder = 10'000;

struct DatasizeRequest {
  uint32_t accelerators = 0;
  uint32_t hosts = 1;
  double client_host_memory_gib = 0;   ///< declared, per host
  uint64_t measured_memory_bytes = 0;  ///< of all hosts; 0: not measured. The larger of both counts
};

/// Holds the smallest data set the rules allow, and which of the two lower bounds decided.
struct Datasize {
  uint64_t memory_bytes = 0;     ///< client memory of all hosts
  double file_bytes = 0;         ///< mean size of a file
  uint64_t files_by_memory = 0;  ///< for kMemoryMultiple times the memory
  uint64_t files_by_steps = 0;   ///< for kMinStepsPerEpoch steps of every accelerator
  uint64_t files = 0;
  uint64_t total_bytes = 0;
  uint64_t advised_subfolders = 0;  ///< 0: none advised (up to 10,000 files)
  bool memory_ruled() const { return files_by_memory > files_by_steps; }
};
Datasize datasize(const workloads::TrainingWorkload& workload, const DatasizeRequest& request);

/// Returns the file at each position of a rank's epoch. Every file of the set stands at exactly one (rank, position);
/// ranks get equal shares, the first files() mod ranks of them one more.
class EpochOrder {
 public:
  /// `key` as epoch_key() gives it; shuffle off: rank r reads r, r + ranks, ...
  EpochOrder(uint64_t files, uint32_t ranks, workloads::Shuffle shuffle, uint64_t key);
  uint64_t file(uint32_t rank, uint64_t position) const {
    const uint64_t global = position * ranks_ + rank;
    return shuffled_ ? permutation_(global) : global;
  }
  uint64_t files_of(uint32_t rank) const { return files_ / ranks_ + (rank < files_ % ranks_ ? 1 : 0); }

 private:
  uint64_t files_;
  uint32_t ranks_;
  bool shuffled_;
  Permutation permutation_;
};
/// Returns the seed of the order of one epoch (from 1): train.seed, changed per epoch unless seed_change_epoch is off;
/// for `random`, mixed with `run_seed`, which the record keeps.
uint64_t epoch_key(const workloads::TrainingWorkload& workload, FileSet set, uint32_t epoch, uint64_t run_seed);

/// Returns the seed of the order of the samples in their files (reader.sample_shuffle); nothing if it is off.
std::optional<uint64_t> sample_key(const workloads::TrainingWorkload& workload, FileSet set, uint32_t epoch,
                                   uint64_t run_seed);

/// Describes exactly what a run does; the same plan is printed and carried out. Pure data.
struct RunPlan {
  uint32_t accelerators = 0;
  uint32_t epochs = 0;
  uint64_t files = 0;
  uint64_t samples_per_file = 1;
  uint64_t batch_size = 1;
  uint64_t steps_per_epoch = 0;  ///< min over ranks of floor(samples of the rank / batch), total_training_steps applied
  uint64_t samples_unread = 0;   ///< per epoch: in no full batch of any rank (drop_last), never read
  uint64_t eval_files = 0;
  uint64_t eval_batch_size = 1;
  uint64_t eval_steps = 0;
  std::vector<uint32_t> eval_epochs;  ///< epochs followed by an evaluation
  struct Checkpoint {
    uint32_t epoch = 0;
    uint64_t step = 0;        ///< of the epoch, after which it is saved; ends the block
    uint64_t named_step = 0;  ///< in the name of its folder: DLIO counts one on at the end of an epoch

    std::string folder() const;  ///< "global_epoch1_step5", in the checkpoint folder
    std::string object() const { return folder() + "/model_states-0.pt"; }
  };
  std::vector<Checkpoint> checkpoints;  ///< in order; empty unless workflow.checkpoint
  double nominal_bytes_per_epoch = 0;   ///< steps x batch x accelerators x record_bytes
};
constexpr auto fields_of(Of<RunPlan::Checkpoint>) {
  using C = RunPlan::Checkpoint;
  return std::tuple(kept("epoch", &C::epoch), kept("step", &C::step), kept("named_step", &C::named_step));
}
static_assert(lists_every_member<RunPlan::Checkpoint>());
/// Processes that carry out the same plan have the same pack of it.
constexpr auto fields_of(Of<RunPlan>) {
  return std::tuple(kept("accelerators", &RunPlan::accelerators), kept("epochs", &RunPlan::epochs),
                    kept("num_files_train", &RunPlan::files), kept("num_samples_per_file", &RunPlan::samples_per_file),
                    kept("batch_size", &RunPlan::batch_size), kept("steps_per_epoch", &RunPlan::steps_per_epoch),
                    kept("samples_unread_per_epoch", &RunPlan::samples_unread),
                    kept("nominal_bytes_per_epoch", &RunPlan::nominal_bytes_per_epoch),
                    kept("num_files_eval", &RunPlan::eval_files), kept("eval_batch_size", &RunPlan::eval_batch_size),
                    kept("eval_steps", &RunPlan::eval_steps), kept("eval_epochs", &RunPlan::eval_epochs),
                    kept("checkpoints", &RunPlan::checkpoints));
}
static_assert(lists_every_member<RunPlan>());
/// Plans a run. Fails with E102 where nothing can run: no full batch for some rank (with the number of files that would
/// do), more steps asked for than the data hold, no step that counts in AU.
Result<RunPlan> make_run_plan(const workloads::TrainingWorkload& workload, uint32_t accelerators);

}  // namespace mlps::training
