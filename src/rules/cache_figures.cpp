#include "rules/cache_figures.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "rules/rule.hpp"

namespace mlps::rules {
namespace {

constexpr std::string_view kOptionFolder = "option_";

CacheRanks::Rank read_rank(const Tree& tree, const Leaf& leaf, const std::string& folder, Problems& problems) {
  CacheRanks::Rank rank{.folder = folder};
  const std::string path = joined(leaf.place.path, folder);
  std::string first;
  for (const Entry& entry : tree.list(path, problems)) {
    if (!entry.name.starts_with("kvcache_results_") || !entry.name.ends_with(".json")) continue;
    ++rank.files;
    if (first.empty()) first = joined(path, entry.name);
  }
  if (first.empty()) return rank;
  std::map<std::string, double> figures;  // of the summary; the lists of all requests may be of any length
  const Status read = stream_numbers(tree.absolute(first), [&](const std::vector<std::string>& keys, double value) {
    if (keys.size() < 2 || keys.size() > 3 || keys.front() != "summary") return;
    const bool is_own = keys.size() == 2 || keys[1] == "cache_stats";
    figures[is_own ? keys.back() : keys[1] + "." + keys[2]] = value;
  });
  rank.is_readable = read.has_value();
  if (!read) problems.push_back({first, read.error().message});
  const auto figure = [&](const char* key) {
    const auto found = figures.find(key);
    return found == figures.end() ? std::nullopt : std::optional(found->second);
  };
  rank.tokens_per_s = figure("avg_throughput_tokens_per_sec");
  rank.in_memory = figure("storage_entries") == 0.0;
  rank.request_p95_ms = figure("storage_io_latency_ms.p95");
  rank.read_p95_ms = figure("storage_read_p95_ms");
  rank.device_read_p95_ms = figure("storage_read_device_p95_ms");
  rank.device_write_p95_ms = figure("storage_write_device_p95_ms");
  rank.read_gib_per_s = figure("tier_storage_read_bandwidth_gbps").value_or(0);
  rank.write_gib_per_s = figure("tier_storage_write_bandwidth_gbps").value_or(0);
  rank.storage_tokens_per_s = figure("storage_throughput_tokens_per_sec").value_or(0);
  return rank;
}

CacheRanks read_cache_ranks(const Tree& tree, const Leaf& leaf) {
  CacheRanks ranks;
  Problems& problems = ranks.problems;
  for (const Entry& option : leaf.entries) {
    if (!option.is_folder || !option.name.starts_with(kOptionFolder)) continue;
    const std::string number = option.name.substr(kOptionFolder.size());
    for (const std::string& trial : tree.folders(joined(leaf.place.path, option.name), problems)) {
      const std::string folder = joined(option.name, trial);
      for (const std::string& rank : tree.folders(joined(leaf.place.path, folder), problems)) {
        ranks.options[number][trial].push_back(read_rank(tree, leaf, joined(folder, rank), problems));
      }
    }
  }
  return ranks;
}

}  // namespace

const CacheRanks& cache_ranks_of(const Tree& tree, const Workload& workload, const Leaf& leaf) {
  std::shared_ptr<const CacheRanks>& kept = workload.cache_ranks[leaf.place.path];
  if (kept == nullptr) kept = std::make_shared<const CacheRanks>(read_cache_ranks(tree, leaf));
  return *kept;
}

std::optional<double> highest_read_p95(const CacheRanks& ranks, const std::string& option) {
  const auto trials = ranks.options.find(option);
  std::optional<double> highest;
  if (trials == ranks.options.end()) return highest;
  for (const auto& [trial, list] : trials->second) {
    for (const CacheRanks::Rank& rank : list) {
      if (rank.read_p95_ms) highest = std::max(highest.value_or(*rank.read_p95_ms), *rank.read_p95_ms);
    }
  }
  return highest;
}

}  // namespace mlps::rules
