#include "benchmarks/vectordb/metrics.hpp"

#include <gtest/gtest.h>

#include <map>

#include "benchmarks/vectordb/results/official.hpp"
#include "benchmarks/vectordb/results/views.hpp"
#include "benchmarks/vectordb/sweep.hpp"
#include "results/core_config.hpp"
#include "search_fixture.hpp"

namespace mlps::vectordb {
namespace {

using test::closed_search;
using test::kMs;

TEST(VectorMetrics, PercentilesLieBetweenTwoValues) {
  const std::vector<double> values = {1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(percentile(values, 0), 1);
  EXPECT_DOUBLE_EQ(percentile(values, 50), 2.5);
  EXPECT_DOUBLE_EQ(percentile(values, 100), 4);
  EXPECT_DOUBLE_EQ(percentile({}, 50), 0);
}

// A time that counts for several queries is one that often.
TEST(VectorMetrics, WeightsAreRepetitions) {
  const Spread weighted = spread_of({{4, 1}, {1, 3}});
  const Spread plain = spread_of({{1}, {1}, {1}, {4}});
  EXPECT_EQ(weighted.count, 4u);
  EXPECT_DOUBLE_EQ(weighted.mean, plain.mean);
  EXPECT_DOUBLE_EQ(weighted.p95, plain.p95);
  EXPECT_DOUBLE_EQ(weighted.p95, 1 + (0.95 * 3 - 2) * 3);
}

// The official time is from the first start to the last end of a search, and failed searches count as queries.
TEST(VectorMetrics, OfficialThroughputCountsWhatFailed) {
  RunRecord record = closed_search();
  record.workers[1].batches[1].ok = false;
  record.workers[1].failed = 1;
  record.workers[1].answered = record.workers[1].completed = 2;
  const WindowResult result = window_result(record, 0);
  EXPECT_EQ(result.official_queries, 8u);
  EXPECT_DOUBLE_EQ(result.official_s, 0.15);
  EXPECT_DOUBLE_EQ(result.official_qps, 8 / 0.15);
  EXPECT_DOUBLE_EQ(result.official_latency_ms.max, 15);  // of a search of 30 ms with two queries
  EXPECT_DOUBLE_EQ(result.latency_ms.max, 30);           // what its caller waited
  EXPECT_DOUBLE_EQ(result.queries_per_s, 6);             // answered inside the window of one second
  EXPECT_DOUBLE_EQ(result.searches_per_s, 3);
  EXPECT_EQ(result.failed, 1u);
}

TEST(VectorMetrics, RecallIsOfAllQueriesAndTheOfficialOneOfFirstAnswers) {
  const RunRecord record = closed_search();
  EXPECT_DOUBLE_EQ(window_result(record, 0).recall, 5.0 / 8);
  const OfficialRecall recall = official_recall(record, 0);
  ASSERT_EQ(recall.by_query.size(), 3u);
  EXPECT_DOUBLE_EQ(recall.by_query[2].second, 0.2) << "of query 7 the first worker's answer counts";
  EXPECT_DOUBLE_EQ(recall.mean, (0.5 + 0.5 + 0.2) / 3);
  EXPECT_DOUBLE_EQ(recall.min, 0.2);
}

TEST(VectorMetrics, PartitionsDoNotCountTwice) {
  const std::vector<DeviceUse> devices = {{"sda", 1, 1, 100, 0},     {"sda1", 1, 1, 100, 0}, {"nvme0n1", 1, 1, 7, 0},
                                          {"nvme0n1p2", 1, 1, 7, 0}, {"sdb1", 1, 1, 5, 0},   {"dm-0", 1, 1, 3, 0}};
  uint64_t bytes = 0;
  for (const DeviceUse& use : without_partitions(devices)) bytes += use.read_bytes;
  EXPECT_EQ(bytes, 100u + 7 + 5 + 3);
}

TEST(VectorMetrics, ASweepTakesTheLeastEffortThatReachesItsTarget) {
  std::map<uint32_t, SweepStep> tried;
  for (const auto& [effort, recall] : std::map<uint32_t, double>{{10, 0.5}, {20, 0.91}, {40, 0.96}}) {
    tried[effort] = {effort, recall, 1, 1, 1, 1};
  }
  EXPECT_EQ(choose_effort(tried, 0.9).effort, 20u);
  EXPECT_TRUE(choose_effort(tried, 0.95).reached);
  EXPECT_EQ(choose_effort(tried, 0.95).effort, 40u);
  EXPECT_FALSE(choose_effort(tried, 0.99).reached);
  EXPECT_EQ(choose_effort(tried, 0.99).effort, 40u);
  tried[5] = {5, 0.99, 1, 1, 1, 1};  // a server that had not built its index yet
  EXPECT_EQ(choose_effort(tried, 0.9).effort, 20u) << "more effort can't have less recall";
}

TEST(VectorVerdict, AWindowBelowItsTargetIsACaveat) {
  RunRecord record = closed_search();
  record.windows.front().target = 0.95;
  judge(record, 2);
  ASSERT_EQ(record.caveats.size(), 1u);
  EXPECT_NE(record.caveats.front().find("recall is 0.6250, not the 0.95"), std::string::npos) << record.caveats.front();
}

TEST(VectorVerdict, IsPassedByASearchAsPlanned) {
  RunRecord record = closed_search();
  judge(record, 2);
  EXPECT_EQ(record.verdict, run::Verdict::kPassed) << record.reasons.front();
  EXPECT_TRUE(record.caveats.empty());
}

TEST(VectorVerdict, FailsOnRecallZeroOnErrorsAndOnRowsThatDoNotMatch) {
  const auto reason_of = [](const auto& spoil) {
    RunRecord record = closed_search();
    spoil(record);
    judge(record, 2);
    EXPECT_EQ(record.verdict, run::Verdict::kFailed);
    return record.reasons.empty() ? std::string() : record.reasons.front();
  };
  EXPECT_NE(reason_of([](RunRecord& record) {
              for (WorkerWindow& worker : record.workers) worker.recall_sum = 0;
            }).find("recall is 0.0 for all 8"),
            std::string::npos);
  EXPECT_NE(reason_of([](RunRecord& record) {
              record.workers[0].failed = 1;
              record.workers[0].first_error = "Milvus: Search: gone";
            }).find("1 of 4 searches failed; the first: Milvus: Search: gone"),
            std::string::npos);
  EXPECT_NE(reason_of([](RunRecord& record) { record.truth.rows_right = 0; }).find("16 of 16 rows"), std::string::npos);
  EXPECT_NE(reason_of([](RunRecord& record) { record.workers.pop_back(); }).find("1 of 2 workers"), std::string::npos);
}

// One lost search of thousands is told, and the run is no result; it is not thrown away.
TEST(VectorVerdict, AFewFailuresAreACaveat) {
  RunRecord record = closed_search();
  record.workers[0].batches.resize(2000, {0, kMs, 2, true});
  record.workers[0].failed = 1;
  record.workers[0].first_error = "late";
  judge(record, 2);
  EXPECT_EQ(record.verdict, run::Verdict::kPassed);
  ASSERT_EQ(record.caveats.size(), 1u);
  EXPECT_NE(record.caveats.front().find("1 of 2002 searches failed"), std::string::npos);
}

TEST(VectorVerdict, ALoadThatLostRowsFails) {
  RunRecord record;
  record.ranks = 1;
  record.source.rows = 100;
  RankLoad load;
  load.end = load.inserted = 100;
  record.loads = {load};
  record.facts.rows = 100;
  RunRecord lost = record, unbuilt = record;
  judge(record, 1);
  EXPECT_EQ(record.verdict, run::Verdict::kPassed);
  lost.facts.rows = 99;
  judge(lost, 1);
  EXPECT_EQ(lost.reasons.front(), "the collection has 99 rows after the load of 100");
  unbuilt.facts.indexed_rows = 60;
  judge(unbuilt, 1);
  EXPECT_EQ(unbuilt.reasons.front(), "the index covers 60 of 100 rows");
}

TEST(VectorFiles, StorageTargetsAreClassifiedByTheirMount) {
  const std::string mounts =
      "/dev/sda1 / ext4 rw 0 0\nserver:/export /mnt/my\\040data nfs4 rw 0 0\nproc /proc proc rw 0 0\n";
  const Json local = results::storage_target("/usr", mounts), none = results::storage_target("", mounts);
  const Json remote = results::storage_target("/mnt/my data/x", mounts);
  EXPECT_EQ(*local.find("fstype"), Json("ext4"));
  EXPECT_EQ(*local.find("applicable"), Json(true));
  EXPECT_EQ(*remote.find("mountpoint"), Json("/mnt/my data"));
  EXPECT_EQ(*remote.find("applicable"), Json(false));
  EXPECT_EQ(*none.find("confidence"), Json("heuristic"));
  EXPECT_EQ(*none.find("network_mounts_detected"), Json({"nfs4:/mnt/my data"}));
}

TEST(VectorFiles, BytesAreWrittenByStepsOf1024) {
  EXPECT_EQ(results::formatted_bytes(0), "0.00 B");
  EXPECT_EQ(results::formatted_bytes(1536), "1.50 KB");
  EXPECT_EQ(results::formatted_bytes(uint64_t{5} << 40), "5.00 TB");
}

// mlpstorage 3.0 knows the runs of its classes by these hashes.
TEST(VectorFiles, RunsOfTheOfficialClassesHaveTheirHashes) {
  const auto hash_of = [](uint64_t rows, bool searches) {
    results::RunContext context;
    context.class_keys = searches ? &results::kVectorDbRunClass : &results::kVectorDbLoadClass;
    const auto set = [&](const char* key, std::string value) {
      context.values[key] = {std::move(value), workloads::ValueSource::kWorkloadFile};
    };
    set("database.database", "milvus");
    set("index.index_type", "DISKANN");
    set("index.max_degree", "64");
    set("dataset.num_vectors", std::to_string(rows));
    set("dataset.dimension", "1536");
    set("benchmark.recall_k", "10");
    set("benchmark.search_limit", "10");
    return results::core_config(context).hash;
  };
  EXPECT_EQ(hash_of(1'000'000, true), "ca2c35c3ac5e1435");
  EXPECT_EQ(hash_of(1'000'000, false), "b1b5432e8df37e87");
  EXPECT_EQ(hash_of(10'000'000, true), "dc1cbde618673c2f");
  EXPECT_EQ(hash_of(10'000'000, false), "5c42715ad79edd79");
}

TEST(VectorPlan, SizesAreThoseOfMlpstorage) {
  Settings settings;
  settings.source.rows = 10'000'000;
  settings.source.dimension = 1536;
  settings.collection.shards = 10;
  EXPECT_DOUBLE_EQ(official_bytes(settings) / 1e9, 798.72);
  const std::string plan = results::plan_table(settings, {"closed", "datasize", 1});
  EXPECT_NE(plan.find("61.44 GB"), std::string::npos);
  EXPECT_NE(plan.find("798.72 GB: raw size x 130 %"), std::string::npos) << plan;
}

TEST(VectorPlan, EffortIsRaisedToTheNeighboursWhereItCountsCandidates) {
  EXPECT_EQ(effective_effort(IndexKind::kHnsw, 5, 10), 10u);
  EXPECT_EQ(effective_effort(IndexKind::kDiskAnn, 5, 10), 10u);
  EXPECT_EQ(effective_effort(IndexKind::kIvfFlat, 5, 10), 5u);
}

}  // namespace
}  // namespace mlps::vectordb
