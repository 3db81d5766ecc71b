#pragma once

#include <string>
#include <vector>

#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/record.hpp"
#include "run/gather_parts.hpp"

namespace mlps::training {

/// Collective, after run(), in a job that went well or badly: makes the record of process 0 that of all ranks of all
/// hosts, step log included, which is then a new one in `scratch_folder` (used in process 0 only). Moments of other
/// hosts are moved onto process 0's clocks; durations stay as their own host measured them. The verdict is then on the
/// whole run. The records of other processes stay as they are; on one host there is nothing to do.
///
/// When the job has failed, or a part can't be used (E503, raised for all), the record stays this host's share, with a
/// reason that names the missing parts, and the error is returned.
Status gather_record(RunRecord& record, world::Transport& transport, const std::string& scratch_folder);

// The two halves of it without a transport and without step logs, and of the gathering of the records of a generation
// (run::gather_record()), of which counts, latencies and times of workers and processors are summed; seconds and memory
// are those of the process that had most.

/// Packs the share of this process of what run(), or generate(), found out.
world::Bytes pack_part(const RunRecord& record);
world::Bytes pack_part(const GenerateRecord& record);
/// `record` is process 0's; `sent` has the pack of every process, its own too. A part that is damaged, of another
/// process or of other ranks, epochs, blocks or steps fails with E503 and leaves the record as it was.
Status merge_parts(RunRecord& record, const std::vector<world::Bytes>& sent, const std::vector<world::Member>& members);
Status merge_parts(GenerateRecord& record, const std::vector<world::Bytes>& sent,
                   const std::vector<world::Member>& members);

}  // namespace mlps::training
