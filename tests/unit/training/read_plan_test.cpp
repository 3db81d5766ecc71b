#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/memory_store.hpp"
#include "benchmarks/training/run.hpp"
#include "fake_format.hpp"

namespace mlps::training {
namespace {

using mlps::test::FakeFormat;
using mlps::test::MemoryStore;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using workloads::DataFormat;

constexpr uint64_t kPart = uint64_t{1} << 20;

/// A store as the plan sees it: files through the page cache, unless said otherwise.
struct PlannedStore : MemoryStore {
  storage::StoreTraits seen = {.backend = "file", .blocking = true, .file_system = true};
  storage::StoreTraits traits() const override { return seen; }
};

class ReadPlanTest : public ::testing::Test {
 protected:
  ReadPlanTest() {
    workload_.dataset.format = DataFormat::kNpz;
    workload_.dataset.num_files_train = 100'000;
    workload_.dataset.record_bytes = 1000;
    workload_.reader.batch_size = 7;
    workload_.reader.read_threads = 4;
    request_.part_bytes = kPart;
    request_.memory_bytes = 1024 * kPart;
    request_.cores = 16;
  }

  ReadPlan plan(uint32_t accelerators = 8) {
    const FakeFormat format(kPart, {1});
    const Dataset train(workload_.dataset, FileSet::kTrain, kDefaultDataSeed, format);
    const auto run = make_run_plan(workload_, accelerators);
    EXPECT_TRUE(run) << render(run.error());
    const auto reads = plan_reads(workload_, *run, train, store_, request_);
    EXPECT_TRUE(reads) << render(reads.error());
    return *reads;
  }
  /// Batches ahead with so many readers and such a prefetch_size.
  uint64_t batches(uint32_t readers, uint32_t prefetch_size) {
    workload_.reader.read_threads = readers;
    workload_.reader.prefetch_size = prefetch_size;
    const ReadPlan reads = plan();
    EXPECT_EQ(reads.read_ahead_extents, reads.read_ahead_batches * 7);
    return reads.read_ahead_batches;
  }

