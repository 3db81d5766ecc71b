#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/record.hpp"
#include "benchmarks/training/results/views.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"

/// Result files of the training benchmark, named as by mlpstorage 3.0 and DLIO. Each of write_started() and
/// write_finished() begins or ends one run folder; what is said there of checkpointing's holds here too.
namespace mlps::results {

/// datagen-manifest.json: where the manifest of the data set was found, what about it was overridden
/// ("MANIFEST-001", ...), and its own text.
std::string manifest_copy_text(const std::string& location, const std::vector<std::string>& overridden,
                               const std::string& manifest);

/// `plan`: the plan table, which the stdout log begins with. `manifest`: manifest_copy_text(), or empty for none.
Status write_started(const RunFolder& folder, const RunContext& context, const training::RunRecord& record,
                     const std::string& plan, const std::string& manifest);
/// Files of every rank (their per-step lists out of the step log, piece by piece), dlio.log, logs, facts of the host,
/// metadata, the record, and last, only if the verdict is "passed", summary.json.
Status write_finished(const RunFolder& folder, const RunContext& context, const training::RunRecord& record,
                      const std::string& plan, const RunOutcome& outcome);

Status write_started(const RunFolder& folder, const RunContext& context, const training::GenerateRecord& record,
                     const std::string& plan);
Status write_finished(const RunFolder& folder, const RunContext& context, const training::GenerateRecord& record,
                      const std::string& plan, const RunOutcome& outcome);

/// The metadata of a datasize command, and its answer as the stdout log.
Status write_datasize(const RunFolder& folder, const RunContext& context, const DatasizeAnswer& answer,
                      const Stamp& invocation_start, const RunOutcome& outcome);

}  // namespace mlps::results
