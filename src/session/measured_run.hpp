#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gates/claim.hpp"
#include "gates/gates.hpp"
#include "results/findings.hpp"
#include "results/record_common.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"
#include "run/gather_parts.hpp"
#include "run/lost_uploads.hpp"
#include "session/cluster.hpp"
#include "session/command.hpp"
#include "session/execution.hpp"
#include "session/host_watch.hpp"
#include "session/run_end.hpp"
#include "world/world.hpp"

/// The order of a command that measures, which is the same for every benchmark: place the ranks, agree, check, claim,
/// measure, gather, record, show.
namespace mlps::cli {

/// Holds what does not depend on the record. Refers to options, cluster and group, which outlive it. Used by one
/// thread.
class RunSteps {
 public:
  RunSteps(const RunSteps&) = delete;
  RunSteps& operator=(const RunSteps&) = delete;
  virtual ~RunSteps() = default;

  /// Carries the command out as often as --loops asks, and returns the process status. Collective.
  int run();

 protected:
  RunSteps(const BenchmarkOptions& options, const Cluster& cluster, ProcessGroup& group)
      : common_(options.common), group_(group), options_(options), cluster_(cluster) {}

  virtual RankDemand ranks() const = 0;
  /// Returns the store that is measured.
  virtual storage::Store& store() const = 0;
  /// Returns what the processes must have alike.
  virtual std::vector<PlanPart> agreed_plan() const = 0;
  /// Returns what the gates are to check of `store()` beside what is the same for every benchmark.
  virtual gates::Request gate_request() const = 0;
  /// Do what a benchmark has to find out before or after the gates. Return the status to end with, if any. Collective.
  virtual std::optional<int> before_gates() { return std::nullopt; }
  virtual std::optional<int> after_gates() { return std::nullopt; }
  /// Claims the folders that the run writes into, for all processes. In process 0.
  virtual Status claim_folders() = 0;
  virtual results::RunFolderRequest folder_request() const = 0;
  /// Says whether the run folder may only be made where the description of the system fits the hosts.
  virtual bool checks_system() const { return true; }
  /// Says whether --loops counts for the command.
  virtual bool repeats() const { return true; }
  /// Removes what the run has written, if it is to, or says that it stays. `whole`: all loops passed. In process 0,
  /// when all have ended their part.
  virtual void settle_what_was_written(bool /*whole*/) {}

  Status claim(storage::Store& store, bool writes) {
    return gates::claim_folder(store, writes, command_text(options_), group_.transport().failure(), claim_);
  }
  /// Fills what options, hosts, gates and run folder decide. In process 0.
  void fill_about(uint32_t processes, results::RunContext& about) const;

  const CommonOptions& common_;
  ProcessGroup& group_;
  results::RunFolder folder_;  // process 0's, of the current loop

 private:
  template <class Record, class Context>
  friend class MeasuredRun;

  int run_steps();
  Result<gates::Report> check_gates() const;
  Status make_run_folder();
  virtual int run_once() = 0;

  const BenchmarkOptions& options_;
  const Cluster& cluster_;
  gates::Report gates_;
  std::vector<world::HostShare> shares_;
  std::unique_ptr<gates::FolderClaim> claim_;  // process 0's
};

/// A command whose runs leave a `Record`, which has run::RunFacts as its base, and a `Context` beside it.
template <class Record, class Context = results::RunContext>
class MeasuredRun : public RunSteps {
 public:
  /// Has `use` called, in process 0, with each record and its run folder, whose files are written; nothing is shown.
  void use_instead_of_showing(std::function<void(const Record&, const std::string& folder)> use) {
    use_ = std::move(use);
  }

 protected:
  using RunSteps::RunSteps;

  /// Finds out what all processes need for one run: seeds, what is stored. Returns the status to end with, if any.
  /// Collective.
  virtual std::optional<int> prepare_run(world::World& /*world*/) { return std::nullopt; }
  /// Makes the request of this process. The run folder is there, in process 0.
  virtual void make_request() {}
  /// Returns what the result files say beside the record. In process 0.
  virtual Context describe() const = 0;
  /// Measures, in every process.
  virtual Record measure(world::World& world) = 0;
  /// Aborts what processes that are gone have left open. Collective, unless the group has failed.
  virtual run::LostUploads abort_lost_uploads() {
    return run::abort_all_uploads_after_loss(group_.transport(), store());
  }
  /// Returns what this process alone has moved, before it gathers.
  virtual world::MovedBytes moved(const Record& record) const = 0;
  /// Makes process 0's record that of all. Collective.
  virtual void gather(Record& record) { (void)run::gather_record(record, group_.transport()); }

  /// Adds what the run has found out to what describe() returned. In process 0.
  virtual void complete(Context& /*about*/, const Record& /*record*/) const {}

  // The result files and views of the benchmark, in process 0.
  virtual Status write_started(const Context& about) = 0;
  virtual Status write_finished(const Context& about, const Record& record, const results::RunOutcome& outcome) = 0;
  virtual std::string json(const Context& about, const Record& record, const results::RunOutcome& outcome) const = 0;
  virtual std::string table(const Record& record) const = 0;

  const std::vector<world::HostShare>& shares() const { return shares_; }

 private:
  int run_once() final {
    world::World world(group_.ranks_of(shares_), group_.transport().failure());
    const InterruptWatch::Attachment attachment(group_.interrupts(), world.failure());
    if (const auto status = prepare_run(world)) return *status;
    if (const auto status = group_.check_consensus(errors_of(make_run_folder()))) return *status;
    make_request();
    if (const auto status = group_.check_consensus(errors_of(begin()))) return *status;
    group_.share_warnings(true);
    HostWatch watch(options_, world.failure());
    Record record = measure(world);
    warn(abort_lost_uploads().warning());
    const world::MovedBytes by_this_process = moved(record);
    const auto outcome =
        end_run(record, [&] { gather(record); }, {folder_, about_, store(), by_this_process, watch, group_});
    return outcome ? conclude(record, *outcome) : status_of(record);
  }

  /// Leaves a record in the run folder that says "incomplete" until the end. In process 0.
  Status begin() {
    if (!group_.is_process0()) return {};
    about_ = describe();
    return write_started(about_);
  }

  /// Writes and shows what came out. Returns the process status: the record's first error, or success.
  int conclude(const Record& record, const results::RunOutcome& outcome) {
    complete(about_, record);
    const Status written = write_finished(about_, record, outcome);
    if (use_) use_(record, folder_.path);
    return show_and_finish(common_, folder_, written, outcome,
                           {.json = [&] { return json(about_, record, outcome); },
                            .tables =
                                [&] {
                                  return table(record) + results::findings_text(outcome.findings) +
                                         results::no_result_text(about_, record);
                                },
                            .shown = !use_});
  }

  Context about_;  // process 0's, of the current loop
  std::function<void(const Record&, const std::string& folder)> use_;
};

}  // namespace mlps::cli
