#include "workloads/training_build.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "workloads/columns.hpp"
#include "workloads/schema.hpp"
#include "workloads/time_distribution.hpp"
#include "workloads/value_reader.hpp"

namespace mlps::workloads {
namespace {

class TrainingReader : public ValueReader {
 public:
  using ValueReader::ValueReader;

  void shuffle(const std::string& key, Shuffle& member) const {
    if (const std::string* value = find(key)) {
      member = *value == "seed" ? Shuffle::kSeed : *value == "random" ? Shuffle::kRandom : Shuffle::kOff;
    }
  }
  Status time(const std::string& key, TimeDistribution& member) const {
    const auto distribution = time_distribution_of(values_, key);
    if (!distribution) return fail(distribution.error());
    member = *distribution;
    return {};
  }
};

Status read_format(const TrainingReader& read, DatasetSettings& dataset) {
  std::string name(format_name(dataset.format));
  read.text("dataset.format", name);
  for (int format = 0; format <= static_cast<int>(DataFormat::kSynthetic); ++format) {
    if (format_name(static_cast<DataFormat>(format)) != name) continue;
    dataset.format = static_cast<DataFormat>(format);
    return {};
  }
  return fail(ErrorCode::kNotImplemented,
              fmt::format("dataset.format={}: no workload has it, and no files of it are made", name), {},
              "npz, npy, jpeg, png, tfrecord, parquet and synthetic are");
}

void read_element_type(const TrainingReader& read, DatasetSettings& dataset) {
  std::string name = "uint8";
  read.text("dataset.record_element_type", name);
  if (dataset.format == DataFormat::kJpeg || dataset.format == DataFormat::kPng) name = "uint8";
  dataset.element_type = element_type_of(name).value_or(dataset.element_type);
}

Status read_lists(const TrainingReader& read, DatasetSettings& dataset) {
  // The file's columns remain when only the format is overridden.
  const std::string* text = read.find("dataset.parquet.columns");
  if (text != nullptr && dataset.format == DataFormat::kParquet) {
    auto columns = columns_of(*text);
    if (!columns) return fail(columns.error());
    dataset.columns = std::move(*columns);
  }
  if (const std::string* dims = read.find("dataset.record_dims")) {
    for (const std::string& item : list_of(*dims).value_or(std::vector<std::string>{})) {
      dataset.record_dims.push_back(number_of<uint64_t>(item).value_or(1));
    }
  }
  return {};
}

double bytes_of_columns(const std::vector<Column>& columns) {
  double bytes = 0;
  for (const Column& column : columns) {
    bytes += static_cast<double>(column.elements) * element_bytes(column.type);
  }
  return bytes;
}

// Returns the nominal bytes of a sample: of the columns, else the given length, else of the dims.
void read_record_bytes(const TrainingReader& read, TrainingWorkload& workload) {
  DatasetSettings& dataset = workload.dataset;
  const bool given = read.find("dataset.record_length_bytes") != nullptr;
  read.number("dataset.record_length_bytes", dataset.record_bytes);
  read.number("dataset.record_length_bytes_stdev", dataset.record_bytes_stdev);
  double resize = 0;
  read.number("dataset.record_length_bytes_resize", resize);
  dataset.record_bytes_resize = static_cast<uint64_t>(resize);
  if (!dataset.columns.empty()) {
    const double of_columns = bytes_of_columns(dataset.columns);
    if (given && of_columns != dataset.record_bytes) {
      workload.notes.push_back(
          fmt::format("dataset.record_length_bytes={} has no effect: a row of the columns has {} bytes",
                      dataset.record_bytes, of_columns));
    }
    dataset.record_bytes = of_columns;
  } else if (!dataset.record_dims.empty() && !given) {
    dataset.record_bytes = element_bytes(dataset.element_type);
    for (const uint64_t dim : dataset.record_dims) dataset.record_bytes *= static_cast<double>(dim);
  } else if (const std::string* old = read.find("dataset.record_length"); old != nullptr && !given) {
    workload.warnings.push_back(fmt::format(
        "dataset.record_length={} is not read, as in DLIO: a sample has DLIO's default of {} bytes; the key "
        "is dataset.record_length_bytes",
        *old, dataset.record_bytes));
  }
}

Status check_dataset(const TrainingReader& read, TrainingWorkload& workload) {
  const DatasetSettings& dataset = workload.dataset;
  std::string compression = "none";
  read.text("dataset.compression", compression);
  if (compression != "none" && workload.train) {
    workload.warnings.push_back(
        fmt::format("dataset.compression={} has no effect on a run: files are read as they are", compression));
  } else if (compression != "none") {
    return fail(ErrorCode::kNotImplemented,
                fmt::format("dataset.compression={}: no compressed files are made", compression), {},
                "leave it away, or set it to none");
  }
  if (read.find("dataset.parquet.partition_by") != nullptr) {
    return fail(ErrorCode::kNotImplemented, "dataset.parquet.partition_by: no partitioned data sets are made", {},
                "leave it away");
  }
  constexpr std::string_view kLegal = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  if (dataset.file_prefix.find_first_not_of(kLegal) != std::string::npos || dataset.file_prefix.size() > 200) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("dataset.file_prefix=\"{}\" is not legal", dataset.file_prefix.substr(0, 200)), {},
                "up to 200 letters, digits, '_', '.' and '-'");
  }
  if (!dataset.record_dims.empty() && dataset.record_bytes_stdev > 0) {
    return fail(ErrorCode::kConfigInvalid, "dataset.record_dims and dataset.record_length_bytes_stdev are both given",
                {}, "sizes that are drawn have no fixed dimensions: leave one of them away");
  }
  // The program multiplies counts and sizes in 64 bits.
  const double files = static_cast<double>(std::max(dataset.num_files_train, dataset.num_files_generated.value_or(0))) +
                       static_cast<double>(dataset.num_files_eval);
  // Drawn sizes exceed the nominal one, and elements may be 8 bytes wide.
  const double total = files * static_cast<double>(dataset.num_samples_per_file) *
                       (dataset.record_bytes + 100 * dataset.record_bytes_stdev) * element_bytes(dataset.element_type);
  if (total > 9e18) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("the data set would have up to {:.3g} bytes", total),
                fmt::format("files {:.0f}, dataset.num_samples_per_file={}, bytes per sample {}", files,
                            dataset.num_samples_per_file, dataset.record_bytes),
                "the limit is 9e18 bytes");
  }
  return {};
}

