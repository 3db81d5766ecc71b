#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "base/log.hpp"
#include "base/report.hpp"
#include "base/threads.hpp"
#include "flags/commands.hpp"
#include "gates/gates.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"

/// What carrying out a command has in common, whatever the benchmark.
namespace mlps::cli {

/// `text` on stdout, at once.
void print(const std::string& text);

/// The process as a benchmark needs it: a peer that hangs up is an error value, and as many open files as allowed.
void prepare_process();

/// From the system's source of randomness.
uint64_t random_seed();

/// The error of a result, if it has one.
template <class T>
std::vector<Error> errors_of(const Result<T>& result) {
  return result ? std::vector<Error>() : std::vector<Error>{result.error()};
}

/// The user's limits on I/O, and the processors of this host, for whoever plans reads or writes.
template <class Request>
Request io_limits(const BenchmarkOptions& options) {
  Request request;
  request.workers = options.io_workers;
  request.depth = options.io_depth;
  request.part_bytes = options.io_part_bytes;
  request.memory_bytes = options.io_memory_bytes;
  request.cores = processors();
  return request;
}

/// Every key of the configuration with its value and source, as a table.
std::string configuration_text(const workloads::Values& values);

/// Progress lines on stderr: all of them on a terminal, elsewhere one every ten seconds.
class ProgressDisplay {
 public:
  void show(const std::string& line);

 private:
  Nanos last_ns_ = now_ns();
};

/// Logs the gates' warnings. Nothing if all passed, else the process status of the first failure; process 0 reports
/// all.
std::optional<int> report_gates(const Result<gates::Report>& gates);

/// Claims the run folder of `benchmark`, logs into it from now on, and says where it is.
Result<results::RunFolder> begin_run_folder(const CommonOptions& common, results::RunFolderRequest request);

/// Fills what the options and the hosts say; workload, gates, verification and benchmark are the caller's.
void fill_context(const BenchmarkOptions& options, uint32_t processes, const results::RunFolder& folder,
                  std::vector<results::RunMember> members, results::RunContext& context);

/// Shows the first error of a record and collects what is known at its end.
results::RunOutcome outcome_of(const std::optional<Error>& error, results::HostFindings findings,
                               std::vector<std::optional<world::HostFacts>> host_ends);

/// Reports what became of the result files; the process status.
int finish(const results::RunFolder& folder, const Status& written, const results::RunOutcome& outcome);

/// Runs `once` as often as --loops asks, until it fails; the process status.
template <class Once>
int repeat(const CommonOptions& common, Once&& once) {
  for (uint32_t loop = 1; loop <= common.loops; ++loop) {
    if (common.loops > 1) log::status("loop {} of {}", loop, common.loops);
    if (const int status = once(); status != kExitSuccess) return status;
  }
  return kExitSuccess;
}

}  // namespace mlps::cli
