#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/page/run_view.hpp"

/// Parts of a record that several benchmarks have.
namespace mlps::reports::page {

/// A list in a record is read up to here; a rank or a second more changes no picture.
inline constexpr size_t kMostItems = 200'000;

/// Says what limited a run in which this client's own times can't be trusted.
inline constexpr std::string_view kNotToldApart = "this client or the storage (not told apart)";

/// Returns the number if there is one that is not below 0.
std::optional<double> amount(rules::Node node);
double amount_or_zero(rules::Node node);  ///< for sums of counts that every record has
std::string figure_of(rules::Node node);  ///< for readers; "-" where there is none
std::string time_of(rules::Node node);    ///< the same of nanoseconds
std::string share_text(double share);     ///< of 1, for sentences: "12.4 %"

/// Returns the items of a list, at most kMostItems.
std::vector<rules::Node> items_of(rules::Node list);
std::vector<std::string> texts_of(rules::Node list);

/// Returns the seconds after the start of the run that a key ending in `_utc` tells.
std::optional<double> seconds_after_start(rules::Node record, rules::Node moment);

/// Returns a histogram with its curve; the reason where it is none, or is empty.
Known<Latency> latency_of(std::string name, rules::Node histogram);
/// Returns the sum of histograms over the same buckets; of those that are empty or none nothing counts.
Known<Latency> merged_latency(std::string name, const std::vector<rules::Node>& histograms);
/// Returns those of them that are known; the reasons of all where none is.
Known<std::vector<Latency>> known_latencies(const std::vector<Known<Latency>>& all);
/// Returns "p50 4.1 ms, p99 21 ms, max 0.3 s".
std::string latency_text(rules::Node histogram);

/// Returns the segments of `per_second`, whose bytes are reads or both directions, and its retries.
Known<Timeline> timeline_of_seconds(rules::Node record, std::string what);

/// Returns where the time of I/O threads went, from `worker_time`; `idle` is the name of what has nothing to do there.
std::optional<TimeStack> worker_time(std::string name, rules::Node times, std::string_view working,
                                     std::string_view idle);

/// Returns claimed and counted bytes; cached bytes are the caller's to add.
Known<MovedBytes> moved_bytes(rules::Node record);
Moved* direction_of(Known<MovedBytes>& moved, std::string_view direction);

/// Adds a value to a heat map that is being made of such values in any order. `row` and `column` are places in it.
void set_cell(HeatMap& map, size_t row, size_t column, std::optional<double> value);

/// Returns the names of `ranks` ranks: "3", and with their host where there are several.
std::vector<std::string> rank_names(rules::Node record, size_t ranks);

/// Returns all numbers and texts below a value, with the keys that lead to them, for the table of all figures.
Table figures_table(std::string title, const std::vector<std::pair<std::string, rules::Node>>& parts);

}  // namespace mlps::reports::page
