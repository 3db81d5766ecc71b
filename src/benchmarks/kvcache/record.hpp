#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "benchmarks/kvcache/rank_trial.hpp"
#include "benchmarks/kvcache/workload.hpp"
#include "io/plan.hpp"
#include "io/series.hpp"
#include "io/stats.hpp"
#include "run/run_facts.hpp"

namespace mlps::kvcache {

/// How the bytes of a host move in one option.
struct OptionIo {
  io::Plan storage;
  io::Plan memory;  ///< of the CPU tier; no workers: there is none
};

/// Holds what a run is to do and how.
struct RunSettings {
  Settings settings;
  std::vector<OptionIo> io;  ///< by option; of the host this was made on
  uint32_t ranks = 1;        ///< of all hosts
  bool verify = false;
  bool fills = true;  ///< false: entries have no content, for null:// only
};

/// Holds everything a run found out. run() makes it for the ranks of one host; gathering makes the record of process 0
/// that of all ranks.
struct RunRecord : run::RunFacts, RunSettings {
  std::vector<RankTrial> trials;                      ///< in the order of option, trial and rank
  io::Stats storage, memory;                          ///< operations below the entries, in all trials
  double cpu_user_s = 0, cpu_system_s = 0;            ///< while windows were open
  uint64_t leftover_entries = 0, leftover_bytes = 0;  ///< of an earlier run, removed by this one
  uint64_t crowded_ranks = 0;                         ///< ranks beside whose entries some of those lay in the windows
  io::Series series;
};
constexpr auto fields_of(Of<RunRecord>) {
  using R = RunRecord;
  return std::tuple(summed("", &R::trials), summed("storage", &R::storage), summed("memory", &R::memory),
                    summed("cpu_user_s", &R::cpu_user_s), summed("cpu_system_s", &R::cpu_system_s),
                    summed("leftover_entries", &R::leftover_entries), summed("leftover_bytes", &R::leftover_bytes),
                    summed("crowded_ranks", &R::crowded_ranks), summed("", &R::series));
}

/// The verdict on a record that is to hold the trials of `ranks` ranks: passed only if all are there, each with its
/// window, and the storage was written and read in each option.
void judge(RunRecord& record, uint32_t ranks);

/// Packs the share of this process of what run() found out, and makes process 0's record that of all; see
/// run::gather_record().
world::Bytes pack_part(const RunRecord& record);
Status merge_parts(RunRecord& record, const std::vector<world::Bytes>& sent, const std::vector<world::Member>& members);

}  // namespace mlps::kvcache
