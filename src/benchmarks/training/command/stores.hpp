#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/environment.hpp"
#include "benchmarks/training/command/options.hpp"
#include "benchmarks/training/manifest.hpp"
#include "storage/open.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::cli {

/// Opens the data folder of --data-dir; nothing is sent. reader.odirect counts as --o-direct.
Result<std::unique_ptr<storage::Store>> open_data_store(const TrainingOptions& options,
                                                        const workloads::TrainingWorkload& workload,
                                                        storage::Durability durability, const Environment& environment);

/// Opens the folder that checkpoints inside training go to: the user's checkpoint.checkpoint_folder where that was
/// given, else "checkpoints/<model>" beside the data folder.
Result<std::unique_ptr<storage::Store>> open_checkpoint_store(const TrainingOptions& options,
                                                              const workloads::TrainingWorkload& workload,
                                                              bool folder_given, const storage::Store& data,
                                                              const Environment& environment);

/// Returns the manifest of the data set in `store`; nothing where it has none. Blocks.
Result<std::optional<training::Manifest>> read_manifest(storage::Store& store);

/// Adds the keys about storage and listing that the launcher of mlpstorage 3.0 sets itself, as the result files show
/// them.
void add_storage_values(const storage::Store& store, workloads::TrainingWorkload& workload);

}  // namespace mlps::cli
