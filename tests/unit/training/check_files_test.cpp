// What is there of a data set: ours by its own rule, others as they are.
#include "benchmarks/training/check_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "small_data_set.hpp"

namespace mlps::training {
namespace {

using namespace training::test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string of_size(uint64_t bytes) {
  return std::string(bytes, 'x');
}

void put_sizes(MemoryStore& store, const Dataset& set, const std::vector<uint64_t>& sizes) {
  for (size_t i = 0; i < sizes.size(); ++i) put_text(store, set.name(i), of_size(sizes[i]));
}

TEST(CheckFiles, CountsEveryFileOnce) {
  const Small small(20, 0);
  MemoryStore store;
  world::Failure failure;
  const auto message = [&](std::optional<uint64_t> interval) {
    const Status checked = check_files(small.train, interval, store, failure);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_THAT(message(std::nullopt), HasSubstr("of 20 files asked for, 20 are missing and 0 have"));
  EXPECT_THAT(message(19), HasSubstr("of 2 files asked for"));
  EXPECT_THAT(message(7), HasSubstr("of 4 files asked for"));
  EXPECT_THAT(message(100), HasSubstr("of 2 files asked for"));
  EXPECT_EQ(message(0), "") << "none is looked up";
  for (uint64_t i = 0; i < 20; ++i) put_text(store, small.name(i), of_size(small.bytes(i).size()));
  EXPECT_EQ(message(std::nullopt), "");
  put_text(store, small.name(19), "short");
  EXPECT_THAT(message(100),
              HasSubstr("of 2 files asked for, 0 are missing and 1 have a wrong size; first: " + small.name(19)));
}

TEST(CheckFiles, NamesTheNumberOfFilesThatAreThereInstead) {
  const Small small(20, 0);
  MemoryStore store;
  world::Failure failure;
  put_text(store, "train/img_0007_of_7200.jpeg", "x");
  const Status checked = check_files(small.train, std::nullopt, store, failure);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().suggestion, HasSubstr("train/img_0007_of_7200.jpeg is there: --params "
                                                    "dataset.num_files_generated=7200"));
}

TEST(FindSizes, OfOneSizeOnlyASampleIsAsked) {
  const Small small(20, 0);
  MemoryStore store;
  world::Failure failure;
  put_sizes(store, small.train, std::vector<uint64_t>(20, 700));
  EXPECT_EQ(find_sizes(small.train, 0, store, failure)->mean(), 700) << "sizes are needed, whatever is checked";
  for (const uint64_t unasked : {1, 8, 12}) store.blobs.erase(small.name(unasked));
  const auto sizes = find_sizes(small.train, 5, store, failure);
  ASSERT_TRUE(sizes) << render(sizes.error());
  EXPECT_EQ(sizes->same, 700U);
  EXPECT_THAT(sizes->each, IsEmpty());
  EXPECT_EQ(sizes->mean(), 700);
}

TEST(FindSizes, OfDifferentSizesAllAreAsked) {
  const Small small(5, 0);
  MemoryStore store;
  world::Failure failure;
  put_sizes(store, small.train, {700, 701, 9, 4000, 50});
  const auto sizes = find_sizes(small.train, 3, store, failure);
  ASSERT_TRUE(sizes) << render(sizes.error());
  EXPECT_THAT(sizes->each, ElementsAre(700, 701, 9, 4000, 50));
  EXPECT_EQ(sizes->mean(), 1092);
  store.blobs.erase(small.name(1));
  const auto missing = find_sizes(small.train, 3, store, failure);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kStorageNotFound);
  EXPECT_THAT(missing.error().message,
              HasSubstr("of 5 files asked for, 1 are missing and 0 have a wrong size; first: " + small.name(1)));
  put_text(store, small.name(1), "");
  const auto empty = find_sizes(small.train, 3, store, failure);
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, ErrorCode::kDataMismatch);
  EXPECT_THAT(empty.error().message, HasSubstr(small.name(1) + " is empty"));
  store.blobs.clear();
  EXPECT_EQ(find_sizes(small.train, 3, store, failure)->mean(), 0) << "nothing to read";
}

// The extents of a file cover it once, and complete each of its samples once.
TEST(FoundFiles, AreReadFromTheFirstByteToTheLast) {
  using workloads::DataFormat;
  for (const DataFormat kind : {DataFormat::kNpz, DataFormat::kJpeg, DataFormat::kTfrecord, DataFormat::kParquet}) {
    formats::Layout layout;
    layout.format = kind;
    layout.samples_per_file = kind == DataFormat::kJpeg ? 1 : 1000;
    layout.extent_bytes = 1 << 20;
    layout.found_bytes = 6.5e6;
    const auto format = formats::make_format(layout);
    ASSERT_TRUE(format) << render(format.error());
    const bool whole = kind == DataFormat::kNpz || kind == DataFormat::kJpeg;
    EXPECT_EQ((*format)->extent_count(), whole ? 1U : 7U);
    for (const uint64_t bytes : {uint64_t{7}, uint64_t{6'500'001}, (uint64_t{1} << 60) + 5}) {
      const formats::FileShape shape{bytes, 1};
      EXPECT_EQ((*format)->file_bytes(shape), bytes);
      uint64_t end = 0, samples = 0;
      for (uint32_t i = 0; i < (*format)->extent_count(); ++i) {
        const formats::Extent extent = (*format)->extent(shape, i);
        EXPECT_EQ(extent.offset, end);
        EXPECT_GT(extent.bytes, 0U);
        end += extent.bytes;
        samples += (*format)->extent_samples(i);
      }
      EXPECT_EQ(end, bytes);
      EXPECT_EQ(samples, layout.samples_per_file);
    }
    layout.read_columns = {"a"};
    EXPECT_EQ(formats::make_format(layout).error().code, ErrorCode::kNotImplemented);
  }
}

TEST(FoundFiles, ADataSetHasTheSizesThatWereFound) {
  const Small small(3, 0);
  formats::Layout layout;
  layout.found_bytes = 10;
  const auto format = formats::make_format(layout);
  ASSERT_TRUE(format);
  const auto found = std::make_shared<const FoundSizes>(FoundSizes{0, {10, 20, 60}});
  const Dataset set(small_settings(3, 0), FileSet::kTrain, 0, **format, found);
  EXPECT_TRUE(set.sizes_are_found());
  EXPECT_TRUE(set.sizes_vary());
  EXPECT_EQ(set.file_bytes(2), 60U);
  EXPECT_EQ(set.mean_file_bytes(), 30);
  EXPECT_EQ(set.expected_bytes(), 90U);
  EXPECT_EQ(set.name(2), small.name(2));
  const Dataset same(small_settings(3, 0), FileSet::kTrain, 0, **format,
                     std::make_shared<const FoundSizes>(FoundSizes{44, {}}));
  EXPECT_FALSE(same.sizes_vary());
  EXPECT_EQ(same.file_bytes(2), 44U);
}

}  // namespace
}  // namespace mlps::training