Status read_dataset(const TrainingReader& read, TrainingWorkload& workload) {
  DatasetSettings& dataset = workload.dataset;
  if (Status done = read_format(read, dataset); !done) return done;
  read.text("dataset.file_prefix", dataset.file_prefix);
  read.number("dataset.num_files_train", dataset.num_files_train);
  read.number("dataset.num_files_eval", dataset.num_files_eval);
  read.optional("dataset.num_files_generated", dataset.num_files_generated);
  read.number("dataset.num_samples_per_file", dataset.num_samples_per_file);
  read.number("dataset.num_subfolders_train", dataset.num_subfolders_train);
  read.number("dataset.num_subfolders_eval", dataset.num_subfolders_eval);
  read.number("dataset.parquet.row_group_size", dataset.parquet_row_group_rows);
  dataset.parquet_row_group_given = read.find("dataset.parquet.row_group_size") != nullptr;
  read.optional("dataset.listing_validation_interval", dataset.listing_validation_interval);
  read_element_type(read, dataset);
  if (Status done = read_lists(read, dataset); !done) return done;
  read_record_bytes(read, workload);
  return check_dataset(read, workload);
}

Status check_projection(const TrainingWorkload& workload) {
  if (!workload.reader.columns.empty() && workload.dataset.format != DataFormat::kParquet) {
    return fail(ErrorCode::kConfigInvalid, "storage.storage_options.columns goes with dataset.format=parquet only");
  }
  std::vector<std::string> names;
  for (const Column& column : workload.dataset.columns) names.push_back(column.name);
  if (names.empty()) names.emplace_back("data");
  for (const std::string& wanted : workload.reader.columns) {
    if (std::find(names.begin(), names.end(), wanted) != names.end()) continue;
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("storage.storage_options.columns: there is no column {}", wanted.substr(0, 200)), {},
                fmt::format("{}the files have {} columns, the first is {}", did_you_mean(wanted, names), names.size(),
                            names.front()));
  }
  return {};
}

