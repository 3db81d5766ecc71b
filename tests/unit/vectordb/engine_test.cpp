#include "benchmarks/vectordb/engine.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <string>

#include "benchmarks/vectordb/embedded.hpp"
#include "benchmarks/vectordb/vector_source.hpp"
#include "storage/open.hpp"

namespace mlps::vectordb {
namespace {

constexpr IndexKind kAllIndexes[]{IndexKind::kFlat, IndexKind::kIvfFlat, IndexKind::kIvfSq8,
                                  IndexKind::kHnsw, IndexKind::kDiskAnn, IndexKind::kAiSaq};

class Engine : public testing::Test {
 protected:
  static constexpr uint32_t kDimension = 24;
  static constexpr uint64_t kRows = 700;

  Engine() {
    const char* parent = std::getenv("MLPS_TEST_TMP");
    path_ = std::string(parent == nullptr ? "/tmp" : parent) + "/vectordb-XXXXXX";
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
    store_ = open_store("");
  }
  ~Engine() override {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::unique_ptr<storage::Store> open_store(const std::string& fault) const {
    storage::StoreOptions options;
    options.fadvise = storage::FadviseMode::kNone;
    options.fault = fault;
    return storage::open_store(*parse_location(path_), options, Environment()).value();
  }

  static std::unique_ptr<VectorSource> source(uint64_t rows, Stream stream, bool normalise = true) {
    SourceSpec spec;
    spec.distribution = Distribution::kClustered;
    spec.dimension = kDimension;
    spec.rows = rows;
    spec.stream = stream;
    spec.normalise = normalise;
    spec.clustered.clusters = 40;
    spec.clustered.ambient = 16;
    spec.clustered.intrinsic_dimension = 8;
    return make_source(spec).value();
  }
  static VectorBlock rows_of(const VectorSource& source) {
    VectorBlock block(kDimension, source.rows());
    EXPECT_TRUE(source.read(0, block.values));
    return block;
  }

  static CollectionSpec spec_of(IndexKind index, Metric metric = Metric::kCosine) {
    CollectionSpec spec;
    spec.dimension = kDimension;
    spec.expected_rows = kRows;
    spec.metric = metric;
    spec.index = index;
    spec.max_degree = 16;
    spec.search_list_size = 32;
    spec.lists = 10;
    spec.code_bytes = 12;
    return spec;
  }
  std::unique_ptr<SearchEngine> engine(const std::string& name = "c") const {
    return make_embedded_engine(*store_, name);
  }

  /// Makes a collection with all rows, in inserts of 300, and its index.
  std::unique_ptr<SearchEngine> built(const CollectionSpec& spec, const VectorBlock& rows,
                                      const std::string& name = "c") {
    auto made = engine(name);
    EXPECT_TRUE(made->create(spec));
    for (size_t first = 0; first < rows.rows(); first += 300) {
      EXPECT_TRUE(made->insert(first, rows.view().slice(first, std::min<size_t>(300, rows.rows() - first))));
    }
    EXPECT_TRUE(made->flush());
    const auto status = made->build({.threads = 2});
    EXPECT_TRUE(status) << status.error().message;
    return made;
  }

  struct Outcome {
    double recall = 0;
    QueryCost cost;
  };
  static Outcome search(SearchEngine& engine, VectorView queries, const SearchParams& params,
                        const GroundTruth& truth) {
    auto session = engine.open_session().value();
    SearchAnswers answers;
    const auto done = session->search(queries, params, answers);
    EXPECT_TRUE(done) << done.error().message;
    Outcome outcome{.cost = answers.cost};
    for (size_t q = 0; q < queries.rows(); ++q) {
      std::vector<uint64_t> keys;
      for (size_t i = 0; i < answers.of(q).size(); ++i) {
        keys.push_back(answers.of(q)[i].key);
        EXPECT_TRUE(params.filter.contains(keys.back()));
        EXPECT_LE(answers.of(q)[i].score, answers.of(q)[i == 0 ? 0 : i - 1].score);
      }
      EXPECT_EQ(std::set<uint64_t>(keys.begin(), keys.end()).size(), keys.size());
      outcome.recall += recall_of(truth.of(q), keys, params.k) / static_cast<double>(queries.rows());
    }
    return outcome;
  }

  std::string file(const std::string& name) const { return path_ + "/" + name; }
  static void flip(const std::string& path, uint64_t at) {
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(stream.get() ^ 0x10);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(byte);
    ASSERT_TRUE(stream.good());
  }

  std::string path_;
  std::unique_ptr<storage::Store> store_;
};

TEST_F(Engine, EveryIndexFindsTheNearestRowsByEveryMetric) {
  for (const auto metric : {Metric::kCosine, Metric::kL2, Metric::kInnerProduct}) {
    const auto base = source(kRows, Stream::kBase, metric == Metric::kCosine);
    const auto rows = rows_of(*base);
    const auto queries = rows_of(*source(50, Stream::kQuery, metric == Metric::kCosine));
    const auto truth = compute_truth(*base, queries.view(), {.metric = metric, .k = 10}).value();
    for (const auto kind : kAllIndexes) {
      if (kind == IndexKind::kAiSaq && metric != Metric::kCosine) continue;  // differs in the place of codes only
      const std::string name = std::string(index_name(kind)) + std::string(metric_name(metric));
      auto made = built(spec_of(kind, metric), rows, name);
      ASSERT_TRUE(made->load({}));
      const auto outcome = search(*made, queries.view(), {.k = 10, .effort = 100}, truth);
      EXPECT_GT(outcome.recall, kind == IndexKind::kFlat ? 0.999 : 0.97) << name;
      auto session = made->open_session().value();
      SearchAnswers answers;
      ASSERT_TRUE(session->search(queries.view().slice(0, 1), {.k = 1, .effort = 100}, answers));
      const double rounding = kind == IndexKind::kIvfSq8 ? 0.03 : 1e-3;  // that one answers by its codes
      EXPECT_NEAR(answers.of(0)[0].score, truth.of(0)[0].score, rounding * std::abs(truth.of(0)[0].score)) << name;
    }
  }
}

TEST_F(Engine, ReadsAreCountedAndACacheSavesThem) {
  const auto base = source(kRows, Stream::kBase);
  const auto queries = rows_of(*source(50, Stream::kQuery));
  const auto truth = compute_truth(*base, queries.view(), {.k = 10}).value();
  auto made = built(spec_of(IndexKind::kDiskAnn), rows_of(*base));
  ASSERT_TRUE(made->load({}));
  const auto cold = search(*made, queries.view(), {.k = 10, .effort = 40}, truth);
  EXPECT_GT(cold.cost.reads, 50U);
  EXPECT_EQ(cold.cost.bytes, cold.cost.reads * 4096);
  EXPECT_EQ(cold.cost.rounds, cold.cost.reads);
  EXPECT_EQ(cold.cost.cache_hits, 0U);
  const auto wide = search(*made, queries.view(), {.k = 10, .effort = 40, .beam_width = 8}, truth);
  EXPECT_LT(wide.cost.rounds, wide.cost.reads / 2);
  const auto without = made->facts()->memory_bytes.value();
  ASSERT_TRUE(made->load({.cache_bytes = 10 * 4096}));
  EXPECT_GE(made->facts()->memory_bytes.value(), without + 10 * 4096);
  const auto warm = search(*made, queries.view(), {.k = 10, .effort = 40}, truth);
  EXPECT_GT(warm.cost.cache_hits, 0U);
  EXPECT_LT(warm.cost.reads, cold.cost.reads);
  EXPECT_NEAR(warm.recall, cold.recall, 0.02);
  ASSERT_TRUE(made->load({.cache_bytes = uint64_t{1} << 30}));
  EXPECT_EQ(search(*made, queries.view(), {.k = 10, .effort = 40}, truth).cost.reads, 0U);
}

TEST_F(Engine, AFilterKeepsRecallAndItsBounds) {
  const auto base = source(kRows, Stream::kBase);
  const auto queries = rows_of(*source(40, Stream::kQuery));
  const KeyRange filter{200, 500};
  const auto truth = compute_truth(*base, queries.view(), {.k = 10, .filter = filter}).value();
  for (const auto kind : {IndexKind::kFlat, IndexKind::kIvfFlat, IndexKind::kHnsw, IndexKind::kDiskAnn}) {
    auto made = built(spec_of(kind), rows_of(*base), std::string(index_name(kind)));
    ASSERT_TRUE(made->load({}));
    EXPECT_GT(search(*made, queries.view(), {.k = 10, .effort = 40, .filter = filter}, truth).recall, 0.95);
  }
}

TEST_F(Engine, ACollectionIsOpenedByAnotherProcess) {
  const auto base = source(kRows, Stream::kBase);
  const auto queries = rows_of(*source(20, Stream::kQuery));
  const auto truth = compute_truth(*base, queries.view(), {.k = 10}).value();
  built(spec_of(IndexKind::kDiskAnn), rows_of(*base)).reset();
  auto opened = engine();
  EXPECT_TRUE(opened->exists().value());
  EXPECT_FALSE(engine("other")->exists().value());
  ASSERT_TRUE(opened->load({}));
  EXPECT_GT(search(*opened, queries.view(), {.k = 10, .effort = 60}, truth).recall, 0.95);
  const auto facts = opened->facts().value();
  EXPECT_EQ(facts.rows, kRows);
  EXPECT_EQ(facts.indexed_rows, kRows);
  EXPECT_EQ(facts.data_bytes, kRows * kDimension * 4);
  EXPECT_EQ(*facts.index_bytes,
            std::filesystem::file_size(file("c/index.pages")) + std::filesystem::file_size(file("c/index.memory")) - 8);
  ASSERT_TRUE(opened->drop());
  EXPECT_FALSE(opened->exists().value());
}

TEST_F(Engine, RowsInsertedAfterTheBuildAreFound) {
  const auto base = source(kRows, Stream::kBase);
  const auto rows = rows_of(*base);
  auto made = engine();
  ASSERT_TRUE(made->create(spec_of(IndexKind::kDiskAnn)));
  ASSERT_TRUE(made->insert(0, rows.view().slice(0, 500)));
  ASSERT_TRUE(made->build({}));
  ASSERT_TRUE(made->load({}));
  ASSERT_TRUE(made->insert(500, rows.view().slice(500, 200)));
  const auto finds_itself = [&](SearchEngine& engine, uint64_t key) {
    SearchAnswers answers;
    auto session = engine.open_session().value();
    return session->search(rows.view().slice(key, 1), {.k = 1, .effort = 60}, answers) && answers.of(0)[0].key == key;
  };
  EXPECT_TRUE(finds_itself(*made, 600));
  EXPECT_TRUE(finds_itself(*made, 100));
  ASSERT_TRUE(made->flush());
  auto again = engine();
  ASSERT_TRUE(again->load({}));
  EXPECT_TRUE(finds_itself(*again, 699));
  EXPECT_EQ(again->facts()->rows, kRows);
  EXPECT_EQ(again->facts()->indexed_rows, 500U);
}

TEST_F(Engine, FewAndEqualRowsAreFound) {
  for (const auto kind : kAllIndexes) {
    auto made = engine(std::string(index_name(kind)));
    ASSERT_TRUE(made->create(spec_of(kind)));
    VectorBlock rows(kDimension, 7);
    for (size_t i = 0; i < 7; ++i) rows.row(i)[0] = 1, rows.row(i)[1] = i < 5 ? 1 : static_cast<float>(i);
    ASSERT_TRUE(made->insert(0, rows.view()));
    ASSERT_TRUE(made->build({}));
    ASSERT_TRUE(made->load({}));
    auto session = made->open_session().value();
    SearchAnswers answers;
    ASSERT_TRUE(session->search(rows.view().slice(0, 1), {.k = 10, .effort = 10}, answers));
    EXPECT_EQ(answers.of(0).size(), 7U) << index_name(kind);
  }
}

TEST_F(Engine, WrongInputIsRefusedByName) {
  const auto rows = rows_of(*source(100, Stream::kBase));
  auto made = engine();
  auto spec = spec_of(IndexKind::kDiskAnn);
  spec.max_degree = 1000;
  EXPECT_EQ(made->create(spec).error().message,
            "collection of the embedded engine: max_degree 1000 is not from 2 to 512");
  ASSERT_TRUE(made->create(spec_of(IndexKind::kDiskAnn)));
  EXPECT_EQ(made->create(spec_of(IndexKind::kDiskAnn)).error().message, "collection c is there already");
  EXPECT_EQ(made->build({}).error().message, "collection c has no rows to build an index of");
  EXPECT_EQ(made->load({}).error().code, ErrorCode::kStorageNotFound);
  auto bad = rows;
  bad.row(7)[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(made->insert(40, bad.view()).error().message, "vector 47 holds a value that is no number, or is too long");
  EXPECT_FALSE(made->insert(0, VectorView(rows.values, 12)));
  ASSERT_TRUE(made->insert(0, rows.view()));
  ASSERT_TRUE(made->flush());
  ASSERT_TRUE(made->insert(60, rows.view().slice(0, 60)));
  EXPECT_EQ(made->flush().error().message, "collection c: keys 60 to 99 were inserted twice");
  EXPECT_EQ(engine("nothing")->load({}).error().code, ErrorCode::kStorageNotFound);
}

TEST_F(Engine, DamageIsAnErrorAndNeverAnAnswer) {
  const auto rows = rows_of(*source(kRows, Stream::kBase));
  built(spec_of(IndexKind::kDiskAnn), rows, "good").reset();
  built(spec_of(IndexKind::kDiskAnn), rows, "other").reset();
  const auto fresh_copy = [&] {
    std::filesystem::remove_all(file("c"));
    std::filesystem::copy(file("good"), file("c"));
  };
  const auto outcome = [&]() -> Status {
    auto opened = engine("c");
    if (auto loaded = opened->load({}); !loaded) return loaded;
    auto session = opened->open_session();
    if (!session) return fail(session.error());
    SearchAnswers answers;
    return (*session)->search(rows.view(), {.k = 10, .effort = 100}, answers);
  };
  fresh_copy();
  ASSERT_TRUE(outcome());
  for (const std::string name : {"index.memory", "index.pages", "collection"}) {
    fresh_copy();
    flip(file("c/" + name), std::filesystem::file_size(file("c/" + name)) / 2);
    EXPECT_EQ(outcome().error().code, ErrorCode::kDataMismatch) << name;
    fresh_copy();
    std::filesystem::resize_file(file("c/" + name), std::filesystem::file_size(file("c/" + name)) / 2);
    EXPECT_FALSE(outcome()) << name << " cut off";
    fresh_copy();
    std::filesystem::remove(file("c/" + name));
    EXPECT_FALSE(outcome()) << name << " removed";
  }
  fresh_copy();
  std::filesystem::copy_file(file("other/index.pages"), file("c/index.pages"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_NE(outcome().error().message.find("of another index"), std::string::npos);
}

TEST_F(Engine, DamageOfAnyIndexIsAnError) {
  const auto rows = rows_of(*source(300, Stream::kBase));
  for (const auto& [kind, name] :
       {std::pair(IndexKind::kHnsw, "index.hnsw"), std::pair(IndexKind::kIvfFlat, "index.lists"),
        std::pair(IndexKind::kIvfSq8, "index.centres")}) {
    auto made = built(spec_of(kind), rows);
    const auto outcome = [&]() -> Status {
      if (auto loaded = made->load({}); !loaded) return loaded;
      SearchAnswers answers;
      return made->open_session().value()->search(rows.view().slice(0, 20), {.k = 5, .effort = 100}, answers);
    };
    ASSERT_TRUE(outcome());
    const auto size = std::filesystem::file_size(file("c/") + name);
    flip(file("c/") + name, size / 3);
    EXPECT_EQ(outcome().error().code, ErrorCode::kDataMismatch) << name;
    flip(file("c/") + name, size / 3);
    std::filesystem::resize_file(file("c/") + name, size / 2);
    EXPECT_EQ(outcome().error().code, ErrorCode::kDataMismatch) << name;
    ASSERT_TRUE(made->drop());
  }
}

TEST_F(Engine, ListsAreReadAtOnceAndMoreOfThemFindMore) {
  const auto base = source(kRows, Stream::kBase);
  const auto queries = rows_of(*source(40, Stream::kQuery));
  const auto truth = compute_truth(*base, queries.view(), {.k = 10}).value();
  auto made = built(spec_of(IndexKind::kIvfFlat), rows_of(*base));
  ASSERT_TRUE(made->load({}));
  const auto one = search(*made, queries.view(), {.k = 10, .effort = 1}, truth);
  const auto all = search(*made, queries.view(), {.k = 10, .effort = 10}, truth);
  EXPECT_EQ(one.cost.reads, 40U);
  EXPECT_EQ(all.cost.reads, 400U);
  EXPECT_EQ(all.cost.rounds, 40U);
  EXPECT_EQ(all.cost.scored, 40 * kRows);
  EXPECT_LT(one.recall, all.recall);
  EXPECT_GT(all.recall, 0.999);
}

TEST_F(Engine, AStoppedBuildGoesOnWhereItsGraphIs) {
  const auto rows = rows_of(*source(kRows, Stream::kBase));
  auto made = engine();
  ASSERT_TRUE(made->create(spec_of(IndexKind::kDiskAnn)));
  ASSERT_TRUE(made->insert(0, rows.view()));
  std::atomic<bool> stop = false;
  const auto stop_at = [&](std::string_view wanted) {
    return [&stop, wanted](std::string_view step, uint64_t, uint64_t) {
      if (step == wanted) stop = true;
    };
  };
  EXPECT_EQ(made->build({.progress = stop_at("graph"), .stop = &stop}).error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(made->load({}).error().code, ErrorCode::kStorageNotFound);
  stop = false;
  EXPECT_EQ(made->build({.progress = stop_at("navigation"), .stop = &stop}).error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(engine()->load({}).error().code, ErrorCode::kStorageNotFound);
  bool built_graph = false;
  ASSERT_TRUE(
      made->build({.progress = [&](std::string_view step, uint64_t, uint64_t) { built_graph |= step == "graph"; }}));
  EXPECT_FALSE(built_graph);
  ASSERT_TRUE(made->load({}));
  for (const auto& entry : std::filesystem::directory_iterator(file("c"))) {
    EXPECT_EQ(entry.path().filename().string().find("build."), std::string::npos) << entry.path();
  }
}

TEST_F(Engine, AMemoryLimitTellsWhatABuildNeeds) {
  auto made = engine();
  ASSERT_TRUE(made->create(spec_of(IndexKind::kDiskAnn)));
  ASSERT_TRUE(made->insert(0, rows_of(*source(kRows, Stream::kBase)).view()));
  const auto error = made->build({.memory_bytes = 1000}).error();
  EXPECT_EQ(error.code, ErrorCode::kConfigInvalid);
  EXPECT_NE(error.message.find("more than the 1,000 B allowed"), std::string::npos) << error.message;
}

TEST_F(Engine, AFailingReadIsTheSearchesError) {
  const auto rows = rows_of(*source(kRows, Stream::kBase));
  built(spec_of(IndexKind::kDiskAnn), rows).reset();
  const auto failing = open_store("denied:read_part:index.pages@20");
  auto opened = make_embedded_engine(*failing, "c");
  ASSERT_TRUE(opened->load({}));
  auto session = opened->open_session().value();
  SearchAnswers answers;
  const auto done = session->search(rows.view(), {.k = 10, .effort = 50}, answers);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kStorageDenied) << done.error().message;
  session->cancel();
  EXPECT_EQ(session->search(rows.view(), {}, answers).error().code, ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace mlps::vectordb
