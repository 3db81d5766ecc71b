#include "base/fields.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "base/histogram.hpp"
#include "results/fields_json.hpp"
#include "world/archive.hpp"

namespace mlps {
namespace {

/// A record as a benchmark has it: a further field is its member and one line of the list.
struct Inner {
  uint64_t operations = 0;
  uint64_t longest_ns = 0;
};
constexpr auto fields_of(Of<Inner>) {
  return std::tuple(summed("operations", &Inner::operations), highest("longest_ns", &Inner::longest_ns));
}

struct Toy {
  std::string name;
  uint64_t bytes = 0;
  double least_s = 0;
  Inner inner;
  Histogram latency_ns;
  std::vector<uint32_t> ranks;
  std::optional<Inner> known;
  std::vector<Inner> phases;
};
constexpr auto fields_of(Of<Toy>) {
  return std::tuple(kept("name", &Toy::name), summed("bytes", &Toy::bytes), lowest("least_s", &Toy::least_s),
                    summed("inner", &Toy::inner), summed("latency", &Toy::latency_ns), summed("ranks", &Toy::ranks),
                    summed("known", &Toy::known), each("phases", &Toy::phases));
}
static_assert(lists_every_member<Toy>());

struct Derived : Toy {
  int more = 0;
};
static_assert(!Listed<Derived>, "the list of a base class is not that of a derived one");

struct Forgetful {
  int listed = 0;
  int forgotten = 0;
};
constexpr auto fields_of(Of<Forgetful>) {
  return std::tuple(summed("listed", &Forgetful::listed));
}
static_assert(!lists_every_member<Forgetful>());

Toy toy(const std::string& name, uint64_t bytes, double least_s, std::optional<Inner> known) {
  Toy toy{name,    bytes,
          least_s, {bytes + 1, bytes * 7 % 5},
          {},      {static_cast<uint32_t>(bytes)},
          known,   {{bytes, 2}, {1, bytes}}};
  toy.latency_ns.record(bytes * 1000);
  return toy;
}

TEST(Fields, EveryFieldIsMergedByItsOwnRule) {
  Toy whole = toy("a", 10, 3.5, Inner{1, 5});
  merge(whole, toy("b", 4, 2.5, Inner{2, 3}));
  EXPECT_EQ(whole.name, "a");
  EXPECT_EQ(whole.bytes, 14U);
  EXPECT_EQ(whole.least_s, 2.5);
  EXPECT_EQ(whole.inner.operations, 16U);
  EXPECT_EQ(whole.inner.longest_ns, 3U);
  EXPECT_EQ(whole.latency_ns.count(), 2U);
  EXPECT_EQ(whole.latency_ns.min(), 4000U);
  EXPECT_EQ(whole.ranks, (std::vector<uint32_t>{10, 4}));
  ASSERT_TRUE(whole.known);
  EXPECT_EQ(whole.known->operations, 3U);
  EXPECT_EQ(whole.known->longest_ns, 5U);
  ASSERT_EQ(whole.phases.size(), 2U);
  EXPECT_EQ(whole.phases[0].operations, 14U);
  EXPECT_EQ(whole.phases[1].longest_ns, 10U);
  merge(whole, toy("c", 1, 9, std::nullopt));
  EXPECT_FALSE(whole.known) << "what one part doesn't know isn't known of the whole";
}

/// Random, but of numbers that add without rounding.
Toy random_toy(std::mt19937_64& random) {
  const auto number = [&] { return random() % 1000; };
  std::optional<Inner> known;
  if (number() % 4 != 0) known = Inner{number(), number()};
  Toy value = toy("a", number(), static_cast<double>(number()), known);
  for (uint64_t i = number() % 5; i > 0; --i) value.latency_ns.record(number());
  return value;
}

world::Bytes packed(const Toy& value) {
  return world::pack("toy", value);
}

TEST(Fields, PackingAndUnpackingIsTheIdentity) {
  std::mt19937_64 random(35);
  for (int i = 0; i < 200; ++i) {
    const world::Bytes bytes = packed(random_toy(random));
    const auto back = world::unpack<Toy>("toy", "host b", bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(packed(*back), bytes);
    EXPECT_FALSE(world::unpack<Toy>("toy", "host b", std::string_view(bytes).substr(0, bytes.size() - 1)));
  }
}

TEST(Fields, PacksOfEqualValuesAloneHaveTheSameHash) {
  const Toy value = toy("a", 10, 3.5, Inner{1, 5});
  EXPECT_EQ(world::hash_of(packed(value)), world::hash_of(packed(Toy(value))));
  Toy other = value;
  ++other.phases[1].longest_ns;
  EXPECT_NE(world::hash_of(packed(value)), world::hash_of(packed(other)));
  EXPECT_EQ(world::hash_of(""), 0xcbf29ce484222325U);
  EXPECT_EQ(world::hash_of("a"), 0xaf63dc4c8601ec8cU) << "FNV-1a as published";
}

TEST(Fields, MergingIsAssociative) {
  std::mt19937_64 random(36);
  for (int i = 0; i < 200; ++i) {
    const Toy a = random_toy(random), b = random_toy(random), c = random_toy(random);
    Toy left = a, right = b, whole = a;
    merge(left, b);
    merge(left, c);
    merge(right, c);
    merge(whole, right);
    ASSERT_EQ(packed(left), packed(whole)) << i;
  }
}

TEST(Fields, JsonHasTheNamesInTheOrderOfTheList) {
  const Json json = results::fields_json(toy("a", 10, 3.5, std::nullopt));
  Json latency = Json::object();
  latency["latency"] = results::histogram_json(toy("a", 10, 0, std::nullopt).latency_ns);
  EXPECT_EQ(
      results::indented(json, -1),
      R"({"name":"a","bytes":10,"least_s":3.5,"inner":{"operations":11,"longest_ns":0},"latency":)" +
          results::indented(latency, -1).substr(0, results::indented(latency, -1).size() - 1) +
          R"(,"ranks":[10],"known":null,"phases":[{"operations":10,"longest_ns":2},{"operations":1,"longest_ns":10}]})" +
          "\n");
}

}  // namespace
}  // namespace mlps
