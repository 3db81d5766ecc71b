#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "benchmarks/vectordb/record.hpp"

/// Numbers of a record. Those called official have the formulas of mlpstorage 3.0.
namespace mlps::vectordb {

/// Returns the percentile `p` (0 to 100) of sorted values by linear interpolation at position p/100 * (n - 1); 0 of
/// none.
double percentile(std::span<const double> sorted, double p);

/// The statistics of mlpstorage 3.0 over times in ms.
struct Spread {
  uint64_t count = 0;
  double min = 0, max = 0, mean = 0, median = 0, p95 = 0, p99 = 0, p999 = 0, p9999 = 0;
};
/// Returns the spread of values, each of which counts `weight` times. Sorts them.
struct Weighted {
  double value = 0;
  uint64_t weight = 1;
};
Spread spread_of(std::vector<Weighted> values);

/// Recall by query, as mlpstorage 3.0 has it: of each query the first answer that the first worker got to it.
struct OfficialRecall {
  std::vector<std::pair<uint32_t, double>> by_query;  ///< ascending
  double mean_exact = 0;                              ///< without epsilon
  double mean = 0, min = 0, max = 0, median = 0, p5 = 0, p95 = 0, p99 = 0;
};
OfficialRecall official_recall(const RunRecord& record, uint32_t window);

/// The numbers of one window.
struct WindowResult {
  uint32_t workers = 0;
  uint64_t searches = 0, failed = 0, answered = 0, completed = 0;
  std::string first_error;

  // Official: all searches, also failed ones and those that ended after the window, over the time from the first start
  // to the last end.
  uint64_t official_queries = 0;
  double official_s = 0, official_qps = 0;
  Spread official_latency_ms;  ///< time of a search over its queries
  Spread batch_ms;             ///< of searches

  // Ours: answered queries inside the window; what the caller of each search waited.
  double window_s = 0, queries_per_s = 0, searches_per_s = 0;
  Spread latency_ms;
  double recall = 0, recall_exact = 0, recall_at_1 = 0;  ///< means over all answered queries
  uint64_t ties = 0, short_answers = 0;
  QueryCost cost;
  std::optional<double> cpu_us_per_query, device_read_bytes_per_query;
};
WindowResult window_result(const RunRecord& record, uint32_t window);

/// Returns the window that the official files are about: that of the highest target which was reached, or the last.
uint32_t official_window(const RunRecord& record);

/// The numbers of a load.
struct LoadResult {
  uint64_t assigned = 0, inserted = 0;
  double insert_s = 0, vectors_per_s = 0, bytes_per_s = 0;  ///< from the first insert to the last answer
};
LoadResult load_result(const RunRecord& record);

/// Returns the devices of a window whose disk is not among them too, so that nothing counts twice.
std::vector<DeviceUse> without_partitions(const std::vector<DeviceUse>& devices);

}  // namespace mlps::vectordb
