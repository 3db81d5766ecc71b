#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "workloads/values.hpp"

namespace mlps::workloads {

/// Names the format of a data set's files. DLIO's hdf5, csv and indexed binary formats are not used by any workload and
/// are refused with E902.
enum class DataFormat { kNpz, kNpy, kJpeg, kPng, kTfrecord, kParquet, kSynthetic };
std::string_view format_name(DataFormat format);  ///< "npz", ...; also the extension of the files

enum class ElementType {
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kFloat32,
  kFloat64,
  kBool
};
std::string_view element_name(ElementType type);  ///< NumPy's name: "uint8", "float16", "bool", ...
std::optional<ElementType> element_type_of(std::string_view name);
uint32_t element_bytes(ElementType type);

/// A parquet column: `elements` values of `type` in every row (1: a scalar, more: a list of fixed length).
struct Column {
  std::string name;
  ElementType type = ElementType::kFloat32;
  uint64_t elements = 1;
  bool read = false;  ///< part of a projected read
};

enum class Shuffle { kOff, kSeed, kRandom };

/// A duration that is fixed or drawn from a distribution, as DLIO's computation times are. The absolute value of each
/// draw counts.
struct TimeDistribution {
  enum class Kind { kNone, kConstant, kNormal, kUniform, kGamma, kExponential, kPoisson };
  Kind kind = Kind::kNone;
  /// kConstant: value. kNormal: mean, stdev. kUniform: min, max. kGamma: shape, scale. kExponential: scale.
  /// kPoisson: lam. In seconds.
  double first = 0;
  double second = 0;
};

struct DatasetSettings {
  DataFormat format = DataFormat::kTfrecord;
  std::string file_prefix = "img";
  uint64_t num_files_train = 8;
  uint64_t num_files_eval = 0;
  std::optional<uint64_t> num_files_generated;  ///< `_of_<total>` in file names, if not num_files_train
  uint64_t num_samples_per_file = 1;
  uint64_t num_subfolders_train = 0;
  uint64_t num_subfolders_eval = 0;
  /// Nominal bytes of a sample, also for the metrics: record_length_bytes, a real number (resnet50 has 114660.07); for
  /// Parquet with columns the sum over all columns. Never 0.
  double record_bytes = 65536;
  double record_bytes_stdev = 0;
  uint64_t record_bytes_resize = 0;
  bool parquet_row_group_given = false;  ///< else the rows of a group are the data set's own matter
  std::vector<uint64_t> record_dims;     ///< empty: a square of record_bytes
  ElementType element_type = ElementType::kUint8;
  std::vector<Column> columns;  ///< parquet
  uint64_t parquet_row_group_rows = 1024;
  /// Every k-th file is looked up before a run; 0: none is; nothing: chosen by the number of files.
  std::optional<uint64_t> listing_validation_interval;
};

struct ReaderSettings {
  uint64_t batch_size = 1;
  uint64_t batch_size_eval = 1;
  uint32_t read_threads =
      1;  ///< reader workers of one accelerator in DLIO; limits how many reads of its batches are in flight
  uint32_t prefetch_size = 2;     ///< batches read ahead per reader; 0: none
  uint32_t prefetch_window = 64;  ///< storage.storage_options.prefetch_window: reads in flight per reader
  Shuffle file_shuffle = Shuffle::kOff;
  Shuffle sample_shuffle = Shuffle::kOff;
  bool odirect = false;
  TimeDistribution preprocess_time;
  /// Names of the Parquet columns that are read (storage.storage_options.columns); empty: all. The `read: true` flags
  /// of columns have no effect, as in DLIO.
  std::vector<std::string> columns;
};

struct TrainSettings {
  uint32_t epochs = 1;
  TimeDistribution computation_time;
  std::optional<uint64_t> total_training_steps;  ///< -1 in the file counts as not given
  uint64_t seed = 123;
  bool seed_change_epoch = true;
};

struct EvaluationSettings {
  TimeDistribution eval_time;
  uint32_t eval_after_epoch = 1;
  uint32_t epochs_between_evals = 1;
};

struct CheckpointSettings {
  std::string folder;  ///< as given; empty: not given
  uint32_t checkpoint_after_epoch = 1;
  uint32_t epochs_between_checkpoints = 1;
  std::optional<uint64_t> steps_between_checkpoints;  ///< -1 in the file counts as not given
  uint64_t model_bytes = 10240;  ///< model.model_size_bytes, else model.model_size (which DLIO ignores)
};

struct MetricSettings {
  double au = 0.90;  ///< threshold, a fraction
  uint32_t exclude_start_steps = 1;
  uint32_t exclude_end_steps = 0;
};

/// One training workload; not changed once loaded. The program uses the typed members; `values` holds every key with
/// its source, for configview, dlio_config/ and the metadata.
struct TrainingWorkload {
  std::string model;        ///< "unet3d"
  std::string accelerator;  ///< "b200"; empty for a datagen template
  std::string file_name;    ///< "unet3d_b200" (`workload=` of dlio_config/overrides.yaml)
  std::string framework;
  std::string data_loader;
  bool train = true;
  bool generate_data = false;
  bool evaluation = false;
  bool checkpoint = false;
  DatasetSettings dataset;
  ReaderSettings reader;
  TrainSettings training;
  EvaluationSettings eval;
  CheckpointSettings checkpointing;
  MetricSettings metric;
  Values values;
  std::vector<std::string> notes;     ///< remarks on the definition
  std::vector<std::string> warnings;  ///< what the user gave and has no effect: unknown keys of a file, idle keys
};

/// Returns all models: "unet3d", "retinanet", "resnet50", "cosmoflow", "dlrm", "dlrm_parquet", "flux".
std::vector<std::string> training_models();
/// Returns the accelerators that `model` is defined for, in the order a100, h100, b200, mi355.
std::vector<std::string> accelerators_of(std::string_view model);

enum class TrainingDivision { kClosed, kOpen, kWhatif };

/// Loads the embedded `<model>_<accelerator>.yaml`, or `<model>_datagen.yaml` for an empty accelerator, and applies
/// `overrides` in order. Fails with E103 for an undefined pair, naming the defined ones; E102 for an illegal key or
/// value, with the nearest known key.
Result<TrainingWorkload> load_training_workload(std::string_view model, std::string_view accelerator,
                                                const std::vector<Override>& overrides);

/// Loads the same from the text of a user's workload file, in DLIO's form or composed, as in a run folder. Unknown keys
/// of the file are warnings; unknown keys of an override are E102, and so are all illegal values, together. Fails with
/// E104 if it is not YAML or has no known key.
Result<TrainingWorkload> parse_training_workload(std::string_view model, std::string_view accelerator,
                                                 std::string_view yaml, const std::vector<Override>& overrides);

/// The class of a run with one overridden parameter, by the rules of MLPerf Storage 3.0 for closed and open
/// submissions.
enum class ParamVerdict { kClosed, kOpen, kInvalid, kIgnored };
struct ParamFinding {
  std::string key;
  ParamVerdict verdict = ParamVerdict::kInvalid;
  std::string reason;  ///< one sentence; has "did you mean" for a known misspelling
};
/// Returns one finding per user override, in order.
std::vector<ParamFinding> judge_params(std::string_view model, const std::vector<Override>& overrides);

}  // namespace mlps::workloads
