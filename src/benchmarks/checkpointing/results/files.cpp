#include "benchmarks/checkpointing/results/files.hpp"

#include <optional>

#include "benchmarks/checkpointing/results/dlio_files.hpp"
#include "benchmarks/checkpointing/results/record_parts.hpp"
#include "benchmarks/checkpointing/results/views.hpp"
#include "results/folder_writer.hpp"
#include "results/run_hosts.hpp"

namespace mlps::results {
namespace {

using checkpointing::RunRecord;
using run::Verdict;

std::string plan_text(const CheckpointContext& context, const RunRecord& record) {
  return plan_table(context.workload, record.plan, record.io, plan_details(context, record));
}

// Thousands of small files at 1,024 ranks: renamed into place, but not made durable one by one. The record, which
// holds everything in them, is durable.
void write_rank_files(FolderWriter& writer, const RunContext& context, const RunRecord& record,
                      const RunOutcome& outcome) {
  const std::map<std::string, std::string> outputs = rank_output_texts(context, record);
  const std::vector<std::string> stats = rank_stats_texts(record);
  for (size_t i = 0; i < stats.size(); ++i) {
    if (!writer.goes_on(outcome)) break;
    const uint32_t number = record.plan.ranks[i].rank;
    if (!holds_rank(record, number)) continue;
    const std::string rank = std::to_string(number);
    writer.write(rank + "_output.json", outputs.at(member_of_rank(context, number).host));
    writer.write(rank + "_per_epoch_stats.json", stats[i]);
  }
}

}  // namespace

Status write_started(const RunFolder& folder, const CheckpointContext& context, const RunRecord& record) {
  return write_into(folder, context,
                    [&](FolderWriter& writer) { write_begin(writer, context, record, plan_text(context, record)); });
}

Status write_finished(const RunFolder& folder, const CheckpointContext& context, const RunRecord& record,
                      const RunOutcome& outcome) {
  return write_into(folder, context, [&](FolderWriter& writer) {
    write_end_record(writer, folder, context, record_json(context, record, outcome));
    write_rank_files(writer, context, record, outcome);
    writer.write("dlio.log", dlio_log_text(record));
    write_end(writer, context, record, plan_text(context, record) + "\n" + result_table(record), outcome);
    // The last file: a folder in which anything is missing has no summary.json.
    if (record.verdict == run::Verdict::kPassed) {
      writer.write("summary.json", summary_text(context, record), Durability::kDurable);
    }
    writer.seal(outcome);
  });
}

}  // namespace mlps::results
