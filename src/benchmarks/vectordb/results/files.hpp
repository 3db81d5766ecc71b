#pragma once

#include <array>
#include <string>

#include "base/error.hpp"
#include "benchmarks/vectordb/record.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"

namespace mlps::results {

inline constexpr std::array<std::string_view, 6> kVectorDbRunKeys = {"database.database",   "index.index_type",
                                                                     "dataset.num_vectors", "dataset.dimension",
                                                                     "benchmark.recall_k",  "benchmark.search_limit"};
inline constexpr std::array<std::string_view, 4> kVectorDbLoadKeys = {"database.database", "index.index_type",
                                                                      "dataset.num_vectors", "dataset.dimension"};
/// Name what two runs, or two loads, of one class have alike.
inline constexpr ClassKeys kVectorDbRunClass = {"vector_database@1", kVectorDbRunKeys, {}};
inline constexpr ClassKeys kVectorDbLoadClass = {"vector_database@1", kVectorDbLoadKeys, {}};

struct VectorDbContext : RunContext {
  uint32_t ranks_per_host = 1;
};

/// Adds what the run has found out to the configuration: the vectors that the collection holds.
void complete_values(const vectordb::RunRecord& record, workloads::Values& values);

/// Writes at the start: `mlpstorage_record.json` with the verdict "incomplete", and what every benchmark writes then.
Status write_started(const RunFolder& folder, const VectorDbContext& context, const vectordb::RunRecord& record);

/// Writes at the end: the record, the files of mlpstorage 3.0, what every benchmark writes, and last, only if the
/// verdict is "passed", `summary.json`.
Status write_finished(const RunFolder& folder, const VectorDbContext& context, const vectordb::RunRecord& record,
                      const RunOutcome& outcome);

}  // namespace mlps::results
