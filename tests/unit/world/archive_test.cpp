#include "world/archive.hpp"

#include <gtest/gtest.h>

#include "world/host_facts.hpp"

namespace mlps::world {

enum class Colour : uint8_t { kRed, kBlue };

struct Everything {
  uint32_t small = 0;
  int64_t negative = 0;
  bool yes = false;
  double real = 0;
  Colour colour = Colour::kRed;
  std::string text;
  std::vector<std::pair<std::string, uint64_t>> pairs;
  std::array<uint64_t, 2> both{};
  std::optional<Stamp> there, absent;
  Histogram histogram;
};

template <class Archive, Is<Everything> E>
void fields(Archive& archive, E& all) {
  archive(all.small, all.negative, all.yes, all.real, all.colour, all.text, all.pairs, all.both, all.there, all.absent,
          all.histogram);
}

namespace {

Everything everything() {
  Everything all;
  all.small = 7;
  all.negative = -5;
  all.yes = true;
  all.real = 0.1;
  all.colour = Colour::kBlue;
  all.text = std::string("a\0b", 3);
  all.pairs = {{"x", 1}, {"", 2}};
  all.both = {3, 4};
  all.there = Stamp{-1, 2};
  for (uint64_t i = 0; i < 100; ++i) all.histogram.record(i * i * i);
  return all;
}

TEST(Archive, EveryKindOfFieldComesBackAsItWas) {
  const Bytes bytes = pack("thing", everything());
  const auto back = unpack<Everything>("thing", "host b", bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->small, 7U);
  EXPECT_EQ(back->negative, -5);
  EXPECT_TRUE(back->yes);
  EXPECT_EQ(back->real, 0.1);
  EXPECT_EQ(back->colour, Colour::kBlue);
  EXPECT_EQ(back->text, everything().text);
  EXPECT_EQ(back->pairs, everything().pairs);
  EXPECT_EQ(back->both, everything().both);
  ASSERT_TRUE(back->there);
  EXPECT_EQ(back->there->monotonic_ns, -1);
  EXPECT_EQ(back->there->wall_us, 2);
  EXPECT_FALSE(back->absent);
  EXPECT_EQ(back->histogram.count(), 100U);
  EXPECT_EQ(pack("thing", *back), bytes);
}

TEST(Archive, BytesCutAtAnyLengthOrGoingOnAreRefused) {
  const Bytes bytes = pack("thing", everything());
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto cut = unpack<Everything>("thing", "host b", std::string_view(bytes).substr(0, length));
    ASSERT_FALSE(cut) << length;
    EXPECT_EQ(cut.error().code, ErrorCode::kMpiCommunication);
  }
  EXPECT_FALSE(unpack<Everything>("thing", "host b", bytes + "x"));
  const auto foreign = unpack<Everything>("other thing", "host b", bytes);
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().message.find("the other thing that host b sent"), std::string::npos);
}

TEST(Archive, AnyChangedByteIsReadOrRefusedButNeverMore) {
  const Bytes bytes = pack("thing", everything());
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      Bytes changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      const auto back = unpack<Everything>("thing", "host b", changed);
      if (back) {
        EXPECT_EQ(pack("thing", *back), changed) << "what was read is what was there";
      }
    }
  }
}

TEST(Archive, ANumberTooLargeForItsFieldIsRefused) {
  const Bytes bytes = Packer().text("n").number(uint64_t{1} << 32).take();
  EXPECT_FALSE(unpack<uint32_t>("n", "host b", bytes));
  EXPECT_TRUE(unpack<uint64_t>("n", "host b", bytes));
  EXPECT_FALSE(unpack<bool>("n", "host b", Packer().text("n").number(2).take()));
}

TEST(HostFactsPack, TheFactsOfThisHostSurviveExactly) {
  const HostFacts facts = collect_host_facts();
  ASSERT_FALSE(facts.cpuinfo.empty());
  const Bytes bytes = pack(kHostFacts, facts);
  const auto back = unpack<HostFacts>(kHostFacts, "host b", bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, facts);
  for (size_t length = 0; length < bytes.size(); length += 7) {
    EXPECT_FALSE(unpack<HostFacts>(kHostFacts, "host b", std::string_view(bytes).substr(0, length))) << length;
  }
}

}  // namespace
}  // namespace mlps::world
