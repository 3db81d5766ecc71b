#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/manifest.hpp"
#include "benchmarks/training/record.hpp"
#include "benchmarks/training/results/views.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"

/// Result files of the training benchmark, named as by mlpstorage 3.0 and DLIO. Each of write_started() and
/// write_finished() begins or ends one run folder; order and durability are those of the checkpointing files.
namespace mlps::results {

/// Returns datagen-manifest.json as mlpstorage 3.0 has it: when and where the manifest of the data set was read, what
/// about it was overridden ("MANIFEST-001", ...), and its fields of version 1.
std::string manifest_snapshot_text(const std::string& location, const std::vector<std::string>& overridden,
                                   const training::Manifest& manifest, int64_t consumed_us);

/// Writes the files of the start. `plan` is the plan table, which the stdout log begins with.
Status write_started(const RunFolder& folder, const RunContext& context, const training::RunRecord& record,
                     const std::string& plan);
/// Writes the files of every rank (their per-step lists out of the step log, piece by piece), dlio.log, logs, facts of
/// the host, metadata, the record, and last, only if the verdict is "passed", summary.json.
Status write_finished(const RunFolder& folder, const RunContext& context, const training::RunRecord& record,
                      const std::string& plan, const RunOutcome& outcome);

Status write_started(const RunFolder& folder, const RunContext& context, const training::GenerateRecord& record,
                     const std::string& plan);
Status write_finished(const RunFolder& folder, const RunContext& context, const training::GenerateRecord& record,
                      const std::string& plan, const RunOutcome& outcome);

/// Writes the metadata of a datasize command, and its answer as the stdout log.
Status write_datasize(const RunFolder& folder, const RunContext& context, const DatasizeAnswer& answer,
                      const Stamp& invocation_start, const RunOutcome& outcome);

}  // namespace mlps::results
