#include "benchmarks/training/record.hpp"

#include <fmt/format.h>

#include "base/units.hpp"

namespace mlps::training {
namespace {

void merge(ReaderTimes& into, const ReaderTimes& from) {
  into.submit_ns += from.submit_ns;
  into.wait_ns += from.wait_ns;
  into.verify_ns += from.verify_ns;
  into.idle_ns += from.idle_ns;
  into.other_ns += from.other_ns;
}

}  // namespace

void merge(ReadStats& into, const ReadStats& from) {
  into.open_ns.merge(from.open_ns);
  into.read_ns.merge(from.read_ns);
  into.first_byte_ns.merge(from.first_byte_ns);
  into.extent_ns.merge(from.extent_ns);
  merge(into.times, from.times);
  into.bytes += from.bytes;
  into.bytes_verified += from.bytes_verified;
  into.extents += from.extents;
  into.files_opened += from.files_opened;
  into.reads += from.reads;
  into.retries += from.retries;
  into.retried_bytes += from.retried_bytes;
  into.cpu_user_s += from.cpu_user_s;
  into.cpu_system_s += from.cpu_system_s;
}

void judge(RunRecord& record) {
  const ReadStats& stats = record.stats;
  const auto add = [&](std::string reason) { record.reasons.push_back(std::move(reason)); };
  if (record.epochs.size() != record.plan.epochs) {
    add(fmt::format("{} of {} epochs are complete", record.epochs.size(), record.plan.epochs));
  }
  if (stats.extents != record.extents_planned) {
    add(fmt::format("extents read: {} planned, {} done", grouped(record.extents_planned), grouped(stats.extents)));
  }
  if (record.verify && stats.bytes_verified != stats.bytes) {
    add(fmt::format("bytes verified: {} of {} read", grouped(stats.bytes_verified), grouped(stats.bytes)));
  }
  record.verdict = run::judge(record.reasons, record.error);
}

}  // namespace mlps::training
