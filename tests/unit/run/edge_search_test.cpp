#include "run/edge_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace mlps::run {
namespace {

using ::testing::ElementsAre;

EdgeQuestion question(uint64_t bound, uint64_t first = 1) {
  return {.first = first, .bound = bound};
}

// The AU of accelerators on a storage that feeds `capacity` of them at 100 %.
double au(uint64_t load, double capacity) {
  return std::min(100.0, 100 * capacity / static_cast<double>(load));
}

EdgeTrial judged(uint64_t load, double value, double threshold) {
  return {value >= threshold, value, false, static_cast<double>(load) * value / threshold};
}

std::vector<uint64_t> loads(const EdgeAnswer& answer) {
  std::vector<uint64_t> loads;
  for (const EdgePoint& point : answer.points) loads.push_back(point.load);
  return loads;
}

void expect_within_tolerance(const EdgeAnswer& answer, uint64_t edge) {
  ASSERT_TRUE(answer.edge) << "true edge " << edge;
  EXPECT_LE(*answer.edge, edge);
  EXPECT_LE(static_cast<double>(edge - *answer.edge), 0.05 * static_cast<double>(edge)) << *answer.edge;
  EXPECT_LE(answer.points.size(), 12U) << "true edge " << edge;
  EXPECT_EQ(answer.values_at(*answer.edge).size(), 3U);
}

TEST(EdgeSearch, DoublesHalvesAndRepeats) {
  const auto answer = search_edge(question(64), [](uint64_t load) {
    return Result<EdgeTrial>(EdgeTrial{load <= 11, static_cast<double>(load)});
  });
  EXPECT_THAT(loads(answer), ElementsAre(1, 2, 4, 8, 16, 12, 10, 11, 11, 11));
  EXPECT_EQ(answer.stop, EdgeStop::kFound);
  EXPECT_EQ(answer.edge, 11);
  EXPECT_EQ(answer.not_met, 12);
}

// On a storage with a fixed rate, the AU above the edge tells where it is.
TEST(EdgeSearch, AGuessSavesTrials) {
  const auto answer =
      search_edge(question(64), [](uint64_t load) { return Result<EdgeTrial>(judged(load, au(load, 10.35), 90)); });
  EXPECT_THAT(loads(answer), ElementsAre(1, 2, 4, 8, 16, 11, 12, 11, 11));
  EXPECT_EQ(answer.edge, 11);
}

TEST(EdgeSearch, FindsWhatAnExhaustiveScanFinds) {
  for (const uint64_t bound : {1, 2, 3, 7, 8, 40, 64, 100, 256, 500, 1'000'000}) {
    for (uint64_t edge = 1; edge <= bound; edge += 1 + edge / 400) {
      const auto answer = search_edge(question(bound), [&](uint64_t load) {
        return Result<EdgeTrial>(EdgeTrial{load <= edge, 0});
      });
      expect_within_tolerance(answer, edge);
      EXPECT_EQ(answer.stop, edge == bound && answer.edge == bound ? EdgeStop::kBound : EdgeStop::kFound);
    }
  }
}

TEST(EdgeSearch, WrongGuessesCostNoAccuracy) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 3000; ++i) {
    const uint64_t bound = 1 + random() % 500;
    const uint64_t edge = 1 + random() % bound;
    const auto answer = search_edge(question(bound), [&](uint64_t load) {
      const auto guess = static_cast<double>(random() % 600);
      return Result<EdgeTrial>(EdgeTrial{load <= edge, 0, false, guess - 50});
    });
    expect_within_tolerance(answer, edge);
  }
}

// The scan of a noisy storage is its mean: the search may be off by the noise besides.
TEST(EdgeSearch, NoiseMovesTheEdgeByLittleMoreThanItself) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> noise(0.98, 1.02);
  int unknown = 0;
  for (int i = 0; i < 3000; ++i) {
    const double capacity = 2 + static_cast<double>(random() % 3000) / 10;
    const auto edge = std::floor(capacity / 0.9);
    const auto answer = search_edge(question(500), [&](uint64_t load) {
      return Result<EdgeTrial>(judged(load, au(load, capacity * noise(random)), 90));
    });
    ASSERT_TRUE(answer.edge);
    EXPECT_LE(answer.points.size(), 12U);
    if (answer.stop == EdgeStop::kTrials) {
      ++unknown;
      EXPECT_LE(static_cast<double>(*answer.edge), edge * 1.025);
      EXPECT_GE(static_cast<double>(*answer.not_met), edge / 1.025);
    } else {
      EXPECT_NEAR(static_cast<double>(*answer.edge), edge, 1 + 0.07 * edge);
    }
  }
  EXPECT_LT(unknown, 150);
}

TEST(EdgeSearch, AnEdgeThatIsNotRepeatedIsGivenUp) {
  int at_8 = 0;
  const auto answer = search_edge(question(8), [&](uint64_t load) {
    return Result<EdgeTrial>(EdgeTrial{load < 7 || (load == 8 && ++at_8 == 1), 0});
  });
  EXPECT_EQ(answer.edge, 6);
  EXPECT_EQ(answer.not_met, 7);
  EXPECT_EQ(answer.values_at(6).size(), 3U);
  EXPECT_LE(answer.points.size(), 12U);
}

TEST(EdgeSearch, SaysWhyItStopped) {
  const auto stop = [](const EdgeQuestion& asked, EdgeTrial below, EdgeTrial above, uint64_t edge) {
    return search_edge(asked, [=](uint64_t load) { return Result<EdgeTrial>(load <= edge ? below : above); });
  };
  const EdgeTrial met{true, 1}, missed{false, 0}, client{false, 0, true};
  const auto never = stop(question(64), met, missed, 0);
  EXPECT_EQ(never.stop, EdgeStop::kNeverMet);
  EXPECT_THAT(loads(never), ElementsAre(1, 1, 1));
  EXPECT_FALSE(never.edge);
  const auto bound = stop(question(64), met, missed, 64);
  EXPECT_EQ(bound.stop, EdgeStop::kBound);
  EXPECT_EQ(bound.edge, 64);
  EXPECT_FALSE(bound.not_met);
  EXPECT_EQ(stop(question(64), met, client, 20).stop, EdgeStop::kClient);
  EXPECT_EQ(stop(question(64), met, client, 0).stop, EdgeStop::kClient);
  EdgeQuestion few = question(1000);
  few.most_trials = 6;
  const auto spent = stop(few, met, missed, 700);
  EXPECT_EQ(spent.stop, EdgeStop::kTrials);
  EXPECT_EQ(spent.points.size(), 6U);
}

TEST(EdgeSearch, AnErrorEndsItWithWhatWasFound) {
  const auto answer = search_edge(question(64), [](uint64_t load) -> Result<EdgeTrial> {
    if (load > 3) return fail(ErrorCode::kStorageDenied, "no");
    return EdgeTrial{true, 1};
  });
  EXPECT_EQ(answer.stop, EdgeStop::kError);
  EXPECT_EQ(answer.error->code, ErrorCode::kStorageDenied);
  EXPECT_EQ(answer.edge, 2);
  EXPECT_EQ(answer.points.size(), 2U);
}

TEST(EdgeSearch, GoesDownFromAFirstLoadThatIsTooMuch) {
  for (uint64_t edge = 1; edge <= 100; ++edge) {
    const auto answer = search_edge(question(400, 100), [&](uint64_t load) {
      return Result<EdgeTrial>(judged(load, au(load, static_cast<double>(edge)), 100));
    });
    expect_within_tolerance(answer, edge);
  }
}

}  // namespace
}  // namespace mlps::run
