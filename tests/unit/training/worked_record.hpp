#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "../results/sample.hpp"
#include "base/units.hpp"
#include "benchmarks/training/results/files.hpp"
#include "benchmarks/training/step_log.hpp"

/// A finished training run whose numbers are worked by hand, for tests of its result files.
namespace mlps::results::worked {

using sample::TemporaryFolder;

inline constexpr Nanos kMs = 1'000'000;

inline Stamp stamp_at(Nanos after_start) {
  return {sample::kMonotonicNs + after_start, sample::kWallUs + after_start / 1000};
}

inline training::RankBlock block(uint64_t steps, Nanos start, Nanos end, double au, double throughput) {
  training::RankBlock result;
  result.steps = steps;
  result.start = stamp_at(start);
  result.end = stamp_at(end);
  result.au = au;
  result.throughput = throughput;
  result.compute_ns = static_cast<Nanos>(steps) * 10 * kMs;
  return result;
}

// Step s (from 0, over the whole run) of rank r: waits s + 1 ms and r us for its batch, then computes 10 ms.
inline std::shared_ptr<training::StepLog> steps_in(const std::string& folder, uint64_t steps) {
  auto log = training::StepLog::create(folder, 2);
  EXPECT_TRUE(log);
  for (uint64_t step = 0; step < steps; ++step) {
    std::vector<training::StepTimes> ranks(2);
    for (uint32_t rank = 0; rank < 2; ++rank) {
      ranks[rank].load_ns = static_cast<Nanos>(step + 1) * kMs + rank * 1000;
      ranks[rank].compute_ns = 10 * kMs;
      ranks[rank].proc_ns = ranks[rank].load_ns + ranks[rank].compute_ns;
    }
    EXPECT_TRUE((*log)->append(ranks));
  }
  EXPECT_TRUE((*log)->flush());
  return *log;
}

/// 2 ranks read 10 files of 2 MiB twice, batch 1, 5 steps an epoch. Epoch 1 has a checkpoint of 1 GiB in 0.5 s after
/// step 2, so two blocks. AU 80 % and 90 %, 20 and 40 samples/s.
inline training::RunRecord record_in(const TemporaryFolder& root) {
  training::RunRecord record;
  record.model = "unet3d";
  record.run_start = stamp_at(0);
  record.run_end = stamp_at(4000 * kMs);
  record.plan.accelerators = 2;
  record.plan.epochs = 2;
  record.plan.files = 10;
  record.plan.steps_per_epoch = 5;
  record.record_bytes = 2.0 * kMiB;
  record.au_threshold = 0.85;
  record.excluded_start = 1;
  record.location = "s3://bucket/unet3d";
  record.verdict = run::Verdict::kPassed;
  record.steps = steps_in(root.path(), 10);
  for (uint32_t number : {1U, 2U}) {
    training::Epoch epoch;
    epoch.number = number;
    epoch.start = stamp_at((number - 1) * 2000 * kMs);
    epoch.end = stamp_at((number - 1) * 2000 * kMs + 1234 * kMs);
    epoch.trained = epoch.end;
    epoch.au = number == 1 ? 80 : 90;
    epoch.throughput = number == 1 ? 20 : 40;
    record.epochs.push_back(epoch);
  }
  record.epochs[0].blocks = {{{block(2, 0, 100 * kMs, 70, 9), block(2, 0, 100 * kMs, 74, 9)}, 0, 0},
                             {{block(3, 600 * kMs, 700 * kMs, 90, 11), block(3, 600 * kMs, 700 * kMs, 88, 11)}, 2, 0}};
  record.epochs[0].checkpoints = {{1, 2, stamp_at(100 * kMs), 500 * kMs, kGiB}};
  record.epochs[1].blocks = {
      {{block(5, 2000 * kMs, 2100 * kMs, 90, 20), block(5, 2000 * kMs, 2100 * kMs, 90, 20)}, 5, 0}};
  return record;
}

inline RunContext context_in(const TemporaryFolder& root) {
  RunContext context = sample::context(root.path());
  context.benchmark = "training";
  context.model = "unet3d";
  context.workload_name = "unet3d_b200";
  context.accelerator = "b200";
  context.values = {{"train.computation_time", {"0.162", workloads::ValueSource::kWorkloadFile}}};
  return context;
}

inline RunFolder training_folder_of(const TemporaryFolder& root) {
  return {root.path(), "20260704_050040"};
}

/// The record above with everything that may be in one: an evaluation of 4 steps in 0.1 s, a page cache.
inline training::RunRecord full_record_in(const TemporaryFolder& root) {
  training::RunRecord record = record_in(root);
  record.plan.eval_steps = 4;
  record.plan.checkpoints = {{1, 2, 2}};
  record.plan.eval_epochs = {2};
  training::Epoch& epoch = record.epochs[1];
  epoch.evaluation.emplace().start = stamp_at(3000 * kMs);
  epoch.evaluation->end = stamp_at(3100 * kMs);
  epoch.evaluation->ranks = {block(4, 3000 * kMs, 3100 * kMs, 95, 40), block(4, 3000 * kMs, 3100 * kMs, 85, 40)};
  epoch.end = stamp_at(3234 * kMs);
  epoch.trained = stamp_at(2500 * kMs);
  epoch.cache = training::CacheProbe{10, 10, 50, 100, "evicted"};
  record.epochs[0].cache = training::CacheProbe{{}, 10, {}, {}, "what was cached is unknown"};
  record.epochs[0].checkpoints[0].client_ns = 5;
  record.series.at(3).bytes = 7;
  record.stats.part_ns.record(1000);
  return record;
}

}  // namespace mlps::results::worked
