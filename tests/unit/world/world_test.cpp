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

/// Hosts that are threads: they meet in memory.
class Meeting {
 public:
  Meeting(uint32_t hosts, Failure& failure) : world_(LocalRanks{0, hosts, hosts, 0, 1, {}}, failure) {}
  Status meet() { return world_.barrier() ? Status{} : fail(ErrorCode::kMpiCommunication, "the others won't come"); }

 private:
  World world_;
};

TEST(World, ABarrierOfTwoHostsWaitsForTheRanksOfBoth) {
  constexpr uint32_t kRanks = 3;
  constexpr int kRounds = 50;
  Failure failure;
  Meeting meeting(2, failure);
  World worlds[] = {{{0, kRanks, 2 * kRanks, 0, 2, [&] { return meeting.meet(); }}, failure},
                    {{kRanks, kRanks, 2 * kRanks, 1, 2, [&] { return meeting.meet(); }}, failure}};
  EXPECT_EQ(worlds[1].first_rank(), kRanks);
  EXPECT_EQ(worlds[1].size(), 2 * kRanks);
  std::atomic<int> arrived{0};
  std::atomic<bool> early{false};
  std::vector<std::thread> ranks;
  for (World& world : worlds) {
    for (uint32_t i = 0; i < kRanks; ++i) {
      ranks.emplace_back([&] {
        for (int round = 1; round <= kRounds; ++round) {
          arrived.fetch_add(1);
          if (!world.barrier()) early = true;
          if (arrived.load() < round * 2 * static_cast<int>(kRanks)) early = true;
          if (!world.barrier()) early = true;
        }
      });
    }
  }
  for (auto& rank : ranks) rank.join();
  EXPECT_FALSE(early);
}

TEST(World, AFailureOfOneHostReleasesTheRanksOfTheOther) {
  Failure failure;
  Meeting meeting(2, failure);
  World world({0, 2, 4, 0, 2, [&] { return meeting.meet(); }}, failure);
  std::atomic<int> released{0};
  std::vector<std::thread> ranks;
  for (int i = 0; i < 2; ++i) {
    ranks.emplace_back([&] {
      if (!world.barrier()) ++released;
    });
  }
  failure.raise(boom("the other host burns"));
  for (auto& rank : ranks) rank.join();
  EXPECT_EQ(released, 2);
}

}  // namespace
}  // namespace mlps::world
