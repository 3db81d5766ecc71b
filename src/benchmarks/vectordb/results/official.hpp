#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "benchmarks/vectordb/results/files.hpp"
#include "results/folder_writer.hpp"

/// The files of mlpstorage 3.0 with its names, keys and formulas; see docs/vectordb.md. Of a sweep they are about the
/// window of the highest target that was reached.
namespace mlps::results {

/// Returns the text of config.json, statistics.json, recall_stats.json, result_verdict.json.
std::string config_text(const VectorDbContext& context, const vectordb::RunRecord& record);
std::string statistics_text(const vectordb::RunRecord& record);
std::string recall_stats_text(const vectordb::RunRecord& record);
std::string result_verdict_text(const vectordb::RunRecord& record);

/// Returns statistics.json of several ranks, which vdb_multi_node_summary.json repeats.
std::string multi_node_text(const VectorDbContext& context, const vectordb::RunRecord& record);
/// Returns load_statistics.json.
std::string load_statistics_text(const VectorDbContext& context, const vectordb::RunRecord& record);
/// Returns summary.json of a run or a load.
std::string summary_text(const VectorDbContext& context, const vectordb::RunRecord& record);

/// Gives the lines of the CSV file of one worker to `sink`.
Status write_batches(const vectordb::WorkerWindow& worker, const Sink& sink);

/// Tells what kind of storage a folder is on, by the text of /proc/self/mounts: the words of mlpstorage 3.0.
Json storage_target(const std::string& folder, std::string_view mounts);
/// Returns bytes as mlpstorage 3.0 writes them: "1.50 GB", by steps of 1024.
std::string formatted_bytes(uint64_t bytes);

}  // namespace mlps::results
