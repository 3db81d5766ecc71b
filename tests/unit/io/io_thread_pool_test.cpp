// The I/O engine with a task source as small as one can be: reads of ranges of one object.
#include "io/io_thread_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "../support/memory_store.hpp"

namespace mlps::io {
namespace {

using mlps::test::MemoryStore;
using storage::OpKind;

constexpr uint64_t kRange = 100;
constexpr uint64_t kRanges = 50;

/// How many ranges of a phase were handed out, and how many were read and found right.
struct Ranges {
  std::atomic<uint64_t> next{0}, done{0};
  void begin_phase() { next = done = 0; }
};

/// Reads every range of an object that is open already. All sources share the ranges; none has finished before each
/// range is done, so that a failure is seen by all of them.
class RangeReader final : public TaskSource {
 public:
  RangeReader(storage::Object& object, Ranges& ranges, world::Failure& failure)
      : TaskSource(failure), object_(object), ranges_(ranges) {}

  bool next(Slot& slot, size_t /*more_free*/) override {
    const uint64_t range = ranges_.next.fetch_add(1);
    if (range >= kRanges) return false;
    if (throws_ && range == 10) throw std::runtime_error("a defect of this source");
    slot.operation.kind = OpKind::kReadRange;
    slot.operation.object = &object_;
    slot.operation.range_offset = range * kRange;
    slot.operation.range_bytes = kRange;
    slot.use_buffer(kRange);
    return true;
  }
  bool done(Slot& /*slot*/) override {
    ++ranges_.done;
    return false;
  }
  bool finished() const override { return ranges_.done >= kRanges; }
  void wait(EventCount::Key /*key*/) override {}
  void clean_up(IoThread& /*thread*/, bool failed) override {
    ++clean_ups_;
    cleaned_after_failure_ = failed;
  }
  Place place(const Slot& slot) const override { return {"range " + std::to_string(slot.operation.range_offset), 3}; }
  std::string mismatch_hint() const override { return "look at the seed"; }
  Stats& stats() override { return stats_; }

  storage::Object& object_;
  Ranges& ranges_;
  bool throws_ = false;
  int clean_ups_ = 0;
  bool cleaned_after_failure_ = false;
  Stats stats_;
};

class IoThreadPoolTest : public ::testing::Test {
 protected:
  IoThreadPoolTest() {
    std::vector<std::byte> bytes(kRange * kRanges);
    const payload::Source source(7, "o");
    source.fill(0, bytes);
    store_.blobs["o"] = {bytes, true};
    object_ = store_.object({"o", bytes.size(), bytes.size(), source});
    auto session = store_.open_session(1).value();
    storage::Operation open;
    open.kind = OpKind::kBeginRead;
    open.object = object_.get();
    session->submit(open);
    for (int i = 0; i < 3; ++i) readers_.push_back(std::make_unique<RangeReader>(*object_, ranges_, failure_));
  }

  Result<std::unique_ptr<IoThreadPool>> start(bool verify = true) {
    return IoThreadPool::start({3, 2, 4096, 1 << 20}, verify, store_, failure_, pointers(readers_));
  }
  Stats all() const {
    Stats stats;
    for (const auto& reader : readers_) merge(stats, reader->stats_);
    return stats;
  }

