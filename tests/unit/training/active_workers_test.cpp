#include "benchmarks/training/active_workers.hpp"

#include <gtest/gtest.h>

namespace mlps::training {
namespace {

TEST(ActiveWorkers, GrowByReadsThatBlockAndShrinkByQuietOnes) {
  ActiveWorkers workers(2, 4);
  EXPECT_FALSE(workers.is_fixed());
  EXPECT_TRUE(workers.takes_part(1));
  EXPECT_FALSE(workers.takes_part(2));
  const uint32_t heard = workers.reserve().prepare_wait();
  workers.read_blocked();
  EXPECT_TRUE(workers.takes_part(2));
  EXPECT_NE(workers.reserve().prepare_wait(), heard) << "who joins in is woken";
  workers.read_blocked();
  workers.read_blocked();
  EXPECT_EQ(workers.limit(), 4U);
  for (int i = 0; i < 5; ++i) workers.reads_were_quiet();
  EXPECT_EQ(workers.limit(), 2U);
}

TEST(ActiveWorkers, AFixedNumberStays) {
  ActiveWorkers workers(8, 8);
  EXPECT_TRUE(workers.is_fixed());
  workers.read_blocked();
  workers.reads_were_quiet();
  EXPECT_EQ(workers.limit(), 8U);
}

}  // namespace
}  // namespace mlps::training
