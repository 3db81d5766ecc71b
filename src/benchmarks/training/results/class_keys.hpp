#pragma once

#include <array>

#include "results/run_context.hpp"

namespace mlps::results {

inline constexpr std::array<std::string_view, 22> kTrainingKeys = {"framework",
                                                                   "metric.au",
                                                                   "model.",
                                                                   "workflow.",
                                                                   "dataset.format",
                                                                   "dataset.num_samples_per_file",
                                                                   "dataset.record_length",
                                                                   "dataset.record_length_bytes",
                                                                   "dataset.record_length_bytes_resize",
                                                                   "dataset.record_length_bytes_stdev",
                                                                   "dataset.record_length_resize",
                                                                   "dataset.record_length_stdev",
                                                                   "reader.batch_size",
                                                                   "reader.data_loader",
                                                                   "reader.file_shuffle",
                                                                   "reader.sample_shuffle",
                                                                   "reader.shuffle_size",
                                                                   "train.computation_time",
                                                                   "train.computation_time_stdev",
                                                                   "train.epochs",
                                                                   "train.total_training_steps",
                                                                   "checkpoint."};
inline constexpr std::array<std::string_view, 1> kFreeTrainingKeys = {"checkpoint.checkpoint_folder"};
/// Names what two training runs of one class have alike.
inline constexpr ClassKeys kTrainingClass = {"training@1", kTrainingKeys, kFreeTrainingKeys};

}  // namespace mlps::results
