#include "benchmarks/checkpointing/record.hpp"

#include <fmt/format.h>

#include "base/units.hpp"

namespace mlps::checkpointing {
namespace {

void merge(WorkerTimes& into, const WorkerTimes& from) {
  into.prepare_ns += from.prepare_ns;
  into.submit_ns += from.submit_ns;
  into.wait_ns += from.wait_ns;
  into.starved_ns += from.starved_ns;
  into.other_ns += from.other_ns;
  into.exposed_ns += from.exposed_ns;
}

}  // namespace

void merge(PhaseStats& into, const PhaseStats& from) {
  into.begin_ns.merge(from.begin_ns);
  into.part_ns.merge(from.part_ns);
  into.first_byte_ns.merge(from.first_byte_ns);
  into.commit_ns.merge(from.commit_ns);
  merge(into.times, from.times);
  into.bytes += from.bytes;
  into.bytes_verified += from.bytes_verified;
  into.parts += from.parts;
  into.objects += from.objects;
  into.retries += from.retries;
  into.retried_bytes += from.retried_bytes;
  into.cpu_user_s += from.cpu_user_s;
  into.cpu_system_s += from.cpu_system_s;
}

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
}

}  // namespace mlps::checkpointing
