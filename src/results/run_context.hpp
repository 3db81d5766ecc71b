#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "gates/gates.hpp"
#include "run/run_facts.hpp"
#include "workloads/values.hpp"
#include "world/cross_check.hpp"
#include "world/host_facts.hpp"
#include "world/transport.hpp"

/// Input of the result files of every benchmark, beside the record of the benchmark.
namespace mlps::results {

using run::RunFacts;

/// Describes a process of the job, one per host, as the result files show it.
struct RunMember {
  std::string host;  ///< its name
  int64_t pid = 0;
  uint32_t first_rank = 0, ranks = 0;
  world::ClockOffset clock;  ///< against process 0's
  world::HostFacts facts;    ///< collected before the run
};

/// Names the parameters that decide to which class a run belongs: rows of one class can be compared. A name that ends
/// in
/// '.' stands for all keys below it, `left_out` for exceptions.
struct ClassKeys {
  std::string_view name;  ///< of the list, "training@1"
  std::span<const std::string_view> keys, left_out;
};

/// Holds the facts about an invocation that are known before the run. Values in argv, args and overrides that look like
/// credentials are masked when they are written, whatever the caller did.
struct RunContext {
  std::string tool_version;  ///< "0.1.0"
  std::string mpi_library;   ///< what joins the processes of the job, in its own words; empty for one process
  std::string mode;          ///< "closed", "open", "whatif"
  std::string orgname;
  std::string systemname;
  std::string label;          ///< --label; empty: null in the record
  std::string benchmark;      ///< its word on the command line
  std::string command;        ///< "run"
  std::string model;          ///< "llama3-8b", "unet3d"
  uint32_t processes = 0;     ///< ranks, or generators
  std::string workload_name;  ///< `workload=` of dlio_config/overrides.yaml: "llama3_8b", "unet3d_b200"
  std::vector<std::string> argv;
  const ClassKeys* class_keys = nullptr;         ///< of the benchmark; nothing: it has no classes
  std::string args_json = "{}";                  ///< snapshot of all options, a JSON object; its key order is kept
  workloads::Values values;                      ///< the whole configuration
  std::vector<workloads::Override> overrides;    ///< in the order applied, the tool's and the user's
  std::string protocol;                          ///< "file" or "object"
  std::string run_datetime;                      ///< RunFolder::run_datetime; empty when no folder was claimed
  std::string results_dir;                       ///< the root of the results tree; empty: no code image is kept
  std::string folder;                            ///< RunFolder::path; empty when no folder was claimed
  std::optional<std::string> accelerator;        ///< null in the metadata when absent
  std::optional<double> client_host_memory_gib;  ///< --client-host-memory-in-gb
  std::vector<std::string> hosts;                ///< --hosts, as given
  std::string verification;  ///< of a run that passes, by the rules: "CLOSED", "OPEN", "INVALID"; empty: not judged
  /// Why the numbers of this run can't be a result of a storage system, a sentence each: what the caller knows beside
  /// the facts of the run. See no_result_because().
  std::vector<std::string> no_result_because;
  std::optional<gates::SeparationFinding> separation;
  std::string manifest_snapshot;  ///< text of datagen-manifest.json; empty: no manifest was read
  /// By process: exactly one on one host, never none. Their ranks follow one another and are all of `processes`.
  /// Several may have the same host name; see run_hosts.hpp.
  std::vector<RunMember> members;
};

/// Describes a time series that was written.
struct TimeSeriesFile {
  std::string name;  ///< in the run folder
  uint64_t samples = 0;
  double interval_s = 0;           ///< of the host with the longest
  std::vector<std::string> hosts;  ///< that have samples in it
};

/// Holds the check of the bytes that the processes of a host claim to have moved against the counters of the host.
struct HostCheck {
  std::string host;
  std::optional<world::CrossCheck> check;
  std::string no_check_because;  ///< the reason in words, if there is none
};

/// Holds what the counters of the hosts showed over a run.
struct HostFindings {
  std::optional<TimeSeriesFile> series;
  std::string no_series_because;  ///< the reason in words, if there is no file
  std::vector<HostCheck> checks;  ///< one per host
};

/// Holds the facts that are known only at the end of an invocation.
struct RunOutcome {
  Stamp invocation_end;
  int exit_status = 0;
  std::vector<std::string> warnings;  ///< log::problems()
  /// Collected after the run, by member; absent for those that could not be asked. Empty if none was asked.
  std::vector<std::optional<world::HostFacts>> host_ends;
  HostFindings findings;
  /// Asked between the files of the ranks, which may be very many: why the rest is to be left unwritten. May be empty.
  std::function<std::optional<Error>()> interrupted;
};

}  // namespace mlps::results
