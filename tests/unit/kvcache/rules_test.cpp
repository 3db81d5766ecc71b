#include "benchmarks/kvcache/rules.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "base/units.hpp"

namespace mlps::kvcache {
namespace {

/// A closed run of two ranks that keeps every rule.
struct ClosedRun {
  RunRecord record;
  RuleFacts facts;

  ClosedRun() {
    record.settings.options = {closed_option(1), closed_option(2), closed_option(3)};
    record.ranks = 2;
    record.hosts.resize(1);
    for (uint32_t option = 1; option <= 3; ++option) {
      for (uint32_t window = 0; window < 6; ++window) add_window(option, window / 2, window % 2);
    }
    facts.closed = true;
    facts.ranks_per_host = 2;
    facts.same_file_system = false;
    facts.command_line = "mlpstorage closed kvcache run";
    facts.storage_settings = "engine";
    facts.record = &record;
  }
  void add_window(uint32_t option, uint32_t number, uint32_t rank) {
    RankTrial trial;
    trial.option = option;
    trial.trial = number;
    trial.rank = rank;
    trial.seed = 42 + rank;
    trial.elapsed_s = 300;
    trial.entries[2] = 1;
    trial.tiers[2].read.inside = trial.tiers[2].written.inside = kGiB;
    trial.tiers[2].read_device_s = trial.tiers[2].write_device_s = {0.1};
    record.trials.push_back(trial);
  }
};

TEST(Rules, AreNineteenWithIdsOfTheirOwn) {
  std::set<std::string_view> ids, names;
  for (const Rule& rule : rules()) {
    ids.insert(rule.id);
    names.insert(rule.name);
    EXPECT_FALSE(rule.text.empty());
  }
  EXPECT_EQ(ids.size(), 19u);
  EXPECT_EQ(names.size(), 19u);
}

TEST(Rules, AreAllKeptByARunAsTheyWantIt) {
  const ClosedRun run;
  for (const Rule& rule : rules()) EXPECT_EQ(rule.broken(run.facts), std::nullopt) << rule.id;
}

TEST(Rules, AreEachBrokenByARunThatBreaksThem) {
  const std::map<std::string_view, std::function<void(ClosedRun&)>> breaks = {
      {"6.3.1.1", [](ClosedRun& run) { run.record.settings.options[1].users = 99; }},
      {"6.3.2.1", [](ClosedRun& run) { run.record.settings.inter_option_delay_s = 20; }},
      {"6.3.2.2", [](ClosedRun& run) { run.record.settings.arrival = Arrival::kClosed; }},
      {"6.3.3.1", [](ClosedRun& run) { run.record.ranks = 3; }},
      {"6.3.3.2", [](ClosedRun& run) { run.record.trials.pop_back(); }},
      {"6.3.3.3", [](ClosedRun& run) { run.record.trials[1].rank = 0; }},
      {"6.3.3.4", [](ClosedRun& run) { run.record.hosts.clear(); }},
      {"6.3.4.1", [](ClosedRun& run) { run.record.trials.pop_back(); }},
      {"6.3.4.2", [](ClosedRun& run) { run.record.trials.pop_back(); }},
      {"6.3.4.3",
       [](ClosedRun& run) {
         for (RankTrial& trial : run.record.trials) trial.tiers[2].read_device_s.clear();
       }},
      {"6.3.4.4",
       [](ClosedRun& run) {
         for (RankTrial& trial : run.record.trials) trial.entries[2] = 0;
       }},
      {"6.3.4.5",
       [](ClosedRun& run) {
         for (RankTrial& trial : run.record.trials) trial.tiers[2].write_device_s.clear();
       }},
      {"6.4.1", [](ClosedRun& run) { run.facts.same_file_system = true; }},
      {"6.4.2", [](ClosedRun& run) { run.record.settings.io = KvIo::kDirect; }},
      {"6.5.1", [](ClosedRun& run) { run.facts.object = true; }},
      {"6.5.2", [](ClosedRun& run) { run.facts.storage_settings.clear(); }},
      {"6.6.1", [](ClosedRun& run) { run.record.settings.multi_turn = false; }},
      {"6.6.2",
       [](ClosedRun& run) {
         run.facts.closed = false;
         run.record.settings.options.clear();
       }},
      {"6.6.3", [](ClosedRun& run) { run.facts.command_line.clear(); }}};
  for (const Rule& rule : rules()) {
    ClosedRun run;
    ASSERT_TRUE(breaks.contains(rule.id)) << rule.id;
    breaks.at(rule.id)(run);
    EXPECT_NE(rule.broken(run.facts), std::nullopt) << rule.id << " " << rule.name;
  }
}

TEST(Rules, FeaturesBreakThoseOfClosedAndNoneOfOpen) {
  const auto check = [](const char* id, const std::function<void(Settings&)>& change) {
    for (const bool closed : {true, false}) {
      ClosedRun run;
      run.facts.closed = closed;
      change(run.record.settings);
      for (const Rule& rule : rules()) {
        if (rule.id == id) {
          EXPECT_EQ(rule.broken(run.facts).has_value(), closed) << id;
        }
      }
    }
  };
  check("6.3.2.1", [](Settings& settings) { settings.tuning.decode_batch = 16; });
  check("6.3.2.2", [](Settings& settings) { settings.tuning.scaling.mode = AutoscalerMode::kQos; });
  check("6.6.1", [](Settings& settings) { settings.tuning.rag.documents = 10; });
  check("6.6.1", [](Settings& settings) { settings.phases = Phases::kPrefillOnly; });
  check("6.6.1", [](Settings& settings) { settings.preconditioning.emplace(); });
}

TEST(Rules, OpenMayVaryTheWorkload) {
  ClosedRun run;
  run.facts.closed = false;
  run.record.settings.options[0].users = 5;
  run.record.settings.seed = 42;
  run.record.settings.io = KvIo::kDirect;
  run.facts.object = true;
  for (const char* id : {"6.3.1.1", "6.3.2.1", "6.4.2", "6.5.1", "6.6.1"}) {
    for (const Rule& rule : rules()) {
      if (rule.id == id) {
        EXPECT_EQ(rule.broken(run.facts), std::nullopt) << id;
      }
    }
  }
}

}  // namespace
}  // namespace mlps::kvcache
