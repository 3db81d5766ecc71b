#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/job.hpp"
#include "benchmarks/training/gather_record.hpp"
#include "small_data_set.hpp"

namespace mlps::training {
namespace {

using namespace training::test;
using mlps::test::run_job;
using run::Verdict;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint32_t kHosts = 3;

struct Shares {
  std::vector<GenerateRecord> records = std::vector<GenerateRecord>(kHosts);
  std::vector<world::Bytes> sent;
  std::vector<world::Member> members = {{"a", 100, {}}, {"b", 101, {}}, {"c", 102, {}}};
};

/// What three hosts found out, before it is gathered.
Shares run_shares(const Small& small) {
  Shares shares;
  MemoryStore store;
  run_job(kHosts, [&](world::Transport& transport) {
    shares.records[transport.index()] = generate(small.request(store, 2), transport);
  });
  for (const GenerateRecord& record : shares.records) shares.sent.push_back(pack_part(record));
  return shares;
}

TEST(GatherGenerateRecord, TheRecordOfThreeHostsIsThatOfOne) {
  const Small small;
  MemoryStore store_of_one, store;
  const GenerateRecord one = run(small.request(store_of_one, 2));
  run_job(kHosts, [&](world::Transport& transport) {
    GenerateRecord record = generate(small.request(store, 2), transport);
    ASSERT_TRUE(gather_record(record, transport));
    ASSERT_EQ(record.verdict, Verdict::kPassed) << ::testing::PrintToString(record.reasons);
    if (transport.index() != 0) {
      EXPECT_LT(record.files_written, 23U) << "others keep their share";
      return;
    }
    EXPECT_EQ(record.files, 23U);
    EXPECT_EQ(record.files_written, one.files_written);
    EXPECT_EQ(record.stats.bytes, one.stats.bytes);
    EXPECT_EQ(record.bytes_planned, one.bytes_planned);
    EXPECT_EQ(record.stats.part_ns.count(), one.stats.part_ns.count());
    EXPECT_EQ(record.stats.commit_ns.count(), one.stats.commit_ns.count());
    EXPECT_GT(record.stats.times.prepare_ns, 0);
    ASSERT_EQ(record.hosts.size(), kHosts);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < kHosts; ++i) {
      EXPECT_EQ(record.hosts[i].host, std::string(1, static_cast<char>('a' + i)));
      EXPECT_EQ(record.hosts[i].pid, 100 + i);
      EXPECT_EQ(record.hosts[i].process, i);
      EXPECT_EQ(record.hosts[i].workers, 2U);
      EXPECT_GT(record.hosts[i].first_byte_s, 0);
      bytes += record.hosts[i].bytes_written;
    }
    EXPECT_EQ(bytes, one.stats.bytes);
  });
}

TEST(GatherGenerateRecord, OnOneHostNothingChanges) {
  const Small small;
  MemoryStore store;
  GenerateRecord record = run(small.request(store, 2));
  const world::Bytes before = pack_part(record);
  world::LocalTransport transport;
  ASSERT_TRUE(gather_record(record, transport));
  EXPECT_EQ(pack_part(record), before);
  ASSERT_EQ(record.hosts.size(), 1U);
  EXPECT_EQ(record.hosts[0].bytes_written, record.stats.bytes);
}

TEST(GatherGenerateRecord, SpansAndMemoryAreTheLargestAndTheRestIsSummed) {
  Shares shares = run_shares(Small());
  for (uint32_t i = 0; i < kHosts; ++i) {
    GenerateRecord& record = shares.records[i];
    record.seconds = i == 1 ? 9 : i;
    record.files_repaired = record.stats.times.wait_ns = i;
    record.hosts[0].peak_rss_bytes = i == 2 ? 77 : 5;
    record.cpu_user_s = i;
    record.stats.retries = 2;
    shares.sent[i] = pack_part(record);
  }
  GenerateRecord& whole = shares.records[0];
  shares.members[2].clock.monotonic_ns = 5'000'000'000;
  const Stamp started = shares.records[2].invocation_start;
  ASSERT_TRUE(merge_parts(whole, shares.sent, shares.members));
  EXPECT_EQ(whole.seconds, 9);
  EXPECT_EQ(whole.files_repaired, 3U);
  EXPECT_EQ(whole.stats.times.wait_ns, 3);
  EXPECT_EQ(whole.peak_rss_bytes, 77U);
  EXPECT_EQ(whole.cpu_user_s, 3);
  EXPECT_EQ(whole.stats.retries, 6U);
  const Nanos later = started.monotonic_ns - whole.invocation_start.monotonic_ns;
  EXPECT_NEAR(whole.hosts[2].started_s, to_seconds(later) - 5, 1e-6) << "on the clock of process 0";
}

TEST(GatherGenerateRecord, WhatIsMissingOnOneHostFailsTheWholeAndNamesTheHost) {
  const Small small;
  MemoryStore store;
  run_job(kHosts, [&](world::Transport& transport) {
    GenerateRecord record = generate(small.request(store, 2), transport);
    if (transport.index() == 1) {
      --record.files_written;
      judge_generation(record, 8);
      ASSERT_EQ(record.verdict, Verdict::kFailed);
    }
    ASSERT_TRUE(gather_record(record, transport));
    if (transport.index() != 0) return;
    EXPECT_EQ(record.verdict, Verdict::kFailed);
    EXPECT_THAT(record.reasons, ElementsAre("host b: files: 8 planned, 7 done", "files: 23 planned, 22 done"));
    EXPECT_EQ(record.error->code, ErrorCode::kDataMismatch);
  });
}

TEST(GatherGenerateRecord, AfterAFailureEveryRecordIsItsHostsShare) {
  const Small small;
  MemoryStore store([&](storage::Operation& operation) {
    if (operation.object->name() != small.name(10)) return;
    operation.error = Error{ErrorCode::kDiskFull, "no room"};
  });
  run_job(kHosts, [&](world::Transport& transport) {
    GenerateRecord record = generate(small.request(store, 2), transport);
    const Status gathered = gather_record(record, transport);
    ASSERT_FALSE(gathered);
    EXPECT_EQ(gathered.error().code, ErrorCode::kDiskFull);
    EXPECT_EQ(record.verdict, Verdict::kFailed);
    EXPECT_EQ(record.hosts.size(), 1U);
    if (transport.index() == 0) {
      EXPECT_THAT(record.reasons.front(), HasSubstr("no room"));
      EXPECT_THAT(record.reasons, Contains("the parts of host b, host c are not in this record"));
    }
    (void)transport.close(60'000'000'000);
  });
}

TEST(MergeGenerateParts, BytesCutAnywhereAreE503AndLeaveTheRecordAlone) {
  const Shares shares = run_shares(Small());
  GenerateRecord record = shares.records[0];
  const world::Bytes before = pack_part(record);
  std::vector<world::Bytes> sent = shares.sent;
  for (size_t length = 0; length < shares.sent[1].size(); ++length) {
    sent[1] = shares.sent[1].substr(0, length);
    const Status merged = merge_parts(record, sent, shares.members);
    ASSERT_FALSE(merged) << length;
    ASSERT_EQ(merged.error().code, ErrorCode::kMpiCommunication) << length;
    ASSERT_THAT(merged.error().message, HasSubstr("host b"));
  }
  sent[1] = shares.sent[2];
  EXPECT_FALSE(merge_parts(record, sent, shares.members)) << "of another process";
  EXPECT_EQ(pack_part(record), before);
}

}  // namespace
}  // namespace mlps::training
