#pragma once

#include <string>

#include "benchmarks/kvcache/record.hpp"

namespace mlps::kvcache {

/// Returns a job file for fio with the block sizes, the mix of reads and writes, and the depth of what an option moved
/// in its windows. fio is not part of this program; the file is for comparing the storage by another tool.
std::string fio_job(const RunRecord& record, const OptionPlan& option, const OptionIo& io);

}  // namespace mlps::kvcache
