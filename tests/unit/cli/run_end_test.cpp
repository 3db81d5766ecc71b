#include "session/run_end.hpp"

#include <gtest/gtest.h>

namespace mlps::cli {
namespace {

struct Record {
  std::optional<Error> error;
  std::vector<std::string> reasons;
};

TEST(NameHost, StandsBeforeTheCauseWhereverItIs) {
  Record record{Error{ErrorCode::kDiskFull, "write x: full"}, {"[E403] write x: full", "objects: 2 planned, 1 done"}};
  name_host(record, "host a: ");
  EXPECT_EQ(record.error->message, "host a: write x: full");
  EXPECT_EQ(record.reasons.front(), "[E403] host a: write x: full");
}

TEST(NameHost, NotOnOneHost) {
  Record record{Error{ErrorCode::kDiskFull, "write x: full"}, {"[E403] write x: full"}};
  name_host(record, "");
  EXPECT_EQ(record.error->message, "write x: full");
}

TEST(NameHost, NotTwiceAndNotForWhatIsOfNoHost) {
  Record other{Error{ErrorCode::kDiskFull, "host b (process 1): full"}, {"[E403] host b (process 1): full"}};
  name_host(other, "host a: ");
  EXPECT_EQ(other.error->message, "host b (process 1): full");
  Record interrupted{Error{ErrorCode::kInterrupted, "interrupted by SIGINT"}, {"[E203] interrupted by SIGINT"}};
  name_host(interrupted, "host a: ");
  EXPECT_EQ(interrupted.error->message, "interrupted by SIGINT");
  Record judged{Error{ErrorCode::kDataMismatch, "the run did not do what was planned: x"}, {"x"}};
  name_host(judged, "host a: ");
  EXPECT_EQ(judged.error->message, "the run did not do what was planned: x");
}

}  // namespace
}  // namespace mlps::cli
