#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::training {

/// Holds `.mlps-datagen-manifest.json` of a data set: the fields of mlpstorage 3.0, then those of this program under
/// the key "mlpstorage_cpp" (seed of sizes and payload, the parquet columns and row group, element type, prefix, eval
/// files), which mlpstorage 3.0 ignores.
struct Manifest {
  std::string model;
  uint64_t num_files_train = 0;
  uint64_t num_samples_per_file = 0;
  double record_length_bytes = 0;
  std::string created_at;  ///< UTC
  std::string tool_version;
  std::string source_result_dir;
  uint64_t num_subfolders_train = 0;
  std::string dataset_format;  ///< empty: not stated
  std::string rules_edition;   ///< "3.0"
  // Of this program; absent in a data set of mlpstorage 3.0.
  std::optional<uint64_t> seed;
  std::string shape;  ///< canonical text of everything that decides bytes; equal texts mean equal data sets
  std::vector<std::string> unknown;  ///< keys that no version is known to write
};
inline constexpr const char* kManifestName = ".mlps-datagen-manifest.json";
/// Limit for a manifest and a journal: a few hundred bytes as a rule, 3 MB with 10,000 columns of long names.
inline constexpr uint64_t kMostManifestBytes = uint64_t{8} << 20;

/// Reads the manifest or the journal of a data set; nothing if it is not there.
Result<std::optional<std::string>> read_text(storage::Session& session, const char* name);

/// Returns the canonical text of all settings that decide names and bytes of a data set: model, format, counts,
/// lengths, columns, seed.
std::string shape_text(const workloads::TrainingWorkload& workload, uint64_t seed);

Manifest make_manifest(const workloads::TrainingWorkload& workload, uint64_t seed, std::string tool_version,
                       std::string source_result_dir, int64_t wall_us);
std::string manifest_text(const Manifest& manifest);     ///< JSON, sorted keys, indent 2
Result<Manifest> parse_manifest(std::string_view text);  ///< takes hostile input; E102 names the field

/// Describes a difference between a run and the manifest of its data set.
struct ManifestFinding {
  std::string code;  ///< "MANIFEST-000", "MANIFEST-001", "MANIFEST-003"
  bool is_error = false;
  std::string message;
  std::string suggestion;
};
struct ManifestUse {
  std::vector<ManifestFinding> findings;
  std::vector<std::string> warnings;
  /// Values that the run takes from the manifest: `dataset.num_files_generated`, num_subfolders_train if unset; as tool
  /// overrides.
  std::vector<workloads::Override> overrides;
  uint64_t seed = 0;     ///< of the data set; the default where the manifest has none
  bool foreign = false;  ///< nothing says that this program made the data set: its files are read as they are
};
/// `manifest` empty: there is none. `lenient` (whatif, --skip-validation) turns 001 and 003 into warnings.
/// `minimum_files` is the datasize answer, for the smaller count proposed with 003.
ManifestUse use_manifest(const std::optional<Manifest>& manifest, const workloads::TrainingWorkload& workload,
                         bool user_gave_subfolders, uint64_t minimum_files, bool lenient);

}  // namespace mlps::training
