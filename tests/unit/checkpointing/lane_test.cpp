#include "benchmarks/checkpointing/lane.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace mlps::checkpointing {
namespace {

std::unique_ptr<storage::Object> object_of(uint64_t size) {
  return std::make_unique<storage::Object>(storage::ObjectSpec{"o", size, 100, {}}, 100);
}

TEST(Lane, HandsOutBeginThenEveryPartThenTheNextObject) {
  Lane lane(0);
  lane.add(object_of(250));
  lane.add(object_of(0));
  Step step;
  EXPECT_EQ(lane.take(step), Lane::Taken::kLater) << "before the rank has left the barrier";
  lane.activate(1);
  ASSERT_EQ(lane.take(step), Lane::Taken::kStep);
  EXPECT_TRUE(step.is_begin);
  Step other;
  EXPECT_EQ(lane.take(other), Lane::Taken::kLater) << "not open yet";
  step.object->state = LaneObject::State::kOpen;
  for (uint32_t part = 0; part < 3; ++part) {
    ASSERT_EQ(lane.take(step), Lane::Taken::kStep);
    EXPECT_FALSE(step.is_begin);
    EXPECT_EQ(step.part, part);
  }
  ASSERT_EQ(lane.take(step), Lane::Taken::kStep) << "the next object opens while the first one's parts are under way";
  EXPECT_TRUE(step.is_begin);
  step.object->state = LaneObject::State::kOpen;
  ASSERT_EQ(lane.take(step), Lane::Taken::kStep) << "an empty object has one empty part";
  EXPECT_EQ(step.object->object->part_length(0), 0U);
  EXPECT_EQ(lane.take(step), Lane::Taken::kExhausted);
  EXPECT_FALSE(lane.complete_object(10));
  EXPECT_TRUE(lane.complete_object(20));
  EXPECT_TRUE(lane.wait_done());
  EXPECT_EQ(lane.end_ns(), 20);
}

TEST(Lane, ManyTakersGetEveryPartOnce) {
  Lane lane(0);
  constexpr uint32_t kParts = 20'000;
  lane.add(object_of(kParts * 100));
  lane.activate(1);
  Step begin;
  ASSERT_EQ(lane.take(begin), Lane::Taken::kStep);
  begin.object->state = LaneObject::State::kOpen;
  std::vector<std::vector<uint32_t>> taken(4);
  std::vector<std::thread> takers;
  for (auto& mine : taken) {
    takers.emplace_back([&lane, &mine] {
      for (Step step; lane.take(step) == Lane::Taken::kStep;) mine.push_back(step.part);
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

TEST(Lane, StoppingWakesTheRank) {
  Lane lane(0);
  lane.add(object_of(1));
  lane.activate(1);
  std::thread stopper([&] { lane.stop(); });
  EXPECT_FALSE(lane.wait_done());
  stopper.join();
}

}  // namespace
}  // namespace mlps::checkpointing
