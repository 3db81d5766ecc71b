#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "rules/cache_figures.hpp"
#include "rules/rule.hpp"

/// Rules 6.3.3 and 6.3.4: the clients of kv_cache and their figures.
namespace mlps::rules {
namespace {

constexpr double kRelativeTolerance = 1e-6;
constexpr std::array<const char*, 3> kOptionNumbers = {"1", "2", "3"};

void check_clients(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const auto ranks = leaf->summary["total_ranks"].number();
    const auto hosts = leaf->summary["host_count"].number();
    const auto each = leaf->summary["npernode"].number();
    if (ranks && hosts && each && *ranks != *hosts * *each) {
      judge.add(
          summary_path(*leaf), "total_ranks",
          fmt::format("is {:g}; {:g} hosts with {:g} clients each have {:g}", *ranks, *hosts, *each, *hosts * *each));
    }
  }
}

void check_cache_scale(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const auto ranks = leaf->summary["total_ranks"].number();
    const Node options = leaf->summary["options"];
    for (const std::string& option : options.keys()) {
      const auto count = options[option]["rank_count"].number();
      if (ranks && count && *count != *ranks) {
        judge.add(summary_path(*leaf), fmt::format("options.{}.rank_count", option),
                  fmt::format("is {:g}; every option runs on all {:g} clients", *count, *ranks));
      }
    }
  }
}

// Calls `visit` for the trials of every run that has files of ranks.
template <class Visit>
void for_trials(const Tree& tree, const Workload& workload, const Visit& visit) {
  for (const Leaf* leaf : workload.of("run")) {
    for (const auto& [option, trials] : cache_ranks_of(tree, workload, *leaf).options) {
      for (const auto& [trial, ranks] : trials) visit(*leaf, fmt::format("option_{}/{}", option, trial), ranks);
    }
  }
}

void check_isolation(const Tree& tree, const Workload& workload, Judge& judge) {
  for_trials(tree, workload, [&](const Leaf& leaf, const std::string&, const std::vector<CacheRanks::Rank>& ranks) {
    for (const CacheRanks::Rank& rank : ranks) {
      if (rank.files > 1) {
        judge.add(joined(leaf.place.path, rank.folder), "",
                  fmt::format("has {} results: every client has a folder of its own", rank.files));
      }
    }
  });
}

void check_shared_results(const Tree& tree, const Workload& workload, Judge& judge) {
  for_trials(tree, workload,
             [&](const Leaf& leaf, const std::string& trial, const std::vector<CacheRanks::Rank>& ranks) {
               const auto wanted = leaf.summary["total_ranks"].number();
               const auto found = std::count_if(ranks.begin(), ranks.end(), [](const auto& one) { return one.files; });
               if (wanted && static_cast<double>(found) < *wanted) {
                 judge.add(joined(leaf.place.path, trial), "",
                           fmt::format("has results of {} of {:g} clients: the results folder is to be seen under one "
                                       "path by all hosts",
                                       found, *wanted));
               }
             });
}

using Rank = CacheRanks::Rank;

// The mean over trials of the sum over ranks.
double mean_of_sums(const CacheRanks::Trials& trials, double (*value)(const Rank&)) {
  double sum = 0;
  for (const auto& [trial, ranks] : trials) {
    for (const Rank& rank : ranks) sum += value(rank);
  }
  return sum / static_cast<double>(trials.size());
}

std::optional<double> highest_of(const CacheRanks::Trials& trials, std::optional<double> Rank::*value) {
  std::optional<double> highest;
  for (const auto& [trial, ranks] : trials) {
    for (const Rank& rank : ranks) {
      if (rank.*value) highest = std::max(highest.value_or(*(rank.*value)), *(rank.*value));
    }
  }
  return highest;
}

// Whether the files of all ranks of all trials are there, so that sums over them can be compared.
bool is_whole(const Leaf& leaf, const CacheRanks::Trials& trials) {
  const auto ranks = leaf.summary["total_ranks"].number();
  const auto count = leaf.summary["trials_per_option"].number();
  if (!ranks || !count || static_cast<double>(trials.size()) != *count) return false;
  return std::all_of(trials.begin(), trials.end(), [&](const auto& trial) {
    const auto read =
        std::count_if(trial.second.begin(), trial.second.end(), [](const Rank& one) { return one.is_readable; });
    return static_cast<double>(read) == *ranks;
  });
}