  workloads::TrainingWorkload workload_;
  PlannedStore store_;
  ReadRequest request_;
};

TEST_F(ReadPlanTest, ReadersOfFilesHaveBatchesEach) {
  EXPECT_EQ(batches(4, 2), 4U) << "one each";
  EXPECT_EQ(batches(4, 0), 8U) << "two each: further ahead than with 1";
  EXPECT_EQ(batches(4, 1), 4U);
  EXPECT_EQ(batches(24, 48), 48U);
  EXPECT_EQ(batches(24, 49), 72U) << "rounded up";
  EXPECT_EQ(batches(0, 2), 0U) << "nobody reads ahead";
}

// As the definition of dlrm for b200 has it: no readers of the loader, but those of row groups read all the same.
TEST_F(ReadPlanTest, RowGroupsAreReadByAPoolOfTheirOwnWithoutReaders) {
  workload_.dataset.format = DataFormat::kParquet;
  workload_.reader.read_threads = 0;
  workload_.reader.prefetch_size = 0;
  const ReadPlan reads = plan(1);
  EXPECT_EQ(reads.read_ahead_window, 64U);
  EXPECT_EQ(reads.read_ahead_batches, 2U) << "behind the window";
  EXPECT_EQ(uint64_t{reads.workers} * reads.depth, 64U);
  EXPECT_THAT(reads.remarks, IsEmpty());
}

TEST_F(ReadPlanTest, TimeForPreparingASampleIsRefused) {
  workload_.reader.preprocess_time = {workloads::TimeDistribution::Kind::kConstant, 0.1, 0};
  const FakeFormat format(kPart, {1});
  const Dataset train(workload_.dataset, FileSet::kTrain, kDefaultDataSeed, format);
  const auto reads = plan_reads(workload_, *make_run_plan(workload_, 1), train, store_, request_);
  ASSERT_FALSE(reads);
  EXPECT_EQ(reads.error().code, ErrorCode::kNotImplemented);
}

TEST_F(ReadPlanTest, OneReaderStandsForTheProcessors) {
  workload_.reader.read_threads = 1;
  EXPECT_EQ(plan(8).readers, 2U) << "16 processors for 8 accelerators";
  EXPECT_EQ(plan(32).readers, 1U);
  EXPECT_EQ(plan(1).readers, 8U) << "and never more";
  request_.hosts = 4;
  EXPECT_EQ(plan(32).readers, 2U) << "8 accelerators on each of 4 hosts";
}

TEST_F(ReadPlanTest, ObjectsDirectFilesAndRowGroupsHaveAWindow) {
  const auto expect_window = [&](uint32_t readers) {
    const ReadPlan reads = plan();
    EXPECT_EQ(reads.read_ahead_window, readers * 64U);
    EXPECT_EQ(reads.read_ahead_extents, readers * (64U + 2 * 7));
    EXPECT_EQ(reads.in_flight, std::min<uint64_t>(readers * 64U, reads.read_ahead_extents + 7));
  };
  store_.seen.backend = "direct";
  expect_window(4);
  store_.seen = {.backend = "s3"};
  expect_window(4);
  store_.seen = {.backend = "file", .file_system = true};
  workload_.dataset.format = DataFormat::kParquet;
  expect_window(4);
  workload_.reader.read_threads = 0;  // of row groups: the reader's own threads
  expect_window(1);
}

TEST_F(ReadPlanTest, TfrecordsHavePrefetchSizeBatches) {
  workload_.dataset.format = DataFormat::kTfrecord;
  workload_.reader.prefetch_size = 3;
  EXPECT_EQ(plan().read_ahead_batches, 3U);
}

TEST_F(ReadPlanTest, NothingLimitsItButTheUserAndThatIsSaid) {
  workload_.reader.read_threads = 24;
  workload_.reader.prefetch_size = 48;
  request_.depth = 1;  // of reads in flight nothing is to be said here
  request_.workers = 64;
  EXPECT_THAT(plan().remarks, IsEmpty());
  request_.read_ahead_bytes = 20 * kPart;
  const ReadPlan reads = plan();
  EXPECT_EQ(reads.read_ahead_extents, 20U);
  EXPECT_THAT(reads.remarks, ElementsAre("--read-ahead 20 MiB limits the read-ahead of each accelerator to 20 extents; "
                                         "the workload has 336"));
  request_.read_ahead_bytes = kPart;
  EXPECT_EQ(plan().read_ahead_extents, 7U) << "a batch at least";
  request_.read_ahead_bytes = 1000 * kPart;
  EXPECT_THAT(plan().remarks, IsEmpty());
}

TEST_F(ReadPlanTest, FewerReadsInFlightThanThereAreReadersAreSaid) {
  EXPECT_EQ(plan().workers, 32U) << "4 readers of 8 accelerators";
  request_.memory_bytes = 24 * kPart;
  EXPECT_THAT(plan().remarks, ElementsAre("24 reads are in flight on a host; the 4 readers of each accelerator would "
                                          "have 32: --io-memory allows no more"));
  request_.spare_bytes = 30 * kPart;  // --io-memory was not given
  EXPECT_EQ(plan().workers, 30U);
  request_.spare_bytes = 1000 * kPart;
  EXPECT_EQ(plan().buffer_bytes(), 32 * kPart) << "no more than is of use";
  EXPECT_THAT(plan().remarks, IsEmpty());
  request_.workers = 2;
  EXPECT_THAT(plan().remarks, IsEmpty()) << "as the user wants it";
}

TEST_F(ReadPlanTest, ThreadsThatBlockAreNoMoreThanTheReadsThatMayBeClaimed) {
  workload_.reader.batch_size = 1;
  EXPECT_EQ(plan(2).in_flight, 5U) << "a batch of each reader ahead, and the one in use";
  EXPECT_EQ(plan(2).workers, 10U);
  request_.workers = 16;
  EXPECT_EQ(plan(2).workers, 16U) << "as the user wants it";
}

TEST_F(ReadPlanTest, AnEpochThatFitsIntoTheReadAheadIsSaid) {
  workload_.dataset.num_files_train = 8 * 7 * 6;
  EXPECT_THAT(plan().remarks, IsEmpty()) << "the first step asks for five of six batches";
  workload_.dataset.num_files_train = 8 * 7 * 5;
  EXPECT_THAT(plan().remarks,
              ElementsAre(HasSubstr("an epoch of 5 steps fits into the read-ahead of 28 extents: all of "
                                    "it is asked for in the first step, which AU leaves out")));
  workload_.dataset.num_files_train = 8 * 7 * 6;
  workload_.metric.exclude_start_steps = 2;
  EXPECT_THAT(plan().remarks, ElementsAre(HasSubstr("in the first 2 steps")));
}

}  // namespace
}  // namespace mlps::training
