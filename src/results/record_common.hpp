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

/// Returns why the numbers of this run can't be a result of a storage system, a sentence each; empty where they can.
std::vector<std::string> no_result_because(const RunContext& context, const RunFacts& facts);
/// Returns the same for the end of a result table, a line each.
std::string no_result_text(const RunContext& context, const RunFacts& facts);

/// Returns which build of this program wrote a file, and with what: name, version, commit, id of the binary, compiler,
/// MPI library of the job, and the interface that moved the bytes; null where there was none.
Json tool_json(const RunContext& context, const RunFacts& facts);

Json error_json(const std::optional<Error>& error);
/// Returns count and percentiles; those of nothing are null.
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

/// Returns the verdict and its reasons, for the end of a result table.
std::string verdict_text(const RunFacts& facts);

/// Returns the lines of dlio.log that stand where the [METRIC] block of a run that passed would be.
std::string no_metric_block(const RunFacts& facts, int64_t wall_us);

/// Returns `hosts` of a record: every process of the job with its ranks, its clock, what it did, and its host's facts
/// before and after.
Json members_json(const RunContext& context, const RunFacts& facts, const std::optional<RunOutcome>& outcome);

}  // namespace mlps::results
