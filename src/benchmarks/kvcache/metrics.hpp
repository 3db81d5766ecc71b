#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/kvcache/record.hpp"

/// Formulas of mlpstorage 3.0, and further ones; docs/kvcache.md explains each.
namespace mlps::kvcache {

inline constexpr double kMillis = 1e3;  ///< of a second
inline constexpr std::array<std::pair<std::string_view, double>, 5> kPercentiles = {
    {{"p50", 50}, {"p95", 95}, {"p99", 99}, {"p999", 99.9}, {"p9999", 99.99}}};

/// Returns percentile `p` (0 to 100) of values in ascending order, by linear interpolation between two of them.
double percentile(const std::vector<double>& sorted, double p);
double mean(const std::vector<double>& values);
double sum(const std::vector<double>& values);

/// Returns one number of every request that was completed.
std::vector<double> each(const std::vector<Served>& served, double Served::*member);

inline const TierTraffic& storage_of(const RankTrial& trial) {
  return trial.tiers[static_cast<size_t>(Tier::kStorage)];
}
/// Returns the bytes of a tier that moved inside the window, demotions included, as the tier's bandwidths have them.
uint64_t bytes_read(const TierTraffic& traffic);
uint64_t bytes_written(const TierTraffic& traffic);
LookUps look_ups(const RankTrial& trial);

/// Holds what is published of one option.
struct OptionResult {
  uint32_t option = 0;
  double read_gib_per_s = 0, write_gib_per_s = 0;  ///< of storage: summed over ranks, mean of trials
  /// The same bytes over the part of the window in which storage read, or wrote: the window times that direction's
  /// share of the summed time of operations. Unlike the bytes of a window they don't depend on how much of it was
  /// reading and how much writing; nothing where no entry moved whole.
  std::optional<double> while_reading_gib_per_s, while_writing_gib_per_s;
  /// Bytes of the entries that storage moved whole, over the time that they took: how fast one entry moves among the
  /// others, whatever the mix.
  std::optional<double> entry_read_gib_per_s, entry_write_gib_per_s;
  double tokens_per_s = 0;                       ///< generated, by the clock
  double tokens_per_storage_s = 0;               ///< generated, by the summed time of storage operations
  std::optional<double> p95_request_storage_ms;  ///< highest of ranks and trials
  std::optional<double> device_read_p95_ms, device_write_p95_ms;  ///< likewise, of entries
  std::optional<double> read_p95_ms;                              ///< likewise, of whole reads
  std::optional<double> read_entry_bytes;                         ///< mean size of the entries of those reads
  double requests_per_s = 0;
  double good_requests_per_s = 0;    ///< within the target of their class
  std::optional<double> attainment;  ///< share of completed requests that are
  double hit_rate = 0;
  std::vector<uint32_t> cpu_tier_ranks;  ///< that had no entry in storage at the end of some trial
};
OptionResult option_result(const RunRecord& record, const OptionPlan& option);

/// Returns the share of the time of entries' operations in which they waited for a thread of this program; nothing of
/// storage that takes no time.
std::optional<double> client_share(const RunRecord& record);
/// Returns the same time over that which completed requests of users were in service, also where storage takes none:
/// what the harness adds to them at most. Nothing where none was completed.
std::optional<double> harness_share(const RunRecord& record);
/// Returns sentences that say so, if that share is large enough that the number is not about the storage.
std::vector<std::string> slow_client(const RunRecord& record);
double cpu_s_per_gib(const RunRecord& record);

}  // namespace mlps::kvcache
