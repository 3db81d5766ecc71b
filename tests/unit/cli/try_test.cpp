#include <gtest/gtest.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/try/outcome.hpp"
#include "cli/try/sizes.hpp"

namespace mlps::cli {
namespace {

TryAccelerator b200() {
  const auto all = try_accelerators();
  EXPECT_TRUE(all.has_value());
  return all->back();
}

TEST(TryTime, SecondsAndMinutesWithinBounds) {
  EXPECT_EQ(*parse_try_time("60"), 60);
  EXPECT_EQ(*parse_try_time("90s"), 90);
  EXPECT_EQ(*parse_try_time("2M"), 120);
  for (const char* wrong : {"", "s", "4s", "61m", "1h", "-60", "nan", "inf", "60 s x"}) {
    EXPECT_FALSE(parse_try_time(wrong)) << wrong;
  }
}

TEST(TrySizes, TheAcceleratorsAreThoseOfTheModelSlowestFirst) {
  const auto all = try_accelerators();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ(all->front().name, "a100");
  EXPECT_EQ(all->back().name, "b200");
  EXPECT_NEAR(all->back().bytes_per_s(), 7 * 146600628 / 0.162, 1);
}

TEST(TrySizes, ADataSetKeepsToRoomAndTimeAtEveryRate) {
  const TryAccelerator one = b200();
  for (const double rate : {5e6, 1e8, 2e9, 2e10, 5e11}) {
    for (const uint64_t room : {64 * kMiB, 4 * kGiB, 4096 * kGiB}) {
      const TryDataSet data = try_data_set({60, room}, {rate, rate}, one);
      // The least samples of the least data set are the only ones that may take more.
      const double least = 8.0 * 7 * 2 * std::max(1.0, std::floor(one.fed_by(rate))) * 256 * 1024;
      EXPECT_LE(static_cast<double>(data.bytes()), std::max({static_cast<double>(room), least}) * 1.001) << rate;
      EXPECT_LE(static_cast<double>(data.bytes()), std::max(12 * rate, least) * 1.001) << rate;
      EXPECT_LE(static_cast<double>(data.sample_bytes), one.sample_bytes);
      EXPECT_GE(data.most, data.first);
      EXPECT_NEAR(data.share, static_cast<double>(data.sample_bytes) / one.sample_bytes, 1e-9);
      // Twice as many as expected have steps enough for AU to mean something.
      EXPECT_GE(data.files / (7 * 2 * data.first), 8u);
    }
  }
}

TEST(TrySizes, EpochsFillTheTimeWhetherStorageOrComputingLimits) {
  const TryAccelerator one = b200();
  const TryDataSet data = try_data_set({60, 64 * kGiB}, {2e9, 2e9}, one);
  const double reading = static_cast<double>(data.bytes()) / 2e9;
  EXPECT_NEAR(try_epochs(data, one, 2e9, 1, 10 * reading), 10, 1);
  EXPECT_EQ(try_epochs(data, one, 2e9, 1, reading / 100), 1u);
  const double computing = std::floor(static_cast<double>(data.files) / 7) * one.compute_s * data.share;
  EXPECT_NEAR(try_epochs(data, one, 1e15, 1, 10 * computing), 10, 1);
}

TEST(TrySizes, CheckpointsFillTheTimeWithinTheRoom) {
  EXPECT_NEAR(static_cast<double>(try_checkpoint_bytes({60, 1000 * kGiB}, {1e9, 2e9}, 12, 4)), 2e9, 1e6);
  EXPECT_EQ(try_checkpoint_bytes({60, 4 * kMiB}, {1e9, 2e9}, 12, 4), kMiB);
}

TEST(TrySizes, UsersBecomeFewerAndTheirModelSmallerAndThenThereAreNone) {
  EXPECT_EQ(try_users({4e9, 4e9}, 6).model, "llama3.1-8b");
  EXPECT_EQ(try_users({4e9, 4e9}, 6).users, 8u);
  EXPECT_EQ(try_users({2e8, 2e8}, 6).model, "tiny-1b");
  EXPECT_EQ(try_users({5e7, 5e7}, 6).users, 1u);
  EXPECT_EQ(try_users({1e6, 1e6}, 6).users, 0u);
}

run::EdgeAnswer answer_of(std::vector<std::pair<uint64_t, double>> trials, std::optional<uint64_t> edge,
                          std::optional<uint64_t> not_met, run::EdgeStop stop) {
  run::EdgeAnswer answer;
  answer.edge = edge;
  answer.not_met = not_met;
  answer.stop = stop;
  for (const auto& [load, value] : trials) {
    run::EdgePoint point;
    point.load = load;
    point.value = value;
    answer.points.push_back(point);
  }
  return answer;
}

TEST(TryText, WhatIsFedIsToldWithWhatIsNotOrWithTheRate) {
  const auto all = *try_accelerators();
  const TryAccelerator one = all.back();
  const double need = one.bytes_per_s();
  EXPECT_EQ(feeds_phrases(answer_of({{3, 94.14}, {3, 95}, {4, 71}}, 3, 4, run::EdgeStop::kFound), 3.1 * need, one, all),
            std::vector<std::string>{"U-Net3D feeds 3 b200 (AU 94.1 %), not 4 (AU 71.0 %)"});
  const auto none =
      feeds_phrases(answer_of({{1, 40}}, std::nullopt, 1, run::EdgeStop::kNeverMet), 0.36 * need, one, all);
  EXPECT_EQ(none, (std::vector<std::string>{"U-Net3D feeds 0 b200 (2.124 GiB/s of 5.9 GiB/s)", "by its rate 1 a100"}));
  const auto bound = feeds_phrases(answer_of({{4, 99}}, 4, std::nullopt, run::EdgeStop::kBound), 7.5 * need, one, all);
  EXPECT_EQ(bound, (std::vector<std::string>{"U-Net3D feeds 4 b200 (AU 99.0 %)", "by its rate about 8"}));
  const auto client = feeds_phrases(answer_of({{1, 40}}, std::nullopt, 1, run::EdgeStop::kClient), need, one, all);
  EXPECT_TRUE(client.front().starts_with("no answer, this client was too slow")) << client.front();
}

TEST(TryText, NeitherMemoryNorNothingCanPassForStorage) {
  TryOutcome outcome;
  outcome.place = "/dev/shm (tmpfs, O_DIRECT)";
  outcome.memory = true;
  EXPECT_NE(try_text(outcome).find("THIS IS MEMORY"), std::string::npos);
  EXPECT_EQ(try_json(outcome).find("measures_storage")->dump(), "false");
  outcome.memory = false;
  outcome.null = true;
  EXPECT_NE(try_text(outcome).find("NO STORAGE was measured"), std::string::npos);
  outcome.null = false;
  TryPart part;
  part.name = "training";
  part.headline = {"U-Net3D feeds 1000 b200"};
  part.runs.emplace_back();
  part.runs.front().cached_share = 0.4;
  outcome.parts.push_back(part);
  EXPECT_NE(try_text(outcome).find("PARTLY MEMORY"), std::string::npos);
}

TEST(TryText, HasEightyColumnsAndSaysWhatFailed) {
  TryOutcome outcome;
  outcome.place = "/mnt/data (ext4, O_DIRECT)";
  outcome.folder = "results/try/1";
  TryPart part;
  part.name = "training";
  part.headline = {std::string(40, 'a') + " " + std::string(40, 'b'), "left out"};
  part.limit = std::string(30, 'c') + " " + std::string(60, 'd');
  outcome.parts.push_back(part);
  part.name = "kvcache";
  part.error = Error{ErrorCode::kStorageIo, "broken disk"};
  outcome.parts.push_back(part);
  const auto expect_eighty = [&outcome] {
    for (const std::string& line : split(try_text(outcome), "\n")) {
      EXPECT_TRUE(line.size() <= 80 || line.find(' ') == std::string::npos) << line;
    }
  };
  expect_eighty();
  const std::string text = try_text(outcome);
  EXPECT_NE(text.find("FAILED: [E608] broken disk"), std::string::npos);
  EXPECT_EQ(text.find("left out"), std::string::npos);
  // Whatever the place is called, and whatever stands over everything else.
  for (size_t length = 1; length < 120; ++length) {
    outcome.place = "/" + std::string(length, 'p') + " (ext4, no O_DIRECT: pages are dropped before they are read)";
    expect_eighty();
    EXPECT_NE(try_text(outcome).find(std::string(length, 'p')), std::string::npos) << "the folder is to be copied";
  }
  outcome.memory = true;
  expect_eighty();
  outcome.memory = false;
  outcome.null = true;
  expect_eighty();
}

}  // namespace
}  // namespace mlps::cli
