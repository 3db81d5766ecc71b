#include "benchmarks/training/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "base/threads.hpp"
#include "benchmarks/training/metrics.hpp"
#include "benchmarks/training/step_log.hpp"
#include "small_run.hpp"

namespace mlps::training {
namespace {

using mlps::test::FakeFormat;
using run::Verdict;
using storage::Operation;
using storage::OpKind;
using test::SmallRun;
using workloads::Shuffle;
using workloads::TimeDistribution;

class TrainingRunTest : public SmallRun {};

TEST_F(TrainingRunTest, EveryFileIsReadOnceInEveryEpoch) {
  for (const uint32_t accelerators : {1U, 3U, 4U}) {
    reads_.clear();
    const RunRecord record = run(accelerators, FakeFormat(1000, {1}));
    EXPECT_EQ(record.verdict, Verdict::kPassed) << ::testing::PrintToString(record.reasons);
    EXPECT_EQ(reads_.size(), 24U);
    for (const auto& [what, times] : reads_) EXPECT_EQ(times, 2) << what.first;
    EXPECT_EQ(record.stats.bytes, 48'000U);
    EXPECT_EQ(record.stats.bytes_verified, 48'000U);
    EXPECT_EQ(record.stats.extents, 48U);
    ASSERT_EQ(record.epochs.size(), 2U);
    EXPECT_EQ(record.epochs[0].blocks.front().ranks.front().steps, 24U / accelerators / 2);
  }
  EXPECT_EQ(store_.protocol_errors, 0);
}

TEST_F(TrainingRunTest, ExtentsOfOneFileAreReadOnceEach) {
  workload_.dataset.num_files_train = 6;
  workload_.dataset.num_samples_per_file = 10;
  workload_.reader.batch_size = 5;
  const RunRecord record = run(2, FakeFormat(1000, {0, 6, 4}));
  EXPECT_EQ(record.verdict, Verdict::kPassed) << ::testing::PrintToString(record.reasons);
  EXPECT_EQ(reads_.size(), 18U) << "three extents of six files";
  for (const auto& [what, times] : reads_) EXPECT_EQ(times, 2) << what.first << " at " << what.second;
  EXPECT_EQ(store_.protocol_errors, 0) << "each file is opened before it is read, and closed once";
}

TEST_F(TrainingRunTest, ShuffledSamplesAreTheSameReadsInAnotherOrder) {
  workload_.dataset.num_files_train = 2;
  workload_.dataset.num_samples_per_file = 32;
  workload_.reader.file_shuffle = Shuffle::kOff;
  workload_.reader.batch_size = 8;
  workload_.training.epochs = 1;
  workers_ = 1;
  std::vector<uint64_t> order;
  hook_ = [&](Operation& operation) {
    if (operation.reads_body()) order.push_back(operation.range_offset);
  };
  const FakeFormat format(100, {4, 4, 4, 4, 4, 4, 4, 4});
  std::vector<uint64_t> in_order = {0, 100, 200, 300, 400, 500, 600, 700, 0, 100, 200, 300, 400, 500, 600, 700};
  EXPECT_EQ(run(1, format).verdict, Verdict::kPassed);
  EXPECT_EQ(order, in_order);
  order.clear();
  workload_.reader.sample_shuffle = Shuffle::kSeed;
  EXPECT_EQ(run(1, format).verdict, Verdict::kPassed);
  EXPECT_NE(order, in_order);
  std::sort(order.begin(), order.end());
  std::sort(in_order.begin(), in_order.end());
  EXPECT_EQ(order, in_order);
}

TEST_F(TrainingRunTest, ALargeFileIsReadInParts) {
  part_bytes_ = 4096;
  const RunRecord record = run(2, FakeFormat(10'000, {1}));
  EXPECT_EQ(record.verdict, Verdict::kPassed) << ::testing::PrintToString(record.reasons);
  EXPECT_EQ(reads_.size(), 24U * 3) << "4096 + 4096 + 1808";
  EXPECT_EQ(record.stats.bytes, 2 * 240'000U);
}

TEST_F(TrainingRunTest, SamplesThatFillNoBatchAreNotRead) {
  workload_.dataset.num_files_train = 11;
  const RunRecord record = run(2, FakeFormat(1000, {1}));
  EXPECT_EQ(record.verdict, Verdict::kPassed) << ::testing::PrintToString(record.reasons);
  EXPECT_EQ(record.stats.extents, 2 * 8U) << "two accelerators, two batches of two, twice";
}

TEST_F(TrainingRunTest, AnAcceleratorsTimeIsAccountedFor) {
  workload_.training.computation_time = {TimeDistribution::Kind::kUniform, 0, 400e-6};
  const RunRecord record = run(3, FakeFormat(1000, {1}));
  for (const Epoch& epoch : record.epochs) {
    for (const RankBlock& rank : epoch.blocks.front().ranks) {
      const Nanos wall = rank.end.monotonic_ns - rank.start.monotonic_ns;
      EXPECT_EQ(wall, rank.compute_ns + rank.wait_ns + rank.barrier_ns + rank.harness_ns);
      EXPECT_GT(rank.compute_ns, 0);
      EXPECT_LE(rank.window_compute_ns, rank.compute_ns);
      EXPECT_GT(rank.au, 0);
      EXPECT_LE(rank.au, 100);
    }
  }
}

TEST_F(TrainingRunTest, EveryStepIsLogged) {
  const RunRecord record = run(3, FakeFormat(1000, {1}));
  ASSERT_EQ(record.steps->steps(), 8U) << "two epochs of four steps";
  for (uint32_t rank = 0; rank < 3; ++rank) {
    const Block& second = record.epochs[1].blocks.front();
    EXPECT_EQ(second.first_step, 4U);
    Nanos compute = 0;
    int steps = 0;
    ASSERT_TRUE(record.steps->read(rank, second.first_step, 4, [&](const StepTimes& times) {
      EXPECT_GE(times.compute_ns, 20'000) << "never shorter than drawn";
      EXPECT_EQ(times.proc_ns, times.load_ns + times.compute_ns);
      compute += times.compute_ns;
      ++steps;
    }));
    EXPECT_EQ(steps, 4);
    EXPECT_EQ(compute, second.ranks[rank].compute_ns);
  }
}

TEST_F(TrainingRunTest, WithoutReadAheadEverythingIsReadAllTheSame) {
  workload_.reader.prefetch_size = 0;  // of tfrecords, which a workload has by default
  const RunRecord record = run(1, FakeFormat(1000, {1}));
  EXPECT_EQ(record.reads.read_ahead_extents, 0U);
  EXPECT_EQ(record.verdict, Verdict::kPassed) << ::testing::PrintToString(record.reasons);
}

TEST_F(TrainingRunTest, TimeIsTheAcceleratorsTheStoragesOrTheClients) {
  const RunRecord record = run(3, FakeFormat(1000, {1}));
  Nanos compute = 0, drawn = 0;
  for (const Epoch& epoch : record.epochs) {
    const Block& block = epoch.blocks.front();
    Nanos longest = 0;
    for (const RankBlock& rank : block.ranks) {
      EXPECT_EQ(rank.drawn_ns, 4 * 20'000) << "four steps";
      compute += rank.compute_ns;
      drawn += rank.drawn_ns;
      longest = std::max(longest, rank.end.monotonic_ns - rank.start.monotonic_ns);
    }
    EXPECT_GT(block.client.wall_ns, 0);
    EXPECT_LE(block.client.wall_ns, longest);
    EXPECT_LE(block.client.overhead_ns + block.client.wait_ns, block.client.wall_ns);
    EXPECT_GE(block.client.overhead_ns + block.client.wait_ns + 4 * 20'000, block.client.wall_ns);
    EXPECT_GT(epoch.io_thread_ns, 0);
  }
  EXPECT_GE(compute, drawn);
  io::Second sum;
  for (const io::Second& second : record.series.intervals()) sum.merge(second);
  EXPECT_EQ(sum.bytes, record.stats.bytes);
  EXPECT_EQ(sum.operations, record.stats.parts);
  EXPECT_EQ(sum.compute_ns, compute);
}

TEST_F(TrainingRunTest, ChangedBytesAreFoundByVerify) {
  const FakeFormat format(1000, {1});
  const Dataset train(workload_.dataset, FileSet::kTrain, kDefaultDataSeed, format);
  generate(train);
  store_.blobs[train.name(7)].bytes[500] ^= std::byte{1};
  const RunRecord record = run(2, format);
  EXPECT_EQ(record.verdict, Verdict::kFailed);
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->code, ErrorCode::kDataMismatch);
  EXPECT_THAT(render(*record.error),
              ::testing::AllOf(::testing::HasSubstr(train.name(7)), ::testing::HasSubstr("byte 500"),
                               ::testing::HasSubstr("file 7 of 24")));
}

TEST_F(TrainingRunTest, TheRecordKeepsTheNotesOfTheWorkload) {
  workload_.notes = {"40 of 200 columns are read"};
  EXPECT_EQ(run(1, FakeFormat(1000, {1})).notes, workload_.notes);
}

TEST_F(TrainingRunTest, AReadThatFailsEndsTheRunAndSaysWhose) {
  hook_ = [](Operation& operation) {
    if (operation.reads_body() && operation.object->name().find("img_13") != std::string::npos) {
      operation.error = Error{ErrorCode::kStorageIo, "read img_13: the disk is on fire"};
    }
  };
  const RunRecord record = run(2, FakeFormat(1000, {1}));
  EXPECT_EQ(record.verdict, Verdict::kFailed);
  EXPECT_EQ(record.error->code, ErrorCode::kStorageIo);
  EXPECT_THAT(record.error->details, ::testing::HasSubstr("file 13 of 24"));
  EXPECT_TRUE(record.epochs.empty());
  EXPECT_THAT(record.reasons, ::testing::Contains(::testing::HasSubstr("0 of 2 epochs")));
}

TEST_F(TrainingRunTest, AFileThatCannotBeOpenedEndsTheRun) {
  hook_ = [](Operation& operation) {
    if (operation.kind == OpKind::kBeginRead && operation.object->name().find("img_13") != std::string::npos) {
      operation.error = Error{ErrorCode::kStorageNotFound, "img_13 is not there"};
    }
  };
  workers_ = 1;
  const RunRecord record = run(2, FakeFormat(1000, {1}));
  EXPECT_EQ(record.verdict, Verdict::kFailed);
  EXPECT_EQ(record.error->code, ErrorCode::kStorageNotFound);
}

TEST_F(TrainingRunTest, AnInterruptionFromOutsideEndsTheRun) {
  workload_.training.computation_time = {TimeDistribution::Kind::kConstant, 3600, 0};
  std::atomic<int> reads{0};
  hook_ = [&](Operation& operation) {
    if (operation.reads_body() && ++reads == 4) world_->failure().raise({ErrorCode::kInterrupted, "SIGINT"});
  };
  const RunRecord record = run(1, FakeFormat(1000, {1}));
  EXPECT_EQ(record.verdict, Verdict::kInterrupted);
}

// Its bytes have no time: a rate that counted them would be too high.
TEST_F(TrainingRunTest, BytesOfAnEpochThatIsNotFinishedAreInNoRate) {
  std::atomic<int> reads{0};
  hook_ = [&](Operation& operation) {
    if (operation.reads_body() && ++reads == 24 + 12) world_->failure().raise({ErrorCode::kInterrupted, "SIGINT"});
  };
  const RunRecord record = run(2, FakeFormat(1000, {1}));
  ASSERT_EQ(record.epochs.size(), 1U);
  EXPECT_GT(record.stats.bytes, 24'000U);
  EXPECT_EQ(record.epochs[0].training_bytes, 24'000U);
  Nanos longest = 0;
  for (const RankBlock& rank : record.epochs[0].blocks[0].ranks) {
    longest = std::max(longest, rank.end.monotonic_ns - rank.start.monotonic_ns);
  }
  EXPECT_DOUBLE_EQ(metrics_of(record).bytes_read_per_s, 24'000 / to_seconds(longest));
}

TEST_F(TrainingRunTest, AnEvaluationFollowsItsEpochs) {
  workload_.evaluation = true;
  workload_.dataset.num_files_eval = 8;
  workload_.reader.batch_size_eval = 1;
  workload_.eval.eval_after_epoch = 2;
  const RunRecord record = run(2, FakeFormat(1000, {1}));
  EXPECT_EQ(record.verdict, Verdict::kPassed) << ::testing::PrintToString(record.reasons);
  EXPECT_FALSE(record.epochs[0].evaluation);
  ASSERT_TRUE(record.epochs[1].evaluation);
  for (const RankBlock& rank : record.epochs[1].evaluation->ranks) {
    EXPECT_EQ(rank.steps, 4U);
    const double seconds = to_seconds(rank.end.monotonic_ns - rank.start.monotonic_ns);
    EXPECT_DOUBLE_EQ(rank.throughput, 4 / seconds) << "all steps count, and all of the time";
  }
  EXPECT_LE(record.epochs[1].trained.monotonic_ns, record.epochs[1].evaluation->start.monotonic_ns);
  EXPECT_EQ(record.stats.extents, 48U + 8);
  EXPECT_EQ(record.epochs[1].training_bytes, 24'000U) << "those of the evaluation are not among them";
}

TEST_F(TrainingRunTest, ACheckpointEndsABlock) {
  workload_.checkpoint = true;
  workload_.checkpointing.model_bytes = 5000;
  workload_.checkpointing.steps_between_checkpoints = 4;
  workload_.training.epochs = 1;
  const RunRecord record = run(2, FakeFormat(1000, {1}));
  EXPECT_EQ(record.verdict, Verdict::kPassed) << ::testing::PrintToString(record.reasons);
  ASSERT_EQ(record.epochs.size(), 1U);
  ASSERT_EQ(record.epochs[0].blocks.size(), 2U);
  EXPECT_EQ(record.epochs[0].blocks[0].ranks[1].steps, 4U);
  EXPECT_EQ(record.epochs[0].blocks[1].ranks[1].steps, 2U);
  EXPECT_EQ(record.epochs[0].blocks[1].first_step, 4U);
  ASSERT_EQ(record.epochs[0].checkpoints.size(), 1U);
  EXPECT_EQ(checkpoints_.blobs.at("global_epoch1_step4/model_states-0.pt").bytes.size(), 5000U);
  EXPECT_EQ(record.epochs[0].checkpoints[0].bytes, 5000U);
  ASSERT_TRUE(record.epochs[0].checkpoints[0].client_ns);
  EXPECT_LE(*record.epochs[0].checkpoints[0].client_ns, record.epochs[0].checkpoints[0].duration_ns);
}

// As DLIO names them, whose counter is one on when an epoch has ended.
TEST_F(TrainingRunTest, ACheckpointOfAnEpochsEndHasTheNextStepInItsName) {
  workload_.checkpoint = true;
  workload_.checkpointing.model_bytes = 500;
  workload_.checkpointing.checkpoint_after_epoch = 2;
  const RunRecord record = run(2, FakeFormat(1000, {1}));
  ASSERT_EQ(record.epochs.at(1).checkpoints.size(), 1U);
  EXPECT_EQ(record.epochs[1].checkpoints[0].step, 6U);
  EXPECT_TRUE(checkpoints_.blobs.contains("global_epoch2_step7/model_states-0.pt"));
}

/// As an object store: a session has several operations in flight, so a thread per core is enough.
class CountingStore : public mlps::test::MemoryStore {
 public:
  storage::StoreTraits traits() const override {
    storage::StoreTraits traits;
    traits.backend = "memory";
    return traits;
  }
  Result<std::unique_ptr<storage::Session>> open_session(unsigned depth) override {
    ++sessions;
    return MemoryStore::open_session(depth);
  }
  unsigned sessions = 0;
};

TEST_F(TrainingRunTest, ACheckpointIsSavedByAThreadPerCoreHoweverManyRead) {
  CountingStore checkpoints;
  checkpoint_store_ = &checkpoints;
  workload_.checkpoint = true;
  workload_.checkpointing.model_bytes = 64 << 20;
  workload_.checkpointing.steps_between_checkpoints = 4;
  workload_.training.epochs = 1;
  workers_ = processors() + 5;
  EXPECT_EQ(run(2, FakeFormat(1000, {1})).verdict, Verdict::kPassed);
  EXPECT_EQ(checkpoints.sessions, std::min(processors(), 16U));
}

/// Two hosts are two threads here, and meet in memory.
TEST_F(TrainingRunTest, TwoHostsReadEveryFileOnceBetweenThem) {
  workload_.evaluation = true;
  workload_.dataset.num_files_eval = 10;
  workload_.checkpoint = true;
  workload_.checkpointing.model_bytes = 1000;
  world::Failure failure;
  world::World meeting({0, 2, 2, 0, 1, {}}, failure);
  const auto meet = [&] { return meeting.barrier() ? Status{} : fail(ErrorCode::kMpiCommunication, "nobody came"); };
  const FakeFormat format(1000, {1});
  world::World first({0, 2, 5, 0, 2, meet}, failure), second({2, 3, 5, 1, 2, meet}, failure);
  RunRecord records[2];
  std::thread other([&] { records[1] = run(5, format, second); });
  records[0] = run(5, format, first);
  other.join();
  for (const RunRecord& record : records) {
    EXPECT_EQ(record.verdict, Verdict::kPassed) << ::testing::PrintToString(record.reasons);
    ASSERT_EQ(record.epochs.size(), 2U);
  }
  EXPECT_EQ(records[0].epochs[0].blocks[0].ranks.size(), 2U);
  EXPECT_EQ(records[1].epochs[0].blocks[0].ranks.size(), 3U);
  EXPECT_EQ(records[1].first_rank, 2U);
  EXPECT_EQ(records[0].epochs[0].checkpoints.size(), 1U) << "after the first epoch, by the first accelerator";
  EXPECT_TRUE(records[1].epochs[0].checkpoints.empty());
  int train_reads = 0;
  for (const auto& [what, times] : reads_) {
    EXPECT_LE(times, 2) << what.first;
    if (what.first.find("train/") == 0) train_reads += times;
  }
  EXPECT_EQ(train_reads, 2 * 5 * 2 * 2) << "two epochs, five accelerators, two batches of two";
}

TEST_F(TrainingRunTest, AFailureOnOneHostEndsTheRunOnTheOther) {
  workload_.training.computation_time = {TimeDistribution::Kind::kConstant, 0.001, 0};
  hook_ = [](Operation& operation) {
    if (operation.reads_body() && operation.object->name().find("img_13") != std::string::npos) {
      operation.error = Error{ErrorCode::kStorageIo, "read img_13: the disk is on fire"};
    }
  };
  world::Failure failure;
  world::World meeting({0, 2, 2, 0, 1, {}}, failure);
  const auto meet = [&] { return meeting.barrier() ? Status{} : fail(ErrorCode::kMpiCommunication, "nobody came"); };
  const FakeFormat format(1000, {1});
  world::World first({0, 1, 2, 0, 2, meet}, failure), second({1, 1, 2, 1, 2, meet}, failure);
  RunRecord records[2];
  std::thread other([&] { records[1] = run(2, format, second); });
  records[0] = run(2, format, first);
  other.join();
  for (const RunRecord& record : records) {
    EXPECT_EQ(record.verdict, Verdict::kFailed);
    ASSERT_TRUE(record.error);
    EXPECT_EQ(record.error->code, ErrorCode::kStorageIo) << "the first cause, on both";
  }
}

TEST(StepLogTest, ReadsBackWhatWasAppended) {
  auto log = StepLog::create(::testing::TempDir(), 2).value();
  constexpr Nanos kSteps = 100'000;  // more than fit the buffer
  for (Nanos step = 0; step < kSteps; ++step) ASSERT_TRUE(log->append({{step, 1, 2}, {-step, 3, 4}}));
  ASSERT_TRUE(log->flush());
  Nanos expected = 70'000;
  ASSERT_TRUE(log->read(1, 70'000, 5000, [&](const StepTimes& times) {
    EXPECT_EQ(times.load_ns, -expected);
    EXPECT_EQ(times.compute_ns, 4);
    ++expected;
  }));
  EXPECT_EQ(expected, 75'000);
  EXPECT_FALSE(log->read(0, kSteps - 1, 2, [](const StepTimes&) {})) << "past the end";
}

}  // namespace
}  // namespace mlps::training
