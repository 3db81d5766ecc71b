#include "benchmarks/kvcache/engine.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/units.hpp"
#include "benchmarks/kvcache/metrics.hpp"
#include "virtual_io.hpp"

namespace mlps::kvcache {
namespace {

OptionPlan small_option(uint32_t users) {
  OptionPlan option = closed_option(1);
  option.model = *find_model("tiny-1b");
  option.users = users;
  return option;
}

RankTrial simulate(const Settings& settings, const OptionPlan& option, std::array<uint64_t, kTiers> limits,
                   test::VirtualIo& io, double seconds) {
  Engine engine(settings, option, 42, {limits}, io);
  io.run(engine, seconds);
  EXPECT_EQ(io.problems, "");
  return engine.finish();
}

const TierTraffic& of(const RankTrial& trial, Tier tier) {
  return trial.tiers[static_cast<size_t>(tier)];
}

TEST(Engine, FastStorageServesAllThatIsOffered) {
  test::VirtualIo io;
  io.fixed_ns = 1000;
  const RankTrial trial = simulate({}, small_option(50), {0, 0, Tiers::kUnlimited}, io, 20);
  EXPECT_GE(trial.served.size() + 50, trial.offered);
  EXPECT_NEAR(static_cast<double>(trial.offered), 50 * 20 * 2.46, 50 * 20 * 2.46 * 0.25);
  EXPECT_EQ(trial.decode.misses, 0u);
  EXPECT_EQ(of(trial, Tier::kStorage).written.inside, io.written);
  EXPECT_EQ(of(trial, Tier::kStorage).read.inside, io.read);
}

TEST(Engine, SameSeedSameRequestsWhateverTheStorageDoes) {
  test::VirtualIo fast, slow;
  fast.fixed_ns = 1000;
  slow.fixed_ns = 50'000'000;
  const RankTrial a = simulate({}, small_option(20), {0, 0, Tiers::kUnlimited}, fast, 10);
  const RankTrial b = simulate({}, small_option(20), {0, 0, Tiers::kUnlimited}, slow, 10);
  EXPECT_EQ(a.offered, b.offered);
  test::VirtualIo again;
  again.fixed_ns = 1000;
  const RankTrial c = simulate({}, small_option(20), {0, 0, Tiers::kUnlimited}, again, 10);
  ASSERT_EQ(a.served.size(), c.served.size());
  for (size_t i = 0; i < a.served.size(); ++i) EXPECT_EQ(a.served[i].end_to_end_s, c.served[i].end_to_end_s);
}

TEST(Engine, AResumedConversationReadsAllItsSurvivingTurns) {
  // One user who is served at once: turn n reads n - 1 earlier turns, not the last one alone.
  test::VirtualIo io;
  io.fixed_ns = 1000;
  const Settings settings;
  const OptionPlan option = small_option(1);
  const RankTrial trial = simulate(settings, option, {0, 0, Tiers::kUnlimited}, io, 200);
  User user({}, 42, 0);
  uint64_t expected = 0;
  for (uint64_t i = 0; i < trial.offered; ++i) {
    user.draw_wait();
    expected += user.next({}, true).key.turn - 1;
  }
  EXPECT_GT(expected, 100u);
  EXPECT_EQ(trial.earlier_turns.hits, expected);
  EXPECT_EQ(trial.earlier_turns.misses, 0u);
}

TEST(Engine, DecodeReadsAreInTheRequestsStorageTime) {
  test::VirtualIo io;
  io.fixed_ns = 1'000'000;
  const RankTrial trial = simulate({}, small_option(3), {0, 0, Tiers::kUnlimited}, io, 30);
  const double operations = static_cast<double>(trial.reads + trial.writes);
  EXPECT_NEAR(sum(each(trial.served, &Served::storage_s)), operations * 1e-3, operations * 1e-3 * 0.05 + 0.1);
}

TEST(Engine, DemotionsCountAsWrittenToStorage) {
  // The working set is far more than the CPU tier: nearly all of what storage gets comes by eviction.
  test::VirtualIo io;
  io.fixed_ns = 1000;
  OptionPlan option = small_option(40);
  const RankTrial trial = simulate({}, option, {0, kGiB, 8 * kGiB}, io, 60);
  const TierTraffic& storage = of(trial, Tier::kStorage);
  EXPECT_GT(trial.evictions, 100u);
  EXPECT_GT(storage.demoted_in.inside, storage.written.inside);
  EXPECT_EQ(storage.written.inside + storage.demoted_in.inside, io.written);
  EXPECT_EQ(bytes_written(storage), io.written);
  EXPECT_EQ(of(trial, Tier::kCpu).demoted_out.inside, storage.demoted_in.inside);
  EXPECT_LE(trial.used_bytes[2], 8 * kGiB + 16 * option.model.entry_bytes(25'000));
}

TEST(Engine, ALargerMemoryTierDoesNotRaiseTheStoragesFigures) {
  const auto storage_read = [](uint64_t cpu) {
    test::VirtualIo io;
    io.fixed_ns = 1000;
    const RankTrial trial = simulate({}, small_option(40), {0, cpu, Tiers::kUnlimited}, io, 30);
    EXPECT_EQ(bytes_read(of(trial, Tier::kStorage)), io.read) << "RAM hits are no storage reads";
    return bytes_read(of(trial, Tier::kStorage));
  };
  EXPECT_LT(storage_read(4 * kGiB), storage_read(2 * kGiB));
}

TEST(Engine, EvictedEntriesAreWrittenAgainAfterAMiss) {
  test::VirtualIo io;
  io.fixed_ns = 2'000'000;
  const RankTrial trial = simulate({}, small_option(60), {0, 0, kGiB}, io, 30);
  EXPECT_GT(trial.evictions, 100u);
  EXPECT_GT(trial.earlier_turns.misses, 0u);
  EXPECT_EQ(of(trial, Tier::kStorage).written.inside, io.written);
}

TEST(Engine, MostUrgentClassGoesFirstAndTheOthersStarve) {
  // As in mlpstorage 3.0: with more offered than served, only interactive users are served after the first seconds.
  test::VirtualIo io;
  io.fixed_ns = 400'000'000;
  OptionPlan option = small_option(200);
  option.max_allocs = 4;
  const RankTrial trial = simulate({}, option, {0, 0, Tiers::kUnlimited}, io, 60);
  EXPECT_GT(trial.waiting, 1000u);
  uint64_t late_batch = 0;
  for (size_t i = trial.served.size() / 2; i < trial.served.size(); ++i) late_batch += trial.served[i].qos == 2 ? 1 : 0;
  EXPECT_LT(late_batch, trial.served.size() / 4);
}

TEST(Engine, AllocationsAtOnceAreLimited) {
  class Counting final : public EntryIo {
   public:
    void start(EntryOp& op) override {
      if (op.writes) most = std::max(most, ++writes);
      held.push_back(&op);
    }
    void remove(Tier, const std::string&) override {}
    size_t writes = 0, most = 0;
    std::vector<EntryOp*> held;
  } io;
  OptionPlan option = small_option(100);
  option.max_allocs = 4;
  Engine engine({}, option, 42, {{0, 0, Tiers::kUnlimited}}, io);
  engine.begin(0);
  engine.advance(5'000'000'000);
  EXPECT_EQ(io.most, 4u);
  EXPECT_EQ(engine.in_service(), 100u);
  engine.close();
}

TEST(Engine, ClosedLoopUsersWait) {
  test::VirtualIo io;
  io.fixed_ns = 100'000'000;
  Settings settings;
  settings.arrival = Arrival::kClosed;
  const RankTrial trial = simulate(settings, small_option(10), {0, 0, Tiers::kUnlimited}, io, 30);
  EXPECT_LE(trial.longest_queue, 10u);
  EXPECT_LE(trial.offered, trial.served.size() + 10);
}

TEST(Engine, PoissonAndGammaArriveAtTheirRate) {
  for (const Arrival arrival : {Arrival::kPoisson, Arrival::kGamma}) {
    test::VirtualIo io;
    io.fixed_ns = 1000;
    Settings settings;
    settings.arrival = arrival;
    settings.request_rate = 100;
    settings.arrival_cv = 2;
    const RankTrial trial = simulate(settings, small_option(10), {0, 0, Tiers::kUnlimited}, io, 100);
    EXPECT_NEAR(static_cast<double>(trial.offered), 10'000, 800) << arrival_name(arrival);
  }
}

TEST(Engine, GenerationTimeIsNoStorageTime) {
  test::VirtualIo io;
  io.fixed_ns = 1000;
  OptionPlan option = small_option(5);
  option.generation = GenerationMode::kFast;
  const RankTrial trial = simulate({}, option, {0, 0, Tiers::kUnlimited}, io, 20);
  ASSERT_FALSE(trial.served.empty());
  for (const Served& request : trial.served) {
    EXPECT_NEAR(request.generation_s, request.tokens * 0.002, 1e-9);
    EXPECT_GE(request.end_to_end_s, request.generation_s);
    EXPECT_LT(request.storage_s, 0.01);
  }
}

TEST(Engine, WithoutConversationsNothingEarlierIsRead) {
  test::VirtualIo io;
  io.fixed_ns = 1000;
  Settings settings;
  settings.multi_turn = settings.prefix_caching = false;
  const RankTrial trial = simulate(settings, small_option(10), {0, 0, Tiers::kUnlimited}, io, 20);
  EXPECT_EQ(trial.earlier_turns.hits + trial.earlier_turns.misses, 0u);
  EXPECT_EQ(trial.prefix.misses + trial.prefix_misses, 0u);
  EXPECT_GT(trial.decode.hits, 0u);
}

// ---- what requests do

TEST(Engine, PrefillOnlyWritesAndReadsEarlierTurnsAlone) {
  test::VirtualIo io;
  io.fixed_ns = 1000;
  Settings settings;
  settings.phases = Phases::kPrefillOnly;
  const RankTrial trial = simulate(settings, small_option(20), {0, 0, Tiers::kUnlimited}, io, 20);
  EXPECT_EQ(trial.decode.hits + trial.decode.misses, 0u);
  EXPECT_EQ(trial.decode_reads, 0u);
  EXPECT_GT(trial.earlier_turns.hits, 0u);
  EXPECT_EQ(trial.reads, trial.earlier_turns.hits);
  EXPECT_EQ(trial.writes, trial.prefill_writes);
}

TEST(Engine, DecodeOnlyReadsTenEntriesPerUserThatWereThereBefore) {
  test::VirtualIo io;
  io.fixed_ns = 1000;
  Settings settings;
  settings.phases = Phases::kDecodeOnly;
  const OptionPlan option = small_option(200);
  const RankTrial trial = simulate(settings, option, {0, 0, Tiers::kUnlimited}, io, 10);
  EXPECT_EQ(trial.prepared_entries, 2000u);
  EXPECT_EQ(trial.prepared_bytes, 2000 * option.model.entry_bytes(2048));
  EXPECT_EQ(trial.writes, 0u) << "what was there before the window is not counted in it";
  EXPECT_EQ(trial.decode.misses + trial.earlier_turns.hits + trial.prefill_writes, 0u);
  EXPECT_EQ(io.read, trial.reads * option.model.entry_bytes(2048));
  EXPECT_GT(trial.served.size(), 100u);
  const double planned = offered_load(settings, option).decode_reads;
  EXPECT_NEAR(static_cast<double>(trial.reads) / static_cast<double>(trial.served.size()), planned, 0.15 * planned);
}

TEST(Engine, PreconditioningFillsTheStorageAndLeavesForRequests) {
  test::VirtualIo io;
  io.fixed_ns = 1000;
  Settings settings;
  settings.preconditioning = {0, 64};
  const OptionPlan option = small_option(20);
  const uint64_t each = option.model.entry_bytes(2048), capacity = 100 * each;
  test::VirtualIo without;
  without.fixed_ns = 1000;
  const RankTrial fresh = simulate({}, option, {0, 0, capacity}, without, 2);
  const RankTrial full = simulate(settings, option, {0, 0, capacity}, io, 2);
  EXPECT_EQ(full.prepared_entries, 200u) << "twice the capacity";
  EXPECT_GT(full.evictions, fresh.evictions);
  EXPECT_EQ(full.offered, fresh.offered);
  EXPECT_LE(full.used_bytes[2], capacity);
  EXPECT_EQ(full.used_bytes[2], io.held_bytes(Tier::kStorage)) << "what is there is what is counted";
}

TEST(Engine, RequestsLookThingsUpInDocuments) {
  test::VirtualIo io;
  io.fixed_ns = 1000;
  Settings settings;
  settings.tuning.rag.documents = 10;
  const RankTrial with = simulate(settings, small_option(40), {0, 0, Tiers::kUnlimited}, io, 60);
  test::VirtualIo other;
  other.fixed_ns = 1000;
  const RankTrial without = simulate({}, small_option(40), {0, 0, Tiers::kUnlimited}, other, 60);
  const auto own = static_cast<double>(without.offered);
  EXPECT_NEAR(static_cast<double>(with.offered), own * 1.1, own * 0.02) << "a tenth asks about a document besides";
  const auto chunks = static_cast<double>(with.documents.hits + with.documents.misses);
  EXPECT_NEAR(chunks, own * 1.1 * 0.1 * 5, own * 0.1);
  EXPECT_GT(with.documents.hits, 100 * with.documents.misses) << "documents are there after a moment";
  EXPECT_EQ(with.prefill_writes, without.prefill_writes);
}

TEST(Engine, OfMoreDocumentsThanAreHeldTheOldestLeaves) {
  test::VirtualIo io;
  io.fixed_ns = 1000;
  Settings settings;
  settings.tuning.rag.documents = 10;
  settings.tuning.rag.most_documents = 4;
  settings.tuning.rag.probability = 0;
  settings.phases = Phases::kDecodeOnly;  // so that nothing else is written
  const OptionPlan option = small_option(1);
  const RankTrial trial = simulate(settings, option, {0, 0, Tiers::kUnlimited}, io, 10);
  const Documents documents(settings.tuning.rag, option.model, 1, 42);
  uint64_t held = 10;  // prepopulated
  for (uint32_t document = 6; document < 10; ++document) held += documents.chunks(document);
  EXPECT_EQ(trial.entries[2], held);
  EXPECT_EQ(trial.used_bytes[2], io.held_bytes(Tier::kStorage));
}

TEST(Documents, HaveSizesOfTheirModelAndChunksThatAreDrawnOnce) {
  RagRules rules;
  rules.documents = 500;
  const Documents small(rules, *find_model("llama3.1-8b"), 1, 7),
      large(rules, *find_model("llama3.1-70b-instruct"), 1, 7);
  uint32_t least = UINT32_MAX, most = 0;
  std::map<uint32_t, int> drawn;
  Random random(3);
  for (uint32_t i = 0; i < small.count(); ++i) {
    least = std::min(least, small.chunks(i));
    most = std::max(most, small.chunks(i));
    EXPECT_LE(large.chunks(i), 8u);
    const Documents::LookUp found = small.draw(random);
    EXPECT_EQ(found.chunks.size(), 5u);
    EXPECT_EQ(std::set<uint32_t>(found.chunks.begin(), found.chunks.end()).size(), 5u);
    for (const uint32_t chunk : found.chunks) ++drawn[chunk];
  }
  EXPECT_LE(least, 9u);
  EXPECT_EQ(most, 24u);
  EXPECT_GT(drawn[0], 2 * drawn[7]) << "the first chunks are asked for most";
  rules.most_chunk_bytes = 10 * 131'072;
  EXPECT_EQ(Documents(rules, *find_model("llama3.1-8b"), 1, 7).chunk_tokens(0, 0), 10u);
}

TEST(Engine, UsersComeWhileTheStorageIsFast) {
  test::VirtualIo io;
  io.fixed_ns = 1000;
  Settings settings;
  settings.tuning.scaling.mode = AutoscalerMode::kQos;
  const RankTrial trial = simulate(settings, small_option(10), {0, 0, Tiers::kUnlimited}, io, 65);
  ASSERT_EQ(trial.scaling.size(), 6u);
  EXPECT_EQ(trial.scaling.back().users, 29u) << "10 by 1.2, six times, rounded each time";
  test::VirtualIo other;
  other.fixed_ns = 1000;
  const RankTrial without = simulate({}, small_option(10), {0, 0, Tiers::kUnlimited}, other, 65);
  EXPECT_GT(static_cast<double>(trial.offered), 1.3 * static_cast<double>(without.offered))
      << "they send requests, too";
}

TEST(Engine, UsersGoWhileTheStorageIsSlowAndCapacityEndsTheWindow) {
  test::VirtualIo slow;
  slow.fixed_ns = 3'000'000'000;
  Settings settings;
  settings.tuning.scaling.mode = AutoscalerMode::kQos;
  settings.tuning.scaling.history = 2;
  settings.tuning.scaling.target_saturation = 0.4;
  const RankTrial trial = simulate(settings, small_option(100), {0, 0, Tiers::kUnlimited}, slow, 200);
  EXPECT_LT(trial.scaling.back().users, 100u);
  test::VirtualIo io;
  io.fixed_ns = 1000;
  settings.tuning.scaling.mode = AutoscalerMode::kCapacity;
  settings.tuning.scaling.most = 10;  // more users can't come, so there is no further peak
  const RankTrial capacity = simulate(settings, small_option(10), {0, 0, Tiers::kUnlimited}, io, 600);
  EXPECT_EQ(capacity.scaling.back().act, ScalingAct::kStop);
  EXPECT_LT(capacity.scaling.back().at_s, 300);
}

}  // namespace
}  // namespace mlps::kvcache
