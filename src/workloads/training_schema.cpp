#include <array>

#include "workloads/schema.hpp"
#include "workloads/time_distribution.hpp"

namespace mlps::workloads {
namespace {

constexpr std::string_view kFormats =
    "tfrecord|hdf5|csv|npz|npy|hdf5_opt|jpeg|png|indexed_binary|mmap_indexed_binary|synthetic|parquet";
constexpr std::string_view kElementNames =
    "uint8|uint16|uint32|uint64|int8|int16|int32|int64|float16|float32|float64|bool";
constexpr std::string_view kShuffles = "seed|random|off|False";
constexpr std::string_view kTimeTypes = "normal|uniform|gamma|exponential|poisson";
constexpr uint64_t kMostFiles = 10'000'000'000;
constexpr uint64_t kMostSamples = 100'000'000;
constexpr uint64_t kMostBatch = 1'000'000'000;
constexpr uint64_t kMostBytes = uint64_t{1} << 40;
constexpr uint64_t kMostEpochs = 1'000'000;

constexpr std::string_view kNotDecoded = "samples are read and not decoded";
constexpr std::string_view kOwnEngine = "it tunes DLIO's engine, not this one";
constexpr std::string_view kUnread = "DLIO doesn't read it either; the key ends in _bytes";
constexpr std::string_view kNoHdf5 = "no hdf5 files are made";
constexpr std::string_view kByFlags = "the store is chosen by flags and the environment";

// All keys but a few are optional and have DLIO's defaults.
constexpr Key key(std::string_view name, Kind kind, std::string_view words = {}) {
  return {name, kind, words, 0, 0, false};
}
constexpr Key count(std::string_view name, uint64_t least, uint64_t most) {
  return {name, Kind::kCount, {}, least, most, false};
}
constexpr Key real(std::string_view name, uint64_t least, uint64_t most) {
  return {name, Kind::kReal, {}, least, most, false};
}
constexpr Key counts(std::string_view name, uint64_t least, uint64_t most) {
  return {name, Kind::kCounts, {}, least, most, false};
}
constexpr Key or_minus_one(std::string_view name, uint64_t least, uint64_t most, std::string_view meaning) {
  return {name, Kind::kCountOrMinusOne, meaning, least, most, false};
}
constexpr Key idle(std::string_view why, Key known) {
  known.no_effect_as = why;
  return known;
}

constexpr std::array kTrainingKeys = {
    key("framework", Kind::kWord, "pytorch|tensorflow"),

    key("model.name", Kind::kText),
    key("model.type", Kind::kText),
    count("model.model_size", 0, uint64_t{1} << 50),
    count("model.model_size_bytes", 0, uint64_t{1} << 50),

    key("workflow.generate_data", Kind::kBool),
    key("workflow.train", Kind::kBool),
    key("workflow.evaluation", Kind::kBool),
    key("workflow.checkpoint", Kind::kBool),
    idle(kOwnEngine, key("workflow.profiling", Kind::kBool)),

    count("dataset.num_files_train", 1, kMostFiles),
    count("dataset.num_files_eval", 0, kMostFiles),
    count("dataset.num_files_generated", 1, kMostFiles),
    count("dataset.num_samples_per_file", 1, kMostSamples),
    count("dataset.num_subfolders_train", 0, 1'000'000),
    count("dataset.num_subfolders_eval", 0, 1'000'000),
    real("dataset.record_length_bytes", 1, kMostBytes),
    real("dataset.record_length_bytes_stdev", 0, kMostBytes),
    real("dataset.record_length_bytes_resize", 0, kMostBytes),
    idle(kUnread, real("dataset.record_length", 0, kMostBytes)),
    idle(kUnread, real("dataset.record_length_stdev", 0, kMostBytes)),
    idle(kUnread, real("dataset.record_length_resize", 0, kMostBytes)),
    counts("dataset.record_dims", 1, uint64_t{1} << 32),
    key("dataset.record_element_type", Kind::kWord, kElementNames),
    key("dataset.format", Kind::kWord, kFormats),
    key("dataset.data_folder", Kind::kText),
    key("dataset.file_prefix", Kind::kText),
    key("dataset.keep_files", Kind::kBool),
    key("dataset.compression", Kind::kWord, "none|gzip|lzf|bz2|zip|xz|snappy|lz4|zstd"),
    idle("nothing is compressed", count("dataset.compression_level", 0, 22)),
    idle("it is for indexed binaries", count("dataset.generation_buffer_size", 1, kMostBytes)),
    idle("DLIO doesn't use it either", key("dataset.enable_chunking", Kind::kBool)),
    idle("DLIO doesn't use it either", count("dataset.chunk_size", 0, kMostBytes)),
    idle(kNoHdf5, count("dataset.hdf5.num_dset_per_record", 1, kMostSamples)),
    idle(kNoHdf5, counts("dataset.hdf5.chunk_dims", 1, uint64_t{1} << 32)),
    idle(kNoHdf5, counts("dataset.hdf5.max_shape", 1, uint64_t{1} << 32)),
    key("dataset.parquet.columns", Kind::kColumns),
    count("dataset.parquet.row_group_size", 1, kMostSamples),
    idle("all columns are read, or those of storage.storage_options.columns",
         key("dataset.parquet.read_mode", Kind::kText)),
    key("dataset.parquet.partition_by", Kind::kText),
    idle("files are made as a stream", count("dataset.parquet.generation_batch_size", 0, kMostSamples)),
    idle("there is one writer, and it keeps the columns' types", key("dataset.parquet.use_s3dlio_gen", Kind::kBool)),
    idle("there is one generator", key("dataset.data_gen_method", Kind::kText)),
    idle("names are computed, never listed", key("dataset.skip_listing", Kind::kBool)),
    count("dataset.listing_validation_interval", 0, kMostFiles),
    idle("it is what datasize says", count("dataset.total_disk_bytes", 0, uint64_t{1} << 62)),

    key("reader.data_loader", Kind::kWord, "tensorflow|pytorch|dali|native_dali|custom|none|synthetic"),
    count("reader.batch_size", 1, kMostBatch),
    count("reader.batch_size_eval", 0, kMostBatch),
    count("reader.read_threads", 0, 65536),
    count("reader.write_threads", 0, 65536),
    idle(kNotDecoded, count("reader.computation_threads", 0, 65536)),
    count("reader.prefetch_size", 0, 65536),
    key("reader.file_shuffle", Kind::kWord, kShuffles),
    key("reader.sample_shuffle", Kind::kWord, kShuffles),
    idle("samples go through no shuffle buffer", count("reader.shuffle_size", 0, kMostBatch)),
    idle("the size of a read follows from the store", count("reader.transfer_size", 0, kMostBytes)),
    idle(kOwnEngine, key("reader.read_type", Kind::kWord, "memory|on_demand")),
    idle(kOwnEngine, key("reader.file_access", Kind::kWord, "multi|shared|collective")),
    key("reader.odirect", Kind::kBool),
    idle("there is no device memory to copy to", key("reader.pin_memory", Kind::kBool)),
    idle("files are never mapped", key("reader.dont_use_mmap", Kind::kBool)),
    idle("threads read, not processes", key("reader.multiprocessing_context", Kind::kWord, "spawn|fork|forkserver")),
    idle(kNotDecoded, counts("reader.transformed_record_dims", 1, uint64_t{1} << 32)),
    idle(kNotDecoded, key("reader.transformed_record_element_type", Kind::kWord, kElementNames)),

    count("train.epochs", 1, kMostEpochs),
    or_minus_one("train.total_training_steps", 1, uint64_t{1} << 40, "all the data have"),
    count("train.seed", 0, (uint64_t{1} << 32) - 1),
    key("train.seed_change_epoch", Kind::kBool),

    count("evaluation.eval_after_epoch", 0, kMostEpochs),
    count("evaluation.epochs_between_evals", 0, kMostEpochs),

    key("checkpoint.checkpoint_folder", Kind::kText),
    count("checkpoint.checkpoint_after_epoch", 0, kMostEpochs),
    count("checkpoint.epochs_between_checkpoints", 0, kMostEpochs),
    or_minus_one("checkpoint.steps_between_checkpoints", 1, uint64_t{1} << 40, "after epochs only"),

    idle("the results folder is chosen by flags", key("output.folder", Kind::kText)),
    idle("the log's name is dlio.log", key("output.log_file", Kind::kText)),
    count("output.metric.exclude_start_steps", 0, 1'000'000),
    count("output.metric.exclude_end_steps", 0, 1'000'000),
    real("metric.au", 0, 1),
    idle(kOwnEngine, key("profiling.profiler", Kind::kText)),
    idle(kOwnEngine, key("profiling.iostat_devices", Kind::kNames)),

    idle(kByFlags, key("storage.storage_type", Kind::kWord, "local_fs|parallel_fs|s3|aistore|direct_fs")),
    idle(kByFlags, key("storage.storage_root", Kind::kText)),
    idle("the key is storage.storage_options.storage_library", key("storage.storage_library", Kind::kText)),
    idle("every write is confirmed before it counts", key("storage.post_generation_settle_seconds", Kind::kSeconds)),
    idle(kByFlags, key("storage.s3_force_path_style", Kind::kBool)),
    key("storage.storage_options.columns", Kind::kNames),
    count("storage.storage_options.prefetch_window", 1, 65536),
    idle("there is one client", key("storage.storage_options.storage_library", Kind::kText)),
    idle(kByFlags, key("storage.storage_options.uri_scheme", Kind::kText)),
    idle(kByFlags, key("storage.storage_options.endpoint_url", Kind::kText)),
    idle(kByFlags, key("storage.storage_options.region", Kind::kText)),
    key("storage.storage_options.access_key_id", Kind::kSecret),
    key("storage.storage_options.secret_access_key", Kind::kSecret),
    idle(kByFlags, key("storage.storage_options.s3_force_path_style", Kind::kBool)),
    idle(kByFlags, count("storage.storage_options.s3_max_attempts", 0, 1000)),
    idle(kByFlags, key("storage.storage_options.s3_profile", Kind::kText)),
    idle(kByFlags, key("storage.storage_options.secure", Kind::kBool)),
    idle(kOwnEngine, key("storage.storage_options.use_full_object_uri", Kind::kBool)),
    idle(kOwnEngine, key("storage.storage_options.stagger_workers", Kind::kBool)),
    idle(kOwnEngine, key("storage.storage_options.simulate_io", Kind::kBool)),
    idle(kOwnEngine, key("storage.storage_options.sim_log_secs", Kind::kSeconds)),
    idle(kOwnEngine, count("storage.storage_options.prefetch_workers", 0, 65536)),
    idle(kOwnEngine, count("storage.storage_options.max_outstanding", 0, 65536)),
    idle(kOwnEngine, count("storage.storage_options.coalesce_rgs", 0, 65536)),
    idle(kOwnEngine, count("storage.storage_options.footer_cap", 0, kMostBytes)),
    idle(kOwnEngine, count("storage.storage_options.footer_batch_size", 0, 65536)),
    idle(kOwnEngine, key("storage.storage_options.skip_head", Kind::kBool)),
    idle(kNotDecoded, key("storage.storage_options.decode", Kind::kText)),
    idle(kNotDecoded, key("storage.storage_options.decode_output", Kind::kText)),
};

std::vector<Key> with_durations() {
  static const std::vector<std::string> kNames = duration_keys();
  std::vector<Key> keys(kTrainingKeys.begin(), kTrainingKeys.end());
  for (const std::string& name : kNames) {
    keys.push_back(name.ends_with(".type") ? key(name, Kind::kWord, kTimeTypes) : key(name, Kind::kSeconds));
  }
  return keys;
}

}  // namespace

const Schema& training_schema() {
  static const std::vector<Key> kKeys = with_durations();
  static const Schema kSchema(
      kKeys, "",
      "model, workflow, dataset, reader, train, evaluation, checkpoint, output, metric, profiling and storage");
  return kSchema;
}

}  // namespace mlps::workloads
