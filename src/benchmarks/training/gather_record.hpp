#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/training/record.hpp"
#include "world/transport.hpp"

namespace mlps::training {

/// Collective, after run(), in a job that went well or badly: makes the record of process 0 that of all ranks of all
/// hosts, step log included, which is then a new one in `scratch_folder` (used in process 0 only). Moments of other
/// hosts are moved onto process 0's clocks; durations stay as their own host measured them. The verdict is then on the
/// whole run. The records of other processes stay as they are; on one host there is nothing to do.
///
/// When the job has failed, or a part can't be used (E503, raised for all), the record stays this host's share, with a
/// reason that names the missing parts, and the error is returned.
Status gather_record(RunRecord& record, world::Transport& transport, const std::string& scratch_folder);

// The two halves of gather_record(), without a transport and without step logs.

/// Packs the share of this process of what run() found out.
world::Bytes pack_part(const RunRecord& record);
/// `record` is process 0's; `sent` has the pack of every process, its own too. A part that is damaged, of
/// other ranks, or of other epochs, blocks or steps fails with E503 and leaves the record as it was.
Status merge_parts(RunRecord& record, const std::vector<world::Bytes>& sent, const std::vector<world::Member>& members);

}  // namespace mlps::training
