#include "world/host_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace mlps::world {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Words = std::vector<std::string>;

const std::vector<Host> kTwo = {{"a", {}}, {"b", {}}};

TEST(HostList, EveryFormNamesTheSameHosts) {
  const auto expected = ElementsAre(Host{"node1", 4}, Host{"node2", {}}, Host{"10.0.0.3", 1});
  for (const Words& words :
       {Words{"node1:4", "node2", "10.0.0.3:1"}, Words{"node1:4,node2,10.0.0.3:1"}, Words{"node1:4 node2 10.0.0.3:1"},
        Words{"node1:4, node2,\t10.0.0.3:1,"}, Words{"node1:4,", ",node2", "10.0.0.3:1\n"}}) {
    const auto hosts = parse_host_list(words);
    ASSERT_TRUE(hosts) << hosts.error().message;
    EXPECT_THAT(*hosts, expected);
  }
}

TEST(HostList, WrongEntriesAreNamed) {
  for (const std::string entry : {"a:0", "a:-1", "a:", "a:4x", "a:1000001", "a:99999999999", ":4", "-x", "--host",
                                  "a/b", "a;b", "[::1]:4", "fe80::1", ".a", "a:4:4", "ho\u00e9t"}) {
    const auto hosts = parse_host_list({"good", entry});
    ASSERT_FALSE(hosts) << entry;
    EXPECT_EQ(hosts.error().code, ErrorCode::kConfigInvalid);
    EXPECT_THAT(hosts.error().message, HasSubstr("'" + entry + "'"));
  }
  EXPECT_THAT(parse_host_list({"[::1]:4"}).error().message, HasSubstr("IPv6"));
  EXPECT_THAT(parse_host_list({"[192.168.0.1"}).error().message, HasSubstr("is not of the form host or host:slots"));
}

TEST(HostList, AHostStandsOnce) {
  const auto hosts = parse_host_list({"Node1:4,node2", "node1"});
  ASSERT_FALSE(hosts);
  EXPECT_THAT(hosts.error().message, HasSubstr("'node1' stands twice"));
}

TEST(HostList, AHostStandsOnceUnderWhateverName) {
  const auto identity_of = [](const std::string& name) -> std::vector<std::string> {
    if (name == "localhost" || name == "10.0.0.9") return {"this host"};
    if (name == "node1" || name == "node1.cluster") return {"10.0.0.1", "fd00::1"};
    if (name == "node1-data") return {"192.168.0.1", "fd00::1"};
    if (name == "node2") return {"10.0.0.2"};
    return {};  // the resolver does not know it
  };
  const auto check = [&](const std::vector<std::string>& words) {
    return check_distinct(parse_host_list(words).value(), identity_of);
  };
  EXPECT_TRUE(check({"localhost", "node1", "node2", "unknown1", "unknown2"}));
  for (const std::vector<std::string>& words : {std::vector<std::string>{"localhost", "node2", "10.0.0.9"},
                                                {"node1", "node1.cluster:4"},
                                                {"node2", "node1-data", "node1"}}) {
    const Status found = check(words);
    ASSERT_FALSE(found) << words.back();
    EXPECT_EQ(found.error().code, ErrorCode::kConfigInvalid);
    EXPECT_NE(found.error().message.find("are one host"), std::string::npos);
  }
}

TEST(HostList, AnEmptyListIsAnError) {
  for (const Words& words : {Words{}, Words{""}, Words{" , ", ","}}) {
    EXPECT_THAT(parse_host_list(words).error().message, HasSubstr("empty"));
  }
}

TEST(Layout, RemainderGoesToHostsInOrder) {
  const auto shares = layout({{"a", {}}, {"b", {}}, {"c", {}}}, 11);
  ASSERT_TRUE(shares);
  EXPECT_THAT(*shares, ElementsAre(HostShare{"a", 0, 4}, HostShare{"b", 4, 4}, HostShare{"c", 8, 3}));
}

