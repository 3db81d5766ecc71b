#include "results/system_description.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>

#include "base/units.hpp"
#include "results/run_folder.hpp"
#include "sample.hpp"

namespace mlps::results {
namespace {

using sample::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

world::HostFacts client(uint32_t sockets) {
  world::HostFacts facts = sample::facts("any");
  facts.cpu.sockets = sockets;
  facts.os_release = {{"NAME", "Debian GNU/Linux"}, {"VERSION_ID", "12"}};
  facts.system.chassis_model = "PowerEdge R760";
  facts.system.ports = {
      {"eth0", "ethernet", true, 100}, {"eth1", "ethernet", true, 100}, {"eth2", "ethernet", false, 0}};
  facts.system.drives = {{"nvme0n1", "", "Fast One", "nvme", 1'024'000'000'000, false, "", 128},
                         {"sdz", "Odd", "Bus", "", 1, false, "", 128}};
  facts.system.sysctl = {{"kernel.pid_max", "4194304"}, {"net.ipv4.tcp_mem", "1\t2\t3"}, {"vm.dirty_ratio", "20"}};
  facts.system.environment = {{"AWS_REGION", "a \"b\""}, {"OMPI_X", "1"}, {"UCX_Y", ""}};
  return facts;
}

TEST(SystemDescription, CountsEqualClients) {
  const world::HostFacts one = client(1), two = client(2);
  const std::string text = system_description({{"a", &one}, {"b", &two}, {"c", &two}});
  EXPECT_THAT(text, HasSubstr("---\n\"system_under_test\":\n  \"clients\":\n  - \"friendly_description\": \"\"\n"));
  EXPECT_THAT(text, HasSubstr("\"cpu_qty\": !!int \"2\"\n"));
  const YAML::Node clients = YAML::Load(text)["system_under_test"]["clients"];
  ASSERT_EQ(clients.size(), 2U);
  const YAML::Node& most = clients[0];
  EXPECT_EQ(most["quantity"].as<int>(), 2);
  EXPECT_EQ(most["chassis"]["model_name"].as<std::string>(), "PowerEdge R760");
  EXPECT_EQ(most["chassis"]["cpu_qty"].as<int>(), 2);
  EXPECT_EQ(most["chassis"]["cpu_cores"].as<int>(), 4);
  EXPECT_EQ(most["chassis"]["memory_capacity"].as<int>(), 64);
  EXPECT_EQ(most["operating_system"]["version"].as<std::string>(), "12");
  EXPECT_EQ(most["environment"][0]["value"].as<std::string>(), "a \"b\"");
  EXPECT_EQ(most["sysctl"][2]["name"].as<std::string>(), "vm.dirty_ratio");
  EXPECT_EQ(clients[1]["quantity"].as<int>(), 1);
}

TEST(SystemDescription, MergesPortsAndDrivesAndLeavesTheRolesToAPerson) {
  const world::HostFacts facts = client(1);
  const YAML::Node node = YAML::Load(system_description({{"a", &facts}}))["system_under_test"]["clients"][0];
  ASSERT_EQ(node["networking"].size(), 2U);
  EXPECT_EQ(node["networking"][0]["unit_count"].as<int>(), 2);
  EXPECT_EQ(node["networking"][0]["speed"].as<int>(), 100);
  EXPECT_EQ(node["networking"][0]["traffic"].size(), 0U);
  EXPECT_EQ(node["networking"][1]["state"].as<std::string>(), "down");
  EXPECT_FALSE(node["networking"][1]["speed"]);
  ASSERT_EQ(node["drives"].size(), 1U);  // of a known interface
  EXPECT_EQ(node["drives"][0]["capacity_in_GB"].as<int>(), 1024);
}

TEST(SystemDescription, WhatAHostDoesNotTellIsEmpty) {
  const world::HostFacts facts;
  const YAML::Node node = YAML::Load(system_description({{"a", &facts}}))["system_under_test"]["clients"][0];
  EXPECT_EQ(node["chassis"]["cpu_qty"].as<std::string>(), "");
  EXPECT_EQ(node["networking"][0]["type"].as<std::string>(), "");
  EXPECT_FALSE(node["drives"]);
}

TEST(SystemDescription, OtherHostsAreNamedAndEmptyValuesStandForAny) {
  const world::HostFacts one = client(1), two = client(2);
  const std::string text = system_description({{"a", &one}});
  EXPECT_THAT(*description_differences(text, {{"a", &one}}), IsEmpty());
  EXPECT_THAT(*description_differences(text, {{"b", &two}}),
              ElementsAre("host b: - chassis.cpu_qty: 1", "host b: + chassis.cpu_qty: 2"));
  std::string completed = text;
  completed.replace(completed.find("!!int \"1\""), 9, "\"\"");
  EXPECT_THAT(*description_differences(completed, {{"b", &two}}), IsEmpty());
  EXPECT_THAT(*description_differences("{}", {{"b", &two}}), ElementsAre("host b: - no clients"));
  EXPECT_FALSE(description_differences("a: [", {{"b", &two}}));
}

TEST(SystemDescription, PortsDrivesKernelSettingsAndVariablesCount) {
  const world::HostFacts before = client(1);
  const std::string text = system_description({{"a", &before}});
  world::HostFacts after = client(1);
  after.system.ports.pop_back();
  after.system.drives[0].size_bytes = 2'048'000'000'000;
  after.system.sysctl.back().second = "40";
  after.system.environment.push_back({"UCX_TLS", "tcp"});
  EXPECT_THAT(*description_differences(text, {{"a", &after}}),
              ElementsAre("host a: - networking: 1 ethernet down", "host a: - drives: 1 Fast One 1024",
                          "host a: + drives: 1 Fast One 2048", "host a: + environment: UCX_TLS tcp",
                          "host a: - sysctl: vm.dirty_ratio 20", "host a: + sysctl: vm.dirty_ratio 40"));
  after = client(1);
  after.system.drives.clear();
  after.system.sysctl.clear();
  EXPECT_THAT(*description_differences(text, {{"a", &after}}), IsEmpty()) << "what a host doesn't tell stands for any";
  // What a person has added is kept.
  std::string completed = text;
  completed.replace(completed.find("\"traffic\": []"), 13, "\"traffic\": [\"data\"]");
  EXPECT_THAT(*description_differences(completed, {{"a", &before}}), IsEmpty());
  // The order of a list says nothing.
  after = client(1);
  std::reverse(after.system.sysctl.begin(), after.system.sysctl.end());
  EXPECT_THAT(*description_differences(text, {{"a", &after}}), IsEmpty());
}

TEST(SystemDescription, OtherHostsAreRefusedWhereResultsAreCompared) {
  const TemporaryFolder root;
  RunContext context = sample::context(root.path());
  context.results_dir = root.path();
  EXPECT_TRUE(check_system_description(context)) << "there is none yet";
  for (const char* mode : {"closed", "open", "whatif"}) {
    context.mode = mode;
    context.members[0].facts = client(1);
    ASSERT_TRUE(begin_system_description(context));
    EXPECT_TRUE(check_system_description(context));
    context.members[0].facts = client(2);
    const Status status = check_system_description(context);
    EXPECT_EQ(status.has_value(), context.mode == "whatif");
    if (status) continue;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidStructure);
    EXPECT_EQ(status.error().details, "host node1: - chassis.cpu_qty: 1\nhost node1: + chassis.cpu_qty: 2");
  }
}

TEST(SystemDescription, IsBegunOnceAndNeverChanged) {
  const TemporaryFolder root;
  RunContext context = sample::context(root.path());
  context.results_dir = root.path();
  ASSERT_TRUE(begin_system_description(context));
  const std::string name = "closed/acme/systems/box.yaml";
  EXPECT_THAT(root.text(name), HasSubstr("\"cpu_model\": \"Test CPU\""));
  ASSERT_TRUE(write_file(root.path() + "/" + name, "mine"));
  ASSERT_TRUE(begin_system_description(context));
  EXPECT_EQ(root.text(name), "mine");
}

}  // namespace
}  // namespace mlps::results
