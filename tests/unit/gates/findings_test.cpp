#include "gates/findings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/units.hpp"
#include "world/archive.hpp"

namespace mlps::gates {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::vector<world::Member> hosts(const std::vector<std::string>& names) {
  std::vector<world::Member> members;
  for (const std::string& name : names) members.push_back({name, 1, {}});
  return members;
}

world::Bytes pack(const Findings& findings) {
  return world::pack(kFindings, findings);
}
Result<Findings> unpack(std::string_view bytes) {
  return world::unpack<Findings>(kFindings, "another process", bytes);
}

Error probe_error(const std::string& digits, const std::string& details) {
  return {ErrorCode::kStorageDenied, "write .mlpstorage-probe-" + digits + ": 403", details, "check the policy"};
}

const std::string kOneName(32, 'a');
const std::string kOtherName(32, '7');

TEST(Findings, SurviveTheWay) {
  Findings sent;
  sent.failures = {{ErrorCode::kDiskFull, "full", "details", "suggestion"}, {ErrorCode::kInternal, "no", {}, {}}};
  sent.warnings = {"one", ""};
  sent.buffer_bytes = 5;
  sent.available_bytes = 6;
  const auto came = unpack(pack(sent));
  ASSERT_TRUE(came);
  ASSERT_THAT(came->failures, SizeIs(2));
  EXPECT_EQ(came->failures[0].code, ErrorCode::kDiskFull);
  EXPECT_EQ(render(came->failures[0]), render(sent.failures[0]));
  EXPECT_EQ(came->warnings, sent.warnings);
  EXPECT_EQ(came->buffer_bytes, 5U);
  EXPECT_EQ(came->available_bytes, 6U);
}

TEST(Findings, DamagedBytesAreE503) {
  Findings sent;
  sent.failures = {{ErrorCode::kDiskFull, "full", "details", "suggestion"}};
  const world::Bytes bytes = pack(sent);
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto came = unpack(std::string_view(bytes).substr(0, length));
    ASSERT_FALSE(came) << length;
    EXPECT_EQ(came.error().code, ErrorCode::kMpiCommunication);
  }
  EXPECT_FALSE(unpack(bytes + "x"));
  EXPECT_FALSE(unpack(std::string(64, '\xff')));
}

TEST(Merge, OneProcessSpeaksForItself) {
  Findings findings;
  findings.failures = {{ErrorCode::kDiskFull, "full"}};
  findings.warnings = {"odd"};
  const Report report = merge(hosts({"a"}), {findings});
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_EQ(report.failures[0].message, "full");
  EXPECT_THAT(report.warnings, ElementsAre("odd"));
  ASSERT_TRUE(report.first_failure);
  EXPECT_EQ(report.first_failure->message, "full");
}

TEST(Merge, WhatHostsFindAlikeIsOneLine) {
  std::vector<Findings> findings(4);
  findings[1].failures = {probe_error(kOneName, "request 1"), {ErrorCode::kDiskFull, "full"}};
  findings[1].warnings = {"odd"};
  findings[3].failures = {probe_error(kOtherName, "request 2")};
  findings[3].warnings = {"odd", "b alone"};
  const Report report = merge(hosts({"a", "beta", "c", "gamma"}), findings);
  ASSERT_THAT(report.failures, SizeIs(2));
  EXPECT_EQ(report.failures[0].message, "hosts beta, gamma: write .mlpstorage-probe-" + kOneName + ": 403");
  EXPECT_EQ(report.failures[0].details, "host beta: request 1");
  EXPECT_EQ(report.failures[1].message, "host beta: full");
  EXPECT_THAT(report.warnings, ElementsAre("hosts beta, gamma: odd", "host gamma: b alone"));
}

TEST(Merge, NumbersThatDifferAreTwoFindings) {
  std::vector<Findings> findings(2);
  findings[0].failures = {{ErrorCode::kDiskFull, "12 bytes left"}};
  findings[1].failures = {{ErrorCode::kDiskFull, "13 bytes left"}};
  EXPECT_THAT(merge(hosts({"a", "b"}), findings).failures, SizeIs(2));
}

TEST(Merge, ProcessesOfAHostShareItsMemory) {
  std::vector<Findings> findings(3);
  for (Findings& one : findings) {
    one.buffer_bytes = 600 * kMiB;
    one.available_bytes = kGiB;
  }
  const Report report = merge(hosts({"a", "b", "b"}), findings);
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_THAT(report.failures[0].message, StartsWith("host b: I/O buffers of 1.172 GiB"));
  EXPECT_THAT(report.failures[0].message, HasSubstr("in 2 processes"));
  EXPECT_THAT(merge(hosts({"a", "b", "c"}), findings).failures, IsEmpty());
}

}  // namespace
}  // namespace mlps::gates
