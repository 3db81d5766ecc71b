#include "benchmarks/kvcache/users.hpp"

#include <gtest/gtest.h>

#include <array>

namespace mlps::kvcache {
namespace {

TEST(Users, AreAFunctionOfTheSeed) {
  User one({}, 42, 7), same({}, 42, 7), other({}, 43, 7);
  bool differs = false;
  for (int i = 0; i < 20; ++i) {
    const Request a = one.next({}, true), b = same.next({}, true), c = other.next({}, true);
    EXPECT_EQ(a.key, b.key);
    EXPECT_EQ(a.context, b.context);
    EXPECT_EQ(a.generation, b.generation);
    differs = differs || a.context != c.context;
  }
  EXPECT_TRUE(differs);
}

TEST(Users, OfferedLoadIsTheOneOfTheTemplates) {
  // Means that the templates give, weighted by how often users send: context 4,410, 5.1 reads, 2.46 requests/s a user.
  const OptionPlan option = closed_option(1);
  const OfferedLoad load = offered_load({}, option);
  EXPECT_NEAR(load.mean_entry_tokens, 4410, 4410 * 0.02);
  EXPECT_NEAR(load.decode_reads, 5.1, 5.1 * 0.02);
  EXPECT_NEAR(load.requests_per_s / option.users, 2.46, 2.46 * 0.02);
  EXPECT_NEAR(load.tokens_read / load.tokens_written, 4.4, 4.4 * 0.03);
}

TEST(Users, ClassesHaveTheirShares) {
  std::array<int, kClasses> count{};
  constexpr int kUsers = 20'000;
  for (uint32_t i = 0; i < kUsers; ++i) ++count[static_cast<size_t>(User({}, 1, i).qos())];
  EXPECT_NEAR(count[0], 0.15 * kUsers, 0.02 * kUsers);
  EXPECT_NEAR(count[1], 0.35 * kUsers, 0.02 * kUsers);
  EXPECT_NEAR(count[2], 0.50 * kUsers, 0.02 * kUsers);
}

TEST(Users, ConversationsEndAndTurnsCount) {
  int turns = 0, conversations = 0;
  for (uint32_t i = 0; i < 500; ++i) {
    User user({}, 3, i);
    EntryKey last = user.next({}, true).key;
    EXPECT_EQ(last.turn, 1u);
    for (int k = 0; k < 40; ++k, ++turns) {
      const EntryKey next = user.next({}, true).key;
      if (next.number == last.number) {
        EXPECT_EQ(next.turn, last.turn + 1);
      } else {
        EXPECT_EQ(next.turn, 1u);
        ++conversations;
      }
      last = next;
    }
  }
  EXPECT_NEAR(static_cast<double>(conversations) / turns, 0.2, 0.02);
}

TEST(Users, NamesHaveNoTimeOfDay) {
  EXPECT_EQ((EntryKey{3, 7, 2}.name()), "conv_user_0003_7_turn_2");
  EXPECT_EQ((EntryKey{3, 7, 0}.name()), "user_0003_req_000007");
}

TEST(Users, FurtherReadsGoByBatchesOfGeneratedTokens) {
  Request request;
  for (const auto& [tokens, reads] : {std::pair{1u, 1u}, {32u, 1u}, {33u, 2u}, {150u, 5u}, {800u, 25u}}) {
    request.generation = tokens;
    EXPECT_EQ(request.further_reads(32), reads) << tokens;
  }
}

TEST(Conversations, GiveAllOtherTurnsUntilTheRecordIsDropped) {
  Conversations records(1000);
  for (uint32_t turn = 1; turn <= 10; ++turn) records.add({1, 0, turn});
  EXPECT_EQ(records.others({1, 0, 10}).size(), 9u);
  for (uint32_t user = 2; user < 2 + 1000 - 1; ++user) records.add({user, 0, 1});
  EXPECT_EQ(records.others({1, 0, 10}).size(), 9u);
  records.add({1'000'000, 0, 1});
  EXPECT_TRUE(records.others({1, 0, 10}).empty());
  EXPECT_TRUE(records.others({2, 0, 1}).empty());
}

TEST(Random, GammaHasItsMeanAndVariation) {
  for (const double cv : {0.5, 1.0, 2.0}) {
    Random random(9);
    double sum = 0, squares = 0;
    constexpr int kDraws = 200'000;
    for (int i = 0; i < kDraws; ++i) {
      const double value = random.gamma(1 / (cv * cv));
      sum += value;
      squares += value * value;
    }
    const double mean = sum / kDraws;
    EXPECT_NEAR(mean, 1, 0.03);
    EXPECT_NEAR(std::sqrt(squares / kDraws - mean * mean), cv, 0.05 * cv + 0.01);
  }
}

}  // namespace
}  // namespace mlps::kvcache
