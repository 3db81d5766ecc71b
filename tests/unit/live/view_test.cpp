#include "live/view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/terminal.hpp"

namespace mlps::live {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr double kGiBytes = 1024.0 * 1024 * 1024;

State training() {
  State state;
  state.what = "training unet3d";
  state.scale = "8 x b200";
  state.place = "s3://bucket/prefix";
  state.phase = "train";
  state.moving = "read";
  state.item = "samples";
  state.parts = {{"epoch", 2, 5}, {"step", 270, 500}};
  state.epoch_au = {90.7};
  state.history = {10 * kGiBytes, 0, 47.2 * kGiBytes, 1};
  state.elapsed_s = 192.4;
  state.left_s = 250;
  state.done_share = 0.3085;
  state.bytes = 1e12;
  state.bytes_per_s = 41.9 * kGiBytes;
  state.wanted_bytes_per_s = 47.2 * kGiBytes;
  state.items = 31'000;
  state.items_per_s = 307;
  state.au_percent = 91.8;
  state.au_now_percent = 93;
  state.au_needed_percent = 90;
  state.idle_storage_share = 0.081;
  state.idle_ranks_share = 0.002;
  state.idle_client_share = 0;
  state.latency_p50_s = 0.041;
  state.latency_p99_s = 0.212;
  state.latency_max_s = 1.9;
  state.retries = 3;
  state.cached_share = 0;
  state.slowest_rank = 5;
  state.slowest_waits_share = 0.121;
  state.mean_waits_share = 0.081;
  return state;
}

State checkpoint() {
  State state;
  state.what = "checkpoint llama3-70b";
  state.scale = "64 ranks";
  state.place = "/mnt/fs";
  state.moving = state.phase = "write";
  state.parts = {{"write", 7, 10}, {"read", 0, 10}};
  state.elapsed_s = 700;
  state.left_s = 545;
  state.left_with = "14 pauses";
  state.done_share = 0.33;
  state.bytes_per_s = 12.1 * kGiBytes;
  state.mean_bytes_per_s = 11.8 * kGiBytes;
  state.best_bytes_per_s = 12.6 * kGiBytes;
  state.worst_bytes_per_s = 10.9 * kGiBytes;
  state.latency_p50_s = 0.021;
  state.latency_p99_s = 0.09;
  state.latency_max_s = 0.3;
  state.commit_p50_s = 0.056;
  state.commit_p99_s = 0.14;
  state.retries = 0;
  state.slowest_rank = 41;
  state.slowest_s = 9.13;
  state.slowest_mean_s = 8.2;
  return state;
}

Screen screen(size_t columns, bool utf8 = true, bool color = false) {
  return {columns, 24, utf8, color};
}

TEST(View, OfTrainingAt80Columns) {
  EXPECT_THAT(full_view(training(), screen(80, false)),
              ElementsAre("training unet3d  8 x b200  s3://bucket/prefix             3:12, about 4:10 left",
                          "epoch 2/5  step 270/500  [############----------------------------] 30 %",
                          "AU        91.8 %   need 90   now 93.0   epoch before 90.7",
                          "read      41.9 GiB/s of 47.2 GiB/s wanted",
                          "          _ #_  full: 47.2 GiB/s, 1 s per column", "samples   307 /s   31,000 done",
                          "idle      for storage 8.1 %   for each other 0.2 %   for this client 0.0 %",
                          "latency   p50 41 ms   p99 212 ms   max 1.9 s   3 retries   cached 0.0 %",
                          "slowest   rank 5   waits 12.1 % of its time, on average 8.1 %"));
}

TEST(View, OfACheckpointAt80Columns) {
  EXPECT_THAT(full_view(checkpoint(), screen(80, false)),
              ElementsAre("checkpoint llama3-70b  64 ranks  /mnt/fs  11:40, about 9:05 left with 14 pauses",
                          "write 7/10  read 0/10  [#############---------------------------] 33 %",
                          "write     12.1 GiB/s   mean 11.8 GiB/s   best 12.6 GiB/s   worst 10.9 GiB/s",
                          "latency   p50 21 ms   p99 90 ms   max 300 ms   commit p50 56 ms  p99 140 ms",
                          "slowest   rank 41   9.13 s for the last one, on average 8.2 s"));
}

TEST(View, CountsDownAPause) {
  State state = checkpoint();
  state.is_aside = true;
  state.phase = "pause";
  state.pause_left_s = 2.2;
  EXPECT_THAT(full_view(state, screen(80))[1], StartsWith("write 7/10  read 0/10  pause, 3 s left  ["));
  EXPECT_THAT(one_line(state, screen(80)), HasSubstr("pause, 3 s left"));
}

TEST(View, DrawsWithTheCharactersOfTheScreen) {
  EXPECT_THAT(full_view(training(), screen(80))[4], StartsWith("          \u2582 \u2588\u2581  full: 47.2 GiB/s"));
  for (const std::string& line : full_view(training(), screen(80, false, true))) {
    for (const char c : line) EXPECT_GT(static_cast<signed char>(c), 0) << line;
  }
}

TEST(View, FitsEveryWidth) {
  State crowded = training();
  crowded.place = "s3://\u6771\u4eac/" + std::string(300, 'x');
  crowded.epoch_au = std::vector<double>(200, 90.7);
  crowded.history = std::vector<double>(512, kGiBytes);
  crowded.left_with = "3 evaluations";
  crowded.commit_p50_s = crowded.commit_p99_s = 86'400;
  for (const State& state : {training(), checkpoint(), crowded, State()}) {
    for (const bool utf8 : {true, false}) {
      for (size_t columns = 1; columns <= 240; ++columns) {
        const Screen shown{columns, 24, utf8, columns % 2 == 0};
        const auto lines = full_view(state, shown);
        EXPECT_LE(lines.size(), 10U);
        for (const std::string& line : lines) EXPECT_LT(columns_of(line), std::max<size_t>(columns, 2)) << line;
        EXPECT_LT(columns_of(one_line(state, shown)), std::max<size_t>(columns, 2));
      }
    }
  }
}

TEST(View, OneLineLeavesOutTheLeastImportantFirst) {
  EXPECT_EQ(
      one_line(training(), screen(200)),
      "epoch 2/5  step 270/500  30 %  about 4:10 left  AU 91.8 % (need 90)  41.9 GiB/s  307 samples/s  p99 212 ms  "
      "3 retries");
  EXPECT_EQ(one_line(training(), screen(40)), "epoch 2/5  step 270/500  30 %");
  EXPECT_EQ(one_line(training(), screen(20)), "epoch 2/5  step 27\u2026");
}

TEST(View, ColorsSayWhetherItIsEnough) {
  State state = training();
  EXPECT_THAT(full_view(state, screen(80, true, true))[2], HasSubstr("\033[32m91.8 %\033[0m"));
  state.au_percent = 89.9;
  EXPECT_THAT(full_view(state, screen(80, true, true))[2], HasSubstr("\033[1;31m89.9 %\033[0m"));
  for (const std::string& line : full_view(state, screen(80))) EXPECT_THAT(line, Not(HasSubstr("\033")));
}

TEST(View, ShowsNoControlCharactersOfNames) {
  State state = training();
  state.place = "/data/\033[2J\r\nx\tend";
  for (const std::string& line : full_view(state, screen(200))) {
    EXPECT_THAT(line, AllOf(Not(HasSubstr("\033")), Not(HasSubstr("\r")), Not(HasSubstr("\n"))));
  }
}

TEST(View, WhatIsUnknownIsNotShown) {
  State state;
  state.what = "training unet3d";
  state.phase = "looking at the page cache";
  state.is_aside = true;
  state.retries = 0;
  EXPECT_THAT(full_view(state, screen(80)), ElementsAre(StartsWith("training unet3d"), "looking at the page cache"));
}

TEST(View, OnlyWhatIsDoneIsWhole) {
  State state = training();
  state.done_share = 0.9999;
  EXPECT_THAT(one_line(state, screen(200)), HasSubstr("  99 %"));
  state.done_share = 1;
  EXPECT_THAT(one_line(state, screen(200)), HasSubstr("  100 %"));
}

TEST(View, NeedsSixtyColumnsAndTwelveRows) {
  EXPECT_TRUE(has_room({60, 12, false, false}));
  EXPECT_FALSE(has_room({59, 12, false, false}));
  EXPECT_FALSE(has_room({60, 11, false, false}));
}

TEST(View, ClocksHaveMinutesAndHours) {
  EXPECT_EQ(clock_text(0), "0:00");
  EXPECT_EQ(clock_text(59.9), "0:59");
  EXPECT_EQ(clock_text(3'599), "59:59");
  EXPECT_EQ(clock_text(3'600), "1:00:00");
  EXPECT_EQ(clock_text(360'061), "100:01:01");
  EXPECT_EQ(clock_text(-1), "0:00");
}

TEST(Columns, AreThoseOfATerminal) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("\u2588\u2588"), 2U);
  EXPECT_EQ(columns_of("\u6771\u4eac"), 4U);
  EXPECT_EQ(columns_of("\033[1;31mab\033[0m"), 2U);
  EXPECT_EQ(cut_to_columns("abcdef", 4, "..."), "a...");
  EXPECT_EQ(cut_to_columns("\u6771\u4eac\u90fd", 4, "\u2026"), "\u6771\u2026");
  EXPECT_EQ(cut_to_columns("\033[32mabcdef\033[0m", 4, ""), "\033[32mabcd\033[0m");
  EXPECT_EQ(cut_to_columns("abc", 3, "..."), "abc");
}

}  // namespace
}  // namespace mlps::live