TEST(Layout, SlotsAreKept) {
  // Even would be 3 and 3; a holds 2, so b takes the rest.
  EXPECT_THAT(*layout({{"a", 2}, {"b", 6}}, 6), ElementsAre(HostShare{"a", 0, 2}, HostShare{"b", 2, 4}));
  EXPECT_THAT(*layout({{"a", 2}, {"b", 6}}, 8), ElementsAre(HostShare{"a", 0, 2}, HostShare{"b", 2, 6}));
  EXPECT_THAT(*layout({{"a", 1}, {"b", {}}}, 9), ElementsAre(HostShare{"a", 0, 1}, HostShare{"b", 1, 8}));
}

TEST(Layout, MoreRanksThanSlotsNeedLeave) {
  const std::vector<Host> hosts = {{"a", 2}, {"b", 3}};
  const auto refused = layout(hosts, 8);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConfigInvalid);
  EXPECT_EQ(refused.error().message, "8 ranks are too many: the hosts have 5 slots");
  EXPECT_THAT(refused.error().suggestion, HasSubstr("nearest legal: 5 ranks"));
  EXPECT_THAT(*layout(hosts, 8, {.oversubscribe = true}), ElementsAre(HostShare{"a", 0, 4}, HostShare{"b", 4, 4}));
}

TEST(Layout, NoHostIsLeftWithoutRanks) {
  const auto refused = layout({{"a", {}}, {"b", {}}, {"c", {}}}, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().suggestion, "nearest legal: 3 ranks");
  EXPECT_FALSE(layout(kTwo, 0));
  EXPECT_FALSE(layout({}, 4));
}

TEST(Layout, EqualSharesNameTheNearestLegalNumbers) {
  const std::vector<Host> four = {{"a", 4}, {"b", 4}, {"c", 4}, {"d", 4}};
  EXPECT_TRUE(layout(four, 12, {.equal = true}));
  EXPECT_EQ(layout(four, 10, {.equal = true}).error().suggestion, "nearest legal: 8 or 12 ranks");
  EXPECT_EQ(layout(four, 15, {.equal = true}).error().suggestion, "nearest legal: 12 or 16 ranks");
  const auto full = layout(four, 20, {.equal = true});
  EXPECT_EQ(full.error().message, "20 ranks are too many: 5 of them on a host that has 4 slots");
  EXPECT_THAT(full.error().suggestion, HasSubstr("nearest legal: 16 ranks"));
  EXPECT_TRUE(layout(four, 20, {.oversubscribe = true, .equal = true}));
}

TEST(Layout, EqualSharesAreLimitedByTheSmallestHost) {
  const auto refused = layout({{"a", 2}, {"b", 6}}, 8, {.equal = true});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "8 ranks are too many: 4 of them on a host that has 2 slots");
  EXPECT_THAT(refused.error().suggestion, HasSubstr("nearest legal: 4 ranks"));
}

TEST(LayoutProperty, EveryRankIsOnOneHostAndNoHostIsIdleOrOverfull) {
  std::mt19937 random(35);
  size_t laid_out = 0;
  for (int i = 0; i < 2000; ++i) {
    std::vector<Host> hosts(1 + random() % 6);
    for (size_t h = 0; h < hosts.size(); ++h) {
      hosts[h].name = "h" + std::to_string(h);
      if (random() % 3 != 0) hosts[h].slots = 1 + random() % 8;
    }
    const uint32_t ranks = 1 + static_cast<uint32_t>(random() % 40);
    const LayoutRules rules{random() % 2 == 0, random() % 4 == 0};
    const auto shares = layout(hosts, ranks, rules);
    if (!shares) continue;
    ++laid_out;
    ASSERT_EQ(shares->size(), hosts.size());
    uint32_t next = 0;
    for (size_t h = 0; h < hosts.size(); ++h) {
      const HostShare& share = (*shares)[h];
      EXPECT_EQ(share.host, hosts[h].name);
      EXPECT_EQ(share.first_rank, next);
      EXPECT_GT(share.ranks, 0U);
      if (hosts[h].slots && !rules.oversubscribe) {
        EXPECT_LE(share.ranks, *hosts[h].slots);
      }
      if (rules.equal) {
        EXPECT_EQ(share.ranks, shares->front().ranks);
      }
      next += share.ranks;
    }
    EXPECT_EQ(next, ranks);
  }
  EXPECT_GT(laid_out, 300U);
}

}  // namespace
}  // namespace mlps::world
