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

/// Holds a workload with the overrides that made it.
struct ChosenWorkload {
  std::vector<workloads::Override> overrides;  ///< the user's and the tool's, in the order applied
  workloads::TrainingWorkload workload;
};
/// Returns the built-in definition or that of --workload-file, with --params applied.
Result<ChosenWorkload> choose_workload(const TrainingOptions& options);

/// Applies further overrides, of the tool, after those there are.
Status add_overrides(const TrainingOptions& options, const std::vector<workloads::Override>& more,
                     ChosenWorkload& chosen);

/// Holds the files of a data set. They refer to the format, which keeps its address when this is moved.
struct DataFiles {
  std::unique_ptr<formats::Format> format;
  std::unique_ptr<training::Dataset> train, eval;
};

Result<DataFiles> make_files(const workloads::TrainingWorkload& workload, uint64_t seed, uint64_t part_bytes);

struct PreparedDatasize {
  ChosenWorkload chosen;
  results::DatasizeAnswer answer;
};
/// `memory_bytes`, here and below, is the measured memory of all hosts.
Prepared<PreparedDatasize> prepare_datasize(const TrainingOptions& options, const Environment& environment,
                                            uint64_t memory_bytes);

struct PreparedDatagen {
  ChosenWorkload chosen;
  uint64_t seed = 0;
  DataFiles files;
  std::unique_ptr<storage::Store> store;  ///< opened, nothing sent
  results::DatagenPlan plan;
  results::TrainingDetails details;
};
/// Prepares datagen; `hosts` is the number of processes among which the generators are spread.
Prepared<PreparedDatagen> prepare_datagen(const TrainingOptions& options, const Environment& environment,
                                          uint32_t hosts);

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
  std::optional<training::ReadPlan> reads;  ///< as store
  results::TrainingDetails details;
};
/// Prepares run and configview. Objections to the run are errors for run, and warnings for configview.
Prepared<PreparedRun> prepare_run(const TrainingOptions& options, const Environment& environment,
                                  uint64_t memory_bytes);

}  // namespace mlps::cli
