#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/zstd.hpp"
#include "replay/log_reader.hpp"
#include "storage/op_log.hpp"

namespace mlps::replay {
namespace {

using storage::LogOp;
using ::testing::HasSubstr;

/// A reader of a text in memory, which hands out a few bytes at a time.
LogReader reader_of(std::string text, size_t piece = 7) {
  return LogReader(
      [text = std::move(text), at = size_t{0}, piece](std::span<char> room) mutable -> Result<size_t> {
        const size_t count = std::min({piece, room.size(), text.size() - at});
        std::copy_n(text.data() + at, count, room.data());
        at += count;
        return count;
      },
      "the log");
}

std::string compressed(std::string_view text) {
  std::string out;
  ZstdCompressor compressor;
  EXPECT_TRUE(compressor.compress(text, ZstdCompressor::Then::kEnd, out));
  return out;
}

std::vector<LogLine> lines_of(LogReader reader) {
  std::vector<LogLine> lines;
  for (LogLine line;;) {
    const auto there = reader.next(line);
    EXPECT_TRUE(there) << there.error().message;
    if (!there || !*there) return lines;
    lines.push_back(line);
  }
}

std::string error_of(LogReader reader) {
  for (LogLine line;;) {
    const auto there = reader.next(line);
    if (!there) return code_name(there.error().code) + ": " + there.error().message;
    if (!*there) return "none";
  }
}

constexpr const char* kHead =
    "idx\tthread\top\tclient_id\tn_objects\tbytes\tendpoint\tfile\terror\tstart\tfirst_byte\tend\tduration_ns\n";

TEST(LogReaderTest, ReadsWhatWarpWrites) {
  const std::string text =
      std::string(kHead) +
      "0\t3\tPUT\tQx7c\t1\t1048576\thttp://127.0.0.1:9000\tGB(ap/5.rnd\t\t2024-02-02T10:15:11.123456789+01:00\t\t"
      "2024-02-02T10:15:11.223456789+01:00\t100000000\n"
      "1\t3\tGET\tQx7c\t1\t1048576\thttp://127.0.0.1:9000\t\"a \"\"b\"\"\"\t\"said \"\"no\"\"\"\t2024-02-02T09:15:12Z\t"
      "2024-02-02T09:15:12.1Z\t2024-02-02T09:15:12.2Z\t200000000\n";
  for (const std::string& form :
       {text, compressed(text), compressed(text.substr(0, 150)) + compressed(text.substr(150))}) {
    const auto lines = lines_of(reader_of(form));
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].op, LogOp::kPut);
    EXPECT_EQ(lines[0].file, "GB(ap/5.rnd");
    EXPECT_EQ(lines[0].bytes, 1048576U);
    EXPECT_EQ(lines[0].start_ns, 1706865311123456789);
    EXPECT_EQ(lines[0].duration_ns, 100'000'000);
    EXPECT_FALSE(lines[0].failed);
    EXPECT_EQ(lines[1].file, "a \"b\"");
    EXPECT_TRUE(lines[1].failed);
  }
}

TEST(LogReaderTest, ReadsWhatS3dlioWrites) {
  const auto lines =
      lines_of(reader_of("idx\tthread\toperation\tclient_id\tn_objects\tbytes\tendpoint\tfile\terror\tstart\tfirst_"
                         "byte\tend\tduration_ns\r\n"
                         "# a remark\n\n"
                         "0\t17170585774888887431\tget\t\t1\t4096\ts3://\ts3://bkt/data/"
                         "obj_001.dat\t\t2025-10-01T12:34:56.789Z\t\t\t103000000\n"
                         "1\t1\tHEAD\t\t1\t0\tfile:///tmp/\tfile:///tmp/x\t\t2025-10-01T12:34:56Z\t\t\t\n"));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].op, LogOp::kGet);
  EXPECT_EQ(lines[0].file, "bkt/data/obj_001.dat");
  EXPECT_EQ(lines[0].duration_ns, 103'000'000);
  EXPECT_EQ(lines[1].op, LogOp::kStat);
  EXPECT_EQ(lines[1].file, "x");
}

