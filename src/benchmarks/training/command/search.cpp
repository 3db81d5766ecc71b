#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/log.hpp"
#include "base/units.hpp"
#include "benchmarks/training/command/execute.hpp"
#include "benchmarks/training/metrics.hpp"
#include "session/load_search.hpp"

namespace mlps::cli {
namespace {

// What is read ahead in the steps that AU leaves out is no work of the storage in those that it counts: so many times
// as many steps keep the AU at the edge from being more than 5 % too high.
constexpr uint64_t kStepsPerBatchAhead = 20;

// Files have headers, so that a batch is a little more than its samples; of a batch.
constexpr double kHeaders = 0.05;

// Below this AU the accelerators waited so much that it tells the rate of the storage.
constexpr double kMostToldByWaiting = 98;

/// Returns how many steps an epoch needs, for a search to say something about the storage.
uint64_t steps_needed(const PreparedRun& prepared, const training::RunPlan& plan, const training::ReadPlan& reads) {
  const workloads::MetricSettings& metric = prepared.chosen.workload.metric;
  const double batch_bytes = plan.nominal_bytes_per_epoch /
                             (static_cast<double>(plan.steps_per_epoch) * static_cast<double>(plan.accelerators));
  const double ahead = std::ceil(static_cast<double>(reads.read_ahead_bytes) / std::max(batch_bytes, 1.0) - kHeaders);
  return std::max<uint64_t>(1, metric.exclude_start_steps) + metric.exclude_end_steps +
         kStepsPerBatchAhead * static_cast<uint64_t>(std::max(ahead, 1.0));
}

/// Returns whether the data set is large enough for so many accelerators.
bool holds(const PreparedRun& prepared, uint64_t accelerators) {
  const auto plan = training::make_run_plan(prepared.chosen.workload, static_cast<uint32_t>(accelerators));
  if (!plan) return false;
  const auto reads = training::plan_reads(prepared.chosen.workload, *plan, *prepared.files.train, *prepared.store,
                                          prepared.read_request);
  return reads && plan->steps_per_epoch >= steps_needed(prepared, *plan, *reads);
}

/// Returns the most accelerators that the data set is large enough for, a multiple of `step`; 0 if there are none.
uint64_t most_accelerators(const PreparedRun& prepared, uint64_t step) {
  uint64_t enough = 0, too_many = kMostRanks / step + 1;
  while (too_many - enough > 1) {
    const uint64_t middle = enough + (too_many - enough) / 2;
    (holds(prepared, middle * step) ? enough : too_many) = middle;
  }
  return enough * step;
}

Error too_few_files(const PreparedRun& prepared) {
  const training::RunPlan& plan = prepared.plan;
  const uint64_t steps = steps_needed(prepared, plan, *prepared.reads);
  const uint64_t samples = steps * plan.batch_size * plan.accelerators;
  return {ErrorCode::kConfigInvalid,
          fmt::format("--num-accelerators max: the data set is too small for a search: with {} its epoch has {} steps "
                      "of which the read-ahead hides the storage; {} are needed",
                      plan.accelerators == 1 ? "1 accelerator" : fmt::format("{} accelerators", plan.accelerators),
                      plan.steps_per_epoch, steps),
          {},
          fmt::format("generate {} files for each accelerator that the search may come to, or read less ahead with "
                      "--read-ahead",
                      grouped((samples / plan.accelerators + plan.samples_per_file - 1) / plan.samples_per_file))};
}

SearchedRun judged(const training::RunRecord& record, const std::string& folder, uint64_t load) {
  SearchedRun ran;
  ran.folder = folder;
  const training::Metrics metrics = training::metrics_of(record);
  if (record.verdict != run::Verdict::kPassed) {
    if (!record.reasons.empty()) ran.limit = record.reasons.front();
    return ran;
  }
  ran.limit =
      fmt::format("accelerators idle: {:.1f} % for the storage, {:.1f} % for each other, {:.1f} % for this client",
                  100 * metrics.storage_wait_share, 100 * metrics.barrier_share, 100 * metrics.harness_share);
  if (!record.caveats.empty()) ran.limit = record.caveats.front();
  run::EdgeTrial trial;
  trial.value = metrics.au_overall.mean;
  trial.met = metrics.meets_expectation;
  trial.client_limited = !record.caveats.empty() || (!trial.met && metrics.harness_share > metrics.storage_wait_share);
  if (trial.value < kMostToldByWaiting) {
    trial.guess = static_cast<double>(load) * trial.value / (100 * record.au_threshold);
  }
  ran.trial = trial;
  return ran;
}

LoadSearch describe_search(const TrainingOptions& options, const PreparedRun& prepared) {
  LoadSearch search;
  search.flag = "--num-accelerators";
  search.loads = "accelerators";
  search.subject = options.accelerator_type.empty() ? options.model
                                                    : fmt::format("{} on {}", options.model, options.accelerator_type);
  search.measure = "AU";
  search.unit = "%";
  search.threshold = 100 * prepared.chosen.workload.metric.au;
  search.step = options.processes;
  search.first = search.step;
  search.bound = most_accelerators(prepared, search.step);
  search.bound_because =
      search.bound + search.step > kMostRanks
          ? "the most that --num-accelerators takes"
          : fmt::format("with more, an epoch of the {} files is so short that reading ahead hides the storage",
                        grouped(prepared.plan.files));
  search.folder = training_folder(options);
  search.folder.command = "search";
  return search;
}

}  // namespace

int execute_search(const TrainingCall& call) {
  TrainingOptions options = call.options;
  options.processes = std::max(options.processes, call.group.transport().size());  // none is without a rank
  auto prepared = prepare_run(options, call.context.environment, call.cluster.memory_bytes());
  std::vector<Error> errors = all_errors(call.context, prepared);
  LoadSearch search;
  if (errors.empty()) {
    search = describe_search(options, *prepared);
    if (search.bound == 0) errors.push_back(too_few_files(*prepared));
  }
  if (const auto status = call.group.check_consensus(errors)) return *status;
  // One data set for all runs, also where there is only the count that the rules ask for.
  if (!options.gives_param("dataset.num_files_train")) {
    options.common.params.emplace_back("dataset.num_files_train", std::to_string(prepared->plan.files));
  }
  const auto run_at = [&](uint64_t load) {
    options.processes = static_cast<uint32_t>(load);
    options.arguments["num_accelerators"] = load;
    SearchedRun ran;
    auto point = prepare_run(options, call.context.environment, call.cluster.memory_bytes());
    if (const auto status = call.group.check_consensus(all_errors(call.context, point))) {
      ran.status = *status;
      return ran;
    }
    const TrainingCall one{options, call.context, call.group, call.cluster};
    const int status = run_prepared(
        one, std::move(*point),
        [&](const training::RunRecord& record, const std::string& folder) { ran = judged(record, folder, load); });
    ran.status = status;
    return ran;
  };
  return search_load(options, call.context.environment, call.group, search, run_at);
}

}  // namespace mlps::cli
