#pragma once

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "base/log.hpp"
#include "benchmarks/training/command/options.hpp"
#include "benchmarks/training/command/prepare.hpp"
#include "benchmarks/training/results/files.hpp"
#include "results/findings.hpp"
#include "results/record_common.hpp"
#include "session/cluster.hpp"
#include "session/execution.hpp"
#include "session/process_group.hpp"
#include "session/run_end.hpp"

namespace mlps::cli {

/// Holds what every training command is carried out with. Refers to it.
struct TrainingCall {
  const TrainingOptions& options;
  const CommandContext& context;
  ProcessGroup& group;  ///< the context's
  const Cluster& cluster;
};

/// Carry out a command and return the process status.
int execute_datasize(const TrainingCall& call);
int execute_datagen(const TrainingCall& call);
int execute_run(const TrainingCall& call);  ///< and configview

/// Returns what the result files say of a training command besides its record.
results::RunContext training_context(const TrainingOptions& options, const ChosenWorkload& chosen,
                                     const results::RunFolder& folder, std::vector<results::RunMember> members);

/// Claims `training/<model>/<command>/<timestamp>`.
Result<results::RunFolder> begin_training_folder(const TrainingOptions& options);

/// Writes and shows the results of datagen or run. Returns the process status: the record's first error, or success.
template <class Record>
int conclude(const TrainingOptions& options, const results::RunFolder& folder, const results::RunContext& about,
             const Record& record, const std::string& plan, const results::RunOutcome& outcome) {
  const Status written = results::write_finished(folder, about, record, plan, outcome);
  return show_and_finish(options.common, folder, written, outcome,
                         {.json = [&] { return results::record_json(about, record, outcome); },
                          .tables =
                              [&] {
                                return results::result_table(record) + results::findings_text(outcome.findings) +
                                       results::no_result_text(about, record);
                              }});
}

}  // namespace mlps::cli
