#include "benchmarks/vectordb/rules.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "search_fixture.hpp"

namespace mlps::vectordb {
namespace {

struct ClosedRun {
  RunRecord record = test::closed_search();
  RuleFacts facts;

  ClosedRun() {
    facts.closed = true;
    facts.results_dir = "/results";
    facts.same_file_system = false;
    facts.overrides = {"search.search_ef", "storage.storage_root"};
    facts.record = &record;
  }
};

std::set<std::string> broken_by(const std::function<void(ClosedRun&)>& change) {
  ClosedRun run;
  change(run);
  std::set<std::string> broken;
  for (const Rule& rule : rules()) {
    if (rule.broken(run.facts)) broken.emplace(rule.id);
  }
  return broken;
}

TEST(VectorRules, HaveIdsOfTheirOwnAndAreKeptByARunAsTheyWantIt) {
  std::set<std::string_view> ids;
  for (const Rule& rule : rules()) ids.insert(rule.id);
  EXPECT_EQ(ids.size(), rules().size());
  EXPECT_EQ(broken_by([](ClosedRun&) {}), std::set<std::string>());
}

TEST(VectorRules, AreEachBrokenByTheirExample) {
  const std::map<std::string, std::function<void(ClosedRun&)>> examples = {
      {"5.1.1", [](ClosedRun& run) { run.record.source.rows = run.record.facts.rows = run.record.truth.rows = 0; }},
      {"5.1.2", [](ClosedRun& run) { run.record.search.dimension = 768; }},
      {"5.2.1", [](ClosedRun& run) { run.record.facts.rows = 999'999; }},
      {"5.2.2", [](ClosedRun& run) { run.record.facts.indexed_rows = 5; }},
      {"5.3.2",
       [](ClosedRun& run) {
         for (WorkerWindow& worker : run.record.workers) worker.recall_sum = 0;
       }},
      {"5.3.5", [](ClosedRun& run) { run.record.truth.rows = 10'000; }},
      {"5.4.1", [](ClosedRun& run) { run.record.storage_root = "/results"; }},
      {"5.4.2", [](ClosedRun& run) { run.facts.same_file_system = true; }},
      {"5.5.1", [](ClosedRun& run) { run.facts.object = true; }},
      {"5.6.2", [](ClosedRun& run) { run.record.engine = EngineKind::kPgvector; }},
      {"5.6.3", [](ClosedRun& run) { run.record.facts.index = run.record.collection.index = IndexKind::kFlat; }},
      {"5.6.4", [](ClosedRun& run) { run.facts.overrides.emplace_back("database.host"); }},
      {"5.6.5", [](ClosedRun& run) {
         run.facts.closed = false;
         run.facts.overrides.emplace_back("dataset.distribution");
       }}};
  for (const auto& [id, change] : examples) EXPECT_EQ(broken_by(change), std::set<std::string>{id}) << id;
  const auto nothing = broken_by([](ClosedRun& run) {
    for (WorkerWindow& worker : run.record.workers) worker = {};
  });
  EXPECT_TRUE(nothing.contains("5.3.3") && nothing.contains("5.3.4"));
}

TEST(VectorRules, LetOpenSayWhereTheDatabaseIs) {
  const auto broken = broken_by([](ClosedRun& run) {
    run.facts.closed = false;
    run.facts.overrides.emplace_back("database.host");
  });
  EXPECT_EQ(broken, std::set<std::string>());
}

}  // namespace
}  // namespace mlps::vectordb
