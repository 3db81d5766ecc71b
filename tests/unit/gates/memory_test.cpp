#include "gates/memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/units.hpp"

namespace mlps::gates {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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

Report check(uint64_t buffers, uint64_t budget, std::optional<uint64_t> available) {
  Request request;
  request.buffer_bytes = buffers;
  request.budget_bytes = budget;
  Report report;
  check_memory(request, available, report);
  return report;
}

TEST(MemoryGate, BuffersFitTheBudget) {
  EXPECT_THAT(check(384 * kMiB, 384 * kMiB, 8 * kGiB).failures, IsEmpty());
  const Report over = check(384 * kMiB + 1, 384 * kMiB, 8 * kGiB);
  ASSERT_THAT(over.failures, SizeIs(1));
  EXPECT_EQ(over.failures[0].code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(over.failures[0].message, HasSubstr("384.00 MiB (--io-memory)"));
  EXPECT_THAT(over.failures[0].suggestion, HasSubstr("--io-depth"));
}

TEST(MemoryGate, BuffersAndTheProgramFitWhatIsAvailable) {
  EXPECT_THAT(check(100 * kMiB, kGiB, 164 * kMiB).failures, IsEmpty());
  EXPECT_EQ(check(100 * kMiB, kGiB, 164 * kMiB).available_memory_bytes, 164 * kMiB);
  const Report over = check(100 * kMiB, kGiB, 164 * kMiB - 1);
  ASSERT_THAT(over.failures, SizeIs(1));
  EXPECT_THAT(over.failures[0].message, HasSubstr("100.00 MiB"));
  EXPECT_THAT(check(1, kGiB, 63 * kMiB).failures, SizeIs(1));
  EXPECT_THAT(check(0, 0, 0).failures, IsEmpty());
}

TEST(MemoryGate, BothAtOnce) {
  EXPECT_THAT(check(2 * kGiB, kGiB, kGiB).failures, SizeIs(2));
}

TEST(MemoryGate, AnUnknownAmountIsAWarning) {
  const Report report = check(kMiB, kGiB, std::nullopt);
  EXPECT_THAT(report.failures, IsEmpty());
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("MemAvailable")));
  EXPECT_EQ(report.available_memory_bytes, 0U);
}

}  // namespace
}  // namespace mlps::gates
