#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "checkpointing/record.hpp"
#include "gates/gates.hpp"
#include "results/run_folder.hpp"
#include "workloads/checkpoint_workload.hpp"
#include "world/host_facts.hpp"

namespace mlps::results {

/// What the result files say about an invocation besides its RunRecord; known before the run. What looks like a
/// credential in argv, args or an override is masked when written, whatever its caller did.
struct RunContext {
  std::string tool_version;  ///< "0.1.0"
  std::string mode;          ///< "closed", "open", "whatif"
  std::string orgname;
  std::string systemname;
  std::string command = "run";
  std::vector<std::string> argv;
  std::string args_json = "{}";  ///< snapshot of all options, a JSON object; its key order is kept
  workloads::CheckpointWorkload workload;
  std::vector<workloads::Override> overrides;  ///< in the order applied, the tool's and the user's
  std::string protocol;                        ///< "file" or "object"
  std::string hostname;
  std::string run_datetime;                      ///< RunFolder::run_datetime; empty when no folder was claimed
  std::string folder;                            ///< RunFolder::path; empty when no folder was claimed
  std::optional<std::string> accelerator;        ///< null in the metadata when absent
  std::optional<double> client_host_memory_gib;  ///< --client-host-memory-in-gb
  std::vector<std::string> hosts;
  std::string verification;  ///< of a run that passes: "CLOSED", "OPEN", "INVALID"; empty: not judged (null)
  std::optional<gates::SeparationFinding> separation;
  world::HostFacts host;  ///< collected before the run
};

/// What is known only at the end of an invocation.
struct RunOutcome {
  Stamp invocation_end;
  int exit_status = 0;
  std::vector<std::string> warnings;     ///< log::problems()
  std::optional<world::HostFacts> host;  ///< collected after the run
};

/// At the start: `mlpstorage_record.json` with the verdict "incomplete" (whatever the record says, so that a killed run
/// leaves a record that says so), dlio_config/{config,hydra,overrides}.yaml, fs_separation.json if known, and
/// checkpointing_run.{stdout,stderr}.log with the plan.
Status write_started(const RunFolder& folder, const RunContext& context, const checkpointing::RunRecord& record);

/// At the end, in this order: `<rank>_output.json`, `<rank>_per_epoch_stats.json` of every rank, dlio.log, both
/// checkpointing_run logs, checkpointing_cluster_info.json, fs_separation.json, checkpointing_<ts>_metadata.json,
/// summary.json only if the verdict is "passed", and last the final `mlpstorage_record.json`. A run that did not pass
/// has no summary.json and no [METRIC] block; its metadata say INVALID, the exit status, and why.
Status write_finished(const RunFolder& folder, const RunContext& context, const checkpointing::RunRecord& record,
                      const RunOutcome& outcome);

}  // namespace mlps::results
