#include "benchmarks/kvcache/results/files.hpp"

#include <fmt/format.h>

#include "benchmarks/kvcache/results/views.hpp"
#include "results/folder_writer.hpp"
#include "results/run_hosts.hpp"

namespace mlps::results {
namespace {

using kvcache::RankTrial;
using kvcache::RunRecord;

std::string plan_text(const KvCacheContext& context, const RunRecord& record) {
  return plan_table(record, {context.mode, context.ranks_per_host});
}

void write_rank_files(FolderWriter& writer, const KvCacheContext& context, const RunRecord& record) {
  for (const RankTrial& trial : record.trials) {
    const std::string option = fmt::format("option_{}", trial.option);
    const std::string window = fmt::format("{}/trial_{}", option, trial.trial);
    const std::string rank = fmt::format("{}/rank_{}", window, trial.rank);
    for (const std::string& folder : {option, window, rank}) writer.make_folder(folder);
    writer.write(fmt::format("{}/kvcache_results_{}.json", rank, context.run_datetime), rank_file_text(record, trial));
  }
}

}  // namespace

Status write_started(const RunFolder& folder, const KvCacheContext& context, const RunRecord& record) {
  return write_into(folder, context,
                    [&](FolderWriter& writer) { write_begin(writer, context, record, plan_text(context, record)); });
}

Status write_finished(const RunFolder& folder, const KvCacheContext& context, const RunRecord& record,
                      const RunOutcome& outcome) {
  return write_into(folder, context, [&](FolderWriter& writer) {
    write_end_record(writer, folder, context, record_json(context, record, outcome));
    write_rank_files(writer, context, record);
    write_end(writer, context, record, plan_text(context, record) + "\n" + result_table(record), outcome);
    // The last file: a folder in which anything is missing has no summary.json.
    if (record.verdict == run::Verdict::kPassed) {
      writer.write("summary.json", summary_text(context, record), Durability::kDurable);
    }
    writer.seal(outcome);
  });
}

}  // namespace mlps::results
