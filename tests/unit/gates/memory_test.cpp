#include "gates/memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/units.hpp"

namespace mlps::gates {
namespace {

using ::testing::HasSubstr;

TEST(MemoryGate, BuffersAndTheProgramFitWhatIsAvailable) {
  EXPECT_FALSE(memory_error({100 * kMiB, 1, 164 * kMiB}));
  const auto over = memory_error({100 * kMiB, 1, 164 * kMiB - 1});
  ASSERT_TRUE(over);
  EXPECT_EQ(over->message,
            "I/O buffers of 100 MiB and 64 MiB for the program exceed the memory that is "
            "available, 164 MiB");
  EXPECT_TRUE(memory_error({1, 1, 63 * kMiB}));
  EXPECT_FALSE(memory_error({0, 1, 0}));
}

TEST(MemoryGate, ProcessesShareTheirHost) {
  EXPECT_FALSE(memory_error({200 * kMiB, 2, 328 * kMiB}));
  const auto over = memory_error({200 * kMiB, 2, 328 * kMiB - 1});
  ASSERT_TRUE(over);
  EXPECT_THAT(over->message, HasSubstr("200 MiB and 128 MiB for the program in 2 processes"));
}

TEST(MemoryGate, AnUnknownAmountIsNoFailure) {
  EXPECT_FALSE(memory_error({kMiB, 1, std::nullopt}));
}

}  // namespace
}  // namespace mlps::gates
