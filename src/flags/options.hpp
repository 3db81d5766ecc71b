#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/units.hpp"
#include "location/location.hpp"
#include "storage/open.hpp"

/// Options of a command as plain values. Every word and flag is checked for its own range and for its mode, and the
/// layers of docs/command-line.md are applied. The command itself checks what the rules say of several values together,
/// and what needs the plan, the store or the host.
namespace mlps::live {
class Outputs;
}

namespace mlps::cli {

enum class Mode { kClosed, kOpen, kWhatif };

std::string_view mode_name(Mode mode);  ///< "closed", "open", "whatif"
/// Returns the mode with this name, or nothing.
std::optional<Mode> mode_of(std::string_view name);

/// Holds the flags that every benchmark command has, and those of open and whatif that all benchmarks share.
struct CommonOptions {
  std::vector<std::string> argv;  ///< as typed, the program's name first
  Mode mode = Mode::kClosed;
  std::string results_dir;         ///< as given; may be empty where it is optional
  std::string results_dir_source;  ///< "flag", "config file X", "environment X", "user file X", or empty
  std::string systemname;
  std::string orgname;  ///< from the sentinel of results_dir; empty where none was needed
  bool quiet = false;
  bool dry_run = false;
  bool json = false;
  LogLevel stream_log_level = LogLevel::kInfo;  ///< --debug and --verbose already applied
  ColorMode color = ColorMode::kAuto;
  bool skip_validation = false;
  bool skip_fs_separation_gate = false;
  uint32_t loops = 1;  ///< at least 1
  bool allow_invalid_params = false;
  std::vector<std::pair<std::string, std::string>> params;  ///< in order; value is all after the first '='

  std::string label;            ///< the user's own name for the run; may be empty
  std::string csv_file;         ///< gets a row for the run; empty: none does
  std::string live_json_file;   ///< gets a line every second of the run; empty: none does
  std::string metrics_address;  ///< HOST:PORT where metrics can be asked for during the run; empty: nowhere
};

/// Holds on which hosts a command runs, and how its processes are started there.
struct HostOptions {
  std::vector<std::string> hosts{"127.0.0.1"};  ///< "host" or "host:slots", at least one
  std::string exec_type = "mpi";
  std::string mpi_bin = "mpirun";  ///< name or path of the launcher
  bool oversubscribe = false;
  bool allow_run_as_root = false;
  std::string mpi_btl = "auto";
  std::vector<std::string> mpi_params;  ///< each as typed
};

/// Holds what every benchmark's command line can say. A benchmark derives its own options from it.
struct BenchmarkOptions {
  std::string benchmark;  ///< its word, "training"
  std::string command;    ///< the word of the command, "run"
  Json arguments;         ///< every flag with its value, by key, for the result files
  bool runs = false;      ///< CommandTrait::kRuns: the command moves bytes, and leaves a result
  CommonOptions common;
  HostOptions hosts;
  std::string model;
  double client_host_memory_gib = 0;
  std::string client_host_memory_by;       ///< who says so, where the user doesn't: "this host's"
  std::string accelerator_type;            ///< may be empty
  std::optional<AccessProtocol> protocol;  ///< set where the command has the word
  bool o_direct = false;
  /// Returns whether --params has the key.
  bool gives_param(std::string_view key) const;
  double timeseries_interval_s = 10.0;
  bool skip_timeseries = false;
  uint32_t max_timeseries_samples = 3600;

  // Ours.
  bool verify = false;
  std::optional<uint64_t> seed;
  std::optional<uint32_t> io_workers;     ///< threads per host, at least 1
  std::optional<uint32_t> io_depth;       ///< operations in flight per worker, at least 1
  std::optional<uint64_t> io_part_bytes;  ///< absent: by the kind of storage
  uint64_t io_memory_bytes = 384 * kMiB;
  bool io_memory_is_default = true;  ///< not given: what reads ahead may take more
  storage::FadviseMode fadvise = storage::FadviseMode::kDontNeed;
  std::chrono::seconds storage_patience{60};
  std::string op_log_file;                 ///< file of the operation log; empty: none is kept
  std::shared_ptr<storage::OpLog> op_log;  ///< that log, once the command has begun
  std::shared_ptr<live::Outputs> live;     ///< where process 0 shows how the run goes, once the command has begun
  std::string inject_fault;                ///< whatif only; empty: none
};

/// Returns "file", "object", or nothing where the command has no such word.
std::string_view protocol_name(const BenchmarkOptions& options);

}  // namespace mlps::cli
