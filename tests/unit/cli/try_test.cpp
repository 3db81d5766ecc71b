#include <gtest/gtest.h>

#include <cmath>

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

TEST(TrySizes, TheAcceleratorsAreThoseOfBothModelsLeastDemandFirst) {
  const auto all = try_accelerators();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 6u);
  EXPECT_EQ(all->front().name, "a100");
  EXPECT_EQ(all->front().model.word, "retinanet");
  EXPECT_EQ(all->back().name, "b200");
  EXPECT_NEAR(all->back().bytes_per_s(), 7 * 146600628 / 0.162, 1);
}

TEST(TrySizes, TheAcceleratorIsTheMostDemandingThatIsExpectedToBeFed) {
  const auto all = *try_accelerators();
  const auto chosen = [&](double rate, const char* wanted = "") {
    const TryAccelerator& one = choose_accelerator(all, wanted, {rate, rate});
    return std::string(one.model.word) + " " + one.name;
  };
  EXPECT_EQ(chosen(50e9), "unet3d b200");
  EXPECT_EQ(chosen(5e9), "unet3d h100");
  EXPECT_EQ(chosen(2.5e9), "unet3d a100");
  EXPECT_EQ(chosen(1.9e9), "retinanet b200") << "the first rate promises one a100, and hardly more";
  EXPECT_EQ(chosen(1e9), "retinanet b200");
  EXPECT_EQ(chosen(50e6), "retinanet h100");
  EXPECT_EQ(chosen(1e3), "retinanet a100") << "none is fed";
  EXPECT_EQ(chosen(1e3, "b200"), "unet3d b200") << "whoever asks for one gets it";
}

void expect_a_data_set_within_bounds(const TryAccelerator& one, double rate, uint64_t room) {
  SCOPED_TRACE(std::string(one.model.word) + " " + one.name + " " + std::to_string(rate));
  const TryDataSet data = try_data_set({60, room}, {rate, rate}, one, 4);
  // The least samples of the least data set are the only ones that may take more.
  const auto batch = static_cast<double>(one.batch);
  const double least = 8 * batch * 2 * std::max(1.0, std::floor(one.fed_by(rate))) * 256 * 1024;
  EXPECT_LE(static_cast<double>(data.bytes()), std::max(static_cast<double>(room), least) * 1.001);
  EXPECT_LE(static_cast<double>(data.bytes()), std::max(12 * rate, least) * 1.001);
  EXPECT_GT(data.sample_bytes, 0u);
  EXPECT_LE(static_cast<double>(data.sample_bytes), one.sample_bytes);
  EXPECT_GE(data.most, data.first);
  EXPECT_NEAR(data.share, static_cast<double>(data.sample_bytes) / one.sample_bytes, 1e-9);
  // Twice as many as expected have steps enough for AU to mean something.
  EXPECT_GE(data.files / (one.batch * 2 * data.first), 8u);
}

TEST(TrySizes, ADataSetKeepsToRoomAndTimeAtEveryRate) {
  const auto all = *try_accelerators();
  for (const TryAccelerator& one : all) {
    for (const double rate : {5e6, 1e8, 2e9, 2e10, 5e11}) {
      for (const uint64_t room : {64 * kMiB, 4 * kGiB, 4096 * kGiB}) expect_a_data_set_within_bounds(one, rate, room);
    }
  }
}

TEST(TrySizes, ADataSetIsReadThreeTimesInARun) {
  const TryDataSet data = try_data_set({60, 1000 * kGiB}, {20e9, 2e9}, b200(), 6);
  EXPECT_NEAR(static_cast<double>(data.bytes()), 2e9 * 6 / 3, 1e8);
}

TEST(TrySizes, EpochsFillTheTimeWhetherStorageOrComputingLimits) {
  const TryAccelerator one = b200();
  const TryDataSet data = try_data_set({60, 64 * kGiB}, {2e9, 2e9}, one, 4);
  const double reading = static_cast<double>(data.bytes()) / 2e9;
  EXPECT_NEAR(try_epochs(data, one, 2e9, 1, 10 * reading), 10, 1);
  EXPECT_EQ(try_epochs(data, one, 2e9, 1, reading / 100), 1u);
  const double computing = std::floor(static_cast<double>(data.files) / 7) * one.compute_s * data.share;
  EXPECT_NEAR(try_epochs(data, one, 1e15, 1, 10 * computing), 10, 1);
}

TEST(TrySizes, OfFewStepsNoMoreCountsThanWasRead) {
  const TryAccelerator one = b200();
  TryDataSet data;
  data.files = 7 * 2 * 8;  // eight steps of two
  const double need = 2 * one.bytes_per_s();
  EXPECT_DOUBLE_EQ(try_au_percent(data, one, 2, 94, need), 94);
  EXPECT_DOUBLE_EQ(try_au_percent(data, one, 2, 94, 0.8 * need), 90) << "a step more than the eight";
  EXPECT_DOUBLE_EQ(try_au_percent(data, one, 2, 94, 0.4 * need), 45);
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
  EXPECT_EQ(none, (std::vector<std::string>{"U-Net3D feeds 0 b200 (2.124 GiB/s of 5.9 GiB/s)",
                                            "by its rate 1 a100 on U-Net3D"}));
  const TryAccelerator& other = all[2];
  EXPECT_EQ(
      feeds_phrases(answer_of({{3, 91}, {4, 80}}, 3, 4, run::EdgeStop::kFound), 3.5 * other.bytes_per_s(), other, all),
      (std::vector<std::string>{"RetinaNet feeds 3 b200 (AU 91.0 %), not 4 (AU 80.0 %)",
                                "544.1 MiB/s were read, one b200 on U-Net3D asks for 5.9 GiB/s"}));
  const auto bound = feeds_phrases(answer_of({{4, 99}}, 4, std::nullopt, run::EdgeStop::kBound), 7.5 * need, one, all);
  EXPECT_EQ(bound, (std::vector<std::string>{"U-Net3D feeds 4 b200 (AU 99.0 %)", "by its rate about 8"}));
  const auto client = feeds_phrases(answer_of({{1, 40}}, std::nullopt, 1, run::EdgeStop::kClient), need, one, all);
  EXPECT_TRUE(client.front().starts_with("no answer, this client was too slow")) << client.front();
}

TEST(TryText, CheckpointsAreTheBytesOfAllOverTheTimeOfAll) {
  const double gib = static_cast<double>(kGiB);
  EXPECT_EQ(
      checkpoint_phrases({100 * gib, 10 * gib, 10, 5}),
      (std::vector<std::string>{"Llama 3 8B writes 1 GiB/s, reads 2 GiB/s", "saved in 1 m 40 s, loaded in 50 s"}));
}

TEST(TryText, TheLimitStandsWithItsFirstFigure) {
  TryOutcome outcome;
  TryPart part;
  part.name = "checkpoint";
  part.headline = {"x"};
  part.limit = "storage when writing (I/O threads: storage 90.8 %, client 9.2 %, idle 0.0 %)";
  outcome.parts.push_back(part);
  part.limit = "storage: idle 15.8 % for data, 0.0 % client";
  outcome.parts.push_back(part);
  const std::string text = try_text(outcome);
  EXPECT_NE(text.find("limited by storage when writing (I/O threads: storage 90.8 %)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("limited by storage: idle 15.8 % for data\n"), std::string::npos) << text;
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
  part.headline = {std::string(40, 'a') + " " + std::string(60, 'b'), "second line", std::string(60, 'e')};
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
  EXPECT_NE(text.find(";\n              second line\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("eee"), std::string::npos);
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