  MemoryStore::Hook hook_;
  MemoryStore store_{[this](storage::Operation& operation) {
    if (hook_) hook_(operation);
  }};
  world::Failure failure_;
  std::unique_ptr<storage::Object> object_;
  Ranges ranges_;
  std::vector<std::unique_ptr<RangeReader>> readers_;
};

TEST_F(IoThreadPoolTest, CarriesOutCountsAndVerifiesEveryOperationInEveryPhase) {
  auto pool = start();
  ASSERT_TRUE(pool) << render(pool.error());
  for (uint64_t phase = 1; phase <= 3; ++phase) {
    ranges_.begin_phase();
    (*pool)->begin();
    (*pool)->wait_idle();
    EXPECT_EQ(all().parts, phase * kRanges);
  }
  EXPECT_FALSE(failure_.raised());
  const Stats stats = all();
  EXPECT_EQ(stats.bytes, 3 * kRange * kRanges);
  EXPECT_EQ(stats.bytes_verified, stats.bytes);
  EXPECT_EQ(stats.part_ns.count(), stats.parts);
  EXPECT_EQ((*pool)->live_bytes(), stats.bytes);
  EXPECT_GT((*pool)->first_part_ns(), 0);
  for (const auto& reader : readers_) {
    EXPECT_EQ(reader->clean_ups_, 3);
    EXPECT_FALSE(reader->cleaned_after_failure_);
  }
}

TEST_F(IoThreadPoolTest, NoPhaseAtAllIsFine) {
  auto pool = start();
  ASSERT_TRUE(pool);
  (*pool)->wait_idle();
  (*pool)->stop();
  EXPECT_EQ(all().parts, 0U);
}

TEST_F(IoThreadPoolTest, OtherBytesAreAnErrorThatSaysWhere) {
  store_.blobs["o"].bytes[2 * kRange + 17] ^= std::byte{4};
  // Meanwhile the other threads read all other ranges.
  hook_ = [](storage::Operation& operation) {
    if (operation.range_offset == 2 * kRange) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  auto pool = start();
  ASSERT_TRUE(pool);
  (*pool)->begin();
  (*pool)->wait_idle();
  ASSERT_TRUE(failure_.first());
  EXPECT_EQ(failure_.first()->code, ErrorCode::kDataMismatch);
  EXPECT_EQ(failure_.first()->message, "o: byte 217 is not what was written");
  EXPECT_EQ(failure_.first()->details, "range 200; read of 100 bytes at offset 200, object of 5,000 bytes");
  EXPECT_EQ(failure_.first()->suggestion, "look at the seed");
  EXPECT_EQ(failure_.rank(), 3U);
  for (const auto& reader : readers_) EXPECT_TRUE(reader->clean_ups_ == 1 && reader->cleaned_after_failure_);
}

TEST_F(IoThreadPoolTest, AnErrorOfAnOperationSaysWhere) {
  hook_ = [](storage::Operation& operation) {
    if (operation.kind == OpKind::kReadRange && operation.range_offset == 300) {
      operation.error = Error{ErrorCode::kStorageIo, "the disk is on fire"};
    }
  };
  auto pool = start();
  ASSERT_TRUE(pool);
  (*pool)->begin();
  (*pool)->wait_idle();
  ASSERT_TRUE(failure_.first());
  EXPECT_EQ(failure_.first()->code, ErrorCode::kStorageIo);
  EXPECT_EQ(failure_.first()->details, "range 300");
}

TEST_F(IoThreadPoolTest, WhatASourceThrowsFailsTheRunAndNoThreadWaitsForItsThread) {
  readers_[0]->throws_ = readers_[1]->throws_ = readers_[2]->throws_ = true;
  auto pool = start();
  ASSERT_TRUE(pool);
  (*pool)->begin();
  (*pool)->wait_idle();
  ASSERT_TRUE(failure_.first());
  EXPECT_EQ(failure_.first()->code, ErrorCode::kInternal);
  EXPECT_NE(failure_.first()->message.find("a defect of this source"), std::string::npos);
}

TEST_F(IoThreadPoolTest, AFailureAtAnyMomentEndsThePhase) {
  for (int moment = 0; moment < 60; ++moment) {
    world::Failure failure;
    std::atomic<int> reads{0};
    hook_ = [&](storage::Operation&) {
      if (++reads == moment) failure.raise({ErrorCode::kInterrupted, "stop"});
    };
    ranges_.begin_phase();
    std::vector<std::unique_ptr<RangeReader>> readers;
    for (int i = 0; i < 3; ++i) readers.push_back(std::make_unique<RangeReader>(*object_, ranges_, failure));
    auto pool = IoThreadPool::start({3, 1, 4096, 1 << 20}, false, store_, failure, pointers(readers));
    ASSERT_TRUE(pool);
    if (moment == 0) failure.raise({ErrorCode::kInterrupted, "stop"});
    (*pool)->begin();
    (*pool)->wait_idle();
  }
}

}  // namespace
}  // namespace mlps::io
