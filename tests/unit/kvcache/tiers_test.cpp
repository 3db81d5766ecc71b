#include "benchmarks/kvcache/tiers.hpp"

#include <gtest/gtest.h>

namespace mlps::kvcache {
namespace {

constexpr uint64_t kNone = 0;

EntryKey key(uint32_t number) {
  return {0, number, 0};
}

class TiersTest : public ::testing::Test {
 protected:
  Tier put(Tiers& tiers, uint32_t number, uint64_t bytes) {
    evictions_.clear();
    const Tier tier = tiers.reserve(bytes, evictions_);
    tiers.add(key(number), 0, tier, bytes);
    for (const Eviction& eviction : evictions_) {
      if (eviction.to) tiers.settle(*tiers.find(eviction.key));
    }
    return tier;
  }
  std::vector<Eviction> evictions_;
};

TEST_F(TiersTest, StorageFillsToItsLimitAndDropsTheOldest) {
  Tiers tiers({kNone, kNone, 100});
  for (uint32_t i = 0; i < 10; ++i) EXPECT_EQ(put(tiers, i, 10), Tier::kStorage);
  EXPECT_TRUE(evictions_.empty()) << "1.0 of the limit is the target";
  tiers.touch(key(0), *tiers.find(key(0)));
  put(tiers, 10, 15);
  ASSERT_EQ(evictions_.size(), 2u);
  EXPECT_EQ(evictions_[0].key, key(1));
  EXPECT_EQ(evictions_[1].key, key(2));
  EXPECT_FALSE(evictions_[0].to);
  EXPECT_EQ(tiers.find(key(1)), nullptr);
  EXPECT_NE(tiers.find(key(0)), nullptr);
  EXPECT_EQ(tiers.used(Tier::kStorage), 95u);
}

TEST_F(TiersTest, MemoryFillsToFourFifthsAndDemotes) {
  Tiers tiers({kNone, 100, Tiers::kUnlimited});
  for (uint32_t i = 0; i < 8; ++i) EXPECT_EQ(put(tiers, i, 10), Tier::kCpu);
  EXPECT_EQ(put(tiers, 8, 10), Tier::kCpu);
  ASSERT_EQ(evictions_.size(), 1u);
  EXPECT_EQ(evictions_[0].key, key(0));
  EXPECT_EQ(evictions_[0].to, Tier::kStorage);
  EXPECT_EQ(tiers.find(key(0))->tier, Tier::kStorage);
  EXPECT_EQ(tiers.used(Tier::kCpu), 80u);
  EXPECT_EQ(tiers.used(Tier::kStorage), 10u);
}

TEST_F(TiersTest, WhatIsTooLargeForMemoryGoesToStorage) {
  Tiers tiers({kNone, 100, Tiers::kUnlimited});
  EXPECT_EQ(put(tiers, 0, 96), Tier::kStorage);
  EXPECT_EQ(put(tiers, 1, 95), Tier::kCpu) << "a tier that is nearly empty takes it";
}

TEST_F(TiersTest, ASparseTierRefusesWhatWouldFillIt) {
  Tiers tiers({kNone, 100, Tiers::kUnlimited});
  put(tiers, 0, 10);
  std::vector<Eviction> evictions;
  EXPECT_EQ(tiers.reserve(45, evictions), Tier::kCpu) << "there is room";
  EXPECT_EQ(tiers.reserve(45, evictions), Tier::kStorage) << "10 of 100 are entries, and 45 is over half of 80";
  EXPECT_TRUE(evictions.empty());
}

TEST_F(TiersTest, DemotionsPassFromGpuOverCpuToStorage) {
  Tiers tiers({100, 100, Tiers::kUnlimited});
  for (uint32_t i = 0; i < 17; ++i) EXPECT_EQ(put(tiers, i, 10), Tier::kGpu);
  ASSERT_EQ(evictions_.size(), 2u) << "the CPU tier makes room first";
  EXPECT_EQ(evictions_[0].from, Tier::kCpu);
  EXPECT_EQ(evictions_[0].to, Tier::kStorage);
  EXPECT_EQ(evictions_[1].from, Tier::kGpu);
  EXPECT_EQ(evictions_[1].to, Tier::kCpu);
}

TEST_F(TiersTest, UsedBytesAreThoseOfEntriesWhateverHappens) {
  // Never below 0, and the sum of entries once nothing is reserved: 64 tiers of random sizes.
  for (uint64_t seed = 0; seed < 64; ++seed) {
    Random random(seed);
    Tiers tiers({seed % 3 == 0 ? 200u : 0u, seed % 2 == 0 ? 300u : 0u, 1000});
    for (uint32_t i = 0; i < 500; ++i) {
      put(tiers, i, random.integer(1, 90));
      const EntryKey any = key(static_cast<uint32_t>(random.integer(0, i)));
      if (Entry* entry = tiers.find(any)) tiers.touch(any, *entry);
    }
    std::array<uint64_t, kTiers> sums{};
    for (const auto& [name, entry] : tiers.entries()) sums[static_cast<size_t>(entry.tier)] += entry.bytes;
    for (const Tier tier : {Tier::kGpu, Tier::kCpu, Tier::kStorage}) {
      EXPECT_EQ(tiers.used(tier), sums[static_cast<size_t>(tier)]);
    }
    EXPECT_LE(tiers.used(Tier::kStorage), 1000u);
  }
}

}  // namespace
}  // namespace mlps::kvcache