struct Aggregate {
  const char* key;
  double (*sum)(const Rank&) = nullptr;            ///< summed over ranks, mean over trials
  std::optional<double> Rank::*highest = nullptr;  ///< else the highest of all
};

// Recomputes figures of the summary from the files of the ranks.
void check_aggregates(const Tree& tree, const Workload& workload, std::initializer_list<Aggregate> aggregates,
                      Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    for (const auto& [option, trials] : cache_ranks_of(tree, workload, *leaf).options) {
      if (!is_whole(*leaf, trials)) continue;
      for (const Aggregate& one : aggregates) {
        const std::string key = fmt::format("options.{}.{}", option, one.key);
        const auto given = leaf->summary.at(key).number();
        const auto found = one.sum != nullptr ? mean_of_sums(trials, one.sum) : highest_of(trials, one.highest);
        if (!given || !found) continue;
        if (std::abs(*given - *found) <= kRelativeTolerance * std::max({1.0, std::abs(*given), std::abs(*found)}))
          continue;
        judge.add(summary_path(*leaf), key, fmt::format("is {:g}; the files of the ranks have {:g}", *given, *found));
      }
    }
  }
}

void check_bandwidth(const Tree& tree, const Workload& workload, Judge& judge) {
  check_aggregates(tree, workload,
                   {{"aggregated_read_bandwidth_gbps", [](const Rank& rank) { return rank.read_gib_per_s; }},
                    {"aggregated_write_bandwidth_gbps", [](const Rank& rank) { return rank.write_gib_per_s; }}},
                   judge);
}

void check_throughput(const Tree& tree, const Workload& workload, Judge& judge) {
  check_aggregates(
      tree, workload,
      {{"aggregated_avg_throughput_tokens_per_sec", [](const Rank& rank) { return rank.tokens_per_s.value_or(0); }},
       {"aggregated_storage_throughput_tokens_per_sec", [](const Rank& rank) { return rank.storage_tokens_per_s; }}},
      judge);
}

void check_latency(const Tree& tree, const Workload& workload, Judge& judge) {
  check_aggregates(tree, workload,
                   {{"aggregated_p95_latency_ms", nullptr, &Rank::request_p95_ms},
                    {"aggregated_storage_read_p95_ms", nullptr, &Rank::read_p95_ms},
                    {"aggregated_device_read_p95_ms", nullptr, &Rank::device_read_p95_ms},
                    {"aggregated_device_write_p95_ms", nullptr, &Rank::device_write_p95_ms}},
                   judge);
}

void check_latency_validity(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    const auto ranks = leaf->summary["total_ranks"].number();
    const Node options = leaf->summary["options"];
    for (const std::string& option : options.keys()) {
      const Node in_memory = options[option]["cpu_tier_ranks"];
      if (ranks && *ranks > 0 && static_cast<double>(in_memory.size()) >= *ranks) {
        judge.add(summary_path(*leaf), fmt::format("options.{}.cpu_tier_ranks", option),
                  "has all clients: nothing was in storage, so its latency is none");
      }
    }
  }
}

void check_headline(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    if (!leaf->summary.is_there()) {
      judge.add(leaf->place.path, "", "has no readable summary.json");
      continue;
    }
    if (!leaf->summary["total_ranks"].number())
      judge.add(summary_path(*leaf), "total_ranks", "is missing or no number");
    for (const char* option : kOptionNumbers) {
      const Node figures = leaf->summary["options"][option];
      if (workload.place.division != "closed" && !figures.is_there()) continue;  // open may run some of them
      for (const char* name : {"aggregated_avg_throughput_tokens_per_sec", "aggregated_read_bandwidth_gbps",
                               "aggregated_write_bandwidth_gbps"}) {
        if (!figures[name].number()) {
          judge.add(summary_path(*leaf), fmt::format("options.{}.{}", option, name), "is missing or no number");
        }
      }
    }
  }
}

