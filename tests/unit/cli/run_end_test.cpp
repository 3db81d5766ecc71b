#include "session/run_end.hpp"

#include <gtest/gtest.h>

namespace mlps::cli {
namespace {

run::RunFacts facts_of(Error error, std::vector<std::string> reasons) {
  run::RunFacts facts;
  facts.error = std::move(error);
  facts.reasons = std::move(reasons);
  return facts;
}

TEST(NameHost, StandsBeforeTheCauseWhereverItIs) {
  auto record =
      facts_of({ErrorCode::kDiskFull, "write x: full"}, {"[E403] write x: full", "objects: 2 planned, 1 done"});
  name_host(record, "host a");
  EXPECT_EQ(message_with_host(*record.error), "host a: write x: full");
  EXPECT_EQ(render(*record.error), "[E403] host a: write x: full");
  EXPECT_EQ(record.reasons.front(), "[E403] host a: write x: full");
}

TEST(NameHost, NotOnOneHost) {
  auto record = facts_of({ErrorCode::kDiskFull, "write x: full"}, {"[E403] write x: full"});
  name_host(record, "");
  EXPECT_EQ(message_with_host(*record.error), "write x: full");
  EXPECT_EQ(record.reasons.front(), "[E403] write x: full");
}

TEST(NameHost, NotTwiceAndNotForWhatIsOfNoHost) {
  auto other =
      facts_of({ErrorCode::kDiskFull, "full", {}, {}, "host b (process 1)"}, {"[E403] host b (process 1): full"});
  name_host(other, "host a");
  EXPECT_EQ(message_with_host(*other.error), "host b (process 1): full");
  auto interrupted = facts_of({ErrorCode::kInterrupted, "interrupted by SIGINT"}, {"[E203] interrupted by SIGINT"});
  name_host(interrupted, "host a");
  EXPECT_EQ(message_with_host(*interrupted.error), "interrupted by SIGINT");
  run::RunFacts judged;
  judged.reasons = {"x"};
  judged.verdict = run::judge(judged.reasons, judged.error);
  name_host(judged, "host a");
  EXPECT_EQ(message_with_host(*judged.error), "the run did not do what was planned: x");
}

// A message that happens to begin like a host's name is no host's.
TEST(NameHost, IsNotReadOutOfTheText) {
  auto record = facts_of({ErrorCode::kStorageUnreachable, "host 10.0.0.1 refuses"}, {"[E601] host 10.0.0.1 refuses"});
  name_host(record, "host a");
  EXPECT_EQ(message_with_host(*record.error), "host a: host 10.0.0.1 refuses");
}

}  // namespace
}  // namespace mlps::cli
