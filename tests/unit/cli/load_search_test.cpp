#include "session/load_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace mlps::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

FinishedSearch finished(run::EdgeStop stop, std::optional<uint64_t> edge, std::optional<uint64_t> not_met) {
  FinishedSearch finished;
  finished.search.flag = "--num-accelerators";
  finished.search.loads = "accelerators";
  finished.search.subject = "unet3d on b200";
  finished.search.measure = "AU";
  finished.search.unit = "%";
  finished.search.threshold = 90;
  finished.search.bound = 41;
  finished.search.bound_because = "with more, an epoch of the 10,000 files is too short";
  finished.answer.stop = stop;
  finished.answer.edge = edge;
  finished.answer.not_met = not_met;
  finished.folder = "/results/search/20260704_120000";
  return finished;
}

void add(FinishedSearch& finished, uint64_t load, double value, std::string limit) {
  run::EdgePoint point{{value >= finished.search.threshold, value}, load};
  finished.answer.points.push_back(point);
  SearchedRun ran;
  ran.trial = point;
  ran.limit = std::move(limit);
  finished.runs.push_back(std::move(ran));
}

TEST(LoadSearchText, SaysEdgeValuesLimitAndCurve) {
  FinishedSearch search = finished(run::EdgeStop::kFound, 10, 11);
  for (const uint64_t load : {1, 2, 4, 8}) add(search, load, 100, "nothing");
  add(search, 11, 80, "accelerators idle: 20.0 % for the storage");
  add(search, 10, 90, "");
  add(search, 10, 92, "");
  add(search, 10, 91, "");
  EXPECT_EQ(search_text(search, false),
            "10 accelerators of unet3d on b200 are fed, 11 are not\n"
            "  at 10       AU 91.0 %, of 3 runs: 90.0, 92.0, 91.0\n"
            "  at 11       AU 80.0 %, one run\n"
            "  beyond      accelerators idle: 20.0 % for the storage\n"
            "  AU by accelerators; | marks the need, 90.0 %\n"
            "          1   100.0 ##################################################|####\n"
            "          2   100.0 ##################################################|####\n"
            "          4   100.0 ##################################################|####\n"
            "          8   100.0 ##################################################|####\n"
            "         10    91.0 ##################################################|\n"
            "         11    80.0 ############################################      |\n"
            "  results     /results/search/20260704_120000\n"
            "  next        the same command with --num-accelerators 10: one run, with\n"
            "              everything about it\n");
}

TEST(LoadSearchText, SaysWhyItEndedThere) {
  EXPECT_THAT(search_text(finished(run::EdgeStop::kClient, 8, 9), false),
              HasSubstr("this client is the\nlimit, not the storage"));
  EXPECT_THAT(search_text(finished(run::EdgeStop::kClient, std::nullopt, 1), false),
              HasSubstr("no answer for accelerators"));
  FinishedSearch bound = finished(run::EdgeStop::kBound, 41, std::nullopt);
  EXPECT_THAT(search_text(bound, false), HasSubstr("at least 41 accelerators"));
  EXPECT_THAT(search_text(bound, false), HasSubstr("with more, an epoch of the 10,000 files is too short"));
  const std::string never = search_text(finished(run::EdgeStop::kNeverMet, std::nullopt, 1), false);
  EXPECT_THAT(never, HasSubstr("NOT ENOUGH"));
  EXPECT_THAT(never, Not(HasSubstr("next")));
  EXPECT_THAT(search_text(finished(run::EdgeStop::kTrials, 8, 16), false), HasSubstr("between 8 and 16"));
  EXPECT_THAT(search_text(finished(run::EdgeStop::kFound, 20, 22), false), HasSubstr("not tried   21 to 21"));
  FinishedSearch failed = finished(run::EdgeStop::kError, 4, std::nullopt);
  failed.answer.error = Error{ErrorCode::kStorageDenied, "the run at 8: 403"};
  EXPECT_THAT(search_text(failed, false), HasSubstr("error       the run at 8: 403"));
}

TEST(LoadSearchText, KeepsToTheWidthOfAScreen) {
  FinishedSearch search = finished(run::EdgeStop::kClient, 8, 9);
  add(search, 8, 99.9, "");
  add(search, 9, 12.3, std::string("this client is too slow: ") + std::string(40, 'x') + " of " + std::string(40, 'y'));
  std::istringstream lines(search_text(search, false));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

}  // namespace
}  // namespace mlps::cli
