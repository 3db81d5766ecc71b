// Writing data sets: every byte, in spite of failures and interruptions.
#include "benchmarks/training/generate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "small_data_set.hpp"

namespace mlps::training {
namespace {

using namespace training::test;
using run::Verdict;
using storage::Operation;
using storage::OpKind;
using ::testing::HasSubstr;

TEST(Generate, WritesEveryByteOfEveryFileWhateverTheWorkers) {
  const Small small;
  for (const auto& [workers, depth, part] :
       {std::tuple{1U, 1U, 5000U}, std::tuple{3U, 1U, 700U}, std::tuple{2U, 8U, 333U}, std::tuple{40U, 2U, 1000U}}) {
    MemoryStore store;
    const GenerateRecord record = run(small.request(store, workers, depth, part));
    ASSERT_EQ(record.verdict, Verdict::kPassed) << why(record);
    expect_whole(store, small);
    EXPECT_EQ(record.files, 23U);
    EXPECT_EQ(record.files_written, 23U);
    EXPECT_EQ(record.files_kept + record.files_repaired, 0U);
    uint64_t bytes = 0;
    uint64_t parts = 0;
    for (uint64_t i = 0; i < small.files(); ++i) {
      bytes += small.bytes(i).size();
      parts += (small.bytes(i).size() + part - 1) / part;
    }
    EXPECT_EQ(record.stats.bytes, bytes);
    EXPECT_EQ(record.stats.part_ns.count(), parts);
    EXPECT_EQ(record.stats.commit_ns.count(), 23U);
    EXPECT_GT(record.stats.times.prepare_ns, 0);
    EXPECT_GT(record.seconds, 0);
  }
}

TEST(Generate, NoTwoFilesHoldTheSameBytes) {
  const Small small;
  MemoryStore store;
  ASSERT_EQ(run(small.request(store, 2)).verdict, Verdict::kPassed);
  std::set<std::vector<std::byte>> heads;
  for (uint64_t i = 0; i < small.files(); ++i) {
    const auto& bytes = store.blobs.at(small.name(i)).bytes;
    heads.insert({bytes.begin(), bytes.begin() + 64});
  }
  EXPECT_EQ(heads.size(), small.files());
}

TEST(Generate, IndexFilesStandBesideTheirData) {
  const Small small(6, 2, true);
  MemoryStore store;
  const GenerateRecord record = run(small.request(store, 2));
  ASSERT_EQ(record.verdict, Verdict::kPassed) << why(record);
  expect_whole(store, small);
  for (uint64_t i = 0; i < small.files(); ++i) {
    EXPECT_EQ(text_of(store, small.set_of(i).index_name(small.number_of(i))),
              "0 " + std::to_string(small.bytes(i).size()) + "\n");
  }
}

TEST(Generate, AFileInHandIsOpenedOnlyWhenSlotsAreIdle) {
  // One worker, 8 slots, files of 9 or more parts: no more than 2 are open at once.
  Small small(30, 0);
  std::atomic<int> open{0}, most{0};
  MemoryStore store([&](Operation& operation) {
    if (operation.kind == OpKind::kBeginWrite) most = std::max<int>(most, ++open);
    if (operation.kind == OpKind::kCommitWrite) --open;
  });
  ASSERT_EQ(run(small.request(store, 1, 8, 100)).verdict, Verdict::kPassed);
  EXPECT_LE(most, 2);
}

// ---- failures

/// From the `from`-th operation on nothing reaches the store any more, as after a SIGKILL.
struct Killer {
  std::atomic<int64_t> left{std::numeric_limits<int64_t>::max()};
  void operator()(Operation& operation) {
    if (--left < 0) operation.error = Error{ErrorCode::kStorageUnreachable, "killed"};
  }
};

/// What a killed writer began is visible on a file system, with holes or whole, and not in an object store.
enum class Remains { kVisible, kInvisible };
void bury(MemoryStore& store, Remains remains) {
  if (remains == Remains::kInvisible) {
    std::erase_if(store.blobs, [](const auto& entry) { return !entry.second.complete; });
  }
  for (auto& [name, blob] : store.blobs) blob.complete = true;
}

TEST(Generate, KilledAtAnyOperationAndResumedTheSameFilesAreThere) {
  const Small small;
  for (const auto& [workers, depth, remains] :
       {std::tuple{1U, 1U, Remains::kVisible}, std::tuple{3U, 4U, Remains::kVisible},
        std::tuple{3U, 4U, Remains::kInvisible}}) {
    for (int64_t at = 1; at < 130; at += 3) {
      Killer killer;
      MemoryStore store([&](Operation& operation) { killer(operation); });
      killer.left = at;
      const GenerateRecord killed = run(small.request(store, workers, depth));
      EXPECT_EQ(killed.verdict, killed.error ? Verdict::kFailed : Verdict::kPassed);
      killer.left = std::numeric_limits<int64_t>::max();
      bury(store, remains);
      const GenerateRecord resumed = run(small.request(store, workers, depth), true);
      ASSERT_EQ(resumed.verdict, Verdict::kPassed) << "after " << at << ": " << why(resumed);
      EXPECT_EQ(resumed.files_written + resumed.files_kept, small.files());
      EXPECT_GE(resumed.files_kept, killed.files_written) << "what was whole is not written again";
      if (remains == Remains::kInvisible) {
        EXPECT_EQ(resumed.files_repaired, 0U);
      }
      expect_whole(store, small);
    }
  }
}

TEST(Generate, KilledAgainAndAgainWhileResuming) {
  const Small small(20, 3, true);
  for (const Remains remains : {Remains::kVisible, Remains::kInvisible}) {
    Killer killer;
    MemoryStore store([&](Operation& operation) { killer(operation); });
    int lives = 0;
    for (int64_t operations = 5;; operations += 5) {
      killer.left = operations;
      ++lives;
      if (run(small.request(store, 2, 2), true).verdict == Verdict::kPassed) break;
      bury(store, remains);
      ASSERT_LT(lives, 100);
    }
    EXPECT_GT(lives, 10);
    expect_whole(store, small);
  }
}

TEST(Generate, AFaultLeavesNoHalfObjectAndKeepsTheJournal) {
  const Small small;
  for (const OpKind kind : {OpKind::kBeginWrite, OpKind::kWritePart, OpKind::kCommitWrite}) {
    for (int at = 1; at <= 16; at += 5) {
      std::atomic<int> seen{0};
      MemoryStore store([&](Operation& operation) {
        if (operation.kind == kind && ++seen == at) {
          operation.error = Error{ErrorCode::kDiskFull, "write x: No space left on device"};
        }
      });
      const GenerateRecord record = run(small.request(store, 3, 2));
      EXPECT_EQ(record.verdict, Verdict::kFailed);
      ASSERT_TRUE(record.error);
      EXPECT_EQ(record.error->code, ErrorCode::kDiskFull);
      EXPECT_THAT(record.error->details, HasSubstr("of 23"));
      ASSERT_FALSE(record.reasons.empty());
      EXPECT_THAT(record.reasons.front(), HasSubstr("[E403]"));
      EXPECT_GT(store.aborts, 0);
      EXPECT_EQ(store.blobs.count(kJournalName), 1U);
      EXPECT_EQ(store.blobs.count(kManifestName), 0U);
      for (const auto& [name, blob] : store.blobs) EXPECT_TRUE(blob.complete) << name << " left half-written";
      EXPECT_EQ(store.blobs.size(), record.files_written + 1) << "what is whole stays";
    }
  }
}

TEST(Generate, AnInterruptionStopsItAndCanBeContinued) {
  const Small small(200, 0);
  world::LocalTransport transport;
  std::atomic<int> parts{0};
  MemoryStore store([&](Operation& operation) {
    if (operation.kind == OpKind::kWritePart && ++parts == 100) {
      transport.failure().raise({ErrorCode::kInterrupted, "stopped by SIGINT"});
    }
  });
  const GenerateRecord record = generate(small.request(store, 4), transport);
  EXPECT_EQ(record.verdict, Verdict::kInterrupted);
  EXPECT_LT(record.files_written, 200U);
  for (const auto& [name, blob] : store.blobs) EXPECT_TRUE(blob.complete) << name;
  const GenerateRecord resumed = run(small.request(store, 4), true);
  EXPECT_EQ(resumed.verdict, Verdict::kPassed) << why(resumed);
  EXPECT_EQ(resumed.files_kept, record.files_written);
  expect_whole(store, small);
}

TEST(Generate, AShortWriteIsAnError) {
  const Small small;
  MemoryStore store([&](Operation& operation) {
    if (operation.kind == OpKind::kWritePart && operation.object->name() == small.name(7) && operation.part == 0) {
      operation.buffer = operation.buffer.first(operation.buffer.size() / 2);
    }
  });
  const GenerateRecord record = run(small.request(store, 2));
  EXPECT_EQ(record.verdict, Verdict::kFailed);
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->code, ErrorCode::kDataMismatch);
  EXPECT_THAT(record.error->message, HasSubstr(small.name(7)));
  EXPECT_EQ(store.blobs.count(small.name(7)), 0U);
}

}  // namespace
}  // namespace mlps::training
