#include "session/host_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "../support/job.hpp"
#include "storage/null/null_store.hpp"

namespace mlps::cli {
namespace {

using ::testing::ElementsAre;

constexpr Nanos kCloseNs = 60'000'000'000;

/// Three processes, of which the first and the last share host a; process i read 10 + i bytes.
class HostWatches : public ::testing::Test {
 protected:
  HostWatches() {
    folder_ = {::testing::TempDir() + "host_watch_" + std::to_string(::getpid()), "20260704_050040"};
    std::filesystem::create_directories(folder_.path);
    for (const char* host : {"a", "b", "a"}) about_.members.push_back({host, 1, 0, 0, {}, {}});
  }
  ~HostWatches() override { std::filesystem::remove_all(folder_.path); }

  /// What process 0 found; with `fails`, process 1 raises a failure before.
  results::HostFindings findings(bool fails) {
    results::HostFindings found;
    const auto work = [&](world::Transport& transport) {
      const auto store = storage::open_null_store(*parse_location("null://"));
      HostWatch watch(options_, transport.failure());
      (void)transport.barrier();
      if (fails && transport.index() == 1) transport.failure().raise({ErrorCode::kDiskFull, "full"});
      const world::MovedBytes claimed{10 + transport.index(), 1};
      if (transport.index() == 0) {
        found = watch.finish(folder_, about_, !fails, *store, claimed, transport);
      } else {
        watch.send(!fails, *store, claimed, transport);
      }
      EXPECT_EQ(transport.close(kCloseNs).has_value(), !fails);
    };
    mlps::test::run_job(3, work, {"a", "b", "a"});
    return found;
  }

  BenchmarkOptions options_;
  results::RunFolder folder_;
  results::RunContext about_;
};

TEST_F(HostWatches, ClaimsOfAHostsProcessesAreCheckedTogether) {
  const results::HostFindings found = findings(false);
  ASSERT_TRUE(found.series) << found.no_series_because;
  EXPECT_THAT(found.series->hosts, ElementsAre("a", "b"));
  ASSERT_EQ(found.checks.size(), 2U);
  EXPECT_EQ(found.checks[0].host, "a");
  ASSERT_TRUE(found.checks[0].check);
  EXPECT_EQ(found.checks[0].check->claimed, (world::MovedBytes{10 + 12, 2}));
  EXPECT_EQ(found.checks[1].host, "b");
  ASSERT_TRUE(found.checks[1].check);
  EXPECT_EQ(found.checks[1].check->claimed, (world::MovedBytes{11, 1}));
}

TEST_F(HostWatches, OfAJobThatFailedThereIsThisHostsSeries) {
  const results::HostFindings found = findings(true);
  ASSERT_TRUE(found.series) << found.no_series_because;
  EXPECT_THAT(found.series->hosts, ElementsAre("a"));
  ASSERT_EQ(found.checks.size(), 2U);
  EXPECT_FALSE(found.checks[0].check);
  EXPECT_EQ(found.checks[1].no_check_because, "the run did not pass");
}

TEST_F(HostWatches, SkippedNothingIsGathered) {
  options_.skip_timeseries = true;
  const results::HostFindings found = findings(false);
  EXPECT_FALSE(found.series);
  ASSERT_EQ(found.checks.size(), 2U);
  EXPECT_EQ(found.checks[1].no_check_because, "--skip-timeseries");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path));
}

}  // namespace
}  // namespace mlps::cli
