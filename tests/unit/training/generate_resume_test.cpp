// Going on from where a killed run stopped: the journal, and what is looked at again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

#include "benchmarks/training/generate.hpp"
#include "small_data_set.hpp"

namespace mlps::training {
namespace {

using namespace training::test;
using run::Verdict;
using storage::Operation;
using storage::OpKind;
using ::testing::HasSubstr;

TEST(Generate, JournaledFilesAreNotTouchedLaterOnesAreCompared) {
  const Small small(40, 0);
  std::mutex mutex;
  std::set<std::string> touched;
  MemoryStore store([&](Operation& operation) {
    const std::lock_guard lock(mutex);
    touched.insert(operation.object->name());
  });
  ASSERT_EQ(run(small.request(store, 2)).verdict, Verdict::kPassed);
  store.blobs.erase(kManifestName);
  put_text(store, kJournalName, journal_text({kShape, 30, "2026-11-23T05:00:00Z"}));
  store.blobs.at(small.name(29)).bytes[5] ^= std::byte{1};  // journaled: believed
  auto& holed = store.blobs.at(small.name(31)).bytes;       // its size is right, its bytes are not
  std::fill(holed.begin() + 500, holed.end(), std::byte{0});
  store.blobs.at(small.name(33)).bytes.resize(100);
  store.blobs.erase(small.name(35));
  touched.clear();

  const GenerateRecord record = run(small.request(store, 3, 2), true);
  ASSERT_EQ(record.verdict, Verdict::kPassed) << why(record);
  EXPECT_EQ(record.files_kept, 37U);
  EXPECT_EQ(record.files_written, 3U);
  EXPECT_EQ(record.files_repaired, 2U);
  EXPECT_EQ(record.stats.bytes, small.bytes(31).size() + small.bytes(33).size() + small.bytes(35).size());
  EXPECT_EQ(touched.size(), 10U) << "files 30 to 39";
  EXPECT_EQ(touched.count(small.name(29)), 0U);
  EXPECT_NE(store.blobs.at(small.name(29)).bytes, small.bytes(29));
  store.blobs.at(small.name(29)).bytes[5] ^= std::byte{1};
  expect_whole(store, small);
}

TEST(Generate, KilledBeforeItsManifestItOnlyGetsThat) {
  const Small small;
  std::atomic<int> operations{0};
  MemoryStore store([&](Operation&) { ++operations; });
  ASSERT_EQ(run(small.request(store, 2)).verdict, Verdict::kPassed);
  store.blobs.erase(kManifestName);
  put_text(store, kJournalName, journal_text({kShape, 23, "2026-11-23T05:00:00Z"}));
  operations = 0;
  const GenerateRecord record = run(small.request(store, 2), true);
  EXPECT_EQ(record.verdict, Verdict::kPassed) << why(record);
  EXPECT_EQ(record.files_kept, 23U);
  EXPECT_EQ(operations, 0);
  expect_whole(store, small);
}

TEST(Generate, AMissingOrWrongIndexFileIsWrittenAgainAndItsDataKept) {
  const Small small(6, 0, true);
  MemoryStore store;
  ASSERT_EQ(run(small.request(store, 1)).verdict, Verdict::kPassed);
  store.blobs.erase(kManifestName);
  put_text(store, kJournalName, journal_text({kShape, 0, "2026-11-23T05:00:00Z"}));
  store.blobs.erase(small.train.index_name(2));
  put_text(store, small.train.index_name(4), "0 17\n");
  const GenerateRecord record = run(small.request(store, 1), true);
  ASSERT_EQ(record.verdict, Verdict::kPassed) << why(record);
  EXPECT_EQ(record.files_kept, 6U);
  EXPECT_EQ(record.stats.bytes, 0U);
  expect_whole(store, small);
  EXPECT_EQ(text_of(store, small.train.index_name(2)), "0 " + std::to_string(small.bytes(2).size()) + "\n");
  EXPECT_EQ(text_of(store, small.train.index_name(4)), "0 " + std::to_string(small.bytes(4).size()) + "\n");
}

TEST(Generate, LooksForFilesOnlyWhereTheyMayBe) {
  const Small small(3000, 0);
  std::atomic<uint64_t> looks{0};
  MemoryStore store([&](Operation& operation) {
    if (operation.kind == OpKind::kBeginRead) ++looks;
  });
  put_text(store, kJournalName, journal_text({kShape, 0, "2026-11-23T05:00:00Z"}));
  const auto bytes = small.bytes(700);
  store.blobs[small.name(700)] = {bytes, true};  // behind 700 that are missing
  const GenerateRecord record = run(small.request(store, 1), true);
  ASSERT_EQ(record.verdict, Verdict::kPassed) << why(record);
  EXPECT_EQ(record.files_kept, 1U);
  EXPECT_EQ(record.files_written, 2999U);
  EXPECT_EQ(looks, 701U + 1024U) << "after 1,024 absent ones in a row nobody looks any more";
  expect_whole(store, small);
}

TEST(Generate, ACompleteDataSetIsOnlyLookedAt) {
  const Small small;
  std::atomic<int> operations{0};
  MemoryStore store([&](Operation&) { ++operations; });
  ASSERT_EQ(run(small.request(store, 2)).verdict, Verdict::kPassed);
  put_text(store, kJournalName, journal_text({kShape, 23, "2026-11-23T05:00:00Z"}));  // killed before its removal
  operations = 0;
  const GenerateRecord record = run(small.request(store, 2), true);
  EXPECT_EQ(record.verdict, Verdict::kPassed) << why(record);
  EXPECT_EQ(record.files_kept, 23U);
  EXPECT_EQ(record.stats.bytes, 0U);
  EXPECT_EQ(operations, 0);
  expect_whole(store, small);
}

TEST(Generate, WhatIsMissingOrWrongInACompleteDataSetIsWrittenAgain) {
  const Small small(200, 3);
  std::mutex mutex;
  std::set<std::string> touched;
  MemoryStore store([&](Operation& operation) {
    const std::lock_guard lock(mutex);
    touched.insert(operation.object->name());
  });
  ASSERT_EQ(run(small.request(store, 2)).verdict, Verdict::kPassed);
  const std::string manifest = text_of(store, kManifestName);
  const std::set<std::string> damaged = {small.name(1), small.name(77), small.name(199), small.name(201)};
  store.blobs.erase(small.name(1));
  put_text(store, small.name(77), "short");
  store.blobs.erase(small.name(199));
  store.blobs.at(small.name(201)).bytes.clear();
  touched.clear();

  GenerateRequest request = small.request(store, 3);
  request.manifest.source_result_dir = "another";
  const GenerateRecord record = run(request, true);
  ASSERT_EQ(record.verdict, Verdict::kPassed) << why(record);
  EXPECT_EQ(record.files_kept, 199U);
  EXPECT_EQ(record.files_written, 4U);
  EXPECT_EQ(record.files_repaired, 4U);
  EXPECT_EQ(touched, damaged);
  EXPECT_EQ(text_of(store, kManifestName), manifest) << "it was right";
  expect_whole(store, small);
}

TEST(Generate, ALostIndexFileOfACompleteDataSetIsWrittenAgain) {
  const Small small(6, 0, true);
  MemoryStore store;
  ASSERT_EQ(run(small.request(store, 1)).verdict, Verdict::kPassed);
  const std::string name = small.train.index_name(2);
  const std::string text = text_of(store, name);
  store.blobs.erase(name);
  const GenerateRecord record = run(small.request(store, 1), true);
  ASSERT_EQ(record.verdict, Verdict::kPassed) << why(record);
  EXPECT_EQ(record.files_kept, 5U);
  EXPECT_EQ(text_of(store, name), text);
  expect_whole(store, small);
}

TEST(Generate, WhatTheJournalVouchesForIsLookedAt) {
  const Small small(40, 0);
  MemoryStore store;
  ASSERT_EQ(run(small.request(store, 2)).verdict, Verdict::kPassed);
  store.blobs.erase(kManifestName);
  put_text(store, kJournalName, journal_text({kShape, 30, "2026-11-23T05:00:00Z"}));
  store.blobs.erase(small.name(7));
  put_text(store, small.name(29), "short");
  store.blobs.erase(small.name(35));
  const GenerateRecord record = run(small.request(store, 3, 2), true);
  ASSERT_EQ(record.verdict, Verdict::kPassed) << why(record);
  EXPECT_EQ(record.files_kept, 37U);
  EXPECT_EQ(record.files_written, 3U);
  EXPECT_EQ(record.files_repaired, 2U) << "the third was not vouched for";
  expect_whole(store, small);
}

// ---- the journal

uint64_t journaled(MemoryStore& store) {
  {
    const std::lock_guard lock(store.mutex);
    if (store.blobs.count(kJournalName) == 0) return 0;
  }
  const auto journal = parse_journal(text_of(store, kJournalName));
  EXPECT_TRUE(journal) << render(journal.error());
  return journal ? journal->whole_files : 0;
}

TEST(Generate, TheJournalFollowsAndNeverSaysTooMuch) {
  const Small small(120, 0);
  MemoryStore* seen = nullptr;
  MemoryStore store([&](Operation& operation) {
    // Neither file 100 nor the failure comes before the journal has the first 60.
    if (operation.kind != OpKind::kBeginWrite) return;
    const bool fails = operation.object->name() == small.name(110);
    if (!fails && operation.object->name() != small.name(100)) return;
    while (journaled(*seen) < 60) std::this_thread::yield();
    if (fails) operation.error = Error{ErrorCode::kDiskFull, "write: No space left on device"};
  });
  seen = &store;
  GenerateRequest request = small.request(store, 3);
  request.journal_interval_ns = 1;
  const GenerateRecord record = run(request);
  EXPECT_EQ(record.verdict, Verdict::kFailed);
  const uint64_t whole = journaled(store);
  EXPECT_GE(whole, 60U);
  EXPECT_LE(whole, 110U);
  for (uint64_t i = 0; i < whole; ++i) {
    ASSERT_TRUE(store.blobs.at(small.name(i)).complete);
    ASSERT_EQ(store.blobs.at(small.name(i)).bytes, small.bytes(i));
  }
}

TEST(Generate, WhatCannotBeFlushedIsNotJournaledAndNotCalledComplete) {
  class UnsyncedStore : public MemoryStore {
   public:
    Status flush() override { return fail(ErrorCode::kStorageIo, "sync: Input/output error"); }
  };
  const Small small;
  UnsyncedStore store;
  const GenerateRecord record = run(small.request(store, 2));
  EXPECT_EQ(record.verdict, Verdict::kFailed);
  EXPECT_EQ(record.error->code, ErrorCode::kStorageIo);
  EXPECT_EQ(store.blobs.count(kManifestName), 0U);
  EXPECT_EQ(journaled(store), 0U);
}

TEST(Journal, SaysWhatIsWrongWithIt) {
  const auto refused = [](const std::string& text) {
    const auto journal = parse_journal(text);
    EXPECT_FALSE(journal) << text;
    if (journal) return std::string();
    EXPECT_EQ(journal.error().code, ErrorCode::kInvalidStructure);
    EXPECT_THAT(journal.error().message, HasSubstr(kJournalName));
    return journal.error().message;
  };
  const Journal good{"a \"shape\"\nof lines", 12345678901, "2026-11-23T05:00:00Z"};
  const auto back = parse_journal(journal_text(good));
  ASSERT_TRUE(back) << render(back.error());
  EXPECT_EQ(back->shape, good.shape);
  EXPECT_EQ(back->whole_files, good.whole_files);
  EXPECT_EQ(back->updated_at, good.updated_at);

  EXPECT_THAT(refused(""), HasSubstr("no JSON object"));
  EXPECT_THAT(refused("[1]"), HasSubstr("no JSON object"));
  EXPECT_THAT(refused(journal_text(good).substr(0, 40)), HasSubstr("no JSON object"));
  EXPECT_THAT(refused(std::string(1000, '\0')), HasSubstr("no JSON object"));
  EXPECT_THAT(refused("{}"), HasSubstr("schema_version"));
  EXPECT_THAT(refused(R"({"schema_version": 2})"), HasSubstr("schema_version is 2"));
  EXPECT_THAT(refused(R"({"schema_version": 1, "shape": 3})"), HasSubstr("shape"));
  for (const char* files : {"-1", "1.5", "\"7\"", "null"}) {
    EXPECT_THAT(
        refused(std::string(R"({"schema_version": 1, "shape": "x", "updated_at": "", "whole_files": )") + files + "}"),
        HasSubstr("whole_files"));
  }
}

TEST(Generate, AJournalOfMoreFilesThanTheDataSetHasIsRefused) {
  const Small small;
  MemoryStore store;
  put_text(store, kJournalName, journal_text({kShape, 24, "2026-11-23T05:00:00Z"}));
  const GenerateRecord record = run(small.request(store, 2), true);
  EXPECT_EQ(record.verdict, Verdict::kFailed);
  EXPECT_EQ(record.error->code, ErrorCode::kInvalidStructure);
  EXPECT_EQ(store.blobs.size(), 1U);
}

// ---- what is there before

TEST(InspectDestination, KnowsEmptyUnfinishedAndComplete) {
  const Small small;
  MemoryStore store;
  EXPECT_EQ(inspect_destination(store, kShape)->kind, DestinationState::Kind::kEmpty);
  for (const char* marker : {"train/", "valid/", "test/"}) store.blobs[marker] = {{}, true};
  EXPECT_EQ(inspect_destination(store, kShape)->kind, DestinationState::Kind::kEmpty) << "markers of folders";
  put_text(store, ".mlpstorage-probe-0123456789abcdef", "left by a run that was killed in its gates");
  EXPECT_EQ(inspect_destination(store, kShape)->kind, DestinationState::Kind::kEmpty);
  store.blobs.clear();
  put_text(store, kJournalName, journal_text({kShape, 17, "2026-11-23T05:00:00Z"}));
  const auto unfinished = inspect_destination(store, kShape);
  EXPECT_EQ(unfinished->kind, DestinationState::Kind::kUnfinished);
  EXPECT_EQ(unfinished->whole_files, 17U);
  store.blobs.clear();
  ASSERT_EQ(run(small.request(store, 2)).verdict, Verdict::kPassed);
  EXPECT_EQ(inspect_destination(store, kShape)->kind, DestinationState::Kind::kComplete);
}

TEST(InspectDestination, RefusesWhatIsNotThisDataSet) {
  const Small small;
  const std::string other = "model=small;files=24;seed=11";
  const auto refusal = [](storage::Store& store, const std::string& shape) {
    const auto state = inspect_destination(store, shape);
    EXPECT_FALSE(state);
    EXPECT_EQ(state ? ErrorCode::kInternal : state.error().code, ErrorCode::kInvalidStructure);
    return state ? std::string() : render(state.error());
  };
  MemoryStore foreign;
  put_text(foreign, "train/img_0.jpeg", "x");
  EXPECT_THAT(refusal(foreign, kShape), HasSubstr("train/img_0.jpeg"));

  MemoryStore unfinished;
  put_text(unfinished, kJournalName, journal_text({kShape, 17, "2026-11-23T05:00:00Z"}));
  EXPECT_THAT(refusal(unfinished, other), HasSubstr("there: \"files=23;seed=11\"; wanted: \"files=24;seed=11\""));
  put_text(unfinished, kJournalName, "{\"schema");
  EXPECT_THAT(refusal(unfinished, kShape), HasSubstr(kJournalName));

  MemoryStore complete;
  ASSERT_EQ(run(small.request(complete, 2)).verdict, Verdict::kPassed);
  EXPECT_THAT(refusal(complete, other), HasSubstr("another shape"));
  put_text(complete, kManifestName, "not JSON");
  EXPECT_THAT(refusal(complete, kShape), HasSubstr(kManifestName));
}

TEST(InspectDestination, AnotherProgramsDataSetIsRefused) {
  const Small small;
  MemoryStore store;
  GenerateRequest request = small.request(store, 1);
  request.manifest.shape.clear();
  request.manifest.seed.reset();
  put_text(store, kManifestName, manifest_text(request.manifest));
  const auto state = inspect_destination(store, kShape);
  ASSERT_FALSE(state);
  EXPECT_THAT(state.error().message, HasSubstr("another program"));
}

}  // namespace
}  // namespace mlps::training
