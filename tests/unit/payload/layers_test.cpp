#include <gtest/gtest.h>

#include <random>
#include <string>

#include "bytes.hpp"
#include "payload/payload.hpp"

namespace mlps::payload {
namespace {

TEST(PayloadLayers, BestIsActiveAndScalarIsAlwaysThere) {
  const std::vector<std::string_view> layers = available_layers();
  ASSERT_FALSE(layers.empty());
  EXPECT_EQ(active_layer(), layers.front());
  EXPECT_EQ(layers.back(), "scalar");
}

TEST(PayloadLayers, SelectTakesOnlyWhatTheProcessorRuns) {
  const LayerGuard guard;
  EXPECT_FALSE(select_layer("avx1024"));
  EXPECT_FALSE(select_layer(""));
  EXPECT_TRUE(select_layer("scalar"));
  EXPECT_EQ(active_layer(), "scalar");
  EXPECT_FALSE(select_layer("avx1024"));
  EXPECT_EQ(active_layer(), "scalar");
}

/// Every layer against the scalar reference, ranges chosen to straddle rows (256 bytes) and blocks (16 KiB).
TEST(PayloadLayers, AllGiveTheReferencesBytes) {
  const LayerGuard guard;
  std::mt19937_64 random(3);
  for (int i = 0; i < 3000; ++i) {
    const Source source(random(), std::to_string(random()));
    uint64_t offset = random() >> (random() % 64);
    if (i % 3 == 0) offset = (offset / 16'384 + 1) * 16'384 - random() % 600;
    const size_t size = random() % (i % 10 == 0 ? 100'000 : 2'000);
    if (offset > ~uint64_t{0} - size) continue;
    ASSERT_TRUE(select_layer("scalar"));
    const std::vector<std::byte> reference = bytes_of(source, offset, size);
    for (const std::string_view layer : available_layers()) {
      ASSERT_TRUE(select_layer(layer));
      ASSERT_EQ(bytes_of(source, offset, size), reference) << layer << " offset " << offset << " size " << size;
      ASSERT_EQ(source.first_mismatch(offset, reference), std::nullopt) << layer << ' ' << offset << ' ' << size;
    }
  }
}

}  // namespace
}  // namespace mlps::payload
