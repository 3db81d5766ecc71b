#include "benchmarks/checkpointing/io_plan.hpp"

#include <gtest/gtest.h>

#include "../support/memory_store.hpp"
#include "base/units.hpp"

namespace mlps::checkpointing {
using test::MemoryStore;

namespace {

CheckpointPlan plan_of(uint32_t ranks, uint64_t object_bytes) {
  CheckpointPlan plan;
  plan.processes = ranks;
  for (uint32_t rank = 0; rank < ranks; ++rank) {
    RankPlan mine;
    mine.rank = rank;
    mine.objects = {{"o", object_bytes}};
    plan.ranks.push_back(std::move(mine));
  }
  return plan;
}

class AsyncStore : public MemoryStore {
 public:
  storage::StoreTraits traits() const override {
    storage::StoreTraits traits;
    traits.backend = "s3";
    return traits;
  }
};

io::PlanRequest request(uint64_t part, uint64_t memory, uint32_t cores) {
  return {std::nullopt, std::nullopt, part, memory, cores};
}

TEST(IoPlan, ABlockingStoreGetsAThreadPerPartInFlight) {
  MemoryStore store;
  const auto io = plan_io(plan_of(8, kGiB), store, request(16 * kMiB, 384 * kMiB, 8));
  ASSERT_TRUE(io);
  EXPECT_EQ(io->workers, 16U);
  EXPECT_EQ(io->depth, 1U);
  EXPECT_EQ(io->part_bytes, 16 * kMiB);
}

TEST(IoPlan, ThreadsThatCopyAreFewOnFewCores) {
  MemoryStore store;
  for (const auto& [cores, workers] : {std::pair{1U, 4U}, std::pair{2U, 4U}, std::pair{4U, 8U}, std::pair{64U, 16U}}) {
    const auto io = plan_io(plan_of(8, kGiB), store, request(16 * kMiB, 384 * kMiB, cores));
    ASSERT_TRUE(io);
    EXPECT_EQ(io->workers, workers);
  }
}

TEST(IoPlan, AnAsynchronousStoreGetsAThreadPerCoreAndDepth) {
  AsyncStore store;
  const auto io = plan_io(plan_of(8, kGiB), store, request(16 * kMiB, 384 * kMiB, 2));
  ASSERT_TRUE(io);
  EXPECT_EQ(io->workers, 2U);
  EXPECT_EQ(io->depth, 8U);
}

TEST(IoPlan, MemoryBoundsWhatIsInFlight) {
  AsyncStore async;
  const auto few = plan_io(plan_of(1024, kGiB), async, request(16 * kMiB, 100 * kMiB, 4));
  ASSERT_TRUE(few);
  EXPECT_LE(few->buffer_bytes(), 100 * kMiB);
  EXPECT_EQ(few->workers, 4U);
  EXPECT_EQ(few->depth, 1U);
  MemoryStore blocking;
  const auto one = plan_io(plan_of(64, kGiB), blocking, request(16 * kMiB, 16 * kMiB, 4));
  ASSERT_TRUE(one);
  EXPECT_EQ(one->workers, 1U);
}

TEST(IoPlan, BuffersAreNoLargerThanTheLargestObject) {
  MemoryStore store;
  const auto io = plan_io(plan_of(8, 5000), store, request(16 * kMiB, 384 * kMiB, 2));
  ASSERT_TRUE(io);
  EXPECT_EQ(io->part_bytes, 8192U);
}

TEST(IoPlan, WhatCantBeHonouredIsAnErrorThatNamesTheFlag) {
  MemoryStore blocking;
  AsyncStore async;
  const CheckpointPlan plan = plan_of(8, kGiB);
  const auto refused = [&](storage::Store& store, io::PlanRequest wanted, const char* flag) {
    const auto io = plan_io(plan, store, wanted);
    ASSERT_FALSE(io) << flag;
    EXPECT_EQ(io.error().code, ErrorCode::kConfigInvalid);
    EXPECT_NE(render(io.error()).find(flag), std::string::npos) << render(io.error());
  };
  io::PlanRequest base = request(16 * kMiB, 64 * kMiB, 2);
  io::PlanRequest depth = base;
  depth.depth = 2;
  refused(blocking, depth, "--io-depth 2");
  io::PlanRequest workers = base;
  workers.workers = 0;
  refused(async, workers, "--io-workers 0");
  io::PlanRequest many = base;
  many.workers = 3;
  many.depth = 2;
  refused(async, many, "--io-memory 64 MiB");
  refused(async, request(16 * kMiB, kMiB, 2), "--io-memory 1 MiB");
}

}  // namespace
}  // namespace mlps::checkpointing
