#pragma once

#include <vector>

#include "base/error.hpp"
#include "benchmarks/training/generate.hpp"
#include "world/transport.hpp"

namespace mlps::training {

/// Collective, after generate(), in a job that went well or badly: makes the record of process 0 that of all hosts,
/// with an entry for each. Counts, latencies and times of workers and processors are summed; seconds and memory are
/// those of the process that had most. The verdict is then on the whole data set. The records of other processes stay
/// as they are; on one host there is nothing to do.
///
/// When the job has failed, or a part can't be used (E503, raised for all), the record stays this host's share, with a
/// reason that names the missing parts, and the error is returned.
Status gather_record(GenerateRecord& record, world::Transport& transport);

// The two halves of gather_record(), without a transport.

/// Packs the share of this process of what generate() found out.
world::Bytes pack_part(const GenerateRecord& record);
/// `record` is process 0's; `sent` has the pack of every process, its own too. A part that is damaged or
/// of another process fails with E503 and leaves the record as it was.
Status merge_parts(GenerateRecord& record, const std::vector<world::Bytes>& sent,
                   const std::vector<world::Member>& members);

}  // namespace mlps::training
