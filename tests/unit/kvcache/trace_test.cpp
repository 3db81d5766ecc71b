#include "benchmarks/kvcache/trace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <isa-l/igzip_lib.h>

#include <fstream>

#include "base/zstd.hpp"
#include "scratch_folder.hpp"

namespace mlps::kvcache {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string gzipped(const std::string& text) {
  std::vector<uint8_t> out(text.size() + 1000);
  isal_zstream stream{};
  isal_deflate_init(&stream);
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uint32_t>(text.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uint32_t>(out.size());
  EXPECT_EQ(isal_deflate(&stream), COMP_OK);
  return {out.begin(), out.begin() + stream.total_out};
}

class Trace : public ::testing::Test {
 protected:
  Result<std::vector<TraceRequest>> read(const std::string& text) {
    const std::string path = folder_.path() + "/trace";
    std::ofstream(path, std::ios::binary) << text;
    auto reader = TraceReader::open(path);
    if (!reader) return fail(reader.error());
    reader_ = std::move(*reader);
    return rest();
  }
  Result<std::vector<TraceRequest>> rest() {
    std::vector<TraceRequest> requests;
    for (;;) {
      TraceRequest request;
      const auto there = reader_->next(request);
      if (!there) return fail(there.error());
      if (!*there) return requests;
      requests.push_back(request);
    }
  }
  std::string refused(const std::string& text) {
    const auto requests = read(text);
    if (requests) return "accepted";
    return requests.error().message + " " + requests.error().details;
  }

  test::ScratchFolder folder_;
  std::unique_ptr<TraceReader> reader_;
};

constexpr const char* kMooncake =
    R"({"timestamp": 3000, "input_length": 1025, "output_length": 500, "hash_ids": [0, 1, 2]}
{"timestamp": 6000, "input_length": 512, "output_length": 1, "hash_ids": [0]}
)";

TEST_F(Trace, MooncakeHasBlocksAndMilliseconds) {
  const auto requests = read(kMooncake);
  ASSERT_TRUE(requests) << requests.error().message;
  ASSERT_EQ(requests->size(), 2u);
  EXPECT_EQ(reader_->format(), TraceFormat::kMooncake);
  EXPECT_EQ(reader_->block_tokens(), 512u);
  EXPECT_THAT((*requests)[0].blocks, ElementsAre(0, 1, 2));
  EXPECT_EQ((*requests)[0].at_ns, 0);
  EXPECT_EQ((*requests)[1].at_ns, 3'000'000'000);
  EXPECT_EQ((*requests)[1].output, 1u);
}

TEST_F(Trace, GzipAndRewindingGiveTheSame) {
  ASSERT_TRUE(read(gzipped(kMooncake)));
  ASSERT_TRUE(reader_->rewind());
  EXPECT_EQ(rest()->size(), 2u);
  const auto members = read(gzipped(kMooncake) + gzipped(kMooncake));
  ASSERT_TRUE(members) << members.error().message;
  EXPECT_EQ(members->size(), 4u);
  EXPECT_THAT(refused(gzipped(kMooncake).substr(0, 60)), HasSubstr("end too early"));
}

TEST_F(Trace, BailianHasSecondsAndBlocksOfSixteen) {
  const auto requests = read(
      R"({"chat_id": 5, "parent_chat_id": -1, "timestamp": 1.25, "input_length": 33, "output_length": 7, "type": "text", "turn": 1, "hash_ids": [7, 8, 9]})");
  ASSERT_TRUE(requests) << requests.error().message;
  EXPECT_EQ(reader_->format(), TraceFormat::kBailian);
  EXPECT_EQ(reader_->block_tokens(), 16u);
  EXPECT_EQ((*requests)[0].input, 33u);
}

TEST_F(Trace, BurstGptLeavesFailedRowsOut) {
  const auto requests = read(
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
      "5,ChatGPT,472,18,490,Conversation log\n"
      "45,ChatGPT,1087,0,1087,Conversation log\r\n"
      "x,y\n"
      "118.5,GPT-4,417,276,693,Conversation log\n");
  ASSERT_TRUE(requests) << requests.error().message;
  ASSERT_EQ(requests->size(), 2u);
  EXPECT_EQ((*requests)[1].at_ns, 113'500'000'000);
  EXPECT_EQ((*requests)[1].input, 417u);
  EXPECT_EQ(reader_->skipped(), 2u);
  EXPECT_EQ(reader_->block_tokens(), 0u);
}

TEST_F(Trace, AzureHasDates) {
  const auto requests = read(
      "TIMESTAMP,ContextTokens,GeneratedTokens\n"
      "2023-11-16 23:59:59.5000000,4808,10\n"
      "2023-11-17 00:00:01.0000000,3180,8\n");
  ASSERT_TRUE(requests) << requests.error().message;
  ASSERT_EQ(requests->size(), 2u);
  EXPECT_NEAR(static_cast<double>((*requests)[1].at_ns), 1.5e9, 1000);
}

TEST_F(Trace, ShareGptTurnsRepeatThoseBefore) {
  const auto requests = read(
      R"([ {"id": "a", "conversations": [{"from": "human", "value": "12345678"}, {"from": "gpt", "value": "12, ]}"},
           {"from": "human", "value": "\"12345678901\""}, {"from": "gpt", "value": "1"}]},
          {"id": "b", "conversations": [{"from": "gpt", "value": "x"}, {"from": "human", "value": "abcd"},
           {"from": "gpt", "value": "abcd"}]} ])");
  ASSERT_TRUE(requests) << requests.error().message;
  ASSERT_EQ(requests->size(), 3u);
  EXPECT_EQ((*requests)[0].input, 2u);
  EXPECT_EQ((*requests)[1].input, 2u + 1 + 3);
  EXPECT_EQ((*requests)[0].session, (*requests)[1].session);
  EXPECT_NE((*requests)[1].session, (*requests)[2].session);
}

