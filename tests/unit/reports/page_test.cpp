#include "reports/page/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "../support/page_check.hpp"
#include "base/text.hpp"
#include "reports/page/plots.hpp"
#include "reports/page/record_parts.hpp"

namespace mlps::reports::page {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::ordered_json;

Json small_record(const std::string& name) {
  std::ifstream file(std::string(MLPS_SMALL_RECORDS) + "/" + name);
  return Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

RunView view_in(const Json& record) {
  Result<RunView> view = view_of(rules::Document(record));
  EXPECT_TRUE(view) << (view ? "" : view.error().message);
  return view ? *view : RunView();
}

std::string page_from(const Json& record) {
  std::string page = page_of({view_in(record)});
  EXPECT_EQ(test::PageCheck::problem(page), "");
  EXPECT_LE(page.size(), kMostPageBytes);
  return page;
}

const std::vector<std::string> kBenchmarks = {"training", "datagen",  "checkpointing",
                                              "kvcache",  "vectordb", "vectordb_load"};

TEST(Page, NeedsNothingFromElsewhere) {
  for (const std::string& name : kBenchmarks) {
    const std::string page = page_from(small_record(name));
    for (const char* word :
         {"http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link", "javascript:"}) {
      EXPECT_THAT(page, Not(HasSubstr(word))) << name;
    }
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
    EXPECT_THAT(page, HasSubstr("prefers-color-scheme:dark"));
    EXPECT_THAT(page, HasSubstr("@media print"));
  }
}

TEST(Page, ItsTitleBeginsWithTheLabel) {
  Json record = small_record("training");
  const std::string title = view_in(record).title;
  record["invocation"]["label"] = nullptr;
  EXPECT_EQ(view_in(record).title, title);
  record["invocation"]["label"] = "new <firmware>";
  EXPECT_EQ(view_in(record).title, "new <firmware>: " + title);
  EXPECT_THAT(page_from(record), HasSubstr("<h1>new &lt;firmware&gt;: "));
}

TEST(Page, HasTheDrawingsInOrder) {
  const auto headings = [](const std::string& page) {
    std::vector<std::string> found;
    for (size_t at = page.find("<h3>"); at != std::string::npos; at = page.find("<h3>", at + 1)) {
      found.push_back(page.substr(at + 4, page.find("</h3>", at) - at - 4));
    }
    return found;
  };
  EXPECT_THAT(headings(page_from(small_record("training"))),
              ::testing::ElementsAre("Warnings", "Throughput over time", "AU of each epoch", "Where the time went",
                                     "Share of operations that took so long at most", "AU of each rank in each epoch",
                                     "Bytes: claimed, counted by the kernel, from the page cache", "Hosts",
                                     "All figures", "Workload", "Options", "Storage"));
  EXPECT_THAT(headings(page_from(small_record("checkpointing"))),
              ::testing::IsSupersetOf(
                  {"Rate of each checkpoint", "Rate of each rank in each write", "Rate of each rank in each read"}));
  EXPECT_THAT(headings(page_from(small_record("kvcache"))),
              ::testing::IsSupersetOf({"Requests in time against requests offered", "What was found in the cache"}));
  EXPECT_THAT(
      headings(page_from(small_record("vectordb"))),
      ::testing::IsSupersetOf({"Queries per second against recall", "Reads of a query against recall",
                               "What was found in the cache", "Queries of each worker per second, in each window"}));
  EXPECT_THAT(headings(page_from(small_record("vectordb_load"))), ::testing::Contains("Rate of each loader"));
}

TEST(Training, SaysWhetherItWasEnoughApartFromTheVerdict) {
  Json record = small_record("training");
  for (Json& epoch : record["epochs"]) epoch["cache"]["cached_share"] = 0.0;
  EXPECT_EQ(view_in(record).answer, "ENOUGH for 2 x b200 on unet3d");
  record["metrics"]["au"]["mean"] = 60.5;
  RunView view = view_in(record);
  EXPECT_EQ(view.answer, "NOT ENOUGH for 2 x b200 on unet3d");
  EXPECT_EQ(view.verdict, "passed");
  EXPECT_THAT(view.limit, ::testing::StartsWith("storage: idle"));
  record["caveats"] = {"this client was slow"};
  EXPECT_THAT(view_in(record).answer, HasSubstr("NO ANSWER about the storage"));
  record["caveats"] = Json::array();
  record["verdict"] = "interrupted";
  EXPECT_THAT(view_in(record).answer, HasSubstr("no answer"));
}

TEST(Training, DrawsSecondsEpochsDemandAndRetries) {
  const RunView view = view_in(small_record("training"));
  ASSERT_TRUE(view.timeline);
  ASSERT_EQ(view.timeline->segments.size(), 4U);
  EXPECT_EQ(view.timeline->segments[3].bytes_per_s, 3000);
  EXPECT_EQ(view.timeline->bands[1].when.from_s, 2);
  EXPECT_NEAR(view.timeline->pauses[0].when.to_s, 1.3, 1e-6);
  ASSERT_TRUE(view.timeline->demand);
  EXPECT_EQ(view.timeline->demand->front().bytes_per_s, 1.2e9);
  ASSERT_TRUE(view.timeline->retries);
  EXPECT_EQ(view.timeline->retries->front().at_s, 1.5);
  ASSERT_TRUE(view.moved);
  EXPECT_EQ(view.moved->directions[0].cached, 1000.0) << "a quarter of what was read";
  EXPECT_EQ(view.moved->directions[0].counted, 4100.0);
}

TEST(Training, WeighsTheBlocksOfAnEpochBySteps) {
  Json record = small_record("training");
  Json& blocks = record["epochs"][0]["blocks"];
  blocks.push_back(blocks[0]);
  blocks[1]["ranks"][0]["au_percent"] = 40.0;
  blocks[1]["ranks"][0]["steps"] = 12;
  const RunView view = view_in(record);
  ASSERT_TRUE(view.heat_maps.at(0));
  EXPECT_EQ(view.heat_maps[0]->values[0], 50.0) << "(80 x 4 + 40 x 12) / 16";
  EXPECT_EQ(view.heat_maps[0]->rows[1], "1 b") << "the host, as there are several";
}

TEST(Checkpointing, DrawsEachCheckpointWithThePausesBetween) {
  const RunView view = view_in(small_record("checkpointing"));
  ASSERT_TRUE(view.timeline);
  EXPECT_EQ(view.timeline->segments[0].bytes_per_s, 4000);
  EXPECT_TRUE(view.timeline->segments[0].writes);
  EXPECT_EQ(view.timeline->pauses.size(), 3U);
  ASSERT_FALSE(view.timeline->retries) << "a checkpoint's record has no moment of them";
  EXPECT_THAT(view.timeline->retries.error(), HasSubstr("2 retries"));
  ASSERT_TRUE(view.time);
  EXPECT_NEAR((*view.time)[0].shares[0].share + (*view.time)[0].shares[1].share, 0.7, 1e-9)
      << "commits are a part of storage";
  ASSERT_TRUE(view.moved);
  EXPECT_EQ(view.moved->directions[0].cached, 2000.0);
}

TEST(KvCache, AddsTheRanksOfATrial) {
  const RunView view = view_in(small_record("kvcache"));
  ASSERT_TRUE(view.load && *view.load);
  const LoadPoint& first = (**view.load)[0];
  EXPECT_NEAR(first.offered, 40.0 / 3, 1e-9);
  EXPECT_NEAR(*first.good, 8, 1e-9);
  EXPECT_NEAR(*(**view.load)[2].good, 4.0 / 2, 1e-9) << "of a replay";
  ASSERT_TRUE(view.hits && *view.hits);
  EXPECT_EQ((**view.hits)[0].hits, 12);
  EXPECT_EQ((**view.hits).back().misses, 5) << "blocks";
  ASSERT_FALSE(view.timeline->demand) << "half of an offer is none";
}

TEST(VectorSearch, SetsQueriesAndReadsAgainstRecall) {
  const RunView view = view_in(small_record("vectordb"));
  EXPECT_EQ(view.title, "Vector search, embedded DISKANN, 20,000 vectors");
  EXPECT_EQ(view.answer, "embedded DISKANN: 1 of 2 recall targets reached");
  EXPECT_THAT(view.lines.at(0).phrases, ::testing::ElementsAre("1,000 queries/s at recall@10 81 %, p99 3 ms"));
  EXPECT_THAT(
      view.lines.at(1).phrases,
      ::testing::ElementsAre("500 queries/s at recall@10 90 %, p99 3 ms (recall 0.99 NOT REACHED by any effort)"));
  EXPECT_EQ(view.answer_tone, Tone::kBad);
  Json lower = small_record("vectordb");
  lower["windows"][0]["recall"]["mean"] = 0.79;
  EXPECT_THAT(view_in(lower).lines.at(0).phrases.at(0),
              HasSubstr("(below the 0.8 that fewer queries reached in the sweep)"));
  EXPECT_EQ(view.key_figures[0].value, "1,000/s") << "of the highest recall that was reached";
  Json mixed = small_record("vectordb");
  mixed["inserts"] = {{{"window", 0}, {"inserted", 600}, {"seconds", 2.0}, {"latency", Json::object()}},
                      {{"window", 1}, {"inserted", 100}, {"seconds", 2.0}, {"latency", Json::object()}}};
  EXPECT_EQ(view_in(mixed).key_figures[5].value, "300/s") << "in the same window";
  ASSERT_TRUE(view.recall && *view.recall);
  EXPECT_EQ((**view.recall).sweep[1].reads, 16.0);
  EXPECT_EQ((**view.recall).windows[1].queries_per_s, 500);
  EXPECT_EQ((**view.recall).targets.back(), 0.99);
  ASSERT_TRUE(view.time);
  EXPECT_NEAR((*view.time)[0].shares[0].share, 0.5, 1e-9) << "2,000 queries waited 1 ms each in 2 s of 2 workers";
  EXPECT_NEAR((*view.time)[0].shares[1].share, 0.25, 1e-9);
  EXPECT_THAT(view.limit, ::testing::StartsWith("storage: "));
  ASSERT_TRUE(view.timeline);
  EXPECT_EQ(view.timeline->segments[0].bytes_per_s, 1000 * 10 * 4096);
  EXPECT_EQ(view.timeline->pauses[0].when.from_s, 3);
  ASSERT_TRUE(view.heat_maps.at(0));
  EXPECT_EQ(view.heat_maps[0]->values[2], 300.0) << "600 queries of rank 1 in 2 s";
}

TEST(VectorSearch, AddsTheLatenciesOfItsWorkers) {
  Json record = small_record("vectordb");
  record["workers"][1]["latency"]["search"]["bucket_ns"] = {1000000, 4000000};
  const RunView view = view_in(record);
  ASSERT_TRUE(view.latencies);
  const Latency& first = view.latencies->front();
  EXPECT_EQ(first.count, 1500);
  ASSERT_EQ(first.curve.size(), 3U);
  EXPECT_NEAR(first.curve[0].second, 750.0 / 1500, 1e-9);
  EXPECT_NEAR(first.curve[1].second, 1000.0 / 1500, 1e-9) << "worker 0 has 250 of 2 ms";
  EXPECT_EQ(first.curve[2].second, 1.0);
  EXPECT_EQ(*first.p99_ns, 4000000);
}

TEST(VectorSearch, OnAServerKnowsNoReads) {
  Json record = small_record("vectordb");
  record["plan"]["engine"] = "milvus";
  for (Json& window : record["windows"]) {
    for (const char* key : {"reads", "bytes", "rounds", "cache_hits"}) window["per_query"][key] = nullptr;
    window["per_query"]["compute_us"] = 0.0;
  }
  const std::string page = page_from(record);
  EXPECT_THAT(page, HasSubstr("a server doesn&#39;t tell what a query reads"));
  EXPECT_THAT(page, HasSubstr("waiting for the server"));
  const RunView view = view_in(record);
  EXPECT_FALSE(view.hits);
  EXPECT_EQ(view.key_figures[3].value, "-");
  EXPECT_THAT(view.limit, ::testing::StartsWith("the server: "));
}

TEST(VectorLoad, SaysWhatTookLongest) {
  const RunView view = view_in(small_record("vectordb_load"));
  EXPECT_EQ(view.answer, "20,000 vectors inserted at 26,667/s; index built in 3 s");
  EXPECT_THAT(view.limit, HasSubstr("building the index (75 %"));
  ASSERT_TRUE(view.bars);
  EXPECT_EQ(view.bars->bars[1].value, 10000 * 64 * 4 / 2.0);
}

// What a record doesn't have is said, in a sentence, wherever it would be drawn.
TEST(Plots, OfNothingAreEmpty) {
  EXPECT_THAT(bars_plot(Bars(), ""), Not(HasSubstr("<rect")));
  EXPECT_THAT(heat_plot(HeatMap()), Not(HasSubstr("<rect")));
  EXPECT_THAT(time_plot(std::vector<TimeStack>()), Not(HasSubstr("<rect")));
  EXPECT_THAT(moved_plot(MovedBytes()), Not(HasSubstr("<rect")));
}

TEST(Page, SaysWhatIsUnknownAndDrawsNoZero) {
  for (const std::string& name : kBenchmarks) {
    const Json full = small_record(name);
    const Json bare = {{"schema", full["schema"]}, {"verdict", "incomplete"}};
    const std::string page = page_from(bare);
    EXPECT_THAT(page, HasSubstr("the run has not ended, or was killed"));
    EXPECT_THAT(page, Not(HasSubstr("<svg"))) << "nothing is drawn of nothing";
    EXPECT_THAT(page, Not(HasSubstr("0.00 %")));
    const RunView view = view_in(bare);
    EXPECT_THAT(view.timeline.error(), Not(HasSubstr("no retries")));
    for (const KeyFigure& one : view.key_figures) EXPECT_EQ(one.value, "-") << one.label;
  }
  Json record = small_record("training");
  record["cross_check"][0]["counted"] = nullptr;
  record["cross_check"][0]["text"] = "tmpfs is on no block device";
  record["epochs"][0]["cache"]["cached_share"] = nullptr;
  const std::string page = page_from(record);
  EXPECT_THAT(page, HasSubstr("counted not known"));
  EXPECT_THAT(page, HasSubstr("tmpfs is on no block device"));
  EXPECT_THAT(page, HasSubstr("cached not known"));
}

TEST(Page, DoesNotSetTheCountersOfSomeHostsAgainstTheBytesOfAll) {
  Json record = small_record("training");
  record["cross_check"].push_back(
      {{"host", "b"}, {"text", "not checkable"}, {"claimed", {{"read_bytes", 4000}}}, {"counted", nullptr}});
  const RunView view = view_in(record);
  ASSERT_TRUE(view.moved);
  EXPECT_EQ(view.moved->directions[0].claimed, 8000);
  EXPECT_EQ(view.moved->directions[0].counted, std::nullopt);
  EXPECT_THAT(view.moved->remarks.front(), HasSubstr("1 of 2 hosts"));
}

TEST(Page, ShowsTheTextOfARecordAsText) {
  constexpr const char* kHostile = "\"'><script>alert(1)</script><img src=http://evil/x onerror=y>";
  for (const std::string& name : kBenchmarks) {
    Json record = small_record(name);
    record["warnings"] = {kHostile};
    record["verdict"] = kHostile;
    for (auto& [key, value] : record["invocation"].items()) {
      if (value.is_string()) value = kHostile;
    }
    record["invocation"]["argv"] = {kHostile, std::string("--") + kHostile};
    record["invocation"]["args"][kHostile] = kHostile;
    record["configuration"]["values"][kHostile] = {{"value", kHostile}, {"source", kHostile}};
    record["store"]["location"] = kHostile;
    record["store"]["settings"][kHostile] = kHostile;
    record["hosts"][0]["host"] = record["hosts"][1]["host"] = kHostile;
    record["cross_check"][0]["host"] = record["cross_check"][0]["text"] = kHostile;
    record["cross_check"][0]["counted"] = nullptr;
    const std::string page = page_from(record);
    EXPECT_THAT(page, Not(HasSubstr("<script"))) << name;
    EXPECT_THAT(page, Not(HasSubstr("<img"))) << name;
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;")) << name;
  }
}

// No line of an answer is wider than a terminal, but for a path; there are at most twelve.
void expect_short(const std::string& answer) {
  size_t lines = 0;
  for (const std::string& line : split(answer, "\n")) {
    ++lines;
    const auto columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
    EXPECT_LE(columns, 80) << line;
  }
  EXPECT_LE(lines, 12U) << answer;
}

// Puts two of `hostile`, in turn, into each place of `value`, and calls `use` with what `root` is then.
template <class Use>
void with_each_place(const Json& root, Json& value, const std::vector<Json>& hostile, size_t& next, const Use& use) {
  constexpr size_t kPerPlace = 2;
  if (value.is_structured()) {
    for (auto& one : value) with_each_place(root, one, hostile, next, use);
  }
  const Json own = value;
  for (size_t i = 0; i < kPerPlace; ++i) {
    value = hostile[next++ % hostile.size()];
    use(root);
  }
  value = own;
}

TEST(Page, IsWholeWhateverStandsInAnyPlaceOfARecord) {
  const std::vector<Json> hostile = {
      nullptr, -1, 1e308, 0, "&<\x01", true, Json::array({Json::array()}), Json::object({{"a", 1e-300}}), "9"};
  for (const std::string& name : kBenchmarks) {
    Json record = small_record(name);
    size_t pages = 0;
    size_t next = 0;
    with_each_place(record, record, hostile, next, [&](const Json& changed) {
      const Result<RunView> view = view_of(rules::Document(changed));
      if (!view) return;
      const std::string page = page_of({*view});
      expect_short(answer_text(*view));
      ++pages;
      ASSERT_EQ(test::PageCheck::problem(page), "") << changed.dump().substr(0, 3000);
      ASSERT_LE(page.size(), kMostPageBytes);
    });
    // The records of loads are small.
    EXPECT_GT(pages, name == "datagen" || name == "vectordb_load" ? 200U : 300U);
  }
}

TEST(Page, StaysSmallHoweverMuchARecordHolds) {
  Json record = small_record("training");
  record["plan"]["accelerators"] = 1000;
  Json& ranks = record["epochs"][0]["blocks"][0]["ranks"];
  for (int rank = 2; rank < 1000; ++rank) {
    ranks.push_back({{"rank", rank}, {"steps", 4}, {"au_percent", rank == 777 ? 12.5 : 90.0 + rank % 9}});
  }
  for (int epoch = 2; epoch < 100; ++epoch) {
    record["epochs"].push_back(record["epochs"][1]);
    record["epochs"].back()["epoch"] = epoch + 1;
    record["metrics"]["au_percent"].push_back(90.0);
  }
  while (record["per_second"]["intervals"].size() < 4096) {
    const size_t second = record["per_second"]["intervals"].size();
    record["per_second"]["intervals"].push_back(
        {{"s", second}, {"bytes", second * 7919 % 100'000}, {"retries", second % 2}});
  }
  for (int host = 0; host < 500; ++host) record["hosts"].push_back(record["hosts"][0]);
  for (int i = 0; i < 2000; ++i) record["warnings"].push_back("warning " + std::to_string(i));
  const std::string page = page_from(record);
  EXPECT_THAT(page, HasSubstr("the worst is rank 777"));
  EXPECT_THAT(page, HasSubstr("each cell is the worst of 21 ranks and 3 columns"));
  EXPECT_THAT(page, HasSubstr("more in the record"));
}

TEST(Page, SetsSeveralRunsAgainstOneAnother) {
  Json other = small_record("training");
  other["configuration"]["values"]["reader.batch_size"]["value"] = "14";
  other["metrics"]["au"]["mean"] = 33.0;
  const std::vector<RunView> runs = {view_in(small_record("training")), view_in(other)};
  const std::string page = page_of(runs);
  EXPECT_EQ(test::PageCheck::problem(page), "");
  EXPECT_THAT(page, HasSubstr("<td>reader.batch_size</td><td>7</td><td>14</td>"));
  EXPECT_THAT(page, HasSubstr("33 %"));
  const std::string many = page_of(std::vector<RunView>(100, runs[0]));
  EXPECT_EQ(test::PageCheck::problem(many), "");
  EXPECT_LE(many.size(), kMostPageBytes);
  EXPECT_THAT(many, HasSubstr("No room on this page for the drawings of"));
}

TEST(Record, ThatThereIsNoReportOnIsRefused) {
  const auto refused = [](const Json& record) { return view_of(rules::Document(record)).error(); };
  EXPECT_THAT(refused({{"schema", "mlpstorage.other/1"}}).message, HasSubstr("'mlpstorage.other/1'"));
  EXPECT_THAT(refused({{"schema", "mlpstorage.other/1"}}).details, HasSubstr("mlpstorage.training/1"));
  EXPECT_THAT(refused(Json::object()).message, HasSubstr("no record"));
  EXPECT_EQ(read_run("/nowhere/at/all").error().code, ErrorCode::kPathNotFound);
  EXPECT_EQ(read_run("/proc").error().code, ErrorCode::kPathNotFound);
}

TEST(Record, OfARunFolderBecomesAPageThere) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "report_page";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "mlpstorage_record.json") << small_record("checkpointing").dump();
  const Result<std::string> answer = write_report(folder.string());
  ASSERT_TRUE(answer);
  std::ifstream text(folder / kAnswerFile);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(text), {}), *answer);
  std::ifstream file(folder / kReportFile);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(test::PageCheck::problem(page), "");
  std::ofstream(folder / "mlpstorage_record.json") << "{\"schema\": ";
  EXPECT_EQ(write_report(folder.string()).error().code, ErrorCode::kConfigParse);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mlps::reports::page
