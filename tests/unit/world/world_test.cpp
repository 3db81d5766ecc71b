#include "world/world.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mlps::world {
namespace {

Error boom(const char* text) {
  return {ErrorCode::kStorageIo, text};
}

TEST(World, NoRankLeavesABarrierBeforeTheLastArrives) {
  constexpr uint32_t kRanks = 16;
  constexpr int kRounds = 50;
  World world(kRanks);
  std::atomic<int> arrived{0};
  std::atomic<bool> early{false};
  std::vector<std::thread> ranks;
  for (uint32_t i = 0; i < kRanks; ++i) {
    ranks.emplace_back([&] {
      for (int round = 1; round <= kRounds; ++round) {
        arrived.fetch_add(1);
        if (!world.barrier()) early = true;
        if (arrived.load() < round * static_cast<int>(kRanks)) early = true;
        if (!world.barrier()) early = true;
      }
    });
  }
  for (auto& rank : ranks) rank.join();
  EXPECT_FALSE(early);
  EXPECT_EQ(arrived, kRounds * static_cast<int>(kRanks));
}

TEST(World, AFailureReleasesThoseWhoWaitForARankThatWillNotCome) {
  World world(3);
  std::atomic<int> released{0};
  std::vector<std::thread> ranks;
  for (int i = 0; i < 2; ++i) {
    ranks.emplace_back([&] {
      if (!world.barrier()) ++released;
    });
  }
  world.failure().raise(boom("disk on fire"));
  for (auto& rank : ranks) rank.join();
  EXPECT_EQ(released, 2);
  EXPECT_FALSE(world.barrier());
  EXPECT_FALSE(world.pause(0));
}

TEST(World, AFailureEndsAPause) {
  World world(1);
  std::thread raiser([&] { world.failure().raise(boom("x")); });
  EXPECT_FALSE(world.pause(3600));
  raiser.join();
}

TEST(Failure, TheFirstCauseWins) {
  Failure failure;
  EXPECT_FALSE(failure.raised());
  failure.raise(boom("first"));
  failure.raise(boom("second"));
  ASSERT_TRUE(failure.first());
  EXPECT_EQ(failure.first()->message, "first");
}

TEST(Failure, ListenersRunOnceAlsoWhenTheyComeLate) {
  Failure failure;
  int calls = 0;
  auto early = failure.on_raise([&] { ++calls; });
  failure.raise(boom("first"));
  failure.raise(boom("second"));
  EXPECT_EQ(calls, 1);
  auto late = failure.on_raise([&] { ++calls; });
  EXPECT_EQ(calls, 2);
}

TEST(Failure, ASubscriptionThatEndedIsNotCalled) {
  Failure failure;
  int calls = 0;
  {
    auto gone = failure.on_raise([&] { ++calls; });
  }
  failure.raise(boom("first"));
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace mlps::world
