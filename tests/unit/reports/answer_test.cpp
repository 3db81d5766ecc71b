#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "reports/page/page.hpp"

// The answer in which a run ends: report.txt, and the block on the screen.
namespace mlps::reports::page {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::ordered_json;

Json record_of(const std::string& name) {
  std::ifstream file(std::string(MLPS_SMALL_RECORDS) + "/" + name);
  return Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::string answer_to(const Json& record) {
  const Result<RunView> view = view_of(rules::Document(record));
  EXPECT_TRUE(view) << (view ? "" : view.error().message);
  return view ? answer_text(*view) : std::string();
}

// A training run of 8 b200 on unet3d with five epochs, of which the record below misses nothing.
Json training() {
  Json record = record_of("training");
  record["plan"]["accelerators"] = 8;
  record["plan"]["batch_size"] = 7;
  record["plan"]["epochs"] = 5;
  record["plan"]["steps_per_epoch"] = 500;
  record["configuration"]["values"]["train.computation_time"] = {{"value", "0.162"}, {"source", "workload file"}};
  record["metrics"]["au_percent"] = {86.9, 87.1, 87.3, 87.7, 88.0};
  record["metrics"]["au"] = {{"mean", 87.41}, {"stdev", 0.6}};
  record["metrics"]["au_threshold_percent"] = 90.0;
  record["metrics"]["read_bytes_per_s"] = 41.2 * 1073741824;
  record["metrics"]["demand_bytes_per_s"] = 8 * 7 * 146600628.0 / 0.162;
  record["metrics"]["served_share"] = 0.873;
  record["metrics"]["storage_wait_share"] = 0.124;
  record["metrics"]["barrier_share"] = 0.002;
  record["metrics"]["harness_share"] = 0.0;
  record["metrics"]["client_share"]["training"] = 0.0002;
  const Json epoch = record["epochs"][0];
  record["epochs"] = Json::array();
  for (int i = 0; i < 5; ++i) {
    record["epochs"].push_back(epoch);
    record["epochs"][i]["cache"]["cached_share"] = 0.0;
  }
  record["warnings"] = Json::array();
  record["no_result_because"] = Json::array();
  record["store"]["holds_objects"] = true;
  record["cross_check"][0]["result"] = "agrees";
  record["cross_check"][0]["counters"] = "nvme0n1";
  return record;
}

TEST(Answer, SaysWhetherItIsEnoughWhatLimitsAndHowSureThatIs) {
  const std::string text = answer_to(training());
  EXPECT_THAT(text, StartsWith("NOT ENOUGH for 8 x b200 on unet3d"));
  EXPECT_THAT(text, HasSubstr("(complete: 5 epochs x 500 steps)\n"));
  EXPECT_THAT(text, HasSubstr("  AU          87.41 %, needed 90 %; feeds about 7 b200 (calculated)\n"))
      << "8 x 0.873 / 0.9";
  EXPECT_THAT(text, HasSubstr("  throughput  41.2 GiB/s of 47.2 GiB/s wanted (8 x 7 x 140 MiB / 162 ms)\n"));
  EXPECT_THAT(text, HasSubstr("  limited by  storage: idle 12.4 % for data, 0.2 % for each other, 0.0 % client"));
  EXPECT_THAT(text, HasSubstr("  sure        AU +- 0.60 over 5 epochs; 0.0 % cached before reading; nvme0n1"));
  EXPECT_THAT(text, HasSubstr("  warnings    none\n"));
  EXPECT_THAT(text, HasSubstr("  MLPerf      train_au_mean_percentage 87.41, train_au_meet_expectation"));
  EXPECT_THAT(text, HasSubstr("\n  next        "));
  EXPECT_THAT(text, HasSubstr(record_of("training")["invocation"]["run_folder"].get<std::string>() + "\n"));
}

TEST(Answer, WhereItIsEnoughFeedsNoMoreThanWasTried) {
  Json record = training();
  record["metrics"]["au"]["mean"] = 93.0;
  const std::string text = answer_to(record);
  EXPECT_THAT(text, StartsWith("ENOUGH for 8 x b200 on unet3d"));
  EXPECT_THAT(text, HasSubstr("feeds 8 b200, perhaps more"));
  record["metrics"]["au"]["mean"] = 5.0;
  record["metrics"]["served_share"] = 0.05;
  EXPECT_THAT(answer_to(record), HasSubstr("feeds not even 1 b200"));
}

TEST(Answer, NamesWhatLimits) {
  Json record = training();
  const auto limit = [&](double storage, double others, double client) {
    record["metrics"]["storage_wait_share"] = storage;
    record["metrics"]["barrier_share"] = others;
    record["metrics"]["harness_share"] = client;
    return answer_to(record);
  };
  EXPECT_THAT(limit(0.001, 0.002, 0.003), HasSubstr("limited by  nothing: "));
  EXPECT_THAT(limit(0.01, 0.2, 0.0), HasSubstr("limited by  the slowest accelerator of each step: "));
  EXPECT_THAT(limit(0.01, 0.02, 0.3), HasSubstr("limited by  this client: "));
  record["store"]["file_system"] = false;
  EXPECT_THAT(limit(0.5, 0.02, 0.03), HasSubstr("limited by  storage or network: ")) << "nobody can tell them apart";
}

TEST(Answer, OfMemoryCantLookLikeThatOfAStorage) {
  Json record = training();
  record["metrics"]["au"]["mean"] = 99.0;
  record["epochs"][2]["cache"]["cached_share"] = 0.75;
  EXPECT_THAT(answer_to(record),
              StartsWith("ENOUGH for 8 x b200 on unet3d, PARTLY FROM MEMORY\n  (75.0 % was in the page cache"));
  record["epochs"][2]["cache"]["cached_share"] = 0.0;
  record["cross_check"][0]["result"] = "not_checkable";
  record["cross_check"][0]["text"] = "not checkable: tmpfs (device 0:27) is on no block device of its own";
  EXPECT_THAT(answer_to(record), HasSubstr(", IN MEMORY\n  (tmpfs is memory"));
  record["cross_check"][0]["text"] = "vda read less";
  record["cross_check"][0]["result"] = "less";
  record["cross_check"][0]["counted"]["read_bytes"] = 400;
  const std::string text = answer_to(record);
  EXPECT_THAT(text, HasSubstr("FROM MEMORY\n  (the devices read 10.0 % of the bytes"));
  EXPECT_THAT(text, HasSubstr("TOO FEW"));
}

TEST(Answer, WithoutAStorageOrAResultIsNone) {
  Json record = training();
  record["metrics"]["au"]["mean"] = 99.0;
  Json changed = record;
  changed["store"]["holds_objects"] = false;
  EXPECT_THAT(answer_to(changed), StartsWith("NO STORAGE was measured: null:// keeps nothing"));
  changed = record;
  changed["caveats"] = {"this client is too slow: 12 % of the time"};
  EXPECT_THAT(answer_to(changed), StartsWith("NO ANSWER about the storage: this client was too slow"));
  EXPECT_THAT(answer_to(changed), HasSubstr("warnings    this client is too slow"));
  changed = record;
  changed["read_plan"]["remarks"] = {"an epoch fits into the read-ahead, so AU says nothing about the storage; more"};
  EXPECT_THAT(answer_to(changed), StartsWith("NO ANSWER for 8 x b200 on unet3d: too few files"));
  changed = record;
  changed["store"]["injected_fault"] = "slow=30:read_part";
  EXPECT_THAT(answer_to(changed), HasSubstr("WITH FAULTS INJECTED"));
}

TEST(Answer, OfARunThatDidNotPassSaysWhyAndWhatToDo) {
  Json record = training();
  record["verdict"] = "failed";
  record["epochs"].erase(3);
  record["epochs"].erase(3);
  record["reasons"] = {"[E403] write x: full"};
  record["error"] = {{"code", "E403"}, {"message", "write x: full"}, {"details", ""}, {"suggestion", "make room"}};
  std::string text = answer_to(record);
  EXPECT_THAT(text, StartsWith("FAILED: no answer"));
  EXPECT_THAT(text, HasSubstr("(3 of 5 epochs done)"));
  EXPECT_THAT(text, HasSubstr("  error       [E403] write x: full\n"));
  EXPECT_THAT(text, HasSubstr("  next        make room\n"));
  EXPECT_THAT(text, Not(HasSubstr("feeds")));
  EXPECT_THAT(text, HasSubstr("  throughput  41.2 GiB/s of 47.2 GiB/s wanted"));
  EXPECT_THAT(text, HasSubstr("  MLPerf      no figures: the run did not pass\n"));
  record["verdict"] = "interrupted";
  EXPECT_THAT(text, HasSubstr("87.41 %, needed 90 %, so far"));
  EXPECT_THAT(answer_to(record), StartsWith("INTERRUPTED: no answer"));
  const std::vector<std::string> all = {"training", "datagen", "checkpointing", "kvcache", "vectordb", "vectordb_load"};
  for (const std::string& name : all) {
    const Json bare = {{"schema", record_of(name)["schema"]}, {"verdict", "incomplete"}};
    text = answer_to(bare);
    EXPECT_THAT(text, StartsWith("INCOMPLETE, still running or killed: no answer")) << name;
    EXPECT_THAT(text, Not(HasSubstr("0.0 %"))) << "unmeasured is '-'";
  }
}

TEST(Answer, OfCheckpointsHasOneHeadlineAndTheOtherRateByItsName) {
  Json record = record_of("checkpointing");
  record["plan"]["model"] = "llama3-8b";
  record["store"]["holds_objects"] = true;
  record["warnings"] = Json::array();
  record["read"]["metrics"]["cached_share"] = 0.0;
  record["write"]["metrics"]["gib_per_s"] = 1.5;
  record["write"]["metrics"]["original"]["io_mean_gib_per_s"] = 18.0;
  record["read"]["metrics"]["gib_per_s"] = 2.0;
  record["read"]["metrics"]["original"]["io_mean_gib_per_s"] = 2.1;
  for (Json& check : record["cross_check"]) check["result"] = "agrees";
  const std::string text = answer_to(record);
  EXPECT_THAT(text, StartsWith("Checkpoint llama3-8b: writes 1.5 GiB/s, reads 2 GiB/s"));
  EXPECT_THAT(text, HasSubstr("  checkpoint  3.91 KiB: save "));
  EXPECT_THAT(text, HasSubstr("  MLPerf      save_, load_checkpoint_io_mean_GB_per_second 18, 2.1"));
  EXPECT_THAT(text, HasSubstr("rank 0 only:\n              12, 1.05 x the headline"));
  EXPECT_THAT(text, HasSubstr("when writing (I/O threads: storage"));
}

TEST(Answer, NamesFsyncWhereItTakesMostOfTheTime) {
  Json record = record_of("checkpointing");
  Json& write = record["write"];
  record["store"]["blocking"] = true;
  record["store"]["file_system"] = true;
  write["worker_time"] = {{"submit_ns", 900}, {"wait_ns", 0}, {"prepare_ns", 50}, {"starved_ns", 30}, {"other_ns", 20}};
  write["latency"]["commit"]["count"] = 2;
  write["latency"]["commit"]["mean_ns"] = 300;
  EXPECT_THAT(answer_to(record), HasSubstr("fsync when writing (I/O threads: storage 90.0 %, 66.7 % of it\n"));
  write["latency"]["commit"]["mean_ns"] = 30;
  EXPECT_THAT(answer_to(record), HasSubstr("storage when writing (I/O threads: storage 90.0 %, 6.7 % of it\n"));
  write["worker_time"] = {
      {"submit_ns", 200}, {"wait_ns", 0}, {"prepare_ns", 50}, {"starved_ns", 700}, {"other_ns", 50}};
  EXPECT_THAT(answer_to(record), HasSubstr("limited by  the slowest rank when writing"));
}

TEST(Answer, OfADataSetSaysWhatWasWritten) {
  Json record = record_of("datagen");
  std::string text = answer_to(record);
  EXPECT_THAT(text, StartsWith("Data set unet3d: 267 MiB written at 534 MiB/s\n"));
  EXPECT_THAT(text, HasSubstr("  files       270 written (1 of them repaired), 10 found whole, 280 in all\n"));
  EXPECT_THAT(text, HasSubstr("  limited by  storage: I/O threads 90.0 % in storage calls, 8.0 % making data"));
  EXPECT_THAT(text, HasSubstr("vda counted 105.8 % of the bytes written"));
  EXPECT_THAT(text, HasSubstr("  next        read it: training unet3d run, with the same --params"));
  record["bytes_written"] = 0;
  EXPECT_THAT(answer_to(record), StartsWith("Data set unet3d: nothing was written\n"));
}

TEST(Answer, RepeatsWarningsThatDifferInMoreThanNumbers) {
  Json record = training();
  record["warnings"] = {"epoch 1: 10.0 % is cached", "epoch 2: 12.5 % is cached", "the disk is full",
                        "cross-check with the kernel's counters: vda wrote less"};
  EXPECT_THAT(answer_to(record), HasSubstr("  warnings    2: epoch 1: 10.0 % is cached; the disk is full\n"));
}

TEST(Answer, HasTwelveLinesOfEightyColumnsWhateverItHasToSay) {
  const std::string longest(3000, 'w');
  Json record = training();
  record["warnings"] = {longest, "a " + longest, "b c d " + longest};
  record["no_result_because"] = {longest};
  record["cross_check"][0]["text"] = longest;
  record["cross_check"][0]["counted"] = nullptr;
  record["invocation"]["model"] = longest;
  record["invocation"]["run_folder"] = "/" + longest;
  record["error"] = {{"code", "E403"}, {"message", longest}, {"suggestion", longest}};
  for (const char* verdict : {"passed", "failed"}) {
    record["verdict"] = verdict;
    const std::string text = answer_to(record);
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 12);
    size_t begin = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin)) {
      const bool is_path = text.substr(begin, 2) == "/w";
      EXPECT_TRUE(is_path || end - begin <= 80) << text.substr(begin, end - begin);
    }
    EXPECT_THAT(text, HasSubstr("\n/" + longest + "\n")) << "a path is there to be copied";
  }
}

}  // namespace
}  // namespace mlps::reports::page
