// Every fault kind on real files below.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/units.hpp"
#include "storage/fault/fault_store.hpp"
#include "storage/posix/file_store.hpp"
#include "support.hpp"

namespace mlps::storage {
namespace {

using namespace test;
using std::chrono::milliseconds;

constexpr uint64_t kPart = 64 * kKiB;
const ObjectSpec kSpec{"step/x.pt", 3 * kPart + 1000, kPart, {}};

/// Returns when the thread `id` of this process sleeps in the kernel.
void wait_until_asleep(pid_t id) {
  for (;;) {
    std::ifstream file(fmt::format("/proc/self/task/{}/stat", id));
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    const size_t name_end = line.rfind(')');  // "12 (name) S ..."
    if (name_end != std::string::npos && line.compare(name_end, 3, ") S") == 0) return;
    std::this_thread::yield();
  }
}

class FaultTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> inner(bool direct = false) const {
    const Location root(Scheme::kFile, "", folder_.path());
    return std::move((direct ? open_direct_store(root) : open_file_store(root, FadviseMode::kNone)).value());
  }
  std::unique_ptr<Store> broken(std::string_view spec, bool direct = false) const {
    return std::move(open_fault_store(inner(direct), spec, 1).value());
  }

  TempFolder folder_;
};

TEST_F(FaultTest, WhatIsNotPickedPasses) {
  const auto store = broken("denied:write_part:other");
  ASSERT_TRUE(write_object(*store, kSpec));
  EXPECT_TRUE(read_object(*store, kSpec));
  const auto session = store->open_session(1).value();
  EXPECT_EQ(session->head(kSpec.name)->size_bytes, kSpec.size_bytes);
  EXPECT_EQ(session->list("step", "")->objects.size(), 1);
  EXPECT_TRUE(session->put("probe", {}));
  EXPECT_TRUE(session->get("probe", 0, 1)->empty());
  EXPECT_TRUE(session->remove("probe"));
  EXPECT_TRUE(store->evict(kSpec.name));
  EXPECT_TRUE(store->residency(kSpec.name)->has_value());
  EXPECT_TRUE(store->capacity()->has_value());
  EXPECT_EQ(store->traits().backend, "file");
  EXPECT_THAT(store->describe(), ::testing::Contains(::testing::Pair("injected_faults", "denied:write_part:other")));
}

TEST_F(FaultTest, FinalFaultsHaveTheirCodes) {
  const std::vector<std::pair<std::string, ErrorCode>> rows = {
      {"reset:write_part@2", ErrorCode::kStorageUnreachable},
      {"error500:write_part", ErrorCode::kStorageProtocol},
      {"slowdown=5:write_part", ErrorCode::kStorageThrottled},
      {"denied:begin_write", ErrorCode::kStorageDenied},
      {"full:write_part@3", ErrorCode::kDiskFull},
      {"full:commit_write", ErrorCode::kDiskFull},
  };
  for (const auto& [spec, code] : rows) {
    const Status status = write_object(*broken(spec), kSpec);
    EXPECT_TRUE(has_code(status, code)) << spec << ": " << text_of(status);
    EXPECT_THAT(text_of(status), ::testing::HasSubstr("of step/x.pt")) << spec;
    EXPECT_THAT(text_of(status), ::testing::HasSubstr("injected fault")) << spec;
  }
}

TEST_F(FaultTest, TransientFaultsAreRetriedAndCounted) {
  struct Row {
    const char* spec;
    uint32_t attempts;
    uint64_t retried_bytes;
  };
  for (const Row& row : {Row{"slowdown:write_part", 3, 0}, Row{"reset=2:write_part", 3, kPart},
                         Row{"error500=4:write_part", 5, 4 * kPart}}) {
    const auto store = broken(row.spec);
    const auto session = store->open_session(1).value();
    const auto object = store->object(kSpec);
    ASSERT_TRUE(run(*session, OpKind::kBeginWrite, *object));
    const PartBuffer buffer(kPart);
    Operation operation{.kind = OpKind::kWritePart, .object = object.get(), .part = 0, .buffer = buffer.part()};
    EXPECT_TRUE(run(*session, operation));
    EXPECT_EQ(operation.attempts, row.attempts) << row.spec;
    EXPECT_EQ(operation.retried_bytes, row.retried_bytes) << row.spec;
    EXPECT_EQ(operation.bytes, kPart);
    EXPECT_TRUE(run(*session, OpKind::kAbortWrite, *object));
  }
}

TEST_F(FaultTest, AFinalFaultCountsAllItsAttempts) {
  const auto store = broken("error500:write_part");
  const auto session = store->open_session(1).value();
  const auto object = store->object(kSpec);
  ASSERT_TRUE(run(*session, OpKind::kBeginWrite, *object));
  const PartBuffer buffer(kPart);
  Operation operation{.kind = OpKind::kWritePart, .object = object.get(), .part = 0, .buffer = buffer.part()};
  EXPECT_FALSE(run(*session, operation));
  EXPECT_EQ(operation.attempts, 5);
  EXPECT_EQ(operation.retried_bytes, 5 * kPart);
  EXPECT_EQ(operation.bytes, 0);
  EXPECT_TRUE(run(*session, OpKind::kAbortWrite, *object));
}

TEST_F(FaultTest, ALostPartIsCaughtByTheCommit) {
  for (const bool direct : {false, true}) {
    for (const char* spec : {"lost:write_part@1", "lost:write_part@2", "lost:write_part@4"}) {
      const Status status = write_object(*broken(spec, direct), kSpec);
      EXPECT_TRUE(has_code(status, ErrorCode::kDataMismatch)) << spec << ": " << text_of(status);
    }
  }
}

TEST_F(FaultTest, ALostCommitLeavesADirectFileThatCanNotBeReadAsWhole) {
  ASSERT_TRUE(write_object(*broken("lost:commit_write", true), kSpec)) << "that is the point of the fault";
  EXPECT_TRUE(has_code(read_object(*inner(), kSpec), ErrorCode::kDataMismatch));
}

TEST_F(FaultTest, AShortPartTellsItsBytesAndNothingElse) {
  ASSERT_TRUE(write_object(*inner(), kSpec));
  const auto store = broken("short:read_part,short:write_part");
  const auto session = store->open_session(1).value();
  const auto object = store->object(kSpec);
  ASSERT_TRUE(run(*session, OpKind::kBeginRead, *object));
  const PartBuffer buffer(kPart);
  Operation operation{.kind = OpKind::kReadPart, .object = object.get(), .part = 1, .buffer = buffer.part()};
  EXPECT_TRUE(run(*session, operation));
  EXPECT_EQ(operation.bytes, kPart / 2);
  EXPECT_EQ(buffer.part()[kPart / 2 - 1], pattern_at(kPart + kPart / 2 - 1, 1));
  EXPECT_TRUE(std::all_of(buffer.part().begin() + kPart / 2, buffer.part().end(),
                          [](std::byte byte) { return byte == std::byte{0}; }));
  EXPECT_TRUE(run(*session, OpKind::kEndRead, *object));
}

/// How many bits of the stored, or read, object differ from the pattern.
int wrong_bits(Store& store) {
  const auto session = store.open_session(1).value();
  const auto object = store.object(kSpec);
  EXPECT_TRUE(run(*session, OpKind::kBeginRead, *object));
  int wrong = 0;
  for (uint32_t part = 0; part < object->part_count(); ++part) {
    const PartBuffer buffer(object->part_length(part));
    Operation operation{.kind = OpKind::kReadPart, .object = object.get(), .part = part, .buffer = buffer.part()};
    EXPECT_TRUE(run(*session, operation));
    for (size_t i = 0; i < buffer.part().size(); ++i) {
      const std::byte difference = buffer.part()[i] ^ pattern_at(object->part_offset(part) + i, 1);
      wrong += std::popcount(std::to_integer<unsigned>(difference));
    }
  }
  EXPECT_TRUE(run(*session, OpKind::kEndRead, *object));
  return wrong;
}

TEST_F(FaultTest, AFlipOnTheWayInChangesOneStoredBitAndNoBufferOfTheCaller) {
  for (const bool direct : {false, true}) {
    // write_object() compares the buffers afterwards.
    ASSERT_TRUE(write_object(*broken("flip:write_part@4", direct), kSpec, direct ? 4 : 1));
    EXPECT_EQ(wrong_bits(*inner(direct)), 1);
  }
}

TEST_F(FaultTest, AFlipOnTheWayOutChangesOneBitOfThisReadOnly) {
  ASSERT_TRUE(write_object(*inner(), kSpec));
  const auto store = broken("flip:read_part@2");
  EXPECT_EQ(wrong_bits(*store), 1);
  EXPECT_EQ(wrong_bits(*store), 0);
}

TEST_F(FaultTest, ARateHoldsBodiesBackAndChangesNothingElse) {
  const auto store = broken("rate=1MiB:write_part,rate=1MiB:read_part");
  const Nanos start = now_ns();
  ASSERT_TRUE(write_object(*store, kSpec));
  EXPECT_TRUE(read_object(*store, kSpec));
  EXPECT_GE(now_ns() - start, static_cast<Nanos>(2e9 * static_cast<double>(kSpec.size_bytes) / kMiB));
}

TEST_F(FaultTest, ASlowOperationIsLateAndOthersAreNot) {
  const auto store = broken("slow=60:begin_write");
  const auto session = store->open_session(2).value();
  const auto late = store->object({"late.pt", 1, kPart, {}});
  const auto early = store->object({"early.pt", 1, kPart, {}});
  Operation first{.kind = OpKind::kBeginWrite, .object = late.get()};
  Operation second{.kind = OpKind::kBeginWrite, .object = early.get()};
  session->submit(first);
  session->submit(second);
  std::vector<Operation*> done;
  session->poll(milliseconds(0), done);
  EXPECT_THAT(done, ::testing::ElementsAre(&second));
  session->poll(milliseconds(1), done);
  EXPECT_EQ(done.size(), 1) << "poll() returns after its timeout with none";
  while (done.size() < 2) session->poll(milliseconds(1000), done);
  EXPECT_GE(first.completed_ns - first.submitted_ns, 60'000'000);
  EXPECT_FALSE(first.error);
  EXPECT_TRUE(run(*session, OpKind::kAbortWrite, *late));
  EXPECT_TRUE(run(*session, OpKind::kAbortWrite, *early));
}

TEST_F(FaultTest, AHangEndsOnlyByCancelFromAnotherThread) {
  for (const bool direct : {false, true}) {
    const auto store = broken("hang:write_part@2", direct);
    const auto session = store->open_session(4).value();
    const auto object = store->object(kSpec);
    ASSERT_TRUE(run(*session, OpKind::kBeginWrite, *object));
    ASSERT_TRUE(write_part(*session, *object, 0));
    const PartBuffer buffer(kPart);
    Operation operation{.kind = OpKind::kWritePart, .object = object.get(), .part = 1, .buffer = buffer.part()};
    session->submit(operation);
    std::vector<Operation*> done;
    session->poll(milliseconds(5), done);
    EXPECT_TRUE(done.empty());
    std::atomic<bool> cancelled = false;
    std::thread other([&, waiter = ::gettid()] {
      wait_until_asleep(waiter);
      cancelled = true;
      session->cancel();
    });
    while (done.empty()) session->poll(std::chrono::minutes(1), done);
    EXPECT_TRUE(cancelled);
    other.join();
    ASSERT_TRUE(operation.error);
    EXPECT_EQ(operation.error->code, ErrorCode::kInterrupted);
    EXPECT_TRUE(run(*session, OpKind::kAbortWrite, *object));
    EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/" + kSpec.name));
  }
}

TEST_F(FaultTest, CancelAlsoReleasesWhatIsSlow) {
  const auto store = broken("slow=100000:begin_write");
  const auto session = store->open_session(1).value();
  const auto object = store->object(kSpec);
  Operation operation{.kind = OpKind::kBeginWrite, .object = object.get()};
  session->submit(operation);
  std::vector<Operation*> done;
  session->poll(milliseconds(1), done);
  ASSERT_TRUE(done.empty());
  session->cancel();
  session->poll(std::chrono::minutes(1), done);
  ASSERT_EQ(done.size(), 1);
  EXPECT_EQ(operation.error->code, ErrorCode::kInterrupted);
  EXPECT_TRUE(run(*session, OpKind::kAbortWrite, *object));
}

TEST_F(FaultTest, CountingIsOverAllSessions) {
  const auto store = broken("denied:begin_write:n/@20");
  std::atomic<int> denied = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      const auto session = store->open_session(1).value();
      for (int i = 0; i < 10; ++i) {
        const auto object = store->object({fmt::format("n/{}-{}", thread, i), 1, kPart, {}});
        if (has_code(run(*session, OpKind::kBeginWrite, *object), ErrorCode::kStorageDenied)) ++denied;
        EXPECT_TRUE(run(*session, OpKind::kAbortWrite, *object));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(denied, 1);
}

TEST_F(FaultTest, ABadSpecificationOpensNothing) {
  const auto store = open_fault_store(inner(), "nonsense", 1);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kConfigInvalid);
}

}  // namespace
}  // namespace mlps::storage
