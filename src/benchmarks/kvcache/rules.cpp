#include "benchmarks/kvcache/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace mlps::kvcache {
namespace {

using Broken = std::optional<std::string>;

const Settings& settings_of(const RuleFacts& facts) {
  return facts.record->settings;
}

Broken unless(bool kept, std::string why) {
  return kept ? Broken() : Broken(std::move(why));
}

Broken fixed_workload(const RuleFacts& facts) {
  if (!facts.closed) return {};
  const auto& options = settings_of(facts).options;
  if (options.size() != 3) return fmt::format("{} options ran, not all three", options.size());
  for (uint32_t number = 1; number <= 3; ++number) {
    const OptionPlan &ran = options[number - 1], fixed = closed_option(number);
    const bool same = ran.number == number && ran.model.key == fixed.model.key && ran.users == fixed.users &&
                      ran.duration_s == fixed.duration_s && ran.gpu_gib == fixed.gpu_gib &&
                      ran.cpu_gib == fixed.cpu_gib && ran.max_allocs == fixed.max_allocs &&
                      ran.generation == fixed.generation;
    if (!same) return fmt::format("option {} ran with other values than the table's", number);
  }
  return {};
}

Broken sequence_locks(const RuleFacts& facts) {
  const Settings& settings = settings_of(facts);
  if (!facts.closed) return {};
  if (settings.seed != 42) return fmt::format("seed must be 42, is {}", settings.seed);
  if (settings.tuning != Tuning()) return "a configuration file, or a feature, changed the workload";
  if (settings.trials != 3) return fmt::format("trials must be 3, are {}", settings.trials);
  return unless(settings.inter_option_delay_s == 90,
                fmt::format("the delay between options must be 90 s, is {} s", settings.inter_option_delay_s));
}

Broken no_autoscaling(const RuleFacts& facts) {
  if (!facts.closed) return {};
  // A closed loop adapts the load to the storage, too.
  const Settings& settings = settings_of(facts);
  if (settings.tuning.scaling.mode != AutoscalerMode::kOff) return "users came and went by what the storage showed";
  return unless(settings.arrival == Arrival::kThink,
                "the load adapts itself to the storage: users wait for answers, or come at a rate");
}

Broken client_definition(const RuleFacts& facts) {
  return unless(
      facts.record->ranks == facts.hosts * facts.ranks_per_host,
      fmt::format("{} ranks are not {} on each of {} hosts", facts.record->ranks, facts.ranks_per_host, facts.hosts));
}

/// Returns the windows of an option, each rank and trial once.
std::set<std::pair<uint32_t, uint32_t>> windows_of(const RunRecord& record, uint32_t option) {
  std::set<std::pair<uint32_t, uint32_t>> windows;
  for (const RankTrial& trial : record.trials) {
    if (trial.option == option) windows.insert({trial.trial, trial.rank});
  }
  return windows;
}

Broken all_windows(const RuleFacts& facts) {
  const RunRecord& record = *facts.record;
  for (const OptionPlan& option : record.settings.options) {
    const size_t planned = size_t{record.ranks} * record.settings.trials,
                 found = windows_of(record, option.number).size();
    if (found != planned)
      return fmt::format("option {} has {} windows of ranks, not {}", option.number, found, planned);
  }
  return {};
}

Broken isolation(const RuleFacts& facts) {
  std::set<std::tuple<uint32_t, uint32_t, uint32_t>> seen;
  for (const RankTrial& trial : facts.record->trials) {
    if (!seen.insert({trial.option, trial.trial, trial.rank}).second) {
      return fmt::format("two results of rank {} in trial {} of option {}", trial.rank, trial.trial, trial.option);
    }
    if (trial.seed != settings_of(facts).seed + trial.rank)
      return fmt::format("rank {} had seed {}", trial.rank, trial.seed);
  }
  return {};
}

Broken shared_results(const RuleFacts& facts) {
  // Process 0 writes what all processes have sent, so the results of every host are there, or none.
  return unless(facts.record->hosts.size() == facts.hosts,
                fmt::format("results of {} of {} hosts are there", facts.record->hosts.size(), facts.hosts));
}

template <class Value>
Broken finite_in_all(const RuleFacts& facts, const char* what, Value value) {
  if (const Broken missing = all_windows(facts)) return missing;
  for (const OptionPlan& option : settings_of(facts).options) {
    const double number = value(option_result(*facts.record, option));
    if (!std::isfinite(number) || number < 0) return fmt::format("option {} has no {}", option.number, what);
  }
  return {};
}

Broken aggregate_bandwidth(const RuleFacts& facts) {
  return finite_in_all(facts, "bandwidth", [](const OptionResult& r) { return r.read_gib_per_s + r.write_gib_per_s; });
}

Broken aggregate_throughput(const RuleFacts& facts) {
  return finite_in_all(facts, "throughput", [](const OptionResult& r) { return r.tokens_per_storage_s; });
}

Broken device_latency(const RuleFacts& facts) {
  for (const OptionPlan& option : settings_of(facts).options) {
    const OptionResult result = option_result(*facts.record, option);
    if (!result.device_read_p95_ms) return fmt::format("option {} has no device latency of reads", option.number);
  }
  return {};
}

Broken latency_validity(const RuleFacts& facts) {
  for (const OptionPlan& option : settings_of(facts).options) {
    const bool all = option_result(*facts.record, option).cpu_tier_ranks.size() == facts.record->ranks;
    if (all)
      return fmt::format("option {}: no rank had an entry in storage, so its latencies are those of memory",
                         option.number);
  }
  return {};
}

Broken headline(const RuleFacts& facts) {
  if (const Broken missing = device_latency(facts)) return missing;
  for (const OptionPlan& option : settings_of(facts).options) {
    const OptionResult result = option_result(*facts.record, option);
    if (!result.device_write_p95_ms) return fmt::format("option {} has no device latency of writes", option.number);
    if (result.read_gib_per_s <= 0) return fmt::format("option {} has no read bandwidth", option.number);
  }
  return {};
}

Broken separate_folders(const RuleFacts& facts) {
  return unless(!facts.same_file_system.value_or(false), "cache and results are on one file system");
}

Broken io_model(const RuleFacts& facts) {
  return unless(!facts.closed || settings_of(facts).io == KvIo::kCompat,
                "entries are not .npy files that are written, synced, and read after their pages were dropped");
}

Broken by_gateway(const RuleFacts& facts) {
  return unless(!facts.closed || !facts.object, "the object store is reached without a file system before it");
}

Broken latency_scope(const RuleFacts& facts) {
  return unless(!facts.storage_settings.empty(), "how the storage is reached is not recorded");
}

Broken closed_immutable(const RuleFacts& facts) {
  if (!facts.closed) return {};
  if (const Broken changed = fixed_workload(facts)) return changed;
  const Settings& settings = settings_of(facts);
  const bool same = settings.multi_turn && settings.prefix_caching && settings.tensor_parallel == 1 &&
                    settings.storage_capacity_gib == 0 && !settings.paged && settings.phases == Phases::kBoth &&
                    !settings.preconditioning && settings.tuning == Tuning();
  return unless(same, "features of the workload were changed");
}

Broken open_allowances(const RuleFacts& facts) {
  return unless(facts.closed || !settings_of(facts).options.empty(), "no option ran");
}

Broken invocation_note(const RuleFacts& facts) {
  return unless(!facts.command_line.empty(), "the command line is not recorded");
}

constexpr std::array<Rule, 19> kRules = {{
    {"6.3.1.1", "kvcacheFixedWorkloadPerOption", "All three options run with the values of the table.", fixed_workload},
    {"6.3.2.1", "kvcacheClosedSequenceLocks", "Seed 42, three trials, 90 s between options, no configuration file.",
     sequence_locks},
    {"6.3.2.2", "kvcacheAutoscalingProhibited", "The load does not adapt itself to the storage.", no_autoscaling},
    {"6.3.3.1", "kvcacheClientDefinition", "A client is one rank; every host has equally many.", client_definition},
    {"6.3.3.2", "kvcacheScaleUpModel", "Load grows by ranks only: each runs the whole sequence.", all_windows},
    {"6.3.3.3", "kvcachePerClientIsolation", "Each rank has results, a folder and a seed of its own.", isolation},
    {"6.3.3.4", "kvcacheSharedResultsDir", "The results of all hosts are in one place.", shared_results},
    {"6.3.4.1", "kvcacheAggregateBandwidth", "Bandwidths are summed over ranks, and means of trials.",
     aggregate_bandwidth},
    {"6.3.4.2", "kvcacheAggregateThroughput", "So is the throughput of tokens.", aggregate_throughput},
    {"6.3.4.3", "kvcacheAggregateDeviceLatency", "Device latency is the highest p95 of a rank.", device_latency},
    {"6.3.4.4", "kvcacheLatencyValidity", "Not every rank had its entries in memory alone.", latency_validity},
    {"6.3.4.5", "kvcacheHeadlineResult", "Bandwidth, both device latencies and throughput are there.", headline},
    {"6.4.1", "kvcachePosixCacheDir", "Cache and results are on different file systems.", separate_folders},
    {"6.4.2", "kvcachePosixIoModel", "Entries are .npy files, synced after writing, read past the page cache.",
     io_model},
    {"6.5.1", "kvcacheObjectViaGateway", "Object storage is reached through a file system.", by_gateway},
    {"6.5.2", "kvcacheObjectLatencyScope", "How the storage is reached is recorded.", latency_scope},
    {"6.6.1", "kvcacheClosedImmutable", "Closed varies names, folders and hosts only.", closed_immutable},
    {"6.6.2", "kvcacheOpenAllowances", "Open may vary the workload.", open_allowances},
    {"6.6.3", "kvcacheOpenInvocationNote", "The command line is recorded.", invocation_note},
}};

}  // namespace

std::span<const Rule> rules() {
  return kRules;
}

}  // namespace mlps::kvcache
