#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/units.hpp"
#include "location/location.hpp"
#include "storage/open.hpp"

/// What a command line asks for, as plain values: every word and flag checked for its own range and for its mode, the
/// layers of docs/command-line.md applied. What the rules say of several values together, and what needs the plan, the
/// store or the host, is checked by the command.
namespace mlps::cli {

enum class Mode { kClosed, kOpen, kWhatif };

std::string_view mode_name(Mode mode);  ///< "closed", "open", "whatif"

/// Flags every benchmark command has, and those of open and whatif that all benchmarks share.
struct CommonOptions {
  std::vector<std::string> argv;  ///< as typed, the program's name first
  Mode mode = Mode::kClosed;
  std::string results_dir;         ///< as given; may be empty where it is optional
  std::string results_dir_source;  ///< "flag", "config file X", "environment X", "user file X", or empty
  std::string systemname;
  std::string orgname;  ///< from the sentinel of results_dir; empty where none was needed
  bool debug = false;
  bool verbose = false;
  bool quiet = false;
  bool dry_run = false;
  bool json = false;
  LogLevel stream_log_level = LogLevel::kInfo;  ///< --debug and --verbose already applied
  ColorMode color = ColorMode::kAuto;
  bool skip_validation = false;
  bool skip_ssh_check = false;
  bool skip_fs_separation_gate = false;
  std::string config_file;
  std::string verify_lockfile;
  uint32_t loops = 1;  ///< at least 1
  bool allow_invalid_params = false;
  std::vector<std::pair<std::string, std::string>> params;  ///< in order; value is all after the first '='
};

struct HostOptions {
  std::vector<std::string> hosts{"127.0.0.1"};  ///< "host" or "host:slots", at least one
  std::string exec_type = "mpi";
  std::string mpi_bin = "mpirun";  ///< name or path of the launcher
  bool oversubscribe = false;
  bool allow_run_as_root = false;
  std::string mpi_btl = "auto";
  std::vector<std::string> mpi_params;  ///< each as typed
};

/// What every benchmark's command line can say.
struct BenchmarkOptions {
  CommonOptions common;
  HostOptions hosts;
  std::string model;
  double client_host_memory_gib = 0;
  bool client_host_memory_is_default = false;  ///< not given: this host's MemTotal
  std::string accelerator_type;                ///< may be empty
  std::optional<AccessProtocol> protocol;      ///< set where the command has the word
  bool o_direct = false;
  double timeseries_interval_s = 10.0;
  bool skip_timeseries = false;
  uint32_t max_timeseries_samples = 3600;

  // Ours.
  bool verify = false;
  std::optional<uint64_t> seed;
  std::optional<uint32_t> io_workers;  ///< threads per host, at least 1
  std::optional<uint32_t> io_depth;    ///< operations in flight per worker, at least 1
  uint64_t io_part_bytes = 16 * kMiB;
  uint64_t io_memory_bytes = 384 * kMiB;
  storage::FadviseMode fadvise = storage::FadviseMode::kDontNeed;
  std::string inject_fault;  ///< whatif only; empty: none
};

/// "file", "object", or empty where the command has no such word.
std::string_view protocol_name(const BenchmarkOptions& options);

enum class CheckpointingCommand { kDatasize, kRun, kConfigview };

std::string_view command_name(CheckpointingCommand command);  ///< "datasize", "run", "configview"

enum class PayloadChoice { kUnique, kNone };

struct CheckpointingOptions : BenchmarkOptions {
  CheckpointingCommand command = CheckpointingCommand::kDatasize;
  uint32_t num_processes = 0;  ///< at least 1
  uint32_t num_checkpoints_write = 10;
  uint32_t num_checkpoints_read = 10;
  std::string checkpoint_folder;         ///< set for run; configview: may be empty
  std::string checkpoint_folder_source;  ///< as results_dir_source
  bool checkpoint_subset = false;

  // Ours.
  double size_scale = 1.0;  ///< (0, 1]; other than 1 in whatif only
  PayloadChoice payload = PayloadChoice::kUnique;

  /// Whether the command leaves something in the results directory.
  bool records() const { return command == CheckpointingCommand::kRun; }
};

enum class TrainingCommand { kDatasize, kDatagen, kRun, kConfigview };

std::string_view command_name(TrainingCommand command);  ///< "datasize", "datagen", "run", "configview"

struct TrainingOptions : BenchmarkOptions {
  TrainingCommand command = TrainingCommand::kDatasize;
  uint32_t processes = 0;         ///< --max-accelerators, --num-processes or --num-accelerators; at least 1
  uint32_t num_client_hosts = 1;  ///< --num-client-hosts, else the number of --hosts
  std::string data_dir;           ///< set for datagen and run, else may be empty
  std::string data_dir_source;    ///< as results_dir_source
  uint32_t drop_caches_timeout_s = 30;

  // Ours.
  uint64_t read_ahead_bytes = kGiB;  ///< per accelerator
  std::string workload_file;         ///< open and whatif; empty: the built-in definition
  std::string workload_text;         ///< its content

  bool records() const { return command == TrainingCommand::kDatagen || command == TrainingCommand::kRun; }
};

}  // namespace mlps::cli
