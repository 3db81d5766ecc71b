#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "io/object_mover.hpp"
#include "io/phase_work.hpp"

namespace mlps::io {
namespace {

std::unique_ptr<storage::Object> object_of(uint64_t size) {
  return std::make_unique<storage::Object>(storage::ObjectSpec{"o", size, 100, {}}, 100);
}

TEST(RankQueue, HandsOutBeginThenEveryPartThenTheNextObject) {
  RankQueue queue(0);
  queue.add(object_of(250));
  queue.add(object_of(0));
  RankQueue::Step step;
  EXPECT_EQ(queue.take(step), RankQueue::Taken::kLater) << "before the rank has left the barrier";
  queue.activate(1);
  ASSERT_EQ(queue.take(step), RankQueue::Taken::kStep);
  EXPECT_TRUE(step.is_begin);
  RankQueue::Step other;
  EXPECT_EQ(queue.take(other), RankQueue::Taken::kLater) << "not open yet";
  step.object->state = QueuedObject::State::kOpen;
  for (uint32_t part = 0; part < 3; ++part) {
    ASSERT_EQ(queue.take(step), RankQueue::Taken::kStep);
    EXPECT_FALSE(step.is_begin);
    EXPECT_EQ(step.part, part);
  }
  ASSERT_EQ(queue.take(step), RankQueue::Taken::kStep)
      << "the next object opens while the first one's parts are under way";
  EXPECT_TRUE(step.is_begin);
  step.object->state = QueuedObject::State::kOpen;
  ASSERT_EQ(queue.take(step), RankQueue::Taken::kStep) << "an empty object has one empty part";
  EXPECT_EQ(step.object->object->part_length(0), 0U);
  EXPECT_EQ(queue.take(step), RankQueue::Taken::kExhausted);
  EXPECT_FALSE(queue.complete_object(10));
  EXPECT_TRUE(queue.complete_object(20));
  EXPECT_TRUE(queue.wait_done());
  EXPECT_EQ(queue.end_ns(), 20);
}

TEST(RankQueue, ManyTakersGetEveryPartOnce) {
  RankQueue queue(0);
  constexpr uint32_t kParts = 20'000;
  queue.add(object_of(kParts * 100));
  queue.activate(1);
  RankQueue::Step begin;
  ASSERT_EQ(queue.take(begin), RankQueue::Taken::kStep);
  begin.object->state = QueuedObject::State::kOpen;
  std::vector<std::vector<uint32_t>> taken(4);
  std::vector<std::thread> takers;
  for (auto& mine : taken) {
    takers.emplace_back([&queue, &mine] {
      for (RankQueue::Step step; queue.take(step) == RankQueue::Taken::kStep;) mine.push_back(step.part);
    });
  }
  for (auto& taker : takers) taker.join();
  std::set<uint32_t> all;
  size_t sum = 0;
  for (const auto& mine : taken) {
    all.insert(mine.begin(), mine.end());
    sum += mine.size();
  }
  EXPECT_EQ(sum, kParts);
  EXPECT_EQ(all.size(), kParts);
}

TEST(RankQueue, StoppingWakesTheRank) {
  RankQueue queue(0);
  queue.add(object_of(1));
  queue.activate(1);
  std::thread stopper([&] { queue.stop(); });
  EXPECT_FALSE(queue.wait_done());
  stopper.join();
}

// Completions are reported when their threads get to it: the end is the latest of all, not the last reported.
TEST(RankQueue, TheEndIsTheLatestCompletion) {
  RankQueue queue(0);
  for (int i = 0; i < 3; ++i) queue.add(object_of(1));
  queue.activate(1);
  EXPECT_FALSE(queue.complete_object(11));
  EXPECT_FALSE(queue.complete_object(12));
  EXPECT_TRUE(queue.complete_object(10));
  EXPECT_TRUE(queue.wait_done());
  EXPECT_EQ(queue.end_ns(), 12);
}

TEST(RankQueue, WithoutObjectsItEndsWhenItIsActivated) {
  RankQueue queue(0);
  EXPECT_TRUE(queue.activate(5));
  EXPECT_TRUE(queue.wait_done());
  EXPECT_EQ(queue.end_ns(), 5);
}

TEST(PhaseWork, IsFinishedOnceEveryRankIsWhetherItHasObjectsOrNot) {
  PhaseWork work(true, "write of checkpoint 1", 2, 6);
  work.queue(1).add(object_of(0));
  EXPECT_EQ(work.queue(1).rank(), 7U);
  work.activate(0, 1);
  EXPECT_FALSE(work.finished());
  work.activate(1, 1);
  EXPECT_FALSE(work.finished());
  RankQueue::Step step;
  ASSERT_EQ(work.queue(1).take(step), RankQueue::Taken::kStep);
  work.completed(work.queue(1), *step.object, 2);
  EXPECT_TRUE(work.finished());
}

TEST(PhaseWork, StoppingAfterTheEndChangesNothing) {
  PhaseWork work(true, "write of checkpoint 1", 1);
  work.activate(0, 1);
  work.stop();
  EXPECT_TRUE(work.queue(0).wait_done());
  EXPECT_TRUE(work.finished());
}

/// Which rank and part the mover takes next; the begins of objects are answered at once.
std::optional<std::pair<uint32_t, uint32_t>> next_part(ObjectMover& mover, Slot& slot) {
  while (mover.next(slot, 0)) {
    if (slot.operation.kind != storage::OpKind::kBeginRead) {
      return std::pair(*mover.place(slot).rank, slot.operation.part);
    }
    static_cast<void>(mover.done(slot));
  }
  return std::nullopt;
}

TEST(ObjectMover, TakesAStretchOfNeighbouringPartsBeforeItTurnsToTheNextRank) {
  constexpr uint64_t kPart = uint64_t{4} << 20;
  PhaseWork work(false, "read of checkpoint 1", 3);
  for (size_t place = 0; place < 3; ++place) {
    work.queue(place).add(std::make_unique<storage::Object>(storage::ObjectSpec{"o", 8 * kPart, kPart, {}}, kPart));
    work.activate(place, 1);
  }
  world::World world(1);
  ObjectMover mover(0, 1, 1, "", world.failure());
  mover.set_work(work);
  mover.begin();
  Slot slot;
  for (const uint32_t first : {0U, 4U}) {
    for (const uint32_t rank : {0U, 1U, 2U}) {
      for (uint32_t part = first; part < first + 4; ++part) {
        EXPECT_EQ(next_part(mover, slot), std::pair(rank, part));
      }
    }
  }
  EXPECT_FALSE(next_part(mover, slot));
}

}  // namespace
}  // namespace mlps::io
