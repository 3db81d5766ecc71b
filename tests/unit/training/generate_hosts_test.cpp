// Several hosts write one data set: the same files, each once, and nothing vouched for that could be lost.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <thread>

#include "../support/job.hpp"
#include "benchmarks/training/generate_share.hpp"
#include "shared_folder.hpp"
#include "world/archive.hpp"

namespace mlps::training {
namespace {

using namespace training::test;
using mlps::test::run_job;
using run::Verdict;
using storage::Operation;
using storage::OpKind;
using ::testing::HasSubstr;

constexpr Nanos kMillisecond = 1'000'000;
constexpr Nanos kCloseNs = 60'000 * kMillisecond;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

/// One run of a generation by several hosts, which may be told to fail.
struct HostsRun {
  uint32_t hosts = 1;
  uint32_t workers = 2;
  uint32_t depth = 1;
  bool resume = false;
  Nanos interval_ns = kMillisecond / 5;
  uint32_t victim = 0;
  int64_t killed_at = kNever;
  std::function<MemoryStore::Hook(uint32_t host)> hook = {};
  live::Show on_progress = {};
  std::function<void(world::Transport&)> afterwards = {};
};

std::vector<GenerateRecord> run(SharedFolder& folder, const Small& small, const HostsRun& about) {
  DestinationState destination;
  if (about.resume) {
    const auto state = inspect_destination(folder.store, kShape);
    EXPECT_TRUE(state) << render(state.error());
    destination = state.value_or(destination);
  }
  std::vector<GenerateRecord> records(about.hosts);
  run_job(about.hosts, [&](world::Transport& transport) {
    const uint32_t me = transport.index();
    // Who fails at once would else fail others that are still being introduced, and this is not about that.
    (void)transport.barrier();
    Killer killer;
    if (me == about.victim) killer.left = about.killed_at;
    HostStore store(folder, killer, about.hook ? about.hook(me) : MemoryStore::Hook());
    GenerateRequest request = small.request(store, about.workers, about.depth);
    request.destination = destination;
    request.journal_interval_ns = about.interval_ns;
    if (me == 0) request.on_progress = about.on_progress;
    records[me] = generate(request, transport);
    if (about.afterwards) about.afterwards(transport);
    (void)transport.close(kCloseNs);
  });
  return records;
}

void expect_all_passed(const std::vector<GenerateRecord>& records) {
  for (const GenerateRecord& record : records) EXPECT_EQ(record.verdict, Verdict::kPassed) << why(record);
}

uint64_t files_of(const std::vector<GenerateRecord>& records) {
  uint64_t files = 0;
  for (const GenerateRecord& record : records) files += record.files_written + record.files_kept;
  return files;
}

void expect_honest(const SharedFolder& folder) {
  EXPECT_EQ(folder.false_claims, 0) << "vouched for what a crash would lose";
  EXPECT_EQ(folder.orphans, 0) << "files without a journal";
  EXPECT_TRUE(std::is_sorted(folder.journals.begin(), folder.journals.end()));
}

TEST(FileShare, EveryFileIsOneProcesss) {
  for (const uint64_t first : {0U, 4U, 23U}) {
    for (uint32_t processes = 1; processes < 30; ++processes) {
      std::vector<int> takers(23);
      for (uint32_t process = 0; process < processes; ++process) {
        const FileShare share(first, 23, process, processes);
        EXPECT_EQ(share.whole_below(share.count()), 23U);
        for (uint64_t position = 0; position < share.count(); ++position) {
          const uint64_t file = share.file(position);
          ASSERT_LT(file, 23U);
          ++takers[file];
          EXPECT_EQ(share.whole_below(position), file);
        }
      }
      for (uint64_t file = 0; file < 23; ++file) EXPECT_EQ(takers[file], file < first ? 0 : 1);
    }
  }
}

TEST(GenerateOnHosts, TheSameObjectsWhateverTheHostsEachWrittenOnce) {
  for (const bool with_index : {false, true}) {
    const Small small(20, 3, with_index);
    for (uint32_t hosts = 1; hosts <= 3; ++hosts) {
      SharedFolder folder(small);
      const auto records = run(folder, small, {.hosts = hosts});
      expect_all_passed(records);
      expect_whole(folder.store, small);
      expect_honest(folder);
      EXPECT_EQ(files_of(records), 23U);
      EXPECT_EQ(folder.committed.size(), with_index ? 46U : 23U);
      for (const auto& [name, times] : folder.committed) EXPECT_EQ(times, 1) << name;
      for (uint32_t host = 0; host < hosts; ++host) {
        EXPECT_EQ(records[host].files_written, FileShare(0, 23, host, hosts).count());
        EXPECT_EQ(records[host].files, 23U);
      }
      EXPECT_EQ(folder.journals.front(), 0U);
      EXPECT_EQ(folder.journals.back(), 23U);
    }
  }
}

TEST(GenerateOnHosts, TheJournalWaitsForTheSlowestHost) {
  const Small small;
  SharedFolder folder(small);
  const auto slow_on_host_1 = [&](uint32_t host) -> MemoryStore::Hook {
    return [&, host](Operation& operation) {
      if (host != 1 || operation.object->name() != small.name(1) || operation.kind != OpKind::kBeginWrite) return;
      const auto host_0_is_done = [&] {
        const std::lock_guard lock(folder.mutex);
        return folder.committed.contains(small.name(22));
      };
      while (!host_0_is_done()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // some rounds
      const std::lock_guard lock(folder.mutex);
      EXPECT_LE(folder.journals.back(), 1U);
    };
  };
  expect_all_passed(run(folder, small, {.hosts = 2, .hook = slow_on_host_1}));
  expect_honest(folder);
}

TEST(GenerateOnHosts, MoreHostsThanFiles) {
  const Small small(2, 0);
  SharedFolder folder(small);
  const auto records = run(folder, small, {.hosts = 4});
  expect_all_passed(records);
  expect_whole(folder.store, small);
  expect_honest(folder);
  EXPECT_EQ(records[3].files_written, 0U);
}

TEST(GenerateOnHosts, NobodySucceedsBeforeTheManifestIsThere) {
  for (const bool holds_objects : {true, false}) {
    const Small small;
    SharedFolder folder(small, holds_objects);
    std::atomic<int> committed{0}, early{0};
    const auto slow_on_host_1 = [&](uint32_t host) -> MemoryStore::Hook {
      return [&, host](Operation& operation) {
        if (operation.kind != OpKind::kCommitWrite) return;
        if (host == 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        ++committed;
      };
    };
    const auto records = run(folder, small, {.hosts = 3, .hook = slow_on_host_1, .afterwards = [&](world::Transport&) {
                                               const std::lock_guard lock(folder.store.mutex);
                                               if (committed != 23) ++early;
                                               if (folder.store.blobs.contains(kManifestName) != holds_objects) ++early;
                                               if (folder.store.blobs.contains(kJournalName)) ++early;
                                             }});
    expect_all_passed(records);
    EXPECT_EQ(early, 0);
    EXPECT_EQ(folder.journals.empty(), !holds_objects);
  }
}

TEST(GenerateOnHosts, ACompleteDataSetIsLookedAtByAllAndMended) {
  const Small small;
  SharedFolder folder(small);
  expect_all_passed(run(folder, small, {.hosts = 2}));
  std::atomic<int> operations{0};
  const auto count = [&](uint32_t) -> MemoryStore::Hook { return [&](Operation&) { ++operations; }; };
  const auto records = run(folder, small, {.hosts = 3, .resume = true, .hook = count});
  expect_all_passed(records);
  EXPECT_EQ(operations, 0);
  EXPECT_EQ(records[0].files_kept + records[1].files_kept + records[2].files_kept, 23U);
  EXPECT_GT(records[2].files_kept, 0U);
  expect_whole(folder.store, small);

  folder.store.blobs.erase(small.name(1));
  folder.store.blobs.erase(small.name(3));
  folder.store.blobs.erase(small.name(22));
  const auto mended = run(folder, small, {.hosts = 2, .resume = true});
  expect_all_passed(mended);
  EXPECT_EQ(mended[0].files_repaired + mended[1].files_repaired, 3U);
  EXPECT_GT(mended[1].files_repaired, 0U);
  expect_whole(folder.store, small);
}

// ---- failures

TEST(GenerateOnHosts, WhatFailsOneFailsAllWithItsWords) {
  const Small small;
  for (const uint32_t victim : {0U, 1U, 2U}) {
    for (const OpKind kind : {OpKind::kBeginWrite, OpKind::kWritePart, OpKind::kCommitWrite}) {
      SharedFolder folder(small);
      std::atomic<int> seen{0};
      const auto full = [&](uint32_t host) -> MemoryStore::Hook {
        return [&, host](Operation& operation) {
          if (host != victim || operation.kind != kind || ++seen != 3) return;
          operation.error = Error{ErrorCode::kDiskFull, "write x: No space left on device"};
        };
      };
      const auto records = run(folder, small, {.hosts = 3, .hook = full});
      for (uint32_t host = 0; host < 3; ++host) {
        EXPECT_EQ(records[host].verdict, Verdict::kFailed);
        ASSERT_TRUE(records[host].error);
        EXPECT_EQ(records[host].error->code, ErrorCode::kDiskFull);
        EXPECT_THAT(records[host].error->message, HasSubstr("No space left on device"));
        if (host == victim) continue;
        EXPECT_THAT(message_with_host(*records[host].error), HasSubstr(fmt::format("(process {})", victim)));
      }
      EXPECT_FALSE(folder.store.blobs.contains(kManifestName));
      EXPECT_TRUE(folder.store.blobs.contains(kJournalName));
      for (const auto& [name, blob] : folder.store.blobs) EXPECT_TRUE(blob.complete) << name << " left half-written";
      expect_honest(folder);
    }
  }
}

TEST(GenerateOnHosts, WhatOneHostCannotFlushIsNotVouchedFor) {
  class UnsyncedHost final : public HostStore {
   public:
    using HostStore::HostStore;
    Status flush() override { return fail(ErrorCode::kStorageIo, "sync: Input/output error"); }
  };
  const Small small;
  SharedFolder folder(small);
  std::atomic<int> failed{0};
  run_job(2, [&](world::Transport& transport) {
    Killer killer;
    HostStore good(folder, killer);
    UnsyncedHost bad(folder, killer);
    const bool is_bad = transport.index() == 1;
    const GenerateRecord record = generate(small.request(is_bad ? bad : good, 2), transport);
    if (record.error && record.error->code == ErrorCode::kStorageIo) ++failed;
    (void)transport.close(kCloseNs);
  });
  EXPECT_EQ(failed, 2);
  EXPECT_FALSE(folder.store.blobs.contains(kManifestName));
  EXPECT_LE(folder.journaled(), 1U) << "file 1 is that host's";
  expect_honest(folder);
}

TEST(GenerateOnHosts, AnInterruptionOfOneStopsAll) {
  const Small small(200, 0);
  SharedFolder folder(small);
  std::atomic<int> interrupted{0};
  run_job(3, [&](world::Transport& transport) {
    Killer killer;
    std::atomic<int> parts{0};
    HostStore store(folder, killer, [&](Operation& operation) {
      if (transport.index() != 2 || operation.kind != OpKind::kWritePart || ++parts != 20) return;
      transport.failure().raise({ErrorCode::kInterrupted, "stopped by SIGINT"});
    });
    GenerateRequest request = small.request(store, 2);
    request.journal_interval_ns = kMillisecond;
    if (generate(request, transport).verdict == Verdict::kInterrupted) ++interrupted;
    (void)transport.close(kCloseNs);
  });
  EXPECT_EQ(interrupted, 3);
  folder.bury(SharedFolder::Remains::kInvisible);
  const auto resumed = run(folder, small, {.hosts = 2, .resume = true});
  expect_all_passed(resumed);
  EXPECT_EQ(files_of(resumed), 200U);
  for (const auto& [name, times] : folder.committed) EXPECT_EQ(times, 1) << name << ": what was whole stayed";
  expect_whole(folder.store, small);
  expect_honest(folder);
}

/// Resumes what a killed run left, and looks that nothing vouched for was touched.
void expect_resumed(SharedFolder& folder, const Small& small, uint32_t hosts, const std::string& after) {
  SCOPED_TRACE(after);
  const uint64_t vouched = folder.journaled();
  folder.begun.clear();
  folder.journals.clear();
  const auto records = run(folder, small, {.hosts = hosts, .resume = true});
  expect_all_passed(records);
  EXPECT_EQ(files_of(records), small.files());
  expect_whole(folder.store, small);
  expect_honest(folder);
  for (uint64_t i = 0; i < vouched; ++i) EXPECT_FALSE(folder.begun.contains(small.name(i))) << small.name(i);
}

TEST(GenerateOnHosts, KilledAtAnyCallOfAnyHostAndResumedByAnotherNumberTheSameFilesAreThere) {
  const Small small(12, 2);
  uint32_t turn = 0;
  for (const uint32_t hosts : {2U, 3U}) {
    for (uint32_t victim = 0; victim < hosts; ++victim) {
      for (int64_t at = 0; at < 60; at += 2) {
        SharedFolder folder(small);
        const SharedFolder::Remains remains =
            std::array{SharedFolder::Remains::kVisible, SharedFolder::Remains::kInvisible,
                       SharedFolder::Remains::kDurable}
                .at(turn++ % 3);
        const auto records = run(folder, small, {.hosts = hosts, .victim = victim, .killed_at = at});
        for (const GenerateRecord& record : records) EXPECT_EQ(record.error.has_value(), records[0].error.has_value());
        folder.bury(remains);
        const uint32_t next = 1 + (hosts + turn / 3) % 4;
        expect_resumed(folder, small, next, fmt::format("{} hosts, {} killed at {}, then {}", hosts, victim, at, next));
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(GenerateOnHosts, KilledAgainAndAgainByChangingNumbersOfHosts) {
  const Small small(20, 3, true);
  for (const SharedFolder::Remains remains :
       {SharedFolder::Remains::kVisible, SharedFolder::Remains::kInvisible, SharedFolder::Remains::kDurable}) {
    SharedFolder folder(small);
    uint32_t lives = 0;
    for (int64_t calls = 5;; calls += 5) {
      const uint32_t hosts = 1 + lives % 3;
      ++lives;
      folder.journals.clear();
      const auto records =
          run(folder, small, {.hosts = hosts, .resume = true, .victim = lives % hosts, .killed_at = calls});
      expect_honest(folder);
      if (records[0].verdict == Verdict::kPassed) break;
      folder.bury(remains);
      ASSERT_LT(lives, 100U);
    }
    EXPECT_GT(lives, 5U);
    expect_whole(folder.store, small);
  }
}

// ---- what is told

TEST(GenerateOnHosts, ProgressIsOfAllHosts) {
  const Small small(30, 0);
  SharedFolder folder(small);
  std::atomic<bool> seen{false};
  const auto wait_at_the_end = [&](uint32_t host) -> MemoryStore::Hook {
    return [&, host](Operation& operation) {
      // Host 2 keeps its last file until the display has shown all others.
      if (host != 2 || operation.kind != OpKind::kBeginWrite || operation.object->name() != small.name(29)) return;
      while (!seen) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
  };
  const auto look = [&](const live::State& state) {
    EXPECT_EQ(state.scale, "3 hosts");
    ASSERT_EQ(state.parts.size(), 1U);
    EXPECT_EQ(state.parts[0].total, 30U);
    EXPECT_LE(state.parts[0].number, 30U);
    if (state.parts[0].number == 29) seen = true;
  };
  expect_all_passed(run(folder, small, {.hosts = 3, .hook = wait_at_the_end, .on_progress = look}));
  EXPECT_TRUE(seen);
}

TEST(DestinationState, TravelsAndIsCheckedOnArrival) {
  const DestinationState unfinished{DestinationState::Kind::kUnfinished, 17};
  const world::Bytes bytes = encode(unfinished);
  const auto arrived = decode_destination(bytes);
  ASSERT_TRUE(arrived);
  EXPECT_EQ(arrived->kind, DestinationState::Kind::kUnfinished);
  EXPECT_EQ(arrived->whole_files, 17U);
  std::vector<world::Bytes> garbled = {bytes + "x", world::Packer().number(3).number(0).take()};
  for (size_t length = 0; length < bytes.size(); ++length) garbled.push_back(bytes.substr(0, length));
  for (const world::Bytes& wrong : garbled) {
    const auto refused = decode_destination(wrong);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kMpiCommunication);
  }
}

}  // namespace
}  // namespace mlps::training
