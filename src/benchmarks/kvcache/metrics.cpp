#include "benchmarks/kvcache/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/units.hpp"

namespace mlps::kvcache {
namespace {

std::optional<double> p95_ms(std::vector<double> seconds) {
  if (seconds.empty()) return std::nullopt;
  std::sort(seconds.begin(), seconds.end());
  return percentile(seconds, 95) * kMillis;
}

void raise_to(std::optional<double>& highest, std::optional<double> value) {
  if (value) highest = std::max(highest.value_or(*value), *value);
}

void add_trial(const RankTrial& trial, OptionResult& result, LookUps& found, uint64_t& served, uint64_t& good) {
  const TierTraffic& storage = storage_of(trial);
  const std::vector<double> request_storage = each(trial.served, &Served::storage_s);
  const double seconds = trial.elapsed_s;
  double tokens = 0;
  for (const Served& request : trial.served) {
    tokens += request.tokens;
    good += request.good ? 1 : 0;
    result.good_requests_per_s += request.good ? 1 / seconds : 0;
  }
  served += trial.served.size();
  result.read_gib_per_s += to_gib(bytes_read(storage)) / seconds;
  result.write_gib_per_s += to_gib(bytes_written(storage)) / seconds;
  result.tokens_per_s += tokens / seconds;
  const double storage_s = sum(request_storage);
  result.tokens_per_storage_s += storage_s > 0 ? tokens / storage_s : 0;
  result.requests_per_s += static_cast<double>(trial.served.size()) / seconds;
  raise_to(result.p95_request_storage_ms, p95_ms(request_storage));
  raise_to(result.device_read_p95_ms, p95_ms(storage.read_device_s));
  raise_to(result.device_write_p95_ms, p95_ms(storage.write_device_s));
  raise_to(result.read_p95_ms, p95_ms(storage.read_s));
  const LookUps own = look_ups(trial);
  found.hits += own.hits;
  found.misses += own.misses;
  const bool is_cpu_tier = trial.entries[static_cast<size_t>(Tier::kStorage)] == 0;
  const bool is_listed = !result.cpu_tier_ranks.empty() && result.cpu_tier_ranks.back() == trial.rank;
  if (is_cpu_tier && !is_listed) result.cpu_tier_ranks.push_back(trial.rank);
}

void add_to(std::optional<double>& sum, double value) {
  sum = sum.value_or(0) + value;
}

/// Adds what a trial moved in each direction over that direction's share of its time.
void add_by_direction(const RankTrial& trial, OptionResult& result) {
  const TierTraffic& storage = storage_of(trial);
  const double reading = sum(storage.read_s) + sum(storage.demotion_read_s);
  const double writing = sum(storage.write_s) + sum(storage.demotion_write_s);
  const double all = reading + writing;
  const auto rate = [&](uint64_t bytes, double time) { return to_gib(bytes) / trial.elapsed_s * (all / time); };
  if (reading > 0) add_to(result.while_reading_gib_per_s, rate(bytes_read(storage), reading));
  if (writing > 0) add_to(result.while_writing_gib_per_s, rate(bytes_written(storage), writing));
}

/// Bytes moved, and the time that it took.
struct Pace {
  uint64_t bytes = 0;
  size_t entries = 0;
  double seconds = 0;

  void add(uint64_t moved, const std::vector<double>& first, const std::vector<double>& second) {
    bytes += moved;
    entries += first.size() + second.size();
    seconds += sum(first) + sum(second);
  }
  std::optional<double> gib_per_s() const {
    return seconds > 0 ? std::optional(to_gib(bytes) / seconds) : std::nullopt;
  }
};

}  // namespace

double percentile(const std::vector<double>& sorted, double p) {
  if (sorted.empty()) return 0;
  const double position = p / 100 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - static_cast<double>(below));
}

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : sum(values) / static_cast<double>(values.size());
}

std::vector<double> each(const std::vector<Served>& served, double Served::*member) {
  std::vector<double> values;
  values.reserve(served.size());
  for (const Served& request : served) values.push_back(request.*member);
  return values;
}

