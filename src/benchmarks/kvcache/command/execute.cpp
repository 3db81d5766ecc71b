#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/units.hpp"
#include "base/write_all.hpp"
#include "benchmarks/kvcache/command/options.hpp"
#include "benchmarks/kvcache/command/prepare.hpp"
#include "benchmarks/kvcache/fio_job.hpp"
#include "benchmarks/kvcache/results/files.hpp"
#include "benchmarks/kvcache/results/views.hpp"
#include "benchmarks/kvcache/run.hpp"
#include "gates/claim.hpp"
#include "gates/gates.hpp"
#include "results/findings.hpp"
#include "results/record_common.hpp"
#include "run/gather_parts.hpp"
#include "run/lost_uploads.hpp"
#include "session/cluster.hpp"
#include "session/execution.hpp"
#include "session/host_watch.hpp"
#include "session/placement.hpp"
#include "session/run_end.hpp"

namespace mlps::cli {
namespace {

// The spelling of mlpstorage 3.0 in its results tree.
constexpr const char* kFamily = "kv_cache";

class KvCacheExecution {
 public:
  KvCacheExecution(const KvCacheOptions& options, PreparedKvCache prepared, Stamp invocation_start,
                   const Cluster& cluster, ProcessGroup& group)
      : options_(options), common_(options.common), prepared_(std::move(prepared)), cluster_(cluster), group_(group) {
    prepared_.request.invocation_start = invocation_start;
  }

  int print_plan() const {
    if (!group_.is_process0()) return kExitSuccess;
    results::KvPlanDetails details{std::string(mode_name(common_.mode)), ranks_per_host(options_)};
    // A run reads its trace while it goes on, however large that is; what only shows the plan reads it first.
    const bool runs = options_.which == KvCacheCommand::kRun && !common_.dry_run;
    if (options_.settings.paged && !runs) {
      auto curve = kvcache::count_replays(*options_.settings.paged, true);
      if (!curve) return report_failures({curve.error()});
      details.curve = std::move(*curve);
    }
    print(common_.json ? results::plan_json(prepared_.request, details)
                       : results::plan_table(prepared_.request, details));
    return kExitSuccess;
  }

  int print_configuration() const {
    if (!common_.json) print(configuration_text(prepared_.values));
    return print_plan();
  }

  int run() {
    if (shows_plan(common_)) print_plan();
    auto shares = place_ranks(options_, ranks_of(options_), group_.transport().members());
    if (const auto status = group_.check_consensus(errors_of(shares), agreed_plan())) return *status;
    shares_ = std::move(*shares);
    const Result<gates::Report> gates = check_gates();
    if (const auto status = report_gates(gates)) return *status;
    if (const auto status = group_.check_consensus(errors_of(claim_folder()))) return *status;
    return repeat(common_, [&] { return run_once(*gates); });
  }

 private:
  Result<gates::Report> check_gates() const {
    gates::Request request;
    request.store = prepared_.store.get();
    request.folder_word = "cache folder";
    request.bytes_to_write = results::least_storage(prepared_.request);
    request.results_dir = common_.results_dir;
    request.separation_is_warning = common_.skip_fs_separation_gate;
    for (size_t i = 0; i < options_.settings.options.size(); ++i) {
      const uint64_t needed =
          host_memory(prepared_.request.io[i], options_.settings.options[i], ranks_per_host(options_));
      request.buffer_bytes = std::max(request.buffer_bytes, needed);
    }
    return gates::run_gates(request, group_.transport());
  }

  // Process 0 claims the folder for all.
  Status claim_folder() {
    if (!group_.is_process0()) return {};
    return gates::claim_folder(*prepared_.store, true, command_text(options_), group_.transport().failure(), claim_);
  }

  std::vector<PlanPart> agreed_plan() const {
    return {{"the options", packed_values(prepared_.values)},
            {"the cache folder", prepared_.store->root().to_string()},
            {"the ranks", world::pack("ranks", std::pair(uint64_t{options_.num_processes}, options_.verify))}};
  }

  results::KvCacheContext context(const results::RunFolder& folder, const gates::Report& gates) const {
    results::KvCacheContext context;
    fill_context(options_, options_.num_processes, folder, cluster_.members(group_, shares_), context);
    context.benchmark = kFamily;
    context.separation = gates.separation;
    context.class_keys = &results::kKvCacheClass;
    context.workload_name = "kvcache";
    context.values = prepared_.values;
    context.verification = common_.mode == Mode::kClosed ? "CLOSED" : "OPEN";
    context.ranks_per_host = ranks_per_host(options_);
    if (!options_.fills) context.no_result_because.emplace_back("--payload none: the entries have no content");
    return context;
  }

