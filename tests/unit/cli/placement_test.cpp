#include "session/placement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "benchmarks/checkpointing/command/options.hpp"
#include "benchmarks/training/command/options.hpp"

namespace mlps::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CheckpointingOptions options_of(std::vector<std::string> hosts, uint32_t ranks, Mode mode = Mode::kWhatif) {
  CheckpointingOptions options;
  options.hosts.hosts = std::move(hosts);
  options.num_processes = ranks;
  options.common.mode = mode;
  return options;
}

template <class Options>
Result<std::vector<world::HostShare>> planned(const Options& options) {
  return planned_shares(options, ranks_of(options));
}

Result<std::vector<world::HostShare>> placed(const CheckpointingOptions& options,
                                             const std::vector<world::Member>& members) {
  return place_ranks(options, ranks_of(options), members);
}

std::vector<world::Member> members_of(const std::vector<std::string>& names) {
  std::vector<world::Member> members;
  for (const std::string& name : names) members.push_back({name, 1, {}});
  return members;
}

std::vector<uint32_t> counts(const Result<std::vector<world::HostShare>>& shares) {
  std::vector<uint32_t> ranks;
  for (const auto& share : shares.value_or(std::vector<world::HostShare>())) ranks.push_back(share.ranks);
  return ranks;
}

TEST(Placement, ARunForTheRulesIsEven) {
  EXPECT_THAT(counts(planned(options_of({"a", "b"}, 8, Mode::kClosed))), ElementsAre(4, 4));
  const auto uneven = planned(options_of({"a", "b", "c"}, 8, Mode::kClosed));
  ASSERT_FALSE(uneven);
  EXPECT_THAT(render(uneven.error()), HasSubstr("nearest legal: 6 or 9 ranks"));
  EXPECT_THAT(counts(planned(options_of({"a", "b", "c"}, 8))), ElementsAre(3, 3, 2));
}

TEST(Placement, GeneratorsMayBeUneven) {
  TrainingOptions options;
  options.common.mode = Mode::kClosed;
  options.hosts.hosts = {"a", "b"};
  options.processes = 3;
  options.which = TrainingCommand::kDatagen;
  EXPECT_THAT(counts(planned(options)), ElementsAre(2, 1));
  options.which = TrainingCommand::kRun;
  EXPECT_FALSE(planned(options));
}

TEST(Placement, SlotsBelongToTheHostThatIsNamed) {
  // The launcher numbered its processes in another order.
  const auto options = options_of({"a:1", "b.cluster:3"}, 4);
  EXPECT_THAT(counts(placed(options, members_of({"B", "a.cluster"}))), ElementsAre(3, 1));
  // Addresses say nothing about names: they stand for the processes in their order.
  EXPECT_THAT(counts(placed(options_of({"10.0.0.1:1", "10.0.0.2:3"}, 4), members_of({"x", "y"}))), ElementsAre(1, 3));
}

TEST(Placement, ProcessesOnOneHostShareItsSlots) {
  EXPECT_THAT(counts(placed(options_of({"a:8"}, 8), members_of({"a", "a"}))), ElementsAre(4, 4));
  EXPECT_FALSE(placed(options_of({"a:6"}, 8), members_of({"a", "a"})));
}

TEST(Placement, OtherProcessesThanHostsAreRefused) {
  const auto shares = placed(options_of({"a", "b", "c"}, 9), members_of({"a", "x"}));
  ASSERT_FALSE(shares);
  EXPECT_EQ(shares.error().message, "--hosts names 3 hosts, but 2 processes were started");
}

TEST(Placement, OneHostKeepsToItsSlots) {
  EXPECT_THAT(counts(placed(options_of({"127.0.0.1"}, 8), members_of({"here"}))), ElementsAre(8));
  EXPECT_FALSE(placed(options_of({"127.0.0.1:4"}, 8), members_of({"here"})));
}

}  // namespace
}  // namespace mlps::cli
