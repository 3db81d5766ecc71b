#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/environment.hpp"
#include "benchmarks/training/command/options.hpp"
#include "benchmarks/training/dataset.hpp"
#include "benchmarks/training/plan.hpp"
#include "benchmarks/training/results/views.hpp"
#include "benchmarks/training/run.hpp"
#include "formats/format.hpp"
#include "storage/store.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::cli {

template <class T>
using Prepared = tl::expected<T, std::vector<Error>>;

/// Returns the error of a result as a list.
template <class T>
tl::unexpected<std::vector<Error>> failed(const Result<T>& result) {
  return tl::unexpected(std::vector<Error>{result.error()});
}

/// Holds a workload with the overrides that made it.
struct ChosenWorkload {
  std::vector<workloads::Override> overrides;  ///< the user's and the tool's, in the order applied
  workloads::TrainingWorkload workload;
};
/// Returns the built-in definition or that of --workload-file, with --params applied.
Prepared<ChosenWorkload> choose_workload(const TrainingOptions& options);

/// Applies further overrides, of the tool, after those there are.
Status add_overrides(const TrainingOptions& options, const std::vector<workloads::Override>& more,
                     ChosenWorkload& chosen);

/// Logs what the definition says to its user, and what of the user's has no effect.
void log_notes(const workloads::TrainingWorkload& workload);

/// Returns the question that datasize answers, and with it the least number of files. `memory_bytes` is the measured
/// memory of all hosts.
training::DatasizeRequest datasize_request(const TrainingOptions& options, uint64_t memory_bytes);

/// Describes the data folder in the plan, and among the values of the result files.
void describe_data(const storage::Store& store, uint64_t seed, ChosenWorkload& chosen,
                   results::TrainingDetails& details);

/// Returns the datagen command for the data folder of these options, complete but for --params.
std::string datagen_words(const TrainingOptions& options, const Environment& environment);

/// Holds the files of a data set. They refer to the format, which keeps its address when this is moved.
struct DataFiles {
  std::unique_ptr<formats::Format> format;
  std::unique_ptr<training::Dataset> train, eval;
};

Result<DataFiles> make_files(const workloads::TrainingWorkload& workload, uint64_t seed, uint64_t part_bytes);

/// Returns the files of a data set that another program made, named as `names` says, with the sizes that the store has;
/// nothing if no file is there. Blocks: every k-th file is asked for, and all of them if these differ in size. Says
/// what was found.
Result<std::optional<DataFiles>> files_as_found(const DataFiles& names, const workloads::TrainingWorkload& workload,
                                                uint64_t part_bytes, storage::Store& store);

/// Holds a run in which everything is decided; of the storage, only the manifest of the data set was read.
struct PreparedRun {
  ChosenWorkload chosen;
  std::string manifest_text;  ///< datagen-manifest.json of the run folder; empty where the data set has none
  uint64_t data_seed = 0;
  DataFiles files;
  std::unique_ptr<storage::Store> store;        ///< configview without --data-dir: nothing
  std::unique_ptr<storage::Store> checkpoints;  ///< nothing unless the plan saves any
  bool own_checkpoint_folder = false;           ///< the folder of `checkpoints` is not one that the user gave
  training::RunPlan plan;
  training::ReadRequest read_request;       ///< that `reads` are planned by
  std::optional<training::ReadPlan> reads;  ///< as store
  results::TrainingDetails details;
};
/// Prepares run and configview. Objections to the run are errors for run, and warnings for configview. `memory_bytes`
/// is the measured memory of all hosts.
Prepared<PreparedRun> prepare_run(const TrainingOptions& options, const Environment& environment,
                                  uint64_t memory_bytes);

}  // namespace mlps::cli