TEST_F(Trace, HostileInputIsRefusedWithItsLine) {
  EXPECT_THAT(refused(""), HasSubstr("no known format"));
  EXPECT_THAT(refused("hello"), HasSubstr("no known format"));
  EXPECT_THAT(refused("{}"), HasSubstr("line 1: input_length"));
  EXPECT_THAT(refused(std::string(kMooncake) + "{\"timestamp\": 1"), HasSubstr("line 3: no JSON object"));
  EXPECT_THAT(refused(R"({"timestamp": 0, "input_length": -5, "hash_ids": []})"), HasSubstr("input_length"));
  EXPECT_THAT(refused(R"({"timestamp": 0, "input_length": 1e300, "hash_ids": []})"), HasSubstr("input_length"));
  EXPECT_THAT(refused(R"({"timestamp": "now", "input_length": 5, "hash_ids": []})"), HasSubstr("timestamp"));
  EXPECT_THAT(refused(R"({"timestamp": 0, "input_length": 5, "hash_ids": ["x"]})"), HasSubstr("hash_ids"));
  EXPECT_THAT(refused(R"([{"conversations": 5}])"), HasSubstr("no conversations"));
  EXPECT_THAT(refused(R"([{"conversations": []})"), HasSubstr("no end"));
  EXPECT_THAT(refused("\x28\xb5\x2f\xfd trace"), HasSubstr("its zstd data are damaged"));
}

std::string zstd_packed(const std::string& text) {
  ZstdCompressor packer;
  std::string packed;
  EXPECT_TRUE(packer.compress(text.substr(0, text.size() / 2), ZstdCompressor::Then::kGoOn, packed) &&
              packer.compress(text.substr(text.size() / 2), ZstdCompressor::Then::kEnd, packed));
  return packed;
}

TEST_F(Trace, IsReadFromZstdAlsoInSeveralFrames) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += "{\"timestamp\":" + std::to_string(i) + ",\"input_length\":512,\"output_length\":1,\"hash_ids\":[" +
            std::to_string(i * 7919 % 10'007) + "]}\n";
  }
  const auto requests = read(zstd_packed(text) + zstd_packed(text));
  ASSERT_TRUE(requests) << render(requests.error());
  ASSERT_EQ(requests->size(), 40'000u);
  EXPECT_THAT((*requests)[39'999].blocks, ElementsAre(uint64_t{19'999} * 7919 % 10'007));
  ASSERT_TRUE(reader_->rewind());
  EXPECT_EQ(rest()->size(), 40'000u);
  EXPECT_THAT(refused(zstd_packed(text).substr(0, 3000)), HasSubstr("its packed data end too early"));
}

TEST(Zstd, ReadsWhatItsOwnProgramPacks) {
  // printf 'hello hello hello\\n' | zstd --no-check
  constexpr std::string_view kPacked("\x28\xb5\x2f\xfd\x00\x58\x6d\x00\x00\x38hello \x0a\x01\x00\x31\x4a\x11", 22);
  const auto unpacker = unpacker_for(kPacked);
  ASSERT_TRUE(unpacker);
  std::string_view left = kPacked;
  char out[100];
  const auto made = unpacker->unpack(left, out, sizeof out);
  ASSERT_TRUE(made);
  EXPECT_EQ(std::string_view(out, *made), "hello hello hello\n");
  EXPECT_TRUE(unpacker->is_whole() && left.empty());
}

}  // namespace
}  // namespace mlps::kvcache