void check_all_ranks(const Tree& tree, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    // A file that was cut because of its size is no result; the rest still is one.
    for (const Problem& problem : cache_ranks_of(tree, workload, *leaf).problems) {
      judge.add(Severity::kInfo, problem.path, "", "not recomputed: " + problem.message);
    }
    if (leaf->summary["partial_failure"].boolean() == true)
      judge.add(summary_path(*leaf), "partial_failure", "is true: ranks or trials are missing");
    const Node failures = leaf->summary["trial_failures"];
    for (const std::string& option : failures.keys()) {
      if (failures[option].size() > 0)
        judge.add(summary_path(*leaf), "trial_failures." + option, "is " + failures[option].dump().substr(0, 100));
    }
  }
}

using enum Example::Change;
constexpr std::string_view kCacheSummary = "closed/ORG/results/SYSTEM/kv_cache/llama3.1-8b/run/*/summary.json";

const std::vector<Rule>& rules_of_clients() {
  static const std::vector<Rule> kRules = {
      {"6.3.3.1",
       "kvcacheClientDefinition",
       kCache,
       "A client is a rank: there are as many as the hosts have ranks.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheSummary, "npernode", "2", "3"},
       &check_clients},
      {"6.3.3.2",
       "kvcacheScaleUpModel",
       kCache,
       "Load grows by clients only: every option runs on all of them.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheSummary, "options.2.rank_count", "2", "1"},
       &check_cache_scale},
      {"6.3.3.3",
       "kvcachePerClientIsolation",
       kCache,
       "Every client has its own results and its own cache.",
       kAlwaysError,
       kLooksAtNothing,
       {kAdd, "closed/ORG/results/SYSTEM/kv_cache/llama3.1-8b/run/*/option_1/trial_0/rank_0/kvcache_results_z.json"},
       &check_isolation},
      {"6.3.3.4",
       "kvcacheSharedResultsDir",
       kCache,
       "The results folder is the same one on all hosts: the files of all clients are there.",
       kWarningThroughRound,
       kLooksAtNothing,
       {kRemove, "closed/ORG/results/SYSTEM/kv_cache/llama3.1-8b/run/*/option_1/trial_0/rank_0"},
       &check_shared_results},
      {"6.3.4.1",
       "kvcacheAggregateBandwidth",
       kCache,
       "The bandwidths of an option are those of its clients together, as the mean of the trials.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheSummary, "options.1.aggregated_read_bandwidth_gbps", "10.5", "99.0"},
       &check_bandwidth},
      {"6.3.4.2",
       "kvcacheAggregateThroughput",
       kCache,
       "The tokens per second of an option are those of its clients together, as the mean of the trials.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheSummary, "options.1.aggregated_avg_throughput_tokens_per_sec", "1234.5", "9999.0"},
       &check_throughput},
      {"6.3.4.3",
       "kvcacheAggregateDeviceLatency",
       kCache,
       "The latency of an option is the highest percentile 95 of its clients and trials.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheSummary, "options.1.aggregated_storage_read_p95_ms", "12.5", "1.0"},
       &check_latency},
      {"6.3.4.4",
       "kvcacheLatencyValidity",
       kCache,
       "In closed not all clients may have had everything in memory.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheSummary, "options.2.cpu_tier_ranks", "[]", "[0, 1]"},
       &check_latency_validity},
      {"6.3.4.5",
       "kvcacheHeadlineResult",
       kCache,
       "A run has tokens per second and both bandwidths of every option, and the number of its clients.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheSummary, "options.3.aggregated_write_bandwidth_gbps", "5.25", "null"},
       &check_headline},
      {"KV-PARTIAL",
       "kvcacheAllRanks",
       kCache,
       "Every rank of every trial has a result: numbers of a part are no result. (A rule of this program.)",
       kAlwaysError,
       "publishes them",
       {kSet, kCacheSummary, "partial_failure", "false", "true"},
       &check_all_ranks},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> cache_client_rules() {
  return rules_of_clients();
}

}  // namespace mlps::rules