Status read_reader(const TrainingReader& read, TrainingWorkload& workload) {
  ReaderSettings& reader = workload.reader;
  read.number("reader.batch_size", reader.batch_size);
  read.number("reader.batch_size_eval", reader.batch_size_eval);
  read.number("reader.read_threads", reader.read_threads);
  read.number("reader.prefetch_size", reader.prefetch_size);
  read.number("storage.storage_options.prefetch_window", reader.prefetch_window);
  read.shuffle("reader.file_shuffle", reader.file_shuffle);
  read.shuffle("reader.sample_shuffle", reader.sample_shuffle);
  read.flag("reader.odirect", reader.odirect);
  if (const std::string* text = read.find("storage.storage_options.columns")) {
    reader.columns = list_of(*text).value_or(std::vector<std::string>{});
  }
  if (Status done = check_projection(workload); !done) return done;
  return read.time("reader.preprocess_time", reader.preprocess_time);
}

// What is switched off may have any interval; what is on has at least one epoch, sample or byte.
Status check_intervals(const TrainingReader& read, const TrainingWorkload& workload) {
  std::vector<std::string> used;
  if (workload.evaluation) {
    used = {"evaluation.eval_after_epoch", "evaluation.epochs_between_evals", "reader.batch_size_eval"};
  }
  if (workload.checkpoint) {
    used.insert(used.end(), {"checkpoint.checkpoint_after_epoch", "checkpoint.epochs_between_checkpoints",
                             "model.model_size", "model.model_size_bytes"});
  }
  for (const std::string& key : used) {
    const std::string* value = read.find(key);
    if (value == nullptr || number_of<uint64_t>(*value) != uint64_t{0}) continue;
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}=\"{}\" is not legal", key, *value), {},
                fmt::format("with workflow.{}=True it takes a whole number from 1",
                            key.starts_with("evaluation") || key.ends_with("_eval") ? "evaluation" : "checkpoint"));
  }
  return {};
}

Status read_train(const TrainingReader& read, TrainingWorkload& workload) {
  TrainSettings& train = workload.training;
  read.number("train.epochs", train.epochs);
  read.optional("train.total_training_steps", train.total_training_steps);
  read.number("train.seed", train.seed);
  read.flag("train.seed_change_epoch", train.seed_change_epoch);
  EvaluationSettings& eval = workload.eval;
  read.number("evaluation.eval_after_epoch", eval.eval_after_epoch);
  read.number("evaluation.epochs_between_evals", eval.epochs_between_evals);
  if (Status good = check_intervals(read, workload); !good) return good;
  if (Status done = read.time("train.computation_time", train.computation_time); !done) return done;
  return read.time("evaluation.eval_time", eval.eval_time);
}

void read_rest(const TrainingReader& read, TrainingWorkload& workload) {
  workload.framework = "tensorflow";
  workload.data_loader = "tensorflow";
  read.text("framework", workload.framework);
  read.text("reader.data_loader", workload.data_loader);
  read.flag("workflow.train", workload.train);
  read.flag("workflow.generate_data", workload.generate_data);
  read.flag("workflow.evaluation", workload.evaluation);
  read.flag("workflow.checkpoint", workload.checkpoint);
  CheckpointSettings& checkpoint = workload.checkpointing;
  read.text("checkpoint.checkpoint_folder", checkpoint.folder);
  read.number("checkpoint.checkpoint_after_epoch", checkpoint.checkpoint_after_epoch);
  read.number("checkpoint.epochs_between_checkpoints", checkpoint.epochs_between_checkpoints);
  read.optional("checkpoint.steps_between_checkpoints", checkpoint.steps_between_checkpoints);
  read.number("model.model_size", checkpoint.model_bytes);
  read.number("model.model_size_bytes", checkpoint.model_bytes);
  read.number("metric.au", workload.metric.au);
  read.number("output.metric.exclude_start_steps", workload.metric.exclude_start_steps);
  read.number("output.metric.exclude_end_steps", workload.metric.exclude_end_steps);
}

}  // namespace

Status build_typed(TrainingWorkload& workload) {
  const TrainingReader read(workload.values);
  read_rest(read, workload);
  if (Status done = read_dataset(read, workload); !done) return done;
  if (Status done = read_reader(read, workload); !done) return done;
  return read_train(read, workload);
}

}  // namespace mlps::workloads