TEST(LogReaderTest, SaysWhatIsWrongAndWhere) {
  const std::string good = "0\t0\tGET\tc\t1\t5\t\tf\t\t2024-02-02T09:15:12Z\t\t\t\n";
  EXPECT_THAT(error_of(reader_of("")), HasSubstr("E404: the log, line 0: there is nothing"));
  EXPECT_THAT(error_of(reader_of("a\tb\n")), HasSubstr("line 1: the head line names no column 'op'"));
  EXPECT_THAT(error_of(reader_of(kHead + good + "0\t0\tGET\tc\t1\t-5\t\tf\t\t2024-02-02T09:15:12Z\n")),
              HasSubstr("line 3: '-5' is no number of bytes"));
  EXPECT_THAT(error_of(reader_of(std::string(kHead) + "0\t0\tGET\tc\t1\t5\t\tf\t\tnoon\n")),
              HasSubstr("'noon' is no time"));
  EXPECT_THAT(error_of(reader_of(kHead + std::string(100'000, 'x'), 4096)), HasSubstr("more than 64 KiB"));
  std::string broken = compressed(kHead + good);
  broken[broken.size() / 2] ^= 1;
  broken.append(20, 'x');
  EXPECT_THAT(error_of(reader_of(broken, 4096)), HasSubstr("no Zstandard stream"));
}

TEST(LogReaderTest, ALogOfAKilledProcessEndsWhereItIsCut) {
  std::string text = kHead;
  for (int i = 0; i < 20'000; ++i)
    text += fmt::format("{}\t0\tGET\tc\t1\t{}\t\tf{}\t\t2024-02-02T09:15:12Z\t\t\t\n", i, i * 7919 + 1, i);
  const std::string whole = compressed(text);
  LogReader reader = reader_of(whole.substr(0, whole.size() / 2), 4096);
  LogLine line;
  uint64_t lines = 0;
  for (;;) {
    const auto there = reader.next(line);
    ASSERT_TRUE(there) << there.error().message;
    if (!*there) break;
    EXPECT_EQ(line.bytes, lines++ * 7919 + 1);
  }
  EXPECT_TRUE(reader.is_cut());
  EXPECT_LT(lines, 20'000U);
}

TEST(LogReaderTest, TimesHaveNanosecondsAndOffsets) {
  EXPECT_EQ(parse_log_time("1970-01-01T00:00:01.000000002Z"), 1'000'000'002);
  EXPECT_EQ(parse_log_time("1970-01-01T02:00:01.5+02:00"), 1'500'000'000);
  EXPECT_EQ(parse_log_time("1969-12-31T23:59:59Z"), std::nullopt);
  EXPECT_EQ(parse_log_time("9999-01-01T00:00:00Z"), std::nullopt);
  EXPECT_EQ(parse_log_time("1970-01-01"), std::nullopt);
}

class OpLogTest : public ::testing::Test {
 protected:
  OpLogTest() : path(fmt::format("/tmp/op_log_test_{}", getpid())) { std::filesystem::remove(path); }
  ~OpLogTest() override { std::filesystem::remove(path); }

  std::string path;
};

TEST_F(OpLogTest, KeepsEveryRequestOfManyThreads) {
  constexpr uint64_t kThreads = 4, kRequests = 30'000;
  auto log = storage::OpLog::open(path, "host:0");
  ASSERT_TRUE(log);
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([channel = (*log)->open_channel(), t] {
      for (uint64_t i = 0; i < kRequests; ++i) {
        const std::string name = fmt::format("bkt/{}/{}\t\"", t, i);
        const Nanos begun = now_ns();
        channel->add({.op = LogOp::kPut,
                      .moves_data = true,
                      .attempt = 2,
                      .status = 503,
                      .bytes = i,
                      .offset = i * 2,
                      .start_ns = begun,
                      .end_ns = begun + 5,
                      .request = "UploadPart",
                      .endpoint = "http://a",
                      .file = name,
                      .error = i % 2 == 0 ? "" : "HTTP 503 SlowDown"});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE((*log)->close());
  EXPECT_EQ((*log)->lines(), kThreads * kRequests);
  std::map<std::string, uint64_t> seen;
  auto reader = LogReader::open(path);
  ASSERT_TRUE(reader);
  const int64_t now = time(nullptr);
  for (const LogLine& line : lines_of(std::move(*reader))) {
    ASSERT_TRUE(seen.emplace(line.file, line.bytes).second);
    ASSERT_EQ(line.offset, line.bytes * 2);
    ASSERT_EQ(line.failed, line.bytes % 2 == 1);
    ASSERT_EQ(line.duration_ns, 5);
    ASSERT_LT(std::abs(line.start_ns / 1'000'000'000 - now), 600);
  }
  EXPECT_EQ(seen.size(), kThreads * kRequests);
  EXPECT_EQ(seen.at("bkt/3/29999%09\""), 29'999U);
}

TEST_F(OpLogTest, AFileThatIsThereStays) {
  std::ofstream(path) << "precious";
  const auto log = storage::OpLog::open(path, "host:0");
  ASSERT_FALSE(log);
  EXPECT_THAT(log.error().message, HasSubstr("--op-log: " + path + " is there already"));
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
}

TEST_F(OpLogTest, AfterAnErrorNobodyWaitsForTheWriter) {
  std::filesystem::remove(path);
  auto log = storage::OpLog::open(path, "host:0");
  ASSERT_TRUE(log);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1024, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  {
    const auto channel = (*log)->open_channel();
    for (uint64_t i = 0; i < 200'000; ++i) channel->add({.bytes = i * 7919 * 7919, .file = std::to_string(i * 7919)});
  }
  const Status closed = (*log)->close();
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, ErrorCode::kDiskFull);
  EXPECT_THAT(closed.error().message, HasSubstr(path));
  EXPECT_FALSE((*log)->close()) << "the error stays";
}

}  // namespace
}  // namespace mlps::replay