  int run_once(const gates::Report& gates) {
    world::World world(group_.ranks_of(shares_), group_.transport().failure());
    const InterruptWatch::Attachment attachment(group_.interrupts(), world.failure());
    if (const auto status = group_.check_consensus(errors_of(begin(gates)))) return *status;
    group_.share_warnings(true);
    kvcache::RunRequest request = prepared_.request;
    if (!common_.quiet && group_.is_process0()) {
      request.on_progress = [this](const kvcache::Progress& progress) {
        display_.show(group_.host_prefix() + kvcache::progress_line(progress));
      };
    }
    HostWatch watch(options_, world.failure());
    kvcache::RunRecord record = kvcache::run(request, world);
    warn(run::abort_all_uploads_after_loss(group_.transport(), *prepared_.store).warning());
    const world::MovedBytes moved{record.hosts.front().bytes_read, record.hosts.front().bytes_written};
    const auto gather = [&] { (void)run::gather_record(record, group_.transport()); };
    const auto outcome = end_run(record, gather, {folder_, about_, *prepared_.store, moved, watch, group_});
    return outcome ? conclude(record, *outcome) : status_of(record);
  }

  /// Claims the run folder, and leaves a record there that says "incomplete" until the end. In process 0 only.
  Status begin(const gates::Report& gates) {
    if (!group_.is_process0()) return {};
    if (Status same = check_system(common_, cluster_.members(group_, shares_)); !same) return same;
    results::RunFolderRequest where;
    where.benchmark = kFamily;
    where.model = options_.model;
    where.command = options_.command;
    auto folder = begin_run_folder(common_, where);
    if (!folder) return fail(folder.error());
    folder_ = std::move(*folder);
    about_ = context(folder_, gates);
    return results::write_started(folder_, about_, kvcache::describe_run(prepared_.request));
  }

  /// Writes the job file for fio, if one is wanted and there is a run to tell its values.
  Status emit_fio(const kvcache::RunRecord& record) const {
    if (options_.emit_fio.empty() || record.verdict != run::Verdict::kPassed) return {};
    std::string text;
    for (size_t i = 0; i < record.settings.options.size(); ++i) {
      text += kvcache::fio_job(record, record.settings.options[i], record.io[i]);
    }
    return write_file(options_.emit_fio, text, O_TRUNC);
  }

  int conclude(const kvcache::RunRecord& record, const results::RunOutcome& outcome) const {
    Status written = results::write_finished(folder_, about_, record, outcome);
    if (written) written = emit_fio(record);
    return show_and_finish(common_, folder_, written, outcome,
                           {.json = [&] { return results::record_json(about_, record, outcome); },
                            .tables =
                                [&] {
                                  return results::result_table(record) + results::findings_text(outcome.findings) +
                                         results::no_result_text(about_, record);
                                }});
  }

  const KvCacheOptions& options_;
  const CommonOptions& common_;
  PreparedKvCache prepared_;
  const Cluster& cluster_;
  ProcessGroup& group_;
  ProgressDisplay display_;
  std::vector<world::HostShare> shares_;
  std::unique_ptr<gates::FolderClaim> claim_;  // process 0's
  results::RunFolder folder_;                  // process 0's, of the current loop
  results::KvCacheContext about_;
};

}  // namespace

int execute_command(const KvCacheOptions& options, const CommandContext& context) {
  ProcessGroup& group = context.group;
  prepare_process();
  Cluster cluster;
  if (const auto status = cluster.meet(group)) return *status;
  auto prepared = prepare_kvcache(options, context.environment);
  if (const auto status = group.check_consensus(all_errors(context, prepared))) return *status;
  KvCacheExecution execution(options, std::move(*prepared), context.invocation_start, cluster, group);
  switch (options.which) {
    case KvCacheCommand::kDatasize:
      return execution.print_plan();
    case KvCacheCommand::kConfigview:
      return execution.print_configuration();
    case KvCacheCommand::kRun:
      break;
  }
  return options.common.dry_run ? execution.print_plan() : execution.run();
}

}  // namespace mlps::cli
