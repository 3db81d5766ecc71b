#pragma once

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../support/memory_store.hpp"
#include "benchmarks/training/run.hpp"
#include "fake_format.hpp"

namespace mlps::training::test {

using mlps::test::MemoryStore;

/// A little training job: its data in memory, its compute times a few microseconds.
class SmallRun : public ::testing::Test {
 protected:
  SmallRun()
      : store_([this](storage::Operation& operation) {
          if (hook_) hook_(operation);
          if (!operation.reads_body()) return;
          const std::lock_guard lock(mutex_);
          ++reads_[{operation.object->name(), operation.range_offset}];
          bytes_ += operation.range_bytes;
        }) {
    workload_.dataset.num_files_train = 24;
    workload_.dataset.record_bytes = 1000;
    workload_.reader.batch_size = 2;
    workload_.reader.read_threads = 2;
    workload_.reader.file_shuffle = workloads::Shuffle::kSeed;
    workload_.training.epochs = 2;
    workload_.training.computation_time = {workloads::TimeDistribution::Kind::kConstant, 20e-6, 0};
    workload_.train = true;
  }

  /// Puts the data set where the run will look for it.
  void generate(const Dataset& dataset) {
    for (uint64_t file = 0; file < dataset.files(); ++file) {
      std::vector<std::byte> bytes(dataset.file_bytes(file));
      dataset.content(file).fill(0, bytes);
      store_.blobs[dataset.name(file)] = {bytes, true};
    }
  }

  RunRecord run(uint32_t accelerators, const formats::Format& format) {
    world::World world(accelerators);
    world_ = &world;
    return run(accelerators, format, world);
  }

  /// The share of `world` of a run with so many accelerators on all hosts together.
  RunRecord run(uint32_t accelerators, const formats::Format& format, world::World& world) {
    const Dataset train(workload_.dataset, FileSet::kTrain, kDefaultDataSeed, format);
    const Dataset eval(workload_.dataset, FileSet::kEval, kDefaultDataSeed, format);
    auto plan = make_run_plan(workload_, accelerators);
    EXPECT_TRUE(plan) << render(plan.error());
    {
      const std::lock_guard lock(mutex_);
      if (store_.blobs.empty()) {
        generate(train);
        generate(eval);
      }
    }
    RunRequest request;
    request.workload = workload_;
    request.plan = *plan;
    request.train = &train;
    request.eval = &eval;
    request.store = &store_;
    request.checkpoints = checkpoint_store_;
    request.verify = verify_;
    request.scratch_folder = ::testing::TempDir();
    request.invocation_start = Stamp::now();
    ReadRequest reads;
    reads.workers = workers_;
    reads.part_bytes = part_bytes_;
    reads.memory_bytes = 64 << 20;
    reads.read_ahead_bytes = 1 << 20;
    reads.cores = 2;
    reads.verify = verify_;
    const auto read_plan = plan_reads(workload_, *plan, train, store_, reads);
    EXPECT_TRUE(read_plan) << render(read_plan.error());
    request.reads = *read_plan;
    return training::run(request, world);
  }

  MemoryStore::Hook hook_;
  MemoryStore store_, checkpoints_;
  storage::Store* checkpoint_store_ = &checkpoints_;
  workloads::TrainingWorkload workload_;
  bool verify_ = true;
  std::optional<uint32_t> workers_ = 3;
  uint64_t part_bytes_ = 1 << 20;
  world::World* world_ = nullptr;

  std::mutex mutex_;
  std::map<std::pair<std::string, uint64_t>, int> reads_;
  uint64_t bytes_ = 0;
};

}  // namespace mlps::training::test
