#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/units.hpp"
#include "base/write_all.hpp"
#include "benchmarks/kvcache/command/options.hpp"
#include "benchmarks/kvcache/command/prepare.hpp"
#include "benchmarks/kvcache/fio_job.hpp"
#include "benchmarks/kvcache/metrics.hpp"
#include "benchmarks/kvcache/results/files.hpp"
#include "benchmarks/kvcache/results/views.hpp"
#include "benchmarks/kvcache/run.hpp"
#include "session/load_search.hpp"
#include "session/measured_run.hpp"

namespace mlps::cli {
namespace {

// The spelling of mlpstorage 3.0 in its results tree.
constexpr const char* kFamily = "kv_cache";

class KvCacheExecution final : public MeasuredRun<kvcache::RunRecord, results::KvCacheContext> {
 public:
  KvCacheExecution(const KvCacheOptions& options, PreparedKvCache prepared, Stamp invocation_start,
                   const Cluster& cluster, ProcessGroup& group)
      : MeasuredRun(options, cluster, group), options_(options), prepared_(std::move(prepared)) {
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

 private:
  RankDemand ranks() const override { return ranks_of(options_); }
  storage::Store& store() const override { return *prepared_.store; }

  gates::Request gate_request() const override {
    gates::Request request;
    request.folder_word = "cache folder";
    request.bytes_to_write = results::least_storage(prepared_.request);
    for (size_t i = 0; i < options_.settings.options.size(); ++i) {
      const uint64_t needed =
          host_memory(prepared_.request.io[i], options_.settings.options[i], ranks_per_host(options_));
      request.buffer_bytes = std::max(request.buffer_bytes, needed);
    }
    return request;
  }

  Status claim_folders() override { return claim(*prepared_.store, true); }

  std::vector<PlanPart> agreed_plan() const override {
    return {{"the options", packed_values(prepared_.values)},
            {"the cache folder", prepared_.store->root().to_string()},
            {"the ranks", world::pack("ranks", std::pair(uint64_t{options_.num_processes}, options_.verify))}};
  }

  results::RunFolderRequest folder_request() const override {
    results::RunFolderRequest where;
    where.benchmark = kFamily;
    where.model = options_.model;
    where.command = options_.command;
    return where;
  }

  results::KvCacheContext describe() const override {
    results::KvCacheContext about;
    fill_about(options_.num_processes, about);
    about.benchmark = kFamily;
    about.class_keys = &results::kKvCacheClass;
    about.workload_name = "kvcache";
    about.values = prepared_.values;
    about.verification = common_.mode == Mode::kClosed ? "CLOSED" : "OPEN";
    about.ranks_per_host = ranks_per_host(options_);
    if (!options_.fills) about.no_result_because.emplace_back("--payload none: the entries have no content");
    return about;
  }

  kvcache::RunRecord measure(world::World& world) override {
    kvcache::RunRequest request = prepared_.request;
    request.on_progress = shows_progress(options_);
    return kvcache::run(request, world);
  }

  world::MovedBytes moved(const kvcache::RunRecord& record) const override {
    return {record.hosts.front().bytes_read, record.hosts.front().bytes_written};
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

  Status write_started(const results::KvCacheContext& about) override {
    return results::write_started(folder_, about, kvcache::describe_run(prepared_.request));
  }
  Status write_finished(const results::KvCacheContext& about, const kvcache::RunRecord& record,
                        const results::RunOutcome& outcome) override {
    const Status written = results::write_finished(folder_, about, record, outcome);
    return written ? emit_fio(record) : written;
  }
  std::string json(const results::KvCacheContext& about, const kvcache::RunRecord& record,
                   const results::RunOutcome& outcome) const override {
    return results::record_json(about, record, outcome);
  }
  std::string table(const kvcache::RunRecord& record) const override { return results::result_table(record); }

  const KvCacheOptions& options_;
  PreparedKvCache prepared_;
};

// As mlpstorage 3.0 has it for each class of users.
constexpr double kServedInTimePercent = 95;

/// Returns whether a run is a trial of a search although it has failed: all that is wrong with it is that in some
/// options no request was completed, or that faster tiers held everything. With more users the first is too much load,
/// and the second too little.
bool is_trial(const kvcache::RunRecord& record) {
  if (record.verdict == run::Verdict::kPassed) return true;
  if (!record.error || record.error->code != ErrorCode::kDataMismatch) return false;
  const auto spoilt = std::count_if(
      record.settings.options.begin(), record.settings.options.end(), [&](const kvcache::OptionPlan& option) {
        const kvcache::OptionResult result = kvcache::option_result(record, option);
        return !result.attainment || result.read_gib_per_s <= 0 || result.write_gib_per_s <= 0;
      });
  return static_cast<size_t>(spoilt) == record.reasons.size();
}

/// Returns the share of requests within their target, of the worst option.
SearchedRun judged(const kvcache::RunRecord& record, const std::string& folder) {
  SearchedRun ran;
  ran.folder = folder;
  if (!is_trial(record)) {
    if (!record.reasons.empty()) ran.limit = record.reasons.front();
    return ran;
  }
  run::EdgeTrial trial{true, 100};
  for (const kvcache::OptionPlan& option : record.settings.options) {
    const kvcache::OptionResult result = kvcache::option_result(record, option);
    const double percent = 100 * result.attainment.value_or(0);
    if (percent > trial.value) continue;
    trial.value = percent;
    ran.limit = fmt::format("option {}: storage p95 of a request {:.1f} ms, storage moved {:.3f} GiB/s", option.number,
                            result.p95_request_storage_ms.value_or(0), result.read_gib_per_s + result.write_gib_per_s);
  }
  trial.client_limited = !record.caveats.empty();
  if (trial.client_limited) ran.limit = record.caveats.front();
  trial.met = trial.value >= kServedInTimePercent && !trial.client_limited;
  ran.trial = trial;
  return ran;
}

LoadSearch describe_search(const KvCacheOptions& options) {
  LoadSearch search;
  search.flag = "--num-users";
  search.loads = "users";
  search.subject = options.num_processes == 1
                       ? options.model
                       : fmt::format("{} on each of {} ranks", options.model, options.num_processes);
  search.measure = "served in time";
  search.done = "served in time";
  search.unit = "%";
  search.threshold = kServedInTimePercent;
  search.bound = kvcache::kMostUsers;
  search.bound_because = "the most that --num-users takes";
  search.folder.benchmark = kFamily;
  search.folder.model = options.model;
  search.folder.command = "search";
  return search;
}

int execute_search(KvCacheOptions options, const CommandContext& context, const Cluster& cluster) {
  const auto run_at = [&](uint64_t load) {
    for (kvcache::OptionPlan& option : options.settings.options) option.users = static_cast<uint32_t>(load);
    options.arguments["num_users"] = load;
    SearchedRun ran;
    auto prepared = prepare_kvcache(options, context.environment);
    if (const auto status = context.group.check_consensus(all_errors(context, prepared))) {
      ran.status = *status;
      return ran;
    }
    KvCacheExecution execution(options, std::move(*prepared), context.invocation_start, cluster, context.group);
    execution.use_instead_of_showing(
        [&](const kvcache::RunRecord& record, const std::string& folder) { ran = judged(record, folder); });
    const int status = execution.run();
    ran.status = ran.trial ? kExitSuccess : status;
    return ran;
  };
  return search_load(options, context.environment, context.group, describe_search(options), run_at);
}

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
  if (options.searches && !options.common.dry_run) return execute_search(options, context, cluster);
  const int status = shows_plan(options.common) ? execution.print_plan() : kExitSuccess;
  return options.common.dry_run || status != kExitSuccess ? status : execution.run();
}

}  // namespace mlps::cli
