#include "storage/gcs/pieces.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <thread>

#include "base/crc.hpp"

namespace mlps::gcs {
namespace {

/// Stores all parts of an upload in the order given, composing whatever becomes possible; returns what was composed.
std::vector<Piece> compose_all(Pieces& pieces, const std::vector<uint32_t>& order,
                               const std::vector<std::string>& parts) {
  std::vector<Piece> composed;
  for (const uint32_t part : order) {
    pieces.begun({0, part});
    const std::string& bytes = parts[part];
    auto next = pieces.stored({0, part}, bytes.size(), crc32c(std::as_bytes(std::span(bytes))));
    while (next) {
      composed.push_back(*next);
      pieces.begun(*next);
      const uint64_t size = pieces.bytes_of(*next);
      const uint32_t crc = pieces.crc_of(*next);
      for (const Piece component : pieces.components(*next)) pieces.gone(component);
      next = pieces.stored(*next, size, crc);
    }
  }
  return composed;
}

TEST(Pieces, ATreeOfThirtyTwosWhateverTheOrder) {
  std::minstd_rand random(7);
  for (const uint32_t count : {2U, 31U, 32U, 33U, 64U, 65U, 1024U, 1025U, 2100U, 10'000U}) {
    std::vector<std::string> parts(count);
    std::string whole;
    for (std::string& part : parts) {
      part = std::string(1 + random() % 40, static_cast<char>(random()));
      whole += part;
    }
    std::vector<uint32_t> order(count);
    for (uint32_t i = 0; i < count; ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    Pieces pieces(count);
    const auto composed = compose_all(pieces, order, parts);

    const Piece top{pieces.top(), 0};
    EXPECT_EQ(pieces.bytes_of(top), whole.size()) << count;
    EXPECT_EQ(pieces.crc_of(top), crc32c(std::as_bytes(std::span(whole)))) << count;
    EXPECT_LE(pieces.components(top).size(), kMaxComponents) << count;
    EXPECT_GT(pieces.components(top).size(), 1U) << count;
    // What is left is exactly what the commit composes.
    const auto left = pieces.left(SIZE_MAX);
    EXPECT_THAT(pieces.components(top), ::testing::UnorderedElementsAreArray(left.begin(), left.end())) << count;
    // Every group was composed once.
    const auto key = [](Piece piece) { return std::pair(piece.level, piece.index); };
    std::set<std::pair<unsigned, uint32_t>> distinct;
    for (const Piece piece : composed) distinct.insert(key(piece));
    EXPECT_EQ(distinct.size(), composed.size()) << count;
  }
}

TEST(Pieces, ThreadsThatFinishTogetherComposeEachGroupOnce) {
  for (int round = 0; round < 200; ++round) {
    Pieces pieces(96);
    std::atomic<int> composed = 0;
    std::vector<std::thread> threads;
    for (uint32_t first = 0; first < 4; ++first) {
      threads.emplace_back([&, first] {
        for (uint32_t part = first; part < 96; part += 4) {
          pieces.begun({0, part});
          const auto next = pieces.stored({0, part}, 1, 0);
          if (!next) continue;
          EXPECT_EQ(pieces.bytes_of(*next), 32U);
          ++composed;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(composed.load(), 3);
  }
}

TEST(Pieces, NamesAreReadBack) {
  const std::string name = piece_name("a/b c", "0123456789abcdef", {1, 7});
  EXPECT_EQ(name, ".mlpstorage-uploads/a/b c/0123456789abcdef-1-00007");
  const auto parsed = parse_piece_name(name);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->name, "a/b c");
  EXPECT_EQ(parsed->upload, "0123456789abcdef");
  EXPECT_TRUE(name.starts_with(upload_prefix("a/b c", "0123456789abcdef")));
  EXPECT_TRUE(is_piece_key("root/x/" + name));
  EXPECT_TRUE(is_piece_key(name));
}

TEST(Pieces, OtherNamesAreNone) {
  for (const char* name : {"", ".mlpstorage-uploads", ".mlpstorage-uploads/", ".mlpstorage-uploads/a",
                           ".mlpstorage-uploads//0123456789abcdef-1-1", ".mlpstorage-uploads/0123456789abcdef-1-00007",
                           ".mlpstorage-uploads/a/0123456789abcdeg-1-00007", ".mlpstorage-uploads/a/0123456789abcdef-1",
                           ".mlpstorage-uploads/a/0123456789abcdef-x-1", ".mlpstorage-uploads/a/0123456789abcdef",
                           ".mlpstorage-uploadsx/a/0123456789abcdef-1-00007", "a/b"}) {
    EXPECT_FALSE(parse_piece_name(name).has_value()) << name;
    EXPECT_FALSE(is_piece_key(name)) << name;
  }
  EXPECT_FALSE(is_piece_key("x.mlpstorage-uploads/a/0123456789abcdef-1-00007"));
}

}  // namespace
}  // namespace mlps::gcs
