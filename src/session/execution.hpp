#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/threads.hpp"
#include "flags/options.hpp"
#include "gates/gates.hpp"
#include "live/outputs.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"

/// Steps that the commands of all benchmarks share.
namespace mlps::cli {

/// Prints the JSON of a result: as it is, or on one line where --loops makes several of them.
void print_json(const CommonOptions& common, const std::string& json);

/// Prints, for one who asked for JSON and got none, that the command was refused, and why.
void print_refusal(int status);

/// Prepares the process for a benchmark: the limit of open files is raised to the most that is allowed.
void prepare_process();

/// Returns mode, benchmark and command in words, without anything that could be a secret: "open checkpointing run".
std::string command_text(const BenchmarkOptions& options);

/// Returns a number from the system's source of randomness.
uint64_t random_seed();

/// Returns the error of a result, if it has one.
template <class T>
std::vector<Error> errors_of(const Result<T>& result) {
  return result ? std::vector<Error>() : std::vector<Error>{result.error()};
}

/// Returns a request for a plan of reads or writes on a store with such traits, filled with the user's limits on I/O
/// and the processors of this host.
template <class Request>
Request io_limits(const BenchmarkOptions& options, const storage::StoreTraits& traits) {
  Request request;
  request.workers = options.io_workers;
  request.depth = options.io_depth;
  request.part_bytes = options.io_part_bytes.value_or(traits.part_bytes);
  request.memory_bytes = options.io_memory_bytes;
  request.cores = processors();
  return request;
}

/// Returns whether everything is to be shown that stands in the run folder, too: settings, plan, tables.
inline bool shows_all(const CommonOptions& common) {
  return common.stream_log_level <= LogLevel::kVerbose;
}

/// Returns whether a command that runs shows its plan before, and a dry run what it is for.
inline bool shows_plan(const CommonOptions& common) {
  return common.dry_run || (!common.json && !common.quiet && shows_all(common));
}

/// Opens the store of a benchmark as its flags say; nothing is sent.
inline Result<std::unique_ptr<storage::Store>> open_store(
    const Location& location, const BenchmarkOptions& options, const Environment& environment,
    storage::Durability durability = storage::Durability::kEachObject) {
  return storage::open_store(location,
                             {.fadvise = options.fadvise,
                              .durability = durability,
                              .servers = {options.storage_patience, options.op_log},
                              .fault = options.inject_fault},
                             environment);
}

/// Returns every key of the configuration with its value and source, as a table.
std::string configuration_text(const workloads::Values& values);

/// Opens what shows how a run of these options goes, beside the terminal; nothing is shown of a dry run.
Status open_live(BenchmarkOptions& options);
/// Returns what takes the states of a run, which outlives `options`; empty where nothing was opened.
live::Show shows_progress(const BenchmarkOptions& options);

/// Logs the gates' warnings. Returns nothing if all gates passed, else the process status of the first failure; process
/// 0 reports all failures.
std::optional<int> report_gates(const Result<gates::Report>& gates);

/// Claims the run folder, makes the log files in it, and says where it is.
Result<results::RunFolder> begin_run_folder(const CommonOptions& common, results::RunFolderRequest request);

/// Fails with E404 if a description of the system is there that tells of other hosts: see check_system_description().
Status check_system(const CommonOptions& common, std::vector<results::RunMember> members);

/// Fills the members of `context` that options and hosts decide; the caller fills workload, gates and verification.
void fill_context(const BenchmarkOptions& options, uint32_t processes, const results::RunFolder& folder,
                  std::vector<results::RunMember> members, results::RunContext& context);

/// Logs the first error of a record, and returns what is known at the end of the run.
results::RunOutcome outcome_of(const std::optional<Error>& error, results::HostFindings findings,
                               std::vector<std::optional<world::HostFacts>> host_ends);

/// Reports whether the result files were written, and returns the process status.
int finish(const results::RunFolder& folder, const Status& written, const results::RunOutcome& outcome);

/// Makes the texts in which a run shows its results, where they are wanted.
struct ResultTexts {
  std::function<std::string()> json;    ///< the record
  std::function<std::string()> tables;  ///< all figures, for people
  bool shown = true;                    ///< false: the caller says what came out
};

/// Shows what came out of a run, then does what finish() does: its answer; with --verbose, or where there is no answer,
/// the tables; with --json the record and nothing else.
int show_and_finish(const CommonOptions& common, const results::RunFolder& folder, const Status& written,
                    const results::RunOutcome& outcome, const ResultTexts& texts);

/// Has show_and_finish() call `use` with each run folder whose files were all written. It returns the answer of the
/// run, a few lines for stdout, or nothing if it can't. What `use` does changes no result.
void on_finished_run(std::function<std::optional<std::string>(const std::string& folder)> use);

/// Lets print_refusal() answer once more.
void expect_answer();

/// Runs `once` as often as --loops asks, until it fails, and returns the process status.
template <class Once>
int repeat(const CommonOptions& common, Once&& once) {
  for (uint32_t loop = 1; loop <= common.loops; ++loop) {
    if (common.loops > 1) log::status("loop {} of {}", loop, common.loops);
    expect_answer();
    if (const int status = once(); status != kExitSuccess) return status;
  }
  return kExitSuccess;
}

}  // namespace mlps::cli
