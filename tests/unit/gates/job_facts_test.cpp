#include "gates/job_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlps::gates {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

world::Member member(const std::string& host, int64_t wall_ns = 0) {
  return {host, 1, {0, wall_ns, 0}};
}

TEST(JobFacts, OneProcessPerHostWithClocksThatAgreeIsFine) {
  EXPECT_THAT(job_warnings({member("a"), member("b", 1'000'000'000), member("c", 1)}), IsEmpty());
  EXPECT_THAT(job_warnings({member("a")}), IsEmpty());
}

TEST(JobFacts, ClocksMoreThanASecondApart) {
  EXPECT_THAT(job_warnings({member("a"), member("b", 700'000'000), member("c", -800'000'000)}),
              ElementsAre(StartsWith("the wall clock of host b is 1.5 s ahead of host c's")));
}

TEST(JobFacts, SeveralProcessesOnAHost) {
  EXPECT_THAT(job_warnings({member("a"), member("b"), member("b")}),
              ElementsAre(StartsWith("2 processes run on host b; one per host is enough")));
  EXPECT_THAT(job_warnings({member("a"), member("b"), member("b"), member("a"), member("c")}),
              ElementsAre(HasSubstr("on each of the hosts a, b; ")));
}

TEST(JobFacts, DistinctHostsInOrder) {
  EXPECT_THAT(distinct_hosts({member("b"), member("a"), member("b")}), ElementsAre("b", "a"));
}

}  // namespace
}  // namespace mlps::gates
