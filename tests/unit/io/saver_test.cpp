#include "io/saver.hpp"

#include <gtest/gtest.h>

#include "../support/memory_store.hpp"
#include "base/waiting.hpp"

namespace mlps::io {
namespace {

using mlps::test::MemoryStore;
using storage::Operation;
using storage::OpKind;

// 40 MiB: three parts of the 16 MiB that a saver moves at a time.
constexpr uint64_t kLargest = uint64_t{40} << 20;

std::vector<Saver::Item> state_of_step(int step) {
  const std::string folder = "unet3d/global_epoch1_step" + std::to_string(step) + "/";
  return {{folder + "model.pt", kLargest}, {folder + "optimizer.pt", 12345}, {folder + "empty.pt", 0}};
}

TEST(Saver, SavesOneCheckpointAfterAnother) {
  MemoryStore store;
  world::World world(1);
  auto saver = Saver::open(store, kLargest, 2, world.failure());
  ASSERT_TRUE(saver) << render(saver.error());
  for (int step = 1; step <= 3; ++step) {
    const auto saved = (*saver)->save(state_of_step(step), 7);
    ASSERT_TRUE(saved) << render(saved.error());
    EXPECT_EQ(saved->bytes, kLargest + 12345);
    EXPECT_GT(saved->duration_ns, 0);
    EXPECT_EQ(store.blobs.size(), 3U * static_cast<size_t>(step));
  }
  EXPECT_EQ(store.protocol_errors, 0);
  for (const auto& [name, blob] : store.blobs) {
    EXPECT_TRUE(blob.complete) << name;
    EXPECT_FALSE(payload::Source(7, name).first_mismatch(0, blob.bytes)) << name;
  }
}

// While anything is in flight the storage is at work, however long the other I/O threads have nothing.
TEST(Saver, OnlyWhatNothingWasInFlightInIsIdle) {
  constexpr Nanos kSlow = 20'000'000;
  MemoryStore store([](Operation& operation) {
    if (operation.kind == OpKind::kWritePart) sleep_for(kSlow);
  });
  world::World world(1);
  auto saver = Saver::open(store, kLargest, 2, world.failure());
  ASSERT_TRUE(saver);
  for (int step = 1; step <= 2; ++step) {
    const auto saved = (*saver)->save(state_of_step(step), 7);
    ASSERT_TRUE(saved);
    EXPECT_GE(saved->idle_ns, 0);
    EXPECT_LE(saved->idle_ns, saved->duration_ns - kSlow);
  }
}

TEST(Saver, NothingToSaveIsDoneAtOnce) {
  MemoryStore store;
  world::World world(1);
  auto saver = Saver::open(store, kLargest, 2, world.failure());
  ASSERT_TRUE(saver);
  const auto saved = (*saver)->save({}, 7);
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->bytes, 0U);
}

TEST(Saver, AFailureIsTheWorldsAndLeavesNothingHalfWritten) {
  MemoryStore store([](Operation& operation) {
    if (operation.kind == OpKind::kWritePart && operation.part == 2) {
      operation.error = Error{ErrorCode::kDiskFull, "write model.pt: No space left on device"};
    }
  });
  world::World world(1);
  auto saver = Saver::open(store, kLargest, 2, world.failure());
  ASSERT_TRUE(saver);
  const auto saved = (*saver)->save(state_of_step(1), 7);
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::kDiskFull);
  EXPECT_TRUE(world.failure().raised());
  EXPECT_GT(store.aborts, 0);
  for (const auto& [name, blob] : store.blobs) EXPECT_TRUE(blob.complete) << name;
  const auto after = (*saver)->save(state_of_step(2), 7);
  ASSERT_FALSE(after) << "the world has failed: nothing more is written";
  EXPECT_EQ(after.error().code, ErrorCode::kDiskFull);
}

TEST(Saver, AFailureRaisedElsewhereStopsASave) {
  world::World world(1);
  MemoryStore store([&](Operation& operation) {
    if (operation.kind == OpKind::kWritePart) world.failure().raise({ErrorCode::kInterrupted, "SIGINT"});
  });
  auto saver = Saver::open(store, kLargest, 2, world.failure());
  ASSERT_TRUE(saver);
  const auto saved = (*saver)->save(state_of_step(1), 7);
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace mlps::io
