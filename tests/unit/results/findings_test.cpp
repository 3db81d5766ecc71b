#include "results/findings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../support/record_schema.hpp"
#include "benchmarks/checkpointing/results/files.hpp"
#include "benchmarks/checkpointing/results/views.hpp"
#include "results/folder_writer.hpp"
#include "results/metadata.hpp"
#include "sample.hpp"

namespace mlps::results {
namespace {

using nlohmann::ordered_json;
using sample::TemporaryFolder;
using ::testing::HasSubstr;

constexpr const char* kFile = "checkpointing_20260704_050040_timeseries.json";

world::CrossCheck less() {
  return {
      world::CheckResult::kLess, {1000, 500}, world::MovedBytes{10, 500}, "vda", "vda read 10 B of the 1000 B claimed"};
}

RunOutcome with_findings() {
  RunOutcome outcome = sample::outcome();
  outcome.findings.series = TimeSeriesFile{kFile, 7, 10.0, {"node"}};
  outcome.findings.checks = {{"node", less(), ""}};
  return outcome;
}

TEST(Findings, StandInRecordMetadataAndLog) {
  const TemporaryFolder root;
  const RunFolder folder{root.path(), "20260704_050040"};
  ASSERT_TRUE(write_finished(folder, sample::context(root.path()), sample::passed(1, 1, 1), with_findings()));
  const ordered_json data = {
      {"file", kFile}, {"num_samples", 7}, {"interval_seconds", 10.0}, {"hosts_collected", {"node"}}};
  EXPECT_EQ(root.json("checkpointing_20260704_050040_metadata.json")["timeseries_data"], data);
  const ordered_json record = root.json(kRecordFile);
  EXPECT_EQ(record["time_series"], data);
  ASSERT_EQ(record["cross_check"].size(), 1U);
  const ordered_json& check = record["cross_check"][0];
  EXPECT_EQ(check["host"], "node");
  EXPECT_EQ(check["result"], "less");
  EXPECT_EQ(check["warning"], true);
  EXPECT_EQ(check["claimed"], ordered_json({{"read_bytes", 1000}, {"written_bytes", 500}}));
  EXPECT_EQ(check["counted"]["read_bytes"], 10);
  EXPECT_THAT(root.text("checkpointing_run.stdout.log"),
              HasSubstr("Cross-check: vda read 10 B of the 1000 B claimed\n"));
}

TEST(Findings, WithoutSamplesSayWhy) {
  const TemporaryFolder root;
  const RunFolder folder{root.path(), "20260704_050040"};
  RunOutcome outcome = sample::outcome();
  outcome.findings.no_series_because = "--skip-timeseries";
  outcome.findings.checks = {{"node", std::nullopt, "--skip-timeseries"}};
  ASSERT_TRUE(write_finished(folder, sample::context(root.path()), sample::passed(1, 1, 1), outcome));
  EXPECT_FALSE(root.json("checkpointing_20260704_050040_metadata.json").contains("timeseries_data"));
  const ordered_json record = root.json(kRecordFile);
  EXPECT_EQ(record["time_series"], ordered_json({{"file", nullptr}, {"reason", "--skip-timeseries"}}));
  EXPECT_EQ(record["cross_check"],
            ordered_json::array({{{"host", "node"}, {"result", "not_made"}, {"text", "--skip-timeseries"}}}));
}

TEST(Findings, OfARunUnderWayAreNull) {
  const ordered_json record =
      test::parse_record(record_json(sample::context("/x"), sample::passed(1, 1, 1), std::nullopt));
  EXPECT_TRUE(record.at("time_series").is_null());
  EXPECT_TRUE(record.at("cross_check").is_null());
}

TEST(FindingsText, IsOneLineAndOnlyAWarning) {
  HostFindings findings = with_findings().findings;
  EXPECT_EQ(findings_text(findings), "Cross-check: vda read 10 B of the 1000 B claimed\n");
  findings.checks[0].check->result = world::CheckResult::kMore;
  EXPECT_EQ(findings_text(findings), "");
  findings.checks[0].check.reset();
  EXPECT_EQ(findings_text(findings), "");
}

TEST(FindingsText, OfSeveralHostsNamesThoseThatItWarnsOf) {
  HostFindings findings;
  findings.checks = {{"a", less(), ""}, {"b", less(), ""}, {"c", std::nullopt, "gone"}};
  findings.checks[0].check->result = world::CheckResult::kAgrees;
  EXPECT_EQ(findings_text(findings), "Cross-check of b: vda read 10 B of the 1000 B claimed\n");
}

TEST(PackCheck, ArrivesAsItWas) {
  world::CrossCheck not_counted = less();
  not_counted.result = world::CheckResult::kNotCheckable;
  not_counted.counted.reset();
  for (const HostCheck& sent :
       {HostCheck{"b", less(), ""}, HostCheck{"b", not_counted, ""}, HostCheck{"c", std::nullopt, "did not pass"}}) {
    const auto came = unpack_check("host b", pack(sent));
    ASSERT_TRUE(came);
    EXPECT_EQ(came->host, sent.host);
    EXPECT_EQ(came->no_check_because, sent.no_check_because);
    ASSERT_EQ(came->check.has_value(), sent.check.has_value());
    if (!sent.check) continue;
    EXPECT_EQ(came->check->result, sent.check->result);
    EXPECT_EQ(came->check->text, sent.check->text);
    EXPECT_EQ(came->check->counters, sent.check->counters);
    EXPECT_EQ(came->check->claimed, sent.check->claimed);
    EXPECT_EQ(came->check->counted, sent.check->counted);
  }
}

TEST(PackCheck, DamagedBytesAreRefused) {
  const std::string good = pack(HostCheck{"b", less(), ""});
  for (size_t length = 0; length < good.size(); ++length) {
    const auto came = unpack_check("host b", std::string_view(good).substr(0, length));
    ASSERT_FALSE(came) << length;
    EXPECT_EQ(came.error().code, ErrorCode::kMpiCommunication);
    EXPECT_THAT(came.error().message, HasSubstr("host b"));
  }
  EXPECT_FALSE(unpack_check("host b", good + "x"));
  HostCheck odd{"b", less(), ""};
  odd.check->result = static_cast<world::CheckResult>(77);
  EXPECT_FALSE(unpack_check("host b", pack(odd)));
}

}  // namespace
}  // namespace mlps::results
