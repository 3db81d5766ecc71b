#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "payload/payload.hpp"

namespace mlps::payload {
namespace {

class PayloadVerify : public ::testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override { ASSERT_TRUE(select_layer(GetParam())); }

  LayerGuard guard_;
  const Source source_{99, "verify/object"};
};

TEST_P(PayloadVerify, NothingDiffersInNothing) {
  for (const uint64_t offset : {0, 3, 8, 16'384, 99'999}) EXPECT_EQ(source_.first_mismatch(offset, {}), std::nullopt);
}

TEST_P(PayloadVerify, FindsASingleFlippedBitWhereverItIs) {
  struct Range {
    uint64_t offset;
    size_t size;
  };
  for (const Range range : {Range{0, 1}, Range{0, 40'000}, Range{3, 1'001}, Range{5, 3}, Range{16'000, 777},
                            Range{16'383, 2}, Range{100'001, 33'333}, Range{uint64_t{1} << 41, 16'640}}) {
    std::vector<std::byte> data = bytes_of(source_, range.offset, range.size);
    ASSERT_EQ(source_.first_mismatch(range.offset, data), std::nullopt);
    const size_t step = range.size > 2'000 ? 61 : 1;
    for (size_t at = 0; at < data.size(); at += step) {
      const std::byte flip{static_cast<unsigned char>(1u << (at % 8))};
      data[at] ^= flip;
      ASSERT_EQ(source_.first_mismatch(range.offset, data), range.offset + at) << range.offset << '+' << range.size;
      data[at] ^= flip;
    }
    data.back() ^= std::byte{0x80};
    EXPECT_EQ(source_.first_mismatch(range.offset, data), range.offset + range.size - 1);
  }
}

TEST_P(PayloadVerify, ReportsTheFirstOfMany) {
  std::mt19937_64 random(5);
  const uint64_t offset = 12'345;
  const std::vector<std::byte> good = bytes_of(source_, offset, 50'000);
  for (int i = 0; i < 500; ++i) {
    std::vector<std::byte> data = good;
    size_t first = data.size();
    for (int flips = 0; flips < 5; ++flips) {
      const size_t at = random() % data.size();
      data[at] = ~good[at];
      first = std::min(first, at);
    }
    ASSERT_EQ(source_.first_mismatch(offset, data), offset + first);
  }
}

TEST_P(PayloadVerify, DataReadFromUnalignedMemory) {
  std::vector<std::byte> memory(20'000 + 64);
  for (size_t shift = 0; shift < 64; ++shift) {
    const std::span data = std::span(memory).subspan(shift, 20'000);
    source_.fill(300, data);
    ASSERT_EQ(source_.first_mismatch(300, data), std::nullopt) << shift;
    data[19'990] ^= std::byte{1};
    ASSERT_EQ(source_.first_mismatch(300, data), 300u + 19'990) << shift;
  }
}

TEST_P(PayloadVerify, WrongPlaceNameOrSeedIsAMismatch) {
  const std::vector<std::byte> data = bytes_of(source_, 32'768, 4'096);
  EXPECT_EQ(source_.first_mismatch(32'768, data), std::nullopt);
  EXPECT_TRUE(source_.first_mismatch(16'384, data).has_value());
  EXPECT_TRUE(source_.first_mismatch(32'769, data).has_value());
  EXPECT_TRUE(Source(98, "verify/object").first_mismatch(32'768, data).has_value());
  EXPECT_TRUE(Source(99, "verify/objecu").first_mismatch(32'768, data).has_value());
  EXPECT_EQ(source_.first_mismatch(8, std::vector<std::byte>(4'096)), 8u) << "zeros, as from a hole";
}

INSTANTIATE_TEST_SUITE_P(Layers, PayloadVerify, ::testing::ValuesIn(available_layers()),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace mlps::payload
