#pragma once

#include <vector>

#include "benchmarks/checkpointing/record.hpp"
#include "run/gather_parts.hpp"

namespace mlps::checkpointing {

// What run::gather_record() makes the record of process 0 that of all ranks of all hosts by. Moments of other hosts are
// moved onto process 0's clocks; durations stay as their own host measured them. The verdict is then on the whole plan.

/// Packs the share of this process of what run() found out.
world::Bytes pack_part(const RunRecord& record);
/// `record` is process 0's; `sent` has the pack of every process, its own too. A part that is damaged, of
/// other ranks, or of other checkpoints fails with E503 and leaves the record as it was.
Status merge_parts(RunRecord& record, const std::vector<world::Bytes>& sent, const std::vector<world::Member>& members);

}  // namespace mlps::checkpointing
