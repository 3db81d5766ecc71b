#include "benchmarks/checkpointing/record.hpp"

#include <fmt/format.h>

#include "base/units.hpp"
#include "benchmarks/checkpointing/metrics.hpp"

namespace mlps::checkpointing {
void judge(RunRecord& record, const CheckpointPlan& plan) {
  const auto account = [&](const char* what, uint64_t planned, uint64_t moved) {
    if (planned == moved) return;
    record.reasons.push_back(fmt::format("{}: {} planned, {} done", what, grouped(planned), grouped(moved)));
  };
  account("bytes written", plan.bytes_to_write(), record.write.bytes);
  account("bytes read", plan.bytes_to_read(), record.read.bytes);
  account("objects written", plan.objects_per_checkpoint * plan.checkpoints_to_write, record.write.objects);
  account("objects read", plan.objects_per_checkpoint * plan.checkpoints_to_read, record.read.objects);
  if (record.verify) account("bytes verified", plan.bytes_to_read(), record.read.bytes_verified);
  record.verdict = run::judge(record.reasons, record.error);
  record.caveats.clear();
  if (record.verdict == run::Verdict::kPassed) record.caveats = slow_client(record, run::kTooSlowClient);
}

}  // namespace mlps::checkpointing
