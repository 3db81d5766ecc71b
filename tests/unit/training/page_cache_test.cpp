// What a run does about the page cache before an epoch, and what it says where it can't tell or do anything.
#include "benchmarks/training/page_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/log.hpp"
#include "small_data_set.hpp"

namespace mlps::training {
namespace {

using namespace training::test;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint64_t kFiles = 40;
constexpr uint64_t kFileBytes = 1000;

/// A file system whose page cache holds all files until they are evicted; one in memory holds them for ever.
class CachingStore : public MemoryStore {
 public:
  storage::StoreTraits traits() const override {
    storage::StoreTraits traits = MemoryStore::traits();
    traits.file_system = true;
    traits.backend = backend;
    return traits;
  }
  Status evict(std::string_view name) override {
    const std::lock_guard lock(mutex);
    evicted.emplace(name);
    return {};
  }
  Result<std::optional<storage::Residency>> residency(std::string_view name) override {
    if (!tells) return std::nullopt;
    const bool stays = in_memory || !evicted.contains(std::string(name));
    return storage::Residency{stays ? kFileBytes : 0, kFileBytes};
  }

  const char* backend = "file";
  bool tells = true, in_memory = false;
  std::set<std::string> evicted;
};

CacheProbe probe(CachingStore& store) {
  const Small small(kFiles, 0);
  world::Failure failure;
  const auto cache = keep_cold(small.train, store, 30, 2, failure);
  EXPECT_TRUE(cache);
  return *cache;
}

TEST(KeepCold, EvictsWhatIsCached) {
  CachingStore store;
  const CacheProbe cache = probe(store);
  EXPECT_EQ(store.evicted.size(), kFiles);
  EXPECT_EQ(cache.action, "100.0 % was cached; evicted 40 of 40 files (fadvise DONTNEED)");
  EXPECT_EQ(cache.cached_share(), 0);
  EXPECT_EQ(probe(store).action, "nothing to evict");
}

// A sample of one file is enough to see that pages stay: evicting them all would only take the time limit.
TEST(KeepCold, AFileSystemInMemoryIsTriedOnce) {
  CachingStore store;
  store.in_memory = true;
  const CacheProbe cache = probe(store);
  EXPECT_EQ(store.evicted.size(), 1U);
  EXPECT_EQ(cache.action, "100.0 % was cached; nothing was evicted: this file system keeps its pages in memory");
  EXPECT_EQ(cache.cached_share(), 1);
}

// O_DIRECT is accepted by file systems that use the page cache all the same.
TEST(KeepCold, DirectReadsAreLookedAtToo) {
  CachingStore store;
  store.backend = "direct";
  store.in_memory = true;
  const CacheProbe cache = probe(store);
  EXPECT_THAT(cache.action, StartsWith("O_DIRECT; 100.0 % was cached"));
  EXPECT_EQ(cache.cached_share(), 1);
}

TEST(KeepCold, WhatTheKernelDoesNotTellIsUnknownAndEvictedAllTheSame) {
  CachingStore store;
  store.tells = false;
  const size_t before = log::problems().size();
  const CacheProbe cache = probe(store);
  EXPECT_EQ(store.evicted.size(), kFiles);
  EXPECT_EQ(cache.cached_share(), std::nullopt);
  EXPECT_EQ(cache.files_sampled, std::nullopt);
  EXPECT_EQ(cache.sampled_bytes, std::nullopt);
  EXPECT_EQ(cache.files_total, kFiles);
  EXPECT_THAT(cache.action, HasSubstr("what was cached is unknown"));
  ASSERT_EQ(log::problems().size(), before + 1);
  EXPECT_THAT(log::problems().back(), HasSubstr("what was cached is unknown"));
}

}  // namespace
}  // namespace mlps::training