uint64_t bytes_read(const TierTraffic& traffic) {
  return traffic.read.inside + traffic.demoted_out.inside;
}

uint64_t bytes_written(const TierTraffic& traffic) {
  return traffic.written.inside + traffic.demoted_in.inside;
}

LookUps look_ups(const RankTrial& trial) {
  LookUps all;
  for (const LookUps* each : {&trial.prefix, &trial.earlier_turns, &trial.decode, &trial.documents}) {
    all.hits += each->hits;
    all.misses += each->misses;
  }
  return all;
}

OptionResult option_result(const RunRecord& record, const OptionPlan& option) {
  OptionResult result;
  result.option = option.number;
  LookUps found;
  uint64_t served = 0, good = 0;
  Pace read, written;
  for (const RankTrial& trial : record.trials) {
    if (trial.option != option.number || trial.elapsed_s <= 0) continue;
    add_trial(trial, result, found, served, good);
    add_by_direction(trial, result);
    const TierTraffic& storage = storage_of(trial);
    read.add(storage.whole_read, storage.read_s, storage.demotion_read_s);
    written.add(storage.whole_written, storage.write_s, storage.demotion_write_s);
  }
  result.entry_read_gib_per_s = read.gib_per_s();
  if (read.entries > 0) result.read_entry_bytes = static_cast<double>(read.bytes) / static_cast<double>(read.entries);
  result.entry_write_gib_per_s = written.gib_per_s();
  for (double* value : {&result.read_gib_per_s, &result.write_gib_per_s, &result.tokens_per_s,
                        &result.tokens_per_storage_s, &result.requests_per_s, &result.good_requests_per_s}) {
    *value /= record.settings.trials;
  }
  for (auto* value : {&result.while_reading_gib_per_s, &result.while_writing_gib_per_s}) {
    if (*value) **value /= record.settings.trials;
  }
  if (served > 0) result.attainment = static_cast<double>(good) / static_cast<double>(served);
  const uint64_t asked = found.hits + found.misses;
  result.hit_rate = asked == 0 ? 0 : static_cast<double>(found.hits) / static_cast<double>(asked);
  std::sort(result.cpu_tier_ranks.begin(), result.cpu_tier_ranks.end());
  result.cpu_tier_ranks.erase(std::unique(result.cpu_tier_ranks.begin(), result.cpu_tier_ranks.end()),
                              result.cpu_tier_ranks.end());
  return result;
}

std::optional<double> client_share(const RunRecord& record) {
  if (!record.traits.holds_objects) return std::nullopt;
  double waited = 0, moved = 0;
  for (const RankTrial& trial : record.trials) {
    waited += trial.client_wait_s;
    for (const Tier tier : {Tier::kCpu, Tier::kStorage}) {
      const TierTraffic& traffic = trial.tiers[static_cast<size_t>(tier)];
      moved +=
          sum(traffic.read_s) + sum(traffic.write_s) + sum(traffic.demotion_read_s) + sum(traffic.demotion_write_s);
    }
  }
  if (waited + moved <= 0) return std::nullopt;
  return waited / (waited + moved);
}

std::optional<double> harness_share(const RunRecord& record) {
  double waited = 0, served = 0;
  for (const RankTrial& trial : record.trials) {
    waited += trial.client_wait_s;
    for (const Served& request : trial.served) served += request.end_to_end_s - request.queue_s;
  }
  if (served <= 0) return std::nullopt;
  return waited / served;
}

std::vector<std::string> slow_client(const RunRecord& record) {
  const auto share = client_share(record);
  if (!share || *share <= run::kTooSlowClient) return {};
  return {
      fmt::format("{:.1f} % of the time of entries they waited for a thread of this client: raise --io-workers or "
                  "--io-memory, or give the client more processors",
                  *share * 100)};
}

double cpu_s_per_gib(const RunRecord& record) {
  const double gib = to_gib(record.storage.bytes + record.memory.bytes);
  return gib > 0 ? (record.cpu_user_s + record.cpu_system_s) / gib : 0;
}

}  // namespace mlps::kvcache
