#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/histogram.hpp"
#include "results/json_text.hpp"
#include "results/run_context.hpp"

/// Pieces of the JSON of this program that the records of all benchmarks share.
namespace mlps::results {

Json error_json(const std::optional<Error>& error);
Json histogram_json(const Histogram& histogram);
Json settings_json(const std::vector<std::pair<std::string, std::string>>& settings);

/// Returns the seconds from `start` to `end`; 0 when `end` was never reached.
double seconds_between(const Stamp& start, const Stamp& end);

/// Returns the head of every record: schema, tool, verdict, reasons, error, warnings, invocation, time, configuration.
/// Without an outcome the verdict is "incomplete": passed is only believed of a run that came to its end.
Json record_head(const char* schema, const RunContext& context, const RunFacts& facts,
                 const std::optional<RunOutcome>& outcome);

Json store_json(const RunFacts& facts);

/// Returns the keys that summary.json begins with.
Json summary_head(const RunContext& context, const RunFacts& facts);

/// What a run on null:// has where others have a storage.
inline constexpr const char* kNoStorage = "no storage";

/// Returns the verdict in words: "passed", "passed, no storage".
std::string verdict_words(const RunFacts& facts);

/// Returns the verdict and its reasons, for the end of a result table.
std::string verdict_text(const RunFacts& facts);

/// Returns the lines of dlio.log that stand where the [METRIC] block of a run that passed would be.
std::string no_metric_block(const RunFacts& facts, int64_t wall_us);

/// Returns `hosts` of a record: every process of the job with its ranks, its clock, what it did, and its host's facts
/// before and after.
Json members_json(const RunContext& context, const RunFacts& facts, const std::optional<RunOutcome>& outcome);

}  // namespace mlps::results
