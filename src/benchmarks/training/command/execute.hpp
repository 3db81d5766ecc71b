#pragma once

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "base/log.hpp"
#include "benchmarks/training/command/options.hpp"
#include "benchmarks/training/command/prepare.hpp"
#include "benchmarks/training/results/files.hpp"
#include "session/measured_run.hpp"

namespace mlps::cli {

/// Holds what every training command is carried out with. Refers to it.
struct TrainingCall {
  const TrainingOptions& options;
  const CommandContext& context;
  ProcessGroup& group;  ///< the context's
  const Cluster& cluster;
};

/// Returns `training/<model>/<command>/<timestamp>`.
results::RunFolderRequest training_folder(const TrainingOptions& options);

/// Adds what the result files say of a training command besides its record, options and hosts.
void add_training(const TrainingOptions& options, const ChosenWorkload& chosen, results::RunContext& about);

/// Carry out a command and return the process status.
int execute_datasize(const TrainingCall& call);
int execute_datagen(const TrainingCall& call);
int execute_run(const TrainingCall& call);  ///< and configview
int execute_search(const TrainingCall& call);

/// Carries out one run of a plan; where `use` is given, the record goes there and is not shown.
int run_prepared(const TrainingCall& call, PreparedRun prepared,
                 std::function<void(const training::RunRecord&, const std::string& folder)> use = {});

/// The steps that datagen and run share.
template <class Record>
class TrainingSteps : public MeasuredRun<Record> {
 protected:
  explicit TrainingSteps(const TrainingCall& call)
      : MeasuredRun<Record>(call.options, call.cluster, call.group), call_(call), options_(call.options) {}

  RankDemand ranks() const override { return ranks_of(options_); }
  results::RunFolderRequest folder_request() const override { return training_folder(options_); }
  /// Returns the plan as the stdout log begins with it.
  virtual std::string plan_text() const = 0;

  Status write_finished(const results::RunContext& about, const Record& record,
                        const results::RunOutcome& outcome) override {
    return results::write_finished(this->folder_, about, record, plan_text(), outcome);
  }
  std::string json(const results::RunContext& about, const Record& record,
                   const results::RunOutcome& outcome) const override {
    return results::record_json(about, record, outcome);
  }
  std::string table(const Record& record) const override { return results::result_table(record); }

  const TrainingCall& call_;
  const TrainingOptions& options_;
};

}  // namespace mlps::cli
