#include "gates/memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/units.hpp"

namespace mlps::gates {
namespace {

using ::testing::HasSubstr;

TEST(ParseMemAvailable, FindsTheField) {
  EXPECT_EQ(parse_mem_available("MemTotal:       16314068 kB\nMemFree:         1000000 kB\n"
                                "MemAvailable:    9876543 kB\nBuffers: 1 kB\n"),
            uint64_t{9876543} * 1024);
  EXPECT_EQ(parse_mem_available("MemAvailable: 0 kB"), 0U);
}

TEST(ParseMemAvailable, RefusesWhatItDoesNotUnderstand) {
  for (const char* text : {"", "\n\n", "MemTotal: 1 kB\n", "MemAvailable:", "MemAvailable:   \n",
                           "MemAvailable: x kB\n", "MemAvailable: 12 MB\n", "MemAvailable: 12\n",
                           "MemAvailable: -12 kB\n", "MemAvailable: 99999999999999999999 kB\n",
                           "MemAvailable: 18446744073709551615 kB\n", "xMemAvailable: 12 kB\n"}) {
    EXPECT_FALSE(parse_mem_available(text)) << text;
  }
}

TEST(ParseMemAvailable, ThisHostHasOne) {
  EXPECT_GT(read_mem_available().value_or(0), 0U);
}

std::optional<Error> check_budget(uint64_t buffers, uint64_t budget) {
  Request request;
  request.buffer_bytes = buffers;
  request.budget_bytes = budget;
  return budget_error(request);
}

TEST(MemoryGate, BuffersFitTheBudget) {
  EXPECT_FALSE(check_budget(384 * kMiB, 384 * kMiB));
  const auto over = check_budget(384 * kMiB + 1, 384 * kMiB);
  ASSERT_TRUE(over);
  EXPECT_EQ(over->code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(over->message, HasSubstr("384.00 MiB (--io-memory)"));
  EXPECT_THAT(over->suggestion, HasSubstr("--io-depth"));
}

TEST(MemoryGate, BuffersAndTheProgramFitWhatIsAvailable) {
  EXPECT_FALSE(memory_error({100 * kMiB, 1, 164 * kMiB}));
  const auto over = memory_error({100 * kMiB, 1, 164 * kMiB - 1});
  ASSERT_TRUE(over);
  EXPECT_EQ(over->message,
            "I/O buffers of 100.00 MiB and 64.00 MiB for the program exceed the memory that is "
            "available, 164.00 MiB");
  EXPECT_TRUE(memory_error({1, 1, 63 * kMiB}));
  EXPECT_FALSE(memory_error({0, 1, 0}));
}

TEST(MemoryGate, ProcessesShareTheirHost) {
  EXPECT_FALSE(memory_error({200 * kMiB, 2, 328 * kMiB}));
  const auto over = memory_error({200 * kMiB, 2, 328 * kMiB - 1});
  ASSERT_TRUE(over);
  EXPECT_THAT(over->message, HasSubstr("200.00 MiB and 128.00 MiB for the program in 2 processes"));
}

TEST(MemoryGate, AnUnknownAmountIsNoFailure) {
  EXPECT_FALSE(memory_error({kMiB, 1, std::nullopt}));
}

}  // namespace
}  // namespace mlps::gates
